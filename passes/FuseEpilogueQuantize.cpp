//===- FuseEpilogueQuantize.cpp - Quantize what an epilogue yields ---------===//
//
//   %h = llm.linear %x, [%g, %u] epilogue ... -> tensor
//   %q = llm.quantize_acts %h                ==>    %q = llm.linear %x, [%g, %u] epilogue ... ->
//   !llm.acts
//
// A row tile is one group of 32, so its scale is known where it is computed. That is why it needs
// rows that are a multiple of 32. Left alone where another op reads %h.
//
//===----------------------------------------------------------------------===//
#include "passes/EpilogueBuilder.h"
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSEEPILOGUEQUANTIZE
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

static_assert(kTileRows == kActGroup, "an epilogue quantizes the rows of one tile as one group");

namespace {

struct FuseEpilogueQuantize : Fusion<QuantizeActsOp> {
  using Fusion::Fusion;

  LogicalResult check(QuantizeActsOp op, Nearly nearly) const override {
    auto linear = op.getX().getDefiningOp<LinearOp>();
    if (!linear)
      return failure();
    if (!op.getX().hasOneUse()) {
      nearly("another op reads the linear layer's result as floats");
      return failure();
    }
    return success();
  }

  void fuse(QuantizeActsOp op, PatternRewriter &rewriter) const override {
    LinearOp linear = getOnlyUsedLinear(op.getX());
    rewriter.modifyOpInPlace(linear, [&] { linear.getResult().setType(op.getType()); });
    rewriter.replaceOp(op, linear);
  }

  StringRef done() const override { return "quantized in the epilogue of the linear layer"; }
};

struct FuseEpilogueQuantizePass : sinter::impl::FuseEpilogueQuantizeBase<FuseEpilogueQuantizePass> {
  using FuseEpilogueQuantizeBase::FuseEpilogueQuantizeBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseEpilogueQuantize>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
