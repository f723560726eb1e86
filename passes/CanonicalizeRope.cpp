//===- CanonicalizeRope.cpp - Make the pairs of RoPE neighbours ------------===//
//
// Models made by Hugging Face's convention pair element i of a head with i + rotary_dim/2 (Su et
// al. 2021 pair neighbours). Queries and keys meet only in their dot product, which no permutation
// changes that both have: with the rows of both weights permuted, the pairs are neighbours and fit
// the linear op's epilogue.
//
//   %l = llm.linear %x, [%w]                        %p = llm.permute_rows %w
//   %q = llm.add_bias %l, %b                        %l = llm.linear %x, [%p]
//   %r = llm.rope %q, %f {order = halves}    ==>    %q = llm.add_bias %l, (llm.permute_rows %b)
//   ... the same for the keys                       %r = llm.rope %q, %f {order = interleaved}
//   llm.attention %r, ...                           llm.attention %r, ...
//
// Both or none: where one of the two does not come from a linear op through bias and scale alone,
// or another op reads a value on the way, both are left alone.
//
//===----------------------------------------------------------------------===//
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_CANONICALIZEROPE
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

/// From the weights to the rotation of queries or keys.
struct RotatedRows {
  LinearOp linear;
  SmallVector<AddBiasOp> biases;
  RopeOp rope;
};

FailureOr<RotatedRows> trace(Value rotated, StringRef who, Nearly nearly) {
  RotatedRows rows;
  rows.rope = rotated.getDefiningOp<RopeOp>();
  if (!rows.rope || rows.rope.getOrder() != RopeOrder::halves) {
    nearly("its " + who + " are not rotated in halves");
    return failure();
  }
  for (Value value = rotated; value;) {
    if (!value.hasOneUse()) {
      nearly("its " + who + " are read by another op in the order that they have");
      return failure();
    }
    Operation *op = value.getDefiningOp();
    value = {};
    if (auto rope = dyn_cast_or_null<RopeOp>(op); rope && rope == rows.rope) {
      value = rope.getX();
    } else if (auto bias = dyn_cast_or_null<AddBiasOp>(op)) {
      rows.biases.push_back(bias);
      value = bias.getX();
    } else if (auto scale = dyn_cast_or_null<ScaleOp>(op)) {
      value = scale.getX();
    } else if (auto linear = dyn_cast_or_null<LinearOp>(op); linear && !linear.hasEpilogue()) {
      rows.linear = linear;
    } else {
      nearly("its " + who + " do not come from a linear op through bias and scale alone");
      return failure();
    }
  }
  return rows;
}

bool isHalves(Value value) {
  auto rope = value.getDefiningOp<RopeOp>();
  return rope && rope.getOrder() == RopeOrder::halves;
}

struct CanonicalizeRope : Fusion<AttentionOp> {
  using Fusion::Fusion;

  LogicalResult check(AttentionOp op, Nearly nearly) const override {
    if (!isHalves(op.getQ()) && !isHalves(op.getK()))
      return failure();
    FailureOr<RotatedRows> q = trace(op.getQ(), "queries", nearly);
    if (failed(q))
      return failure();
    FailureOr<RotatedRows> k = trace(op.getK(), "keys", nearly);
    if (failed(k))
      return failure();
    if (q->rope.getHeadDim() != k->rope.getHeadDim() ||
        q->rope.getRotaryDim() != k->rope.getRotaryDim()) {
      nearly("its queries and keys are rotated in heads of different sizes");
      return failure();
    }
    return success();
  }

  void fuse(AttentionOp op, PatternRewriter &rewriter) const override {
    auto ignore = [](const Twine &) {};
    interleave(*trace(op.getQ(), "queries", ignore), rewriter);
    interleave(*trace(op.getK(), "keys", ignore), rewriter);
  }

  StringRef done() const override {
    return "rows of the queries' and keys' weights permuted: the pairs of RoPE are neighbours";
  }

private:
  static void interleave(RotatedRows rows, PatternRewriter &rewriter) {
    RopeOp rope = rows.rope;
    auto permute = [&](Operation *user, OpOperand &operand) {
      rewriter.setInsertionPoint(user);
      Value source = operand.get();
      Value permuted = rewriter.create<PermuteRowsOp>(user->getLoc(), source.getType(), source,
                                                      rope.getHeadDim(), rope.getRotaryDim());
      rewriter.modifyOpInPlace(user, [&] { operand.set(permuted); });
    };
    permute(rows.linear, rows.linear.getWeightsMutable()[0]);
    for (AddBiasOp bias : rows.biases)
      permute(bias, bias.getBiasMutable());
    rewriter.modifyOpInPlace(rope, [&] { rope.setOrder(RopeOrder::interleaved); });
  }
};

struct CanonicalizeRopePass : sinter::impl::CanonicalizeRopeBase<CanonicalizeRopePass> {
  using CanonicalizeRopeBase::CanonicalizeRopeBase;
  void runOnOperation() override {
    if (failed(applyFusion<CanonicalizeRope>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
