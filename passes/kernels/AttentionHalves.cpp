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
// One token's heads read a block once, so of its f16 cache nothing is staged: units of a block's keys and of its values are powers of
// two, by the largest number of each, and an addition rounds what has been loaded.
//
//   keys    as many bits as leave any q * k in 32: 13 of heads of 64, 12 of 128 and 256
//   values  15 bits
//
// Seven heads (qwen2.5-0.5b) take 7 multiplications for 32 numbers then, instead of 14, and what makes halves has other ports to go to
// (Zen 4, one thread, positions in the second cache: 18.0 GB/s instead of 14.1; four heads 18.0 instead of 21.5).
//
// A word holds what is half a head, or 16 positions, apart: packing needs no lanes moved. Rounding to a half loses less than
// an f16 does of numbers that are not far below the largest: a score is off by about |q| |k| / 2^16.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/AttentionBuilder.h"
#include <cmath>

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

/// `most` and 32 numbers of an f16 cache, as integers without a sign.
Value AttentionBuilder::larger(Value most, unsigned binding, Value offset, Value mask) {
  Value line = loadElements(binding, offset, kTileRows, k.b.getI16Type());
  return k.make<arith::MaxUIOp>(most, k.make<arith::AndIOp>(line, mask));
}

/// The same of the next block: `offset` as it is of this one.
Value AttentionBuilder::largerOfNext(Value most, unsigned binding, llvm::function_ref<Value()> offset) {
  std::swap(first, next);
  most = larger(most, binding, offset(), k.splatInt(cast<VectorType>(most.getType()), 0x7fff));
  std::swap(first, next);
  return most;
}

void AttentionBuilder::keepLargest(Value most, int64_t at) {
  Value scratch = k.kernel.getScratchArg(), offset = k.index(at);
  most = k.make<arith::MaxUIOp>(most, k.op<LoadOp>(cast<VectorType>(most.getType()), scratch, offset));
  k.op<StoreOp>(most, scratch, offset);
}

/// Halves of `bits` bits and a sign. Added to 1.5 * 2^23 units, a number's last bits are the integer: where a unit is a power of
/// two, an addition scales and rounds.
AttentionBuilder::HalfScale AttentionBuilder::halfScale(int64_t most, int64_t bits) {
  VectorType line = k.lanes(kTileRows, k.b.getI16Type());
  Value largest = k.op<LoadOp>(line, k.kernel.getScratchArg(), k.index(most));
  k.op<StoreOp>(k.splatInt(line, 0), k.kernel.getScratchArg(), k.index(most));
  Value floats = k.toF32(k.make<arith::BitcastOp>(line.clone(k.b.getF16Type()), largest));
  Value top = k.op<ReduceOp>(k.b.getF32Type(), ReduceKind::Max, floats, IntegerAttr());
  auto number = [&](int64_t n) -> Value { return k.op<arith::ConstantIntOp>(n, 32); };
  auto add = [&](Value x, int64_t n) { return k.make<arith::AddIOp>(x, number(n)); };
  // That of a number below 2^e is e + 126. An f16 below 2^-24 is 0.
  Value exponent = k.make<arith::ShRUIOp>(k.make<arith::BitcastOp>(k.b.getI32Type(), top), number(23));
  exponent = k.make<arith::MaxSIOp>(exponent, number(126 - 24));
  auto power = [&](Value exponent) { return k.make<arith::ShLIOp>(exponent, number(23)); };
  auto toFloat = [&](Value bits) { return k.make<arith::BitcastOp>(k.b.getF32Type(), bits); };
  return {toFloat(k.make<arith::OrIOp>(power(add(exponent, 24 - bits)), number(1 << 22))), toFloat(power(add(exponent, 1 - bits)))};
}

/// So that any q * k of rounded numbers fits 32 bits.
int64_t AttentionBuilder::keyBits() const {
  double root = std::sqrt(double(cache.headDim)), fits = 0x1p31 / (kLevels + root / 2) / root;
  // The largest f16 below a power of two is 2^-11 of it less.
  return std::min<int64_t>(15, std::floor(std::log2(fits / (1 - 0x1p-11))));
}

/// Of which block of the head the largest numbers are in the scratch.
void AttentionBuilder::setLargestOf(Value position) {
  Value number = k.op<vector::BroadcastOp>(k.lanes(1, k.b.getI32Type()), position);
  k.op<StoreOp>(number, k.kernel.getScratchArg(), k.index(at.mostOf));
}

/// They are found while the block before is multiplied, this slice's or the last one's. Past the sequence there may be anything, so
/// those of a block that is not whole are looked for.
void AttentionBuilder::findHalfScales() {
  VectorType line = k.lanes(kTileRows, k.b.getI16Type()), words = k.lanes(kTileRows, k.b.getI32Type());
  Value none = k.index(0), zero = k.splatInt(line, 0);
  Value known = k.op<LoadUniformOp>(k.b.getI32Type(), k.kernel.getScratchArg(), k.index(at.mostOf));
  Value other = k.make<arith::CmpIOp>(arith::CmpIPredicate::ne, known, k.toI32(first));
  k.when(k.make<arith::OrIOp>(other, k.below(count, k.index(kAttentionBlock))), [&] {
    k.op<StoreOp>(zero, k.kernel.getScratchArg(), k.index(at.mostKeys));
    k.op<StoreOp>(zero, k.kernel.getScratchArg(), k.index(at.mostValues));
    k.loop(none, tiles, 1, [&](Value tile) {
      Value limit = k.op<vector::BroadcastOp>(words, k.toI32(k.sub(count, k.mul(tile, kTileRows))));
      Value inside = k.make<arith::CmpIOp>(arith::CmpIPredicate::slt, k.op<LanesOp>(words), limit);
      Value mask = k.make<arith::SelectOp>(inside, k.splatInt(line, 0x7fff), zero);
      keepLargest(k.loop(none, k.index(cache.headDim), 1, zero, [&](Value d, ValueRange most) {
        return SmallVector<Value>{larger(most[0], 1, keysOffset(tile, d, none), mask)};
      })[0], at.mostKeys);
    });
    keepLargest(k.loop(none, count, 1, zero, [&](Value j, ValueRange most) {
      Value now = most[0];
      for (int64_t lane = 0; lane < width; lane += kTileRows)
        now = larger(now, 2, valuesOffset(j, k.index(lane)), k.splatInt(line, 0x7fff));
      return SmallVector<Value>{now};
    })[0], at.mostValues);
  });
  keyHalves = halfScale(at.mostKeys, keyBits());
  // Weights add up to 32767, and half of 1 for each of 64.
  valueHalves = halfScale(at.mostValues, /*bits=*/15);
  setLargestOf(k.toI32(next));
}

