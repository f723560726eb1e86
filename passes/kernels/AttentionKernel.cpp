//===- AttentionKernel.cpp - Causal attention with an online softmax -------------------===//
//
// Milakov and Gimelshein 2018, "Online normalizer calculation for softmax"; the score matrix is never written. A tile is
// a KV head and some tokens; of one token (decode) also a slice of the positions, so that one sequence has work for all
// threads. Its rows are the queries of all heads that share the KV head, of each of its tokens. They pass over the cache
// together, in blocks of 64 positions, T rows at a time, so that a block of keys and values comes from memory once.
//
//   scratch, for each row: q [width] (scaled), o [width], max, sum, last position; for T rows: p [64], factor
//   scf.for %first over blocks of 64 positions up to the last row's own {
//     (f16 and i8, more than T rows: the block's keys and values become f32 in the scratch, once for all rows)
//     scf.for %row step T {
//       p = sum over elements d of q[d] * keys[%first ..][d]                     T x R, a lane is a position
//       for each of the T rows {
//         %s = positions after the row's own ? -1e30 : p
//         %m = max(max, reduce max %s);  p = exp(%s - %m);  factor = exp(max - %m);  max = %m
//         sum = sum * factor + reduce add p }
//       o = o * factor + sum over positions j of p[j] * values[%first + j]       T x R, a lane is an element
//     } }
//   out = o / sum                          of a slice: o, max and sum as they are, for AttentionJoin.cpp
//
// T x R is the register block of both products (Schedule: attentionRows, attentionLanes).
//
// An int8 cache of T rows at most is read as it is, and both products are integer dots of its words: a score is the sum over
// groups of key scale * q scale * (q's codes · codes), with q rounded to int8 once a row and group. What o sums up is
// (p * value scales), rounded to int8 for 32 positions of a group, · the codes of these positions:
//   %i = tile.dot 0, 8 words of values, %codes[row]       T x R, a lane is an element
//   o += float(%i) * %scale[row]
// So a line of codes costs a load and a dot a row, a quarter of what converting its codes one by one does.
//
// Cache layout: CacheShape in Kernels.h.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/CacheAppend.h"
#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"
#include "passes/RowAccess.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

constexpr double kMasked = -1e30;
/// Positions between two rescalings.
constexpr int64_t kBlock = kAttentionBlock;
/// Lanes and rows of the softmax's steps: exp has a dozen constants and needs registers for them.
constexpr int64_t kSoftmaxLanes = 16, kSoftmaxRows = 4;

/// Words of a row that a rounded group takes; of a smaller one the rest is not used. Dots of some targets take x by fours.
constexpr int64_t kGroupWords = kTileRows / 4;

/// Where things lie in the scratch, all in rows of f32 or i32.
struct Scratch {
  int64_t bytes = 0;
  int64_t take(int64_t rows, int64_t width) {
    int64_t offset = bytes;
    bytes += (rows * width * 4 + 63) / 64 * 64;
    return offset;
  }
  Scratch(const AttentionSpec &spec, int64_t T, bool staged) {
    int64_t width = spec.cache.paddedHeadDim(), rows = (spec.rows() + T - 1) / T * T;
    q = take(rows, width);
    o = take(rows, width);
    largest = take(rows, 1);
    sum = take(rows, 1);
    last = take(rows, 1);
    p = take(T, kBlock);
    factor = take(T, 1);
    keys = staged ? take(kBlock / kTileRows * spec.cache.headDim, kTileRows) : 0;
    values = staged ? take(kBlock, width) : 0;
    const CacheShape &cache = spec.cache;
    if (cache.isInt8() && !staged) {
      int64_t groups = cache.scaleGroups(), parts = groups * (kBlock / kTileRows);
      qCodes = {take(rows, groups * kGroupWords), take(rows, groups), take(rows, groups)};
      pCodes = {take(T, parts * kGroupWords), take(T, parts), take(T, parts)};
    }
  }
  /// Rows of groups rounded to int8: their codes, kGroupWords words a group, their scales and the starts of their dots.
  struct Codes {
    int64_t codes = 0, scales = 0, starts = 0;
  };
  int64_t q, o, largest, sum, last, p, factor, keys, values;
  Codes qCodes, pCodes;
};

