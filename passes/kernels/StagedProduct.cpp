//===- StagedProduct.cpp - x · Wᵀ of staged weights --------------------------------===//
//
//   %sums = 0
//   scf.for %g over every fourth pair of scale groups {
//     scf.for %r = 0 to 32 step R {
//       tile.prefetch a few lines of what comes next
//       %i = scf.for %p over the pairs from %g on (0) {
//         %x, %sx = tile.load_acts %acts[%m, blocks of %p]
//         %low, %high = tile.dot %sx, (codes of %p), %x              (.. crossed)
//         += tile.accumulate_levels %low, %high, (levels of the rows), (levels of the tokens)  (offsets what the rows alone add)
//         (.. or += tile.accumulate_shifted %low, %high, (tile.load_levels of the rows, where the tokens say) right .. left ..) }
//       %sums[%r] += float(%i) } }
//   scf.for %r = 0 to 32 step R {
//     %sums[%r] = %sums[%r] * units of the rows * units of the tokens + (scf.for %p over pairs { -= %n * %tx }) }
//
// What a few pairs read of the activations is in the first cache when the tile's other rows come to it (1B Q4_0: 2 % of the
// time).
//
// A scale is a level of 16 bits times a unit, which is the same for all columns: what is left to do for each 32 columns is one
// multiplication of levels for two groups and one multiply-add of their dots, instead of a conversion and a product of scales
// for each; with a table (StagedTile.h) the multiply-add alone. On cores whose multipliers are busy with dots that is what limits a
// chunk (codegen/cpu/README.md). Sums fit 32 bits for 8 groups (ActLevels.cpp): for more, levels would have to have fewer bits,
// which tokens with a few very large activations do not bear (a product of 8192 columns, one of which is a thousand times the
// others: the error grows by a third, with 12 bits to twice). With a table it grows by an eighth there, and by a tenth of random
// numbers. Sums of minima are for themselves: for both there would be too few registers.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/StagedProduct.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

/// Pairs of groups that are added up in 32 bits.
constexpr int64_t kPairsTogether = 4;

/// How often that is done for one pass over the columns.
int64_t joins(const StagedTile &tile) { return llvm::divideCeil(tile.pairs(), kPairsTogether); }

struct StagedProduct {
  KernelBuilder &k;
  const StagedTile &tile;
  Value x;
  const ActLevels &levels;
  Value row;
  const RegisterBlock &block;
  const StagedTile::Ahead &ahead;
  int64_t rows = block.rows;

  VectorType floats() { return k.block(k.T, rows); }
  VectorType integers() { return k.block(k.T, rows, k.b.getI32Type()); }
  VectorType number() { return k.block(k.T, 1); }
  VectorType count() { return k.block(k.T, 1, k.b.getI32Type()); }
  LoadActsOp loadActs(Value pair, int64_t block, bool crossed = false) {
    return k.op<LoadActsOp>(k.block(k.T, 8, k.b.getI32Type()), number(), count(), count(), count(), number(), x, row,
                            k.add(k.mul(pair, tile.blocksPerPair()), block), crossed);
  }
  Value dot(Value pair, int64_t group, Value part);
  Value addPair(Value pair, Value part, Value acc);
  Value addMinima(Value pair, int64_t block, Value part, Value acc);
  Value minima(Value part);
  void run(Value sums);
};

/// The dot of one of a pair's groups, plus half of what it is shifted by.
Value StagedProduct::dot(Value pair, int64_t group, Value part) {
  bool halves = tile.blocksPerPair() == 1;
  LoadActsOp acts = loadActs(pair, halves ? 0 : group, tile.crossed());
  SmallVector<Value> words = tile.codes(k, pair, halves ? 0 : group, part, rows);
  Value init;
  if (levels.hasStarts())
    init = k.broadcast(levels.start(k, row, k.add(k.mul(pair, 2), group)), integers());
  else if (tile.codeOffset())
    init = k.broadcast(!halves ? acts.getStart() : group == 0 ? acts.getLow() : acts.getHigh(), integers());
  else
    init = k.splatInt(integers(), tile.shift() ? int64_t(1) << (tile.shift() - 1) : 0);
  int64_t first = halves ? 4 * group : 0;
  const Format &format = tile.getFormat();
  return k.op<DotOp>(integers(), init, ValueRange(words).slice(first, halves ? 4 : 8), acts.getCodes(),
                     format.signedCodes ? acts.getStart() : Value(), tile.crossed() ? 8 : format.codeBits(), first,
                     tile.movedUp(), /*inTurn=*/true, tile.crossed());
}

