//===- FuseScore.cpp - Score without writing logits ------------------------===//
//
//   %l = llm.linear %x, [%w]                 ==>    %s = llm.linear_score %x, %w, %targets
//   %s = llm.log_likelihood %l, %targets
//
// The log-sum-exp runs over tiles of the vocabulary (Milakov and Gimelshein 2018), so that the
// logits of a chunk, the largest tensor of a model, never exist. Left alone where the layer has an
// epilogue or another op reads the logits.
//
//===----------------------------------------------------------------------===//
#include "passes/EpilogueBuilder.h"
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSESCORE
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

struct FuseScore : Fusion<LogLikelihoodOp> {
  using Fusion::Fusion;

  LogicalResult check(LogLikelihoodOp op, Nearly nearly) const override {
    auto fail = [&](const Twine &why) {
      nearly(why);
      return failure();
    };
    auto linear = op.getLogits().getDefiningOp<LinearOp>();
    if (!linear)
      return fail("the logits do not come from a linear layer");
    if (!op.getLogits().hasOneUse())
      return fail("another op reads the logits");
    if (linear.hasEpilogue())
      return fail("the logits are more than the product of the linear layer");
    return success();
  }

  void fuse(LogLikelihoodOp op, PatternRewriter &rewriter) const override {
    LinearOp linear = getOnlyUsedLinear(op.getLogits());
    auto fused = rewriter.create<LinearScoreOp>(linear.getLoc(), op.getType(), linear.getX(),
                                                linear.getWeights().front(), op.getTargets());
    rewriter.replaceOp(op, fused);
  }

  StringRef done() const override { return "scored by the linear layer itself"; }
};

struct FuseScorePass : sinter::impl::FuseScoreBase<FuseScorePass> {
  using FuseScoreBase::FuseScoreBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseScore>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