/// Words of the numbers at two offsets. Those two blocks behind them are asked for: the next one is read here too.
Value AttentionBuilder::toHalves(unsigned binding, Value low, Value high, int64_t lanes, const HalfScale &scale) {
  Value ahead = blocksAhead(binding, 2);
  VectorType words = k.lanes(lanes, k.b.getI32Type());
  Value shift = k.op<vector::BroadcastOp>(k.lanes(lanes), scale.shift);
  auto integer = [&](Value offset) { return k.make<arith::BitcastOp>(words, k.addf(loadCache(binding, offset, lanes, ahead), shift)); };
  Value lower = k.make<arith::AndIOp>(integer(low), k.splatInt(words, 0xffff));
  return k.make<arith::OrIOp>(lower, k.make<arith::ShLIOp>(integer(high), k.splatInt(words, 16)));
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
  SmallVector<Value> inits{k.splatInt(words, 0)};
  if (direct)
    inits.push_back(k.splatInt(k.lanes(kTileRows, k.b.getI16Type()), 0));
  SmallVector<Value> sums = k.loop(k.index(0), k.index(half), 1, inits, [&](Value d, ValueRange sums) {
    Value other = k.add(d, half), line;
    SmallVector<Value> next(sums);
    if (staged) {
      line = loadHalves(at.keys, k.add(k.mul(tile, half), d), kTileRows, lane, R);
    } else {
      line = toHalves(1, keysOffset(tile, d, lane), keysOffset(tile, other, lane), R, keyHalves);
      for (Value element : {d, other})
        next[1] = largerOfNext(next[1], 1, [&] { return keysOffset(tile, element, lane); });
    }
    Value x = k.op<LoadRowOp>(k.block(k.T, 1, k.b.getI32Type()), q, row, d, false);
    next[0] = k.op<DotHalvesOp>(words, sums[0], line, x);
    return next;
  });
  Value keys;
  if (staged) {
    keys = k.loadRow(keyUnits, k.index(0), k.add(k.mul(tile, kTileRows), lane), 1, R);
  } else {
    keys = k.op<vector::BroadcastOp>(k.lanes(R), keyHalves.unit);
    keepLargest(sums[1], at.mostKeys);
  }
  Value units = k.mulf(k.broadcast(keys, block), k.broadcast(loadNumber(qUnits, row, k.T), block));
  return k.mulf(k.make<arith::SIToFPOp>(block, sums[0]), units);
}

void AttentionBuilder::addHalfValues(Value row, Value lane, int64_t lanes) {
  VectorType block = k.block(k.T, lanes), words = k.block(k.T, lanes, k.b.getI32Type());
  Value none = k.index(0);
  SmallVector<Value> inits{k.splatInt(words, 0)};
  if (direct)
    inits.push_back(k.splatInt(k.lanes(kTileRows, k.b.getI16Type()), 0));
  // Of the last tile's words those that hold a position.
  Value steps = k.add(k.mul(k.div(count, kTileRows), kApart), k.min(k.rem(count, kTileRows), k.index(kApart)));
  SmallVector<Value> sums = k.loop(none, steps, 1, inits, [&](Value j, ValueRange sums) {
    SmallVector<Value> next(sums);
    Value line;
    if (staged) {
      line = loadHalves(at.values, j, width, lane, lanes);
    } else {
      Value low = k.add(k.mul(k.div(j, kApart), kTileRows), k.rem(j, kApart)), high = k.add(low, kApart);
      line = toHalves(2, valuesOffset(low, lane), valuesOffset(high, lane), lanes, valueHalves);
      for (Value position : {low, high})
        for (int64_t i = 0; i < lanes; i += kTileRows)
          next[1] = largerOfNext(next[1], 2, [&] { return valuesOffset(position, k.add(lane, i)); });
    }
    Value x = k.op<LoadRowOp>(k.block(k.T, 1, k.b.getI32Type()), p, none, j, false);
    next[0] = k.op<DotHalvesOp>(words, sums[0], line, x);
    return next;
  });
  Value values;
  if (staged) {
    values = k.loadRow(valueUnits, none, lane, 1, lanes);
  } else {
    values = k.op<vector::BroadcastOp>(k.lanes(lanes), valueHalves.unit);
    keepLargest(sums[1], at.mostValues);
  }
  Value units = k.mulf(k.broadcast(values, block), k.broadcast(loadNumber(pUnits, none, k.T), block));
  Value before = k.mulf(k.loadRow(o, row, lane, k.T, lanes), k.broadcast(loadNumber(factors, none, k.T), block));
  k.storeRow(k.fma(k.make<arith::SIToFPOp>(block, sums[0]), units, before), o, row, lane);
}