class AttentionBuilder {
public:
  AttentionBuilder(OpBuilder &b, Location loc, StringRef name, const AttentionSpec &spec, int64_t T, int64_t R,
                   bool prefetch)
      : spec(spec), cache(spec.cache), group(spec.group()), width(cache.paddedHeadDim()), R(R), prefetch(prefetch),
        staged(!cache.element.isF32() && spec.rows() > T), words(cache.isInt8() && !staged),
        at(spec, T, staged),
        k(b, loc, name, bindings(b.getContext(), spec), T, at.bytes) {}

  void build();

private:
  static SmallVector<Type> bindings(MLIRContext *context, const AttentionSpec &spec) {
    int64_t columns = spec.heads * spec.cache.headDim;
    Type rows = RowsType::getPadded(context, columns), bytes = BytesType::get(context);
    Type out = spec.slice        ? spec.partialType(context)
               : spec.actsOutput ? Type(ActsType::get(context, columns))
                                 : rows;
    return {rows, bytes, bytes, out};
  }
  /// Token and head (within the group) of a row of the tile.
  std::pair<Value, Value> query(Value row) {
    return {k.add(firstToken, k.div(row, group)), k.rem(row, group)};
  }
  /// Elements of a head that are moved at a time: its neighbours must stay as they are.
  int64_t headStep() { return cache.headDim % kTileRows == 0 ? kTileRows : cache.headDim % 8 == 0 ? 8 : 1; }
  Value column(Value head) { return k.mul(k.add(k.mul(kvHead, group), head), cache.headDim); }
  /// A number each of `n` rows.
  Value loadNumber(Value rows, Value row, int64_t n = 1) { return k.loadRow(rows, row, k.index(0), n, 1); }
  void storeNumber(Value v, Value rows, Value row) { k.storeRow(v, rows, row, k.index(0)); }

  /// `lanes` elements at byte `offset` of the cache; if the schedule asks for it, those `ahead` bytes behind them soon come
  /// into the second cache.
  Value loadElements(unsigned binding, Value offset, int64_t lanes, Type element, int64_t ahead = 0) {
    if (prefetch && ahead)
      for (int64_t line = 0; line < lanes * element.getIntOrFloatBitWidth() / 8; line += 64)
        k.op<PrefetchOp>(k.binding(binding), k.add(offset, ahead + line), 2);
    return k.op<LoadOp>(k.lanes(lanes, element), k.binding(binding), offset);
  }
  Value loadWords(unsigned binding, Value offset, int64_t lanes, int64_t ahead = 0) {
    return loadElements(binding, offset, lanes, k.b.getI32Type(), ahead);
  }
  /// As f32, of a cache that is not int8.
  Value loadCache(unsigned binding, Value offset, int64_t lanes, int64_t ahead = 0) {
    return k.toF32(loadElements(binding, offset, lanes, cache.element, ahead));
  }
  /// The codes of `lanes` words as f32, one vector for each of a word's.
  SmallVector<Value> loadCodes(unsigned binding, Value offset, int64_t lanes);
  /// An int8 cache's scales of group `group`: those of positions `j` .. of the block.
  Value scaleOffset(unsigned binding, Value group, Value j) {
    return cacheScaleOffset(k, cache, /*keys=*/binding == 1, kvHead, group, k.add(first, j));
  }
  Value loadScales(unsigned binding, Value group, Value j, int64_t lanes) {
    return loadElements(binding, scaleOffset(binding, group, j), lanes, k.b.getF32Type(), 4 * kBlock);
  }
  /// Where element d of 32 positions is: line d of key tile `tile` of the block. Of words d is their first element.
  Value keysOffset(Value tile, Value d, Value lane);
  /// Where elements `lane` .. of position j of the block are. Of words j is their first position.
  Value valuesOffset(Value j, Value lane);

