//===- AttentionJoin.cpp - The slices of one token's attention put together --------------===//
//
// A slice of the positions left o = sum of exp(s - max) * v, max and sum (AttentionKernel.cpp), in one row of partials for
// each slice and head. A tile is a head:
//
//   %m = maximum of the slices' max;   w[slice] = exp(max - %m);   %total = sum of w * sum
//   out = sum over slices of (w / %total) * o
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/AttentionBuilder.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

void sinter::sliceAttention(AttentionSpec &spec) {
  // With few KV heads shorter ones, for about 16 tiles at 1024 positions.
  int64_t slice = std::clamp<int64_t>(spec.cache.heads * 64, 128, 1024);
  spec.slice = slice < spec.cache.positions ? slice : 0;
  // Then about 64 tiles at any length. Seven heads with a slice of 128 positions write and join partials of 15 % of what they read of
  // an f16 cache.
  spec.mostSlices = std::max<int64_t>(64 / spec.cache.heads, 4);
}

Value sinter::togetherOf(KernelBuilder &k, const AttentionSpec &spec, Value shortSlices) {
  return spec.shortSlices() <= spec.mostSlices ? k.index(1) : k.div(k.add(shortSlices, spec.mostSlices - 1), spec.mostSlices);
}

void sinter::buildAttentionJoin(OpBuilder &b, Location loc, StringRef name, const AttentionSpec &spec) {
  MLIRContext *context = b.getContext();
  int64_t columns = spec.heads * spec.cache.headDim, width = spec.cache.paddedHeadDim();
  Type out = spec.actsOutput ? Type(spec.outputForm.type(context, columns))
                             : RowsType::getPadded(context, columns);
  KernelBuilder k(b, loc, name, {spec.partialType(context), out}, 1, 4 * spec.slices());
  VectorType number = k.block(1, 1);
  Value weights = k.scratchRows(0, 1), head = k.tile(), zero = k.index(0);
  Value length = k.add(k.position(), k.tokens());
  Value slices = k.div(k.add(length, spec.slice - 1), spec.slice), together = togetherOf(k, spec, slices);
  slices = k.make<arith::DivUIOp>(k.sub(k.add(slices, together), k.index(1)), together);
  auto row = [&](Value slice) { return k.add(k.mul(slice, spec.heads), head); };
  auto load = [&](Value slice, int64_t column) {
    return k.loadRow(k.binding(0), row(slice), k.index(column), 1, 1);
  };
  Value largest = k.loop(k.index(1), slices, 1, load(zero, width), [&](Value slice, ValueRange most) {
    return SmallVector<Value>{k.maxf(most[0], load(slice, width))};
  })[0];
  Value total = k.loop(zero, slices, 1, k.splat(number, 0.0), [&](Value slice, ValueRange total) {
    Value weight = k.make<math::ExpOp>(k.subf(load(slice, width), largest));
    k.storeRow(weight, weights, slice, zero);
    return SmallVector<Value>{k.fma(load(slice, width + 1), weight, total[0])};
  })[0];
  Value inverse = k.make<arith::DivFOp>(k.splat(number, 1.0), total);

  // Elements at a time: a head's neighbours must stay as they are.
  int64_t step = spec.cache.headDim % kTileRows == 0 ? kTileRows : spec.cache.headDim % 8 == 0 ? 8 : 1;
  VectorType line = k.block(1, step);
  Value start = k.mul(head, spec.cache.headDim);
  k.loop(zero, k.index(spec.cache.headDim), step, [&](Value d) {
    Value sum = k.loop(zero, slices, 1, k.splat(line, 0.0), [&](Value slice, ValueRange sum) {
      Value weight = k.broadcast(k.loadRow(weights, slice, zero, 1, 1), line);
      return SmallVector<Value>{k.fma(weight, k.loadRow(k.binding(0), row(slice), d, 1, step), sum[0])};
    })[0];
    Value v = k.mulf(sum, k.broadcast(inverse, line));
    if (spec.actsOutput)
      k.op<StoreActsOp>(v, k.binding(1), zero, k.div(k.add(start, d), kActGroup), Value(), Value(), spec.sums.halves,
                        spec.sums.totals);
    else
      k.storeRow(v, k.binding(1), zero, k.add(start, d));
  });
  if (columns % kTileRows) {
    Value isLast = k.make<arith::CmpIOp>(arith::CmpIPredicate::eq, head, k.index(spec.heads - 1));
    k.when(isLast, [&] { k.zeroPadding(k.binding(1), zero, columns); });
  }
}
