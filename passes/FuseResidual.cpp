//===- FuseResidual.cpp - Add the residual stream in the epilogue ----------===//
//
//   %d = llm.linear %h, [%w]                 ==>    %y = llm.linear %h, [%w] residual(%x)
//   epilogue(%p, %r) { %y = llm.add %x, %d                               yield %p + %r }
//
// Where both sides come from linear layers, the later one takes the sum: the other is there by
// then. Left alone where another op reads %d.
//
//===----------------------------------------------------------------------===//
#include "passes/EpilogueBuilder.h"
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSERESIDUAL
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

/// The linear op that takes the sum, and what it adds; null if none can.
struct Sum {
  LinearOp linear;
  Value residual;
};

Sum findSum(AddOp op) {
  LinearOp left = getOnlyUsedLinear(op.getLhs()), right = getOnlyUsedLinear(op.getRhs());
  if (left && right && right->isBeforeInBlock(left))
    right = {};
  return right ? Sum{right, op.getLhs()} : Sum{left, op.getRhs()};
}

struct FuseResidual : Fusion<AddOp> {
  using Fusion::Fusion;

  LogicalResult check(AddOp op, Nearly nearly) const override {
    if (findSum(op).linear)
      return success();
    if (op.getLhs().getDefiningOp<LinearOp>() || op.getRhs().getDefiningOp<LinearOp>())
      nearly("another op reads the linear layer's result without the sum");
    return failure();
  }

  void fuse(AddOp op, PatternRewriter &rewriter) const override {
    Sum sum = findSum(op);
    EpilogueOperands added{.residuals = {sum.residual}};
    LinearOp fused =
        buildEpilogue(rewriter, sum.linear, added,
                      [](ImplicitLocOpBuilder &b, ValueRange values, ValueRange residual) -> Value {
                        return b.create<arith::AddFOp>(values[0], residual[0]);
                      });
    rewriter.replaceOp(op, fused);
  }

  StringRef done() const override { return "added in the epilogue of the linear layer"; }
};

struct FuseResidualPass : sinter::impl::FuseResidualBase<FuseResidualPass> {
  using FuseResidualBase::FuseResidualBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseResidual>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