  void fillRows();
  void stage();
  void stageInt8();
  /// Rows of groups rounded to int8, in the scratch.
  struct Codes {
    Value codes, scales, starts;
  };
  Codes codesAt(const Scratch::Codes &at, int64_t groups);
  void roundGroup(Value values, const Codes &to, Value row, Value group);
  Value dotWords(ArrayRef<Value> lines, const Codes &x, Value row, Value group, Value weightScale, Value acc);
  void roundQueries();
  void roundWeights();
  Value addWordScores(Value sum, Value row, Value tile, Value lane, Value g);
  void addWordValues(Value row, Value g, Value lane, int64_t lanes);
  void scores(Value row);
  Value addScores(Value sum, Value row, Value tile, Value lane);
  void softmax(Value row, Value i, int64_t n);
  void softmax(Value row);
  void addValues(Value row);
  void addValues(Value row, Value lane, int64_t lanes);
  void storeOutputs();

  const AttentionSpec &spec;
  const CacheShape &cache;
  int64_t group, width, R;
  bool prefetch, staged;
  /// Dots of the cache's words.
  bool words;
  Scratch at;
  KernelBuilder k;
  Value kvHead, firstToken, slice, rows;
  /// The block: its first position, its key tiles and its positions.
  Value first, tiles, count;
  Value q, o, p, largest, sums, factors, last, stagedKeys, stagedValues;
  Codes qCodes, pCodes;
};

Value AttentionBuilder::keysOffset(Value tile, Value d, Value lane) {
  int64_t tileElements = cache.headDim * kTileRows;
  Value element = k.mul(kvHead, cache.paddedPositions() / kTileRows * tileElements);
  element = k.add(element, k.mul(k.div(first, kTileRows), tileElements));
  element = k.add(element, k.add(k.mul(tile, tileElements), k.mul(d, kTileRows)));
  return k.mul(k.add(element, k.mul(lane, cache.wordCodes())), cache.elementBytes());
}

Value AttentionBuilder::valuesOffset(Value j, Value lane) {
  int64_t stride = cache.valueStride();
  Value element = k.add(k.mul(kvHead, cache.paddedPositions() * stride), k.mul(k.add(first, j), stride));
  return k.mul(k.add(element, k.mul(lane, cache.wordCodes())), cache.elementBytes());
}

void AttentionBuilder::fillRows() {
  // Rows past the last one (T does not divide them) and of tokens past the last one repeat the last token's.
  k.loop(k.index(0), k.index((spec.rows() + k.T - 1) / k.T * k.T), 1, [&](Value row) {
    auto [token, head] = query(row);
    token = k.min(token, k.sub(k.tokens(), k.index(1)));
    storeNumber(k.make<vector::BroadcastOp>(k.block(1, 1, k.b.getI32Type()), k.toI32(k.add(k.position(), token))), last,
                row);
    storeNumber(k.splat(k.block(1, 1), kMasked), largest, row);
    storeNumber(k.splat(k.block(1, 1), 0.0), sums, row);
    Value start = column(head);
    k.loop(k.index(0), k.index(cache.headDim), headStep(), [&](Value d) {
      Value v = k.loadRow(k.binding(0), token, k.add(start, d), 1, headStep());
      k.storeRow(k.mulf(v, k.splat(k.block(1, headStep()), spec.scale)), q, row, d);
    });
    k.loop(k.index(0), k.index(width), kTileRows,
           [&](Value d) { k.storeRow(k.splat(k.block(1, kTileRows), 0.0), o, row, d); });
  });
}

