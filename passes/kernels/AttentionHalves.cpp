//===- AttentionHalves.cpp - Attention of a chunk by products of 16 bits ------------------===//
//
// Where a target multiplies two pairs of 16-bit integers a lane as fast as two floats, both products of a chunk's attention
// are sums of integers (tile.dot_halves): half the multiplications. Each number is a half times a unit:
//
//   q       a row's unit: |q| / 32767                          (Euclidean, so that any q * k fits 32 bits, Cauchy and Schwarz)
//   keys    a position's unit: |k| / 32767
//   p       a row's unit: sum of the block's p / 32767         (so does any sum of p * v)
//   values  an element's unit: max |v| of the block / 32767
//
//   p = float(sum over words d of dot_halves q[d], keys[d]) * (q's unit * keys' units)         T x R, a lane is a position
//   o = o * factor + float(sum over words j of dot_halves p[j], values[j]) * (p's unit * values' units)
//
// Of an int8 cache keys and values are codes times their scales (a prefill of 16384 tokens, 4 layers of a 1B: 475 -> 598 tokens/s).
//
// A word holds what is half a head, or 16 positions, apart: packing needs no lanes moved. Rounding to a half loses less than
// an f16 does of numbers that are not far below the largest: a score is off by about |q| |k| / 2^16.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/AttentionBuilder.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

static constexpr double kLevels = 32767;
/// What stands between two positions of a word.
static constexpr int64_t kApart = kTileRows / 2;

/// Below 2^-100 the inverse would overflow; such numbers become zeros.
Value AttentionBuilder::inverseOf(Value largest) {
  auto type = cast<VectorType>(largest.getType());
  return k.make<arith::DivFOp>(k.splat(type, kLevels), k.maxf(largest, k.splat(type, 0x1p-100)));
}

Value AttentionBuilder::unitOf(Value largest) {
  return k.mulf(largest, k.splat(cast<VectorType>(largest.getType()), 1 / kLevels));
}

Value AttentionBuilder::loadHalves(int64_t offset, Value row, int64_t width, Value lane, int64_t lanes) {
  Value at = k.add(k.add(k.mul(row, 4 * width), k.mul(lane, 4)), offset);
  return k.op<LoadOp>(k.lanes(lanes, k.b.getI32Type()), k.kernel.getScratchArg(), at);
}

/// Words take the place of the first half of a row.
void AttentionBuilder::packQueries() {
  int64_t half = cache.headDim / 2, step = half % kTileRows == 0 ? kTileRows : 8;
  Value first = k.index(0);
  k.loop(first, k.index(paddedRows(spec, k.T)), 1, [&](Value row) {
    auto load = [&](Value d) { return k.loadRow(q, row, d, 1, step); };
    Value squares = k.loop(first, k.index(cache.headDim), step, k.splat(k.block(1, step), 0.0), [&](Value d, ValueRange sum) {
      Value v = load(d);
      return SmallVector<Value>{k.fma(v, v, sum[0])};
    })[0];
    Value norm = k.make<math::SqrtOp>(k.reduce(ReduceKind::Add, squares));
    storeNumber(unitOf(norm), qUnits, row);
    Value inverse = k.broadcast(inverseOf(norm), k.block(1, step));
    k.loop(first, k.index(half), step,
           [&](Value d) { k.storeRow(k.roundToHalves(load(d), load(k.add(d, half)), inverse), q, row, d); });
  });
}

