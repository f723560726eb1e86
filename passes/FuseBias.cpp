//===- FuseBias.cpp - Add a bias in the epilogue ---------------------------===//
//
//   %l = llm.linear %x, [%w]                 ==>    %y = llm.linear %x, [%w] bias(%b) epilogue(%p,
//   %c) { %y = llm.add_bias %l, %b                          yield %p + %c }
//
// Left alone where another op reads %l.
//
//===----------------------------------------------------------------------===//
#include "passes/EpilogueBuilder.h"
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSEBIAS
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

struct FuseBias : Fusion<AddBiasOp> {
  using Fusion::Fusion;

  LogicalResult check(AddBiasOp op, Nearly nearly) const override {
    if (!op.getX().getDefiningOp<LinearOp>())
      return failure();
    if (!op.getX().hasOneUse()) {
      nearly("another op reads the linear layer's result without the bias");
      return failure();
    }
    return success();
  }

  void fuse(AddBiasOp op, PatternRewriter &rewriter) const override {
    EpilogueOperands added{.biases = {op.getBias()}};
    LinearOp fused =
        buildEpilogue(rewriter, getOnlyUsedLinear(op.getX()), added,
                      [](ImplicitLocOpBuilder &b, ValueRange values, ValueRange bias) -> Value {
                        return b.create<arith::AddFOp>(values[0], bias[0]);
                      });
    rewriter.replaceOp(op, fused);
  }

  StringRef done() const override { return "bias added in the epilogue of the linear layer"; }
};

struct FuseBiasPass : sinter::impl::FuseBiasBase<FuseBiasPass> {
  using FuseBiasBase::FuseBiasBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseBias>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