void AttentionBuilder::stage() {
  auto store = [&](Value line, Value target, Value row, Value lane) {
    k.storeRow(k.broadcast(line, k.block(1, kTileRows)), target, row, lane);
  };
  k.loop(k.index(0), k.mul(tiles, cache.headDim), 1, [&](Value line) {
    store(loadCache(1, keysOffset(k.index(0), line, k.index(0)), kTileRows), stagedKeys, line, k.index(0));
  });
  k.loop(k.index(0), count, 1, [&](Value j) {
    for (int64_t lane = 0; lane < width; lane += kTileRows)
      store(loadCache(2, valuesOffset(j, k.index(lane)), kTileRows), stagedValues, j, k.index(lane));
  });
}

SmallVector<Value> AttentionBuilder::loadCodes(unsigned binding, Value offset, int64_t lanes) {
  Value words = loadWords(binding, offset, lanes);
  VectorType type = k.lanes(lanes, k.b.getI32Type());
  SmallVector<Value> codes;
  for (int64_t i = 0; i < 4; ++i) {
    Value top = i == 3 ? words : k.make<arith::ShLIOp>(words, k.splatInt(type, 24 - 8 * i));
    codes.push_back(k.make<arith::SIToFPOp>(k.lanes(lanes), k.make<arith::ShRSIOp>(top, k.splatInt(type, 24))));
  }
  return codes;
}

/// As `stage`, codes times scales.
void AttentionBuilder::stageInt8() {
  int64_t group = cache.scaleGroup(), word = cache.wordCodes();
  k.loop(k.index(0), tiles, 1, [&](Value tile) {
    k.loop(k.index(0), k.index(cache.scaleGroups()), 1, [&](Value g) {
      Value scales = loadScales(1, g, k.mul(tile, kTileRows), kTileRows), start = k.mul(g, group);
      k.loop(start, k.add(start, group), word, [&](Value d) {
        Value row = k.add(k.mul(tile, cache.headDim), d);
        for (auto [i, codes] : llvm::enumerate(loadCodes(1, keysOffset(tile, d, k.index(0)), kTileRows)))
          k.storeRow(k.broadcast(k.mulf(codes, scales), k.block(1, kTileRows)), stagedKeys, k.add(row, i), k.index(0));
      });
    });
  });
  // Of the last word's positions those past the sequence may become anything: nothing reads them.
  VectorType line = k.lanes(group);
  k.loop(k.index(0), count, word, [&](Value j) {
    for (int64_t g = 0; g < cache.scaleGroups(); ++g) {
      Value lane = k.index(g * group);
      for (auto [i, codes] : llvm::enumerate(loadCodes(2, valuesOffset(j, lane), group))) {
        Value position = k.add(j, i);
        Value scale = k.op<LoadUniformOp>(k.b.getF32Type(), k.binding(2), scaleOffset(2, k.index(g), position));
        Value v = k.mulf(codes, k.make<vector::BroadcastOp>(line, scale));
        k.storeRow(k.broadcast(v, k.block(1, group)), stagedValues, position, lane);
      }
    }
  });
}

AttentionBuilder::Codes AttentionBuilder::codesAt(const Scratch::Codes &at, int64_t groups) {
  return {k.scratchRows(at.codes, groups * kGroupWords), k.scratchRows(at.scales, groups),
          k.scratchRows(at.starts, groups)};
}

/// Group `group` of row `row`: lanes as int8, their scale, and -8 times their sum.
void AttentionBuilder::roundGroup(Value values, const Codes &to, Value row, Value group) {
  int64_t size = cast<VectorType>(values.getType()).getDimSize(0);
  auto [codes, scale] = roundToInt8(k.b, k.loc, values);
  Type i32 = k.b.getI32Type();
  Value sum = k.op<ReduceOp>(i32, ReduceKind::Add, codes, IntegerAttr());
  Value start = k.make<arith::MulIOp>(sum, k.b.create<arith::ConstantIntOp>(k.loc, -8, 32));
  Value bytes = k.make<arith::TruncIOp>(k.lanes(size, cache.element), codes);
  auto view = to.codes.getDefiningOp<ViewOp>();
  Value offset = k.add(k.mul(row, cast<RowsType>(to.codes.getType()).getStride()), k.mul(group, 4 * kGroupWords));
  k.op<StoreOp>(bytes, view.getSource(), k.add(offset, static_cast<int64_t>(view.getOffset())));
  k.storeRow(k.make<vector::BroadcastOp>(k.block(1, 1), scale), to.scales, row, group);
  k.storeRow(k.make<vector::BroadcastOp>(k.block(1, 1, i32), start), to.starts, row, group);
}