void AttentionBuilder::stageHalves() {
  int64_t half = cache.headDim / 2;
  VectorType line = k.lanes(kTileRows);
  Value none = k.index(0), zero = k.splat(line, 0.0);
  auto store = [&](Value v, Value target, Value row, Value lane) {
    auto type = cast<VectorType>(v.getType());
    k.storeRow(k.broadcast(v, k.block(1, kTileRows, type.getElementType())), target, row, lane);
  };
  // Codes times scales come first, and words take their places: each is written where the last number of it has been read.
  if (cache.isInt8())
    stageInt8();
  auto loadStaged = [&](Value rows, Value row, Value lane) -> Value {
    return k.op<vector::ExtractOp>(k.loadRow(rows, row, lane, 1, kTileRows), ArrayRef<int64_t>{0});
  };
  // Positions past the sequence become anything: they are masked.
  k.loop(none, tiles, 1, [&](Value tile) {
    auto load = [&](Value d) {
      return cache.isInt8() ? loadStaged(stagedKeys, k.add(k.mul(tile, cache.headDim), d), none)
                            : loadCache(1, keysOffset(tile, d, none), kTileRows);
    };
    Value squares = k.loop(none, k.index(cache.headDim), 1, zero, [&](Value d, ValueRange sum) {
      Value v = load(d);
      return SmallVector<Value>{k.fma(v, v, sum[0])};
    })[0];
    Value norm = k.make<math::SqrtOp>(squares), inverse = inverseOf(norm);
    store(unitOf(norm), keyUnits, none, k.mul(tile, kTileRows));
    k.loop(none, k.index(half), 1, [&](Value d) {
      store(k.roundToHalves(load(d), load(k.add(d, half)), inverse), stagedKeys, k.add(k.mul(tile, half), d), none);
    });
  });
  // So do these, whose weights are 0, but units are those of the sequence.
  for (int64_t at = 0; at < width; at += kTileRows) {
    Value lane = k.index(at);
    auto load = [&](Value j) {
      return cache.isInt8() ? loadStaged(stagedValues, j, lane) : loadCache(2, valuesOffset(j, lane), kTileRows);
    };
    Value most = k.loop(none, count, 1, zero, [&](Value j, ValueRange most) {
      return SmallVector<Value>{k.maxf(most[0], k.make<math::AbsFOp>(load(j)))};
    })[0];
    Value inverse = inverseOf(most);
    store(unitOf(most), valueUnits, none, lane);
    k.loop(none, tiles, 1, [&](Value tile) {
      Value position = k.mul(tile, kTileRows), word = k.mul(tile, kApart);
      k.loop(none, k.index(kApart), 1, [&](Value j) {
        Value low = load(k.add(position, j)), high = load(k.add(k.add(position, j), kApart));
        store(k.roundToHalves(low, high, inverse), stagedValues, k.add(word, j), lane);
      });
    });
  }
}

/// Weights of rows i .. i + n - 1, whose sums are `total`: words take the place of the first half of a row.
void AttentionBuilder::packWeights(Value i, int64_t n, Value total) {
  VectorType block = k.block(n, kApart);
  storeNumber(unitOf(total), pUnits, i);
  Value inverse = k.broadcast(inverseOf(total), block);
  k.loop(k.index(0), k.index(kAttentionBlock), kTileRows, [&](Value lane) {
    Value low = k.loadRow(p, i, lane, n, kApart), high = k.loadRow(p, i, k.add(lane, kApart), n, kApart);
    k.storeRow(k.roundToHalves(low, high, inverse), p, i, k.div(lane, 2));
  });
}

/// Scores of R positions of a key tile.
Value AttentionBuilder::addHalfScores(Value row, Value tile, Value lane) {
  VectorType block = k.block(k.T, R), words = k.block(k.T, R, k.b.getI32Type());
  int64_t half = cache.headDim / 2;
  Value sum = k.loop(k.index(0), k.index(half), 1, k.splatInt(words, 0), [&](Value d, ValueRange sum) {
    Value line = loadHalves(at.keys, k.add(k.mul(tile, half), d), kTileRows, lane, R);
    Value x = k.op<LoadRowOp>(k.block(k.T, 1, k.b.getI32Type()), q, row, d, false);
    return SmallVector<Value>{k.op<DotHalvesOp>(words, sum[0], line, x)};
  })[0];
  Value keys = k.loadRow(keyUnits, k.index(0), k.add(k.mul(tile, kTileRows), lane), 1, R);
  Value units = k.mulf(k.broadcast(keys, block), k.broadcast(loadNumber(qUnits, row, k.T), block));
  return k.mulf(k.make<arith::SIToFPOp>(block, sum), units);
}

void AttentionBuilder::addHalfValues(Value row, Value lane, int64_t lanes) {
  VectorType block = k.block(k.T, lanes), words = k.block(k.T, lanes, k.b.getI32Type());
  Value none = k.index(0);
  // Of the last tile's words those that hold a position.
  Value steps = k.add(k.mul(k.div(count, kTileRows), kApart), k.min(k.rem(count, kTileRows), k.index(kApart)));
  Value sum = k.loop(none, steps, 1, k.splatInt(words, 0), [&](Value j, ValueRange sum) {
    Value x = k.op<LoadRowOp>(k.block(k.T, 1, k.b.getI32Type()), p, none, j, false);
    return SmallVector<Value>{k.op<DotHalvesOp>(words, sum[0], loadHalves(at.values, j, width, lane, lanes), x)};
  })[0];
  Value values = k.loadRow(valueUnits, none, lane, 1, lanes);
  Value units = k.mulf(k.broadcast(values, block), k.broadcast(loadNumber(pUnits, none, k.T), block));
  Value before = k.mulf(k.loadRow(o, row, lane, k.T, lanes), k.broadcast(loadNumber(factors, none, k.T), block));
  k.storeRow(k.fma(k.make<arith::SIToFPOp>(block, sum), units, before), o, row, lane);
}
