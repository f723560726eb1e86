//===- FuseScale.cpp - Scale in the epilogue -------------------------------===//
//
//   %l = llm.linear %x, [%w]                 ==>    %y = llm.linear %x, [%w] epilogue(%p) {
//   %y = llm.scale %l {factor = 0.5}                  yield %p * 0.5 }
//
// Left alone where another op reads %l.
//
//===----------------------------------------------------------------------===//
#include "passes/EpilogueBuilder.h"
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSESCALE
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

struct FuseScale : Fusion<ScaleOp> {
  using Fusion::Fusion;

  LogicalResult check(ScaleOp op, Nearly nearly) const override {
    if (!op.getX().getDefiningOp<LinearOp>())
      return failure();
    if (!op.getX().hasOneUse()) {
      nearly("another op reads the linear layer's result unscaled");
      return failure();
    }
    return success();
  }

  void fuse(ScaleOp op, PatternRewriter &rewriter) const override {
    float factor = static_cast<float>(op.getFactor().convertToDouble());
    LinearOp fused =
        buildEpilogue(rewriter, getOnlyUsedLinear(op.getX()), {},
                      [&](ImplicitLocOpBuilder &b, ValueRange values, ValueRange) -> Value {
                        Value number = b.create<arith::ConstantOp>(b.getF32FloatAttr(factor));
                        return b.create<arith::MulFOp>(values[0], number);
                      });
    rewriter.replaceOp(op, fused);
  }

  StringRef done() const override { return "scaled in the epilogue of the linear layer"; }
};

struct FuseScalePass : sinter::impl::FuseScaleBase<FuseScalePass> {
  using FuseScaleBase::FuseScaleBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseScale>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