/// acc + float(lines · group `group` of T rows) * its scale (* weightScale).
Value AttentionBuilder::dotWords(ArrayRef<Value> lines, const Codes &x, Value row, Value group, Value weightScale,
                                 Value acc) {
  Type i32 = k.b.getI32Type();
  auto type = cast<VectorType>(acc.getType());
  VectorType sums = k.block(k.T, type.getDimSize(1), i32);
  Value words = k.op<LoadRowOp>(k.block(k.T, kGroupWords, i32), x.codes, row, k.mul(group, kGroupWords), true);
  Value start = k.op<LoadRowOp>(k.block(k.T, 1, i32), x.starts, row, group, false);
  Value scale = k.loadRow(x.scales, row, group, k.T, 1);
  Value dot = k.op<DotOp>(sums, k.splatInt(sums, 0), lines, words, start, 8, 0);
  if (weightScale)
    return k.op<ScaleAccumulateOp>(type, acc, dot, weightScale, scale);
  return k.fma(k.make<arith::SIToFPOp>(type, dot), k.broadcast(scale, type), acc);
}

void AttentionBuilder::roundQueries() {
  int64_t size = cache.scaleGroup(), stride = cast<RowsType>(q.getType()).getStride();
  k.loop(k.index(0), k.index((spec.rows() + k.T - 1) / k.T * k.T), 1, [&](Value row) {
    k.loop(k.index(0), k.index(cache.scaleGroups()), 1, [&](Value g) {
      Value offset = k.add(k.add(k.mul(row, stride), k.mul(g, 4 * size)), at.q);
      roundGroup(k.op<LoadOp>(k.lanes(size), k.kernel.getScratchArg(), offset), qCodes, row, g);
    });
  });
}

/// p times the scales of its values, for each group and 32 positions.
void AttentionBuilder::roundWeights() {
  VectorType line = k.lanes(kTileRows);
  k.loop(k.index(0), tiles, 1, [&](Value tile) {
    k.loop(k.index(0), k.index(cache.scaleGroups()), 1, [&](Value g) {
      Value position = k.mul(tile, kTileRows), scales = loadScales(2, g, position, kTileRows);
      // Rows side by side: each is one chain through its maximum and its sum.
      Value none = k.splat(line, 0.0);
      for (int64_t i = 0; i < k.T; ++i) {
        Value offset = k.add(k.mul(position, 4), at.p + i * 4 * kBlock);
        Value weights = k.op<LoadOp>(line, k.kernel.getScratchArg(), offset);
        // Where no position is yet a scale may be anything, NaN too: p is 0 there and its code has to be.
        Value some = k.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, weights, none);
        Value scaled = k.make<arith::SelectOp>(some, k.mulf(weights, scales), none);
        roundGroup(scaled, pCodes, k.index(i), k.add(k.mul(g, kBlock / kTileRows), tile));
      }
    });
  });
}

/// As addScores(), of group g: its words are dotted at once.
Value AttentionBuilder::addWordScores(Value sum, Value row, Value tile, Value lane, Value g) {
  SmallVector<Value> lines;
  for (int64_t d = 0; d < cache.scaleGroup(); d += 4) {
    Value offset = keysOffset(tile, k.add(k.mul(g, cache.scaleGroup()), d), lane);
    lines.push_back(loadWords(1, offset, R, kBlock * cache.headDim));
  }
  Value scales = loadScales(1, g, k.add(k.mul(tile, kTileRows), lane), R);
  return dotWords(lines, qCodes, row, g, scales, sum);
}

