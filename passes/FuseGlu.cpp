//===- FuseGlu.cpp - Gate and up side by side ------------------------------===//
//
//   %g = llm.linear %x, [%wg]                       %h = llm.linear %x, [%wg, %wu] epilogue(%a, %b)
//   { %u = llm.linear %x, [%wu]                ==>      yield silu(%a) * %b } %h = llm.glu %g, %u
//   {silu}
//
// Neither product is written to memory. The two must share x and have weights of one format (the
// kernel unpacks both in one loop), and nobody else may read them; otherwise the layers stay apart
// and llm.glu is a kernel of its own.
//
//===----------------------------------------------------------------------===//
#include "passes/Activations.h"
#include "passes/EpilogueBuilder.h"
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSEGLU
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

FormatId getWeightFormat(LinearOp linear) {
  return getMatrixShape(linear.getWeights().front().getType()).format;
}

struct FuseGlu : Fusion<GluOp> {
  using Fusion::Fusion;

  LogicalResult check(GluOp op, Nearly nearly) const override {
    auto fail = [&](const Twine &why) {
      nearly(why);
      return failure();
    };
    if (!op.getGate().getDefiningOp<LinearOp>() || !op.getUp().getDefiningOp<LinearOp>())
      return fail("gate and up do not both come from linear layers");
    LinearOp gate = getOnlyUsedLinear(op.getGate()), up = getOnlyUsedLinear(op.getUp());
    if (!gate || !up)
      return fail("another op reads gate or up");
    if (gate.getX() != up.getX() || gate.getCols() != up.getCols())
      return fail("gate and up are computed from different inputs");
    if (getWeightFormat(gate) != getWeightFormat(up))
      return fail("gate is " + Format::get(getWeightFormat(gate)).name + " and up is " +
                  Format::get(getWeightFormat(up)).name +
                  "; one kernel reads weights of one format");
    if (gate.getRope() || up.getRope())
      return fail("gate or up is rotated");
    return success();
  }

  void fuse(GluOp op, PatternRewriter &rewriter) const override {
    LinearOp gate = getOnlyUsedLinear(op.getGate()), up = getOnlyUsedLinear(op.getUp());
    LinearOp fused =
        buildEpilogue(rewriter, {gate, up}, {},
                      [&](ImplicitLocOpBuilder &b, ValueRange values, ValueRange) -> Value {
                        return buildGatedUnit(b, op.getActivation(), values[0], values[1]);
                      });
    rewriter.replaceOp(op, fused);
  }

  StringRef done() const override { return "gate and up computed side by side"; }
};

struct FuseGluPass : sinter::impl::FuseGluBase<FuseGluPass> {
  using FuseGluBase::FuseGluBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseGlu>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