Value StagedProduct::addPair(Value pair, Value part, Value acc) {
  Value low = dot(pair, 0, part), high = dot(pair, 1, part);
  if (tile.stepped()) {
    Value first = levels.levels(k, row, pair), second = first;
    if (tile.blocksPerPair() == 2) {
      second = k.make<arith::ShRUIOp>(first, k.splatInt(count(), 16));
      first = k.make<arith::AndIOp>(first, k.splatInt(count(), 0xffff));
    }
    return k.op<AccumulateShiftedOp>(integers(), acc, low, high, tile.levels(k, pair, part, rows, first, second),
                                     levels.shift(k, row, pair, 0), levels.shift(k, row, pair, 1));
  }
  return k.op<AccumulateLevelsOp>(integers(), acc, low, high, tile.levels(k, pair, part, rows), levels.levels(k, row, pair),
                                  tile.crossed() ? tile.crossSums(k, pair, part, rows) : Value(), tile.shift());
}

/// What the minima of a pair's block add.
Value StagedProduct::addMinima(Value pair, int64_t block, Value part, Value acc) {
  bool halves = tile.blocksPerPair() == 1;
  LoadActsOp acts = loadActs(pair, block);
  for (int64_t group = halves ? 0 : block, end = halves ? 2 : block + 1; group < end; ++group) {
    Value total = halves ? halfTotal(k, group == 0 ? acts.getLow() : acts.getHigh(), acts.getScale()) : acts.getTotal();
    acc = k.fma(k.broadcast(tile.minimum(k, pair, group, part, rows), floats()), k.broadcast(total, floats()), acc);
  }
  return acc;
}

Value StagedProduct::minima(Value part) {
  Value zero = k.splat(floats(), 0.0);
  if (!tile.getFormat().minima)
    return zero;
  Value sum = k.loop(k.index(0), k.index(tile.wholePairs()), 1, zero, [&](Value pair, ValueRange acc) {
    Value next = acc[0];
    for (int64_t block = 0; block < tile.blocksPerPair(); ++block)
      next = addMinima(pair, block, part, next);
    return SmallVector<Value>{next};
  })[0];
  return tile.wholePairs() < tile.pairs() ? addMinima(k.index(tile.wholePairs()), 0, part, sum) : sum;
}

void StagedProduct::run(Value sums) {
  Value first = k.index(0), none = k.splatInt(integers(), 0);
  int64_t parts = kTileRows / rows;
  auto forParts = [&](llvm::function_ref<void(Value)> body) { k.loop(first, k.index(kTileRows), rows, body); };
  Value firstStep = k.mul(k.div(k.sub(row, k.firstToken()), block.tokens), stagedSteps(tile, block));
  forParts([&](Value part) { k.storeRow(k.splat(floats(), 0.0), sums, first, part); });
  k.loop(first, k.index(tile.pairs()), kPairsTogether, [&](Value begin) {
    Value end = k.add(begin, kPairsTogether);
    if (tile.pairs() % kPairsTogether)
      end = k.min(end, k.index(tile.pairs()));
    Value step = k.add(firstStep, k.mul(k.div(begin, kPairsTogether), parts));
    forParts([&](Value part) {
      StagedTile::prefetch(k, ahead, k.add(step, k.div(part, rows)));
      Value sum = k.loop(begin, end, 1, none, [&](Value pair, ValueRange acc) {
        return SmallVector<Value>{addPair(pair, part, acc[0])};
      })[0];
      Value before = k.loadRow(sums, first, part, k.T, rows);
      k.storeRow(k.addf(before, k.make<arith::SIToFPOp>(floats(), sum)), sums, first, part);
    });
  });
  forParts([&](Value part) {
    Value least = minima(part);
    Value sum = k.mulf(k.loadRow(sums, first, part, k.T, rows), k.broadcast(tile.unit(k, part, rows), floats()));
    k.storeRow(k.fma(sum, k.broadcast(levels.unit(k, row), floats()), least), sums, first, part);
  });
}

} // namespace

Value sinter::buildStagedProduct(KernelBuilder &k, const StagedTile &tile, Value x, const ActLevels &levels, Value row,
                                 const RegisterBlock &block, unsigned number, const StagedTile::Ahead &ahead) {
  Value sums = k.scratchRows(number * sumBytes(block), kTileRows);
  StagedProduct product{k, tile, x, levels, row, block, ahead};
  product.run(sums);
  return sums;
}

int64_t sinter::stagedSteps(const StagedTile &tile, const RegisterBlock &block) {
  return kTileRows / block.rows * joins(tile);
}