/// sum + q[d] * keys[d] over all elements, of R positions of a key tile.
Value AttentionBuilder::addScores(Value sum, Value row, Value tile, Value lane) {
  VectorType block = k.block(k.T, R);
  return k.loop(k.index(0), k.index(cache.headDim), 1, sum, [&](Value d, ValueRange s) {
    Value line;
    if (staged) {
      line = k.loadRow(stagedKeys, k.add(k.mul(tile, cache.headDim), d), lane, 1, R);
    } else {
      line = loadCache(1, keysOffset(tile, d, lane), R, kBlock * cache.headDim * cache.elementBytes());
    }
    Value element = k.broadcast(k.loadRow(q, row, d, k.T, 1), block);
    return SmallVector<Value>{k.fma(element, k.broadcast(line, block), s[0])};
  })[0];
}

void AttentionBuilder::scores(Value row) {
  VectorType block = k.block(k.T, R);
  Value none = k.index(0);
  k.loop(none, tiles, 1, [&](Value tile) {
    k.loop(none, k.index(kTileRows), R, [&](Value lane) {
      Value position = k.add(k.mul(tile, kTileRows), lane), s = k.splat(block, 0.0);
      if (words)
        s = k.loop(none, k.index(cache.scaleGroups()), 1, s, [&](Value g, ValueRange s) {
          return SmallVector<Value>{addWordScores(s[0], row, tile, lane, g)};
        })[0];
      else
        s = addScores(s, row, tile, lane);
      k.storeRow(s, p, none, position);
    });
  });
}

/// Rows i .. i + n - 1 of the T in the registers: scores become weights, and what was summed up before its factor. Each is
/// one chain from its maximum to its factor, so several go side by side.
void AttentionBuilder::softmax(Value row, Value i, int64_t n) {
  row = k.add(row, i);
  VectorType block = k.block(n, kSoftmaxLanes);
  Type i32 = k.b.getI32Type();
  VectorType ids = k.block(n, kSoftmaxLanes, i32);
  Value limit = k.op<LoadRowOp>(k.block(n, 1, i32), last, row, k.index(0), false);
  Value masked = k.splat(block, kMasked);
  Value numbers = k.op<LanesOp>(k.lanes(kSoftmaxLanes, i32));
  Value most = k.loop(k.index(0), k.index(kBlock), kSoftmaxLanes, masked, [&](Value lane, ValueRange most) {
    Value start = k.make<vector::BroadcastOp>(k.lanes(kSoftmaxLanes, i32), k.toI32(k.add(first, lane)));
    Value positions = k.broadcast(k.make<arith::AddIOp>(start, numbers), ids);
    // What lies behind the tiles that have been computed may be anything; it is past every row's last position.
    Value seen = k.make<arith::CmpIOp>(arith::CmpIPredicate::sle, positions, k.broadcast(limit, ids));
    Value s = k.make<arith::SelectOp>(seen, k.loadRow(p, i, lane, n, kSoftmaxLanes), masked);
    k.storeRow(s, p, i, lane);
    return SmallVector<Value>{k.maxf(most[0], s)};
  })[0];
  Value before = loadNumber(largest, row, n);
  Value now = k.maxf(before, k.reduce(ReduceKind::Max, most));
  Value shift = k.broadcast(now, block);
  Value sum = k.loop(k.index(0), k.index(kBlock), kSoftmaxLanes, k.splat(block, 0.0), [&](Value lane, ValueRange sum) {
    Value weights = k.make<math::ExpOp>(k.subf(k.loadRow(p, i, lane, n, kSoftmaxLanes), shift));
    k.storeRow(weights, p, i, lane);
    return SmallVector<Value>{k.addf(sum[0], weights)};
  })[0];
  Value factor = k.make<math::ExpOp>(k.subf(before, now));
  storeNumber(k.fma(loadNumber(sums, row, n), factor, k.reduce(ReduceKind::Add, sum)), sums, row);
  storeNumber(now, largest, row);
  storeNumber(factor, factors, i);
}

