//===- FuseAttentionQuantize.cpp - Quantize attention's rows as they are made ===//
//
//   %o = llm.attention ... -> tensor         ==>    %q = llm.attention ... -> !llm.acts
//   %q = llm.quantize_acts %o
//
// A kernel finishes one head at a time: groups of 32 must not cross heads, so head_dim must be a
// multiple of
// 32. Left alone, too, where another op reads %o.
//
//===----------------------------------------------------------------------===//
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSEATTENTIONQUANTIZE
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

struct FuseAttentionQuantize : Fusion<QuantizeActsOp> {
  using Fusion::Fusion;

  LogicalResult check(QuantizeActsOp op, Nearly nearly) const override {
    auto attention = op.getX().getDefiningOp<AttentionOp>();
    if (!attention)
      return failure();
    if (!op.getX().hasOneUse()) {
      nearly("another op reads attention's result as floats");
      return failure();
    }
    if (attention.getHeadDim() % kActGroup) {
      nearly("head_dim " + Twine(attention.getHeadDim()) + " is no multiple of " +
             Twine(kActGroup) + ": groups would cross heads");
      return failure();
    }
    return success();
  }

  void fuse(QuantizeActsOp op, PatternRewriter &rewriter) const override {
    auto attention = op.getX().getDefiningOp<AttentionOp>();
    rewriter.modifyOpInPlace(attention, [&] { attention.getResult().setType(op.getType()); });
    rewriter.replaceOp(op, attention);
  }

  StringRef done() const override { return "quantized by attention itself"; }
};

struct FuseAttentionQuantizePass
    : sinter::impl::FuseAttentionQuantizeBase<FuseAttentionQuantizePass> {
  using FuseAttentionQuantizeBase::FuseAttentionQuantizeBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseAttentionQuantize>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
