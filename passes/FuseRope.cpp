//===- FuseRope.cpp - Rotate in the epilogue, angles from a table ----------===//
//
//   %f = llm.rope_frequencies                       %f = llm.rope_frequencies
//   %l = llm.linear %x, [%w]                 ==>    %t = llm.rope_table %f : tensor<context x 2n>
//   %r = llm.rope %l, %f {interleaved}              %r = llm.linear %x, [%w] rope(%t) epilogue(%p)
//   {
//                                                     yield (llm.rotate %p) }
//
// All layers share one table: sines and cosines of every position that the bundle is compiled for,
// computed in double when the bundle is written. Pairs must be neighbours (canonicalize-rope); the
// bias must be in the epilogue already, because it is added before the rotation (fuse-bias).
//
//===----------------------------------------------------------------------===//
#include "passes/EpilogueBuilder.h"
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSEROPE
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

/// Positions that the model is compiled for: `llm.context` of the nearest module that says it.
int64_t getContextLength(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto context = op->getAttrOfType<IntegerAttr>("llm.context"))
      return context.getInt();
  return 0;
}

/// The table made from `angles`; made behind them if there is none yet.
Value getRopeTable(Value angles, int64_t positions, PatternRewriter &rewriter) {
  auto type = cast<RankedTensorType>(angles.getType());
  if (type.getRank() == 2)
    return angles;
  auto tableType = getRowsType(type.getContext(), positions, 2 * type.getDimSize(0));
  for (Operation *user : angles.getUsers())
    if (auto table = dyn_cast<RopeTableOp>(user); table && table.getType() == tableType)
      return table;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(angles);
  return rewriter.create<RopeTableOp>(angles.getLoc(), tableType, angles);
}

struct FuseRope : Fusion<RopeOp> {
  using Fusion::Fusion;

  LogicalResult check(RopeOp op, Nearly nearly) const override {
    auto fail = [&](const Twine &why) {
      nearly(why);
      return failure();
    };
    auto linear = op.getX().getDefiningOp<LinearOp>();
    if (!linear)
      return fail("what it rotates does not come from a linear layer");
    if (!op.getX().hasOneUse())
      return fail("another op reads the linear layer's result before the rotation");
    if (op.getOrder() != RopeOrder::interleaved)
      return fail("its pairs are halves of a head; an epilogue rotates neighbours");
    if (linear.getRope())
      return fail("the linear layer rotates already");
    if (!getContextLength(op))
      return fail("no module around it says llm.context, the positions of the table");
    return success();
  }

  void fuse(RopeOp op, PatternRewriter &rewriter) const override {
    EpilogueOperands added{.rope = getRopeTable(op.getAngles(), getContextLength(op), rewriter)};
    LinearOp fused =
        buildEpilogue(rewriter, getOnlyUsedLinear(op.getX()), added,
                      [&](ImplicitLocOpBuilder &b, ValueRange values, ValueRange) -> Value {
                        return b.create<RotateOp>(values[0], op.getHeadDim(), op.getRotaryDim());
                      });
    rewriter.replaceOp(op, fused);
  }

  StringRef done() const override { return "rotated in the epilogue of the linear layer"; }
};

struct FuseRopePass : sinter::impl::FuseRopeBase<FuseRopePass> {
  using FuseRopeBase::FuseRopeBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseRope>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