/// All T rows.
void AttentionBuilder::softmax(Value row) {
  int64_t whole = k.T - k.T % kSoftmaxRows;
  k.loop(k.index(0), k.index(whole), kSoftmaxRows, [&](Value i) { softmax(row, i, kSoftmaxRows); });
  if (whole < k.T)
    softmax(row, k.index(whole), k.T - whole);
}

/// Elements `lane` .. of o for T rows.
void AttentionBuilder::addValues(Value row, Value lane, int64_t lanes) {
  VectorType block = k.block(k.T, lanes);
  Value factor = k.broadcast(k.loadRow(factors, k.index(0), k.index(0), k.T, 1), block);
  Value start = k.mulf(k.loadRow(o, row, lane, k.T, lanes), factor);
  // Positions that are not filled yet may hold anything, so the loop ends with the sequence.
  Value sum = k.loop(k.index(0), count, 1, start, [&](Value j, ValueRange acc) {
    Value line;
    if (staged) {
      line = k.loadRow(stagedValues, j, lane, 1, lanes);
    } else {
      line = loadCache(2, valuesOffset(j, lane), lanes, kBlock * cache.valueStride() * cache.elementBytes());
    }
    Value weight = k.broadcast(k.loadRow(p, k.index(0), j, k.T, 1), block);
    return SmallVector<Value>{k.fma(weight, k.broadcast(line, block), acc[0])};
  })[0];
  k.storeRow(sum, o, row, lane);
}

/// As addValues(), of words of four positions: 32 positions at once, in whole key tiles, since codes of 0 hide what is not
/// filled.
void AttentionBuilder::addWordValues(Value row, Value g, Value lane, int64_t lanes) {
  VectorType block = k.block(k.T, lanes);
  Value factor = k.broadcast(k.loadRow(factors, k.index(0), k.index(0), k.T, 1), block);
  Value start = k.mulf(k.loadRow(o, row, lane, k.T, lanes), factor);
  Value sum = k.loop(k.index(0), tiles, 1, start, [&](Value tile, ValueRange acc) {
    SmallVector<Value> lines;
    for (int64_t j = 0; j < kTileRows; j += 4)
      lines.push_back(loadWords(2, valuesOffset(k.add(k.mul(tile, kTileRows), j), lane), lanes, kBlock * cache.headDim));
    Value part = k.add(k.mul(g, kBlock / kTileRows), tile);
    return SmallVector<Value>{dotWords(lines, pCodes, k.index(0), part, Value(), acc[0])};
  })[0];
  k.storeRow(sum, o, row, lane);
}

void AttentionBuilder::addValues(Value row) {
  Value zero = k.index(0);
  if (!cache.isInt8())
    return k.loop(zero, k.index(width), R, [&](Value lane) { addValues(row, lane, R); });
  // Lanes of one group.
  int64_t group = cache.scaleGroup(), lanes = std::min(R, group);
  if (staged)
    return k.loop(zero, k.index(cache.headDim), lanes, [&](Value lane) { addValues(row, lane, lanes); });
  roundWeights();
  k.loop(zero, k.index(cache.scaleGroups()), 1, [&](Value g) {
    Value start = k.mul(g, group);
    k.loop(start, k.add(start, group), lanes, [&](Value lane) { addWordValues(row, g, lane, lanes); });
  });
}

