//===- FuseNormQuantize.cpp - Quantize the norm's rows as they are made ----===//
//
//   %n = llm.rms_norm %x, %g                 ==>    %q = llm.norm_quantize %x, %g
//   %q = llm.quantize_acts %n
//
// The float rows are never written. Left alone where another op reads them (a layer with float
// weights does).
//
//===----------------------------------------------------------------------===//
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSENORMQUANTIZE
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

struct FuseNormQuantize : Fusion<QuantizeActsOp> {
  using Fusion::Fusion;

  LogicalResult check(QuantizeActsOp op, Nearly nearly) const override {
    if (!op.getX().getDefiningOp<RmsNormOp>())
      return failure();
    if (!op.getX().hasOneUse()) {
      nearly("another op reads the norm's rows as floats");
      return failure();
    }
    return success();
  }

  void fuse(QuantizeActsOp op, PatternRewriter &rewriter) const override {
    auto norm = op.getX().getDefiningOp<RmsNormOp>();
    auto fused = rewriter.create<NormQuantizeOp>(norm.getLoc(), op.getType(), norm.getX(),
                                                 norm.getGain(), norm.getEpsAttr());
    rewriter.replaceOp(op, fused);
  }

  StringRef done() const override { return "quantized by the norm itself"; }
};

struct FuseNormQuantizePass : sinter::impl::FuseNormQuantizeBase<FuseNormQuantizePass> {
  using FuseNormQuantizeBase::FuseNormQuantizeBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseNormQuantize>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