void AttentionBuilder::storeOutputs() {
  Value out = k.binding(3);
  k.loop(k.index(0), rows, 1, [&](Value row) {
    auto [token, head] = query(row);
    if (spec.slice) {
      Value partial = k.add(k.mul(slice, spec.heads), k.add(k.mul(kvHead, group), head));
      k.loop(k.index(0), k.index(width), kTileRows,
             [&](Value d) { k.storeRow(k.loadRow(o, row, d, 1, kTileRows), out, partial, d); });
      k.storeRow(loadNumber(largest, row), out, partial, k.index(width));
      k.storeRow(loadNumber(sums, row), out, partial, k.index(width + 1));
      return;
    }
    Value start = column(head);
    Value inverse = k.make<arith::DivFOp>(k.splat(k.block(1, 1), 1.0), loadNumber(sums, row));
    k.loop(k.index(0), k.index(cache.headDim), headStep(), [&, token = token](Value d) {
      VectorType line = k.block(1, headStep());
      Value v = k.mulf(k.loadRow(o, row, d, 1, headStep()), k.broadcast(inverse, line));
      if (spec.actsOutput)
        k.op<StoreActsOp>(v, out, token, k.div(k.add(start, d), kActGroup), Value());
      else
        k.storeRow(v, out, token, k.add(start, d));
    });
    if (int64_t columns = spec.heads * cache.headDim; columns % kTileRows) {
      Value number = k.add(k.mul(kvHead, group), head);
      Value isLast = k.make<arith::CmpIOp>(arith::CmpIPredicate::eq, number, k.index(spec.heads - 1));
      k.when(isLast, [&, token = token] { k.zeroPadding(out, token, columns); });
    }
  });
}

void AttentionBuilder::build() {
  q = k.scratchRows(at.q, width);
  o = k.scratchRows(at.o, width);
  p = k.scratchRows(at.p, kBlock);
  largest = k.scratchRows(at.largest, 1);
  sums = k.scratchRows(at.sum, 1);
  factors = k.scratchRows(at.factor, 1);
  last = k.scratchRows(at.last, 1);
  if (staged) {
    stagedKeys = k.scratchRows(at.keys, kTileRows);
    stagedValues = k.scratchRows(at.values, width);
  } else if (words) {
    qCodes = codesAt(at.qCodes, cache.scaleGroups());
    pCodes = codesAt(at.pCodes, cache.scaleGroups() * (kBlock / kTileRows));
  }

  Value begin = k.index(0), end;
  if (spec.slice) {
    // Neighbouring tiles read on where the one before ended: a worker mostly gets several.
    Value length = k.add(k.position(), k.tokens());
    Value slices = k.div(k.add(length, spec.slice - 1), spec.slice);
    kvHead = k.make<arith::DivUIOp>(k.tile(), slices);
    slice = k.make<arith::RemUIOp>(k.tile(), slices);
    firstToken = k.index(0);
    rows = k.index(group);
    begin = k.mul(slice, spec.slice);
    end = k.min(k.add(begin, spec.slice), length);
  } else {
    kvHead = k.rem(k.tile(), cache.heads);
    firstToken = k.mul(k.div(k.tile(), cache.heads), spec.tileTokens());
    Value lastToken = k.min(k.tokens(), k.add(firstToken, spec.tileTokens()));
    rows = k.mul(k.sub(lastToken, firstToken), group);
    end = k.add(k.position(), lastToken);
  }
  fillRows();
  if (words)
    roundQueries();
  k.loop(begin, end, kBlock, [&](Value position) {
    first = position;
    count = k.min(k.index(kBlock), k.sub(end, first));
    tiles = k.div(k.add(count, kTileRows - 1), kTileRows);
    if (staged)
      cache.isInt8() ? stageInt8() : stage();
    k.loop(k.index(0), rows, k.T, [&](Value row) {
      scores(row);
      softmax(row);
      addValues(row);
    });
  });
  storeOutputs();
}

} // namespace

void sinter::buildAttention(OpBuilder &b, Location loc, StringRef name, const AttentionSpec &spec,
                            const Schedule &schedule) {
  int64_t T = std::min<int64_t>(spec.rows(), schedule.attentionRows);
  AttentionBuilder(b, loc, name, spec, T, schedule.attentionLanes,
                   spec.tokens == TokenClass::One && schedule.prefetchBytes)
      .build();
}
