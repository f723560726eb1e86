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
// T x R is the register block of both products (Schedule: attentionRows, attentionLanes). With fewer rows more elements of a
// value go together. Passes over whole lines and positions read the cache in order, which the hardware fetches ahead by
// itself; others take every other line, and ask for those of the next block (Zen 4, 12288 positions of f16: 34 GB/s, with
// lines asked for 27; two passes that ask 27, that do not 24).
//
// An int8 cache of T rows at most is read as it is, and both products are integer dots: AttentionWords.cpp. With more rows they are
// sums of 16-bit integers on targets that multiply those faster, and so are those of an f16 cache that many heads share:
// AttentionHalves.cpp.
//
// Cache layout: CacheShape in Kernels.h.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/AttentionBuilder.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

static constexpr double kMasked = -1e30;
/// Lanes and rows of the softmax's steps: exp has a dozen constants and needs registers for them.
static constexpr int64_t kSoftmaxLanes = 16, kSoftmaxRows = 4;
/// Rows of an int8 cache beside all of a schedule's lanes.
static constexpr int64_t kWordRows = 5;

Value AttentionBuilder::keysOffset(Value tile, Value d, Value lane) {
  Value element = k.add(k.mul(tile, cache.headDim * kTileRows), k.mul(d, kTileRows));
  element = k.add(element, k.mul(lane, cache.wordCodes()));
  return k.add(cacheBlockOffset(k, cache, /*keys=*/true, kvHead, first), k.mul(element, cache.elementBytes()));
}

Value AttentionBuilder::valuesOffset(Value j, Value lane) {
  Value element = k.add(k.mul(j, cache.valueStride()), k.mul(lane, cache.wordCodes()));
  return k.add(cacheBlockOffset(k, cache, /*keys=*/false, kvHead, first), k.mul(element, cache.elementBytes()));
}

/// Rows past the last one (T does not divide them) and of tokens past the last one repeat the last token's.
void AttentionBuilder::fillQueries() {
  k.loop(k.index(0), k.index(paddedRows(spec, k.T)), 1, [&](Value row) {
    auto [token, head] = query(row);
    token = k.min(token, k.sub(k.tokens(), k.index(1)));
    Value start = column(head);
    k.loop(k.index(0), k.index(cache.headDim), headStep(), [&](Value d) {
      Value v = k.loadRow(k.binding(0), token, k.add(start, d), 1, headStep());
      k.storeRow(k.mulf(v, k.splat(k.block(1, headStep()), spec.scale)), q, row, d);
    });
  });
  if (words)
    roundQueries();
  if (halves)
    packQueries();
  if (direct)
    setLargestOf(k.op<arith::ConstantIntOp>(-1, 32));
}

void AttentionBuilder::fillRows() {
  k.loop(k.index(0), k.index(paddedRows(spec, k.T)), 1, [&](Value row) {
    Value token = k.min(query(row).first, k.sub(k.tokens(), k.index(1)));
    storeNumber(k.make<vector::BroadcastOp>(k.block(1, 1, k.b.getI32Type()), k.toI32(k.add(k.position(), token))), last,
                row);
    storeNumber(k.splat(k.block(1, 1), kMasked), largest, row);
    storeNumber(k.splat(k.block(1, 1), 0.0), sums, row);
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
    // Halves go over whole lines.
    if (int64_t more = width - cache.headDim; halves && more)
      for (int64_t i = 0; i < word; ++i)
        k.storeRow(k.splat(k.block(1, more), 0.0), stagedValues, k.add(j, i), k.index(cache.headDim));
  });
}

/// sum + q[d] * keys[d] over all elements, of R positions of a key tile.
Value AttentionBuilder::addScores(Value sum, Value row, Value tile, Value lane) {
  VectorType block = k.block(k.T, R);
  return k.loop(k.index(0), k.index(cache.headDim), 1, sum, [&](Value d, ValueRange s) {
    Value line;
    if (staged) {
      line = k.loadRow(stagedKeys, k.add(k.mul(tile, cache.headDim), d), lane, 1, R);
    } else {
      line = loadCache(1, keysOffset(tile, d, lane), R, blocksAhead(1));
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
      if (halves)
        s = addHalfScores(row, tile, lane);
      else if (words)
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
  Value most = k.loop(k.index(0), k.index(kAttentionBlock), kSoftmaxLanes, masked, [&](Value lane, ValueRange most) {
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
  Value sum = k.loop(k.index(0), k.index(kAttentionBlock), kSoftmaxLanes, k.splat(block, 0.0), [&](Value lane, ValueRange sum) {
    Value weights = k.make<math::ExpOp>(k.subf(k.loadRow(p, i, lane, n, kSoftmaxLanes), shift));
    k.storeRow(weights, p, i, lane);
    return SmallVector<Value>{k.addf(sum[0], weights)};
  })[0];
  Value factor = k.make<math::ExpOp>(k.subf(before, now)), total = k.reduce(ReduceKind::Add, sum);
  storeNumber(k.fma(loadNumber(sums, row, n), factor, total), sums, row);
  storeNumber(now, largest, row);
  storeNumber(factor, factors, i);
  if (halves)
    packWeights(i, n, total);
}

/// All T rows.
void AttentionBuilder::softmax(Value row) {
  int64_t whole = k.T - k.T % kSoftmaxRows;
  k.loop(k.index(0), k.index(whole), kSoftmaxRows, [&](Value i) { softmax(row, i, kSoftmaxRows); });
  if (whole < k.T)
    softmax(row, k.index(whole), k.T - whole);
}

/// Elements `lane` .. of o for T rows: o times its factor, and what `add` adds in each of `steps` steps.
void AttentionBuilder::addToOutput(Value row, Value lane, int64_t lanes, Value steps,
                                   llvm::function_ref<Value(Value step, Value sum)> add) {
  Value factor = k.broadcast(k.loadRow(factors, k.index(0), k.index(0), k.T, 1), k.block(k.T, lanes));
  Value start = k.mulf(k.loadRow(o, row, lane, k.T, lanes), factor);
  Value sum = k.loop(k.index(0), steps, 1, start, [&](Value step, ValueRange acc) {
    return SmallVector<Value>{add(step, acc[0])};
  })[0];
  k.storeRow(sum, o, row, lane);
}

void AttentionBuilder::addValues(Value row, Value lane, int64_t lanes) {
  VectorType block = k.block(k.T, lanes);
  // Positions that are not filled yet may hold anything, so the loop ends with the sequence.
  addToOutput(row, lane, lanes, count, [&](Value j, Value sum) {
    Value line;
    if (staged) {
      line = k.loadRow(stagedValues, j, lane, 1, lanes);
    } else {
      line = loadCache(2, valuesOffset(j, lane), lanes, blocksAhead(2));
    }
    Value weight = k.broadcast(k.loadRow(p, k.index(0), j, k.T, 1), block);
    return k.fma(weight, k.broadcast(line, block), sum);
  });
}

void AttentionBuilder::addValues(Value row) {
  Value zero = k.index(0);
  if (halves)
    return k.loop(zero, k.index(width), valueLanes, [&](Value lane) { addHalfValues(row, lane, valueLanes); });
  if (!cache.isInt8())
    return k.loop(zero, k.index(width), valueLanes, [&](Value lane) { addValues(row, lane, valueLanes); });
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
        k.op<StoreActsOp>(v, out, token, k.div(k.add(start, d), kActGroup), Value(), Value(), spec.sums.halves,
                        spec.sums.totals);
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
  p = k.scratchRows(at.p, kAttentionBlock);
  largest = k.scratchRows(at.largest, 1);
  sums = k.scratchRows(at.sum, 1);
  factors = k.scratchRows(at.factor, 1);
  last = k.scratchRows(at.last, 1);
  if (staged) {
    stagedKeys = k.scratchRows(at.keys, kTileRows);
    stagedValues = k.scratchRows(at.values, width);
    if (halves) {
      keyUnits = k.scratchRows(at.keyUnits, kAttentionBlock);
      valueUnits = k.scratchRows(at.valueUnits, width);
    }
  } else if (words) {
    qCodes = codesAt(at.qCodes, cache.scaleGroups());
    pCodes = codesAt(at.pCodes, cache.scaleGroups() * (kAttentionBlock / kTileRows));
  }

  if (halves) {
    qUnits = k.scratchRows(at.qUnits, 1);
    pUnits = k.scratchRows(at.pUnits, 1);
  }

  if (!spec.slice) {
    kvHead = k.rem(k.tile(), cache.heads);
    firstToken = k.mul(k.div(k.tile(), cache.heads), spec.tileTokens());
    Value lastToken = k.min(k.tokens(), k.add(firstToken, spec.tileTokens()));
    rows = k.mul(k.sub(lastToken, firstToken), group);
    return attend(k.index(0), k.add(k.position(), lastToken));
  }
  // Neighbouring tiles read on where the one before ended: a worker mostly gets several.
  Value length = k.add(k.position(), k.tokens());
  Value slices = k.div(k.add(length, spec.slice - 1), spec.slice), together = togetherOf(k, spec, slices);
  kvHead = k.make<arith::DivUIOp>(k.tile(), slices);
  Value part = k.make<arith::RemUIOp>(k.tile(), slices), begin = k.mul(part, spec.slice);
  slice = k.make<arith::DivUIOp>(part, together);
  firstToken = k.index(0);
  rows = k.index(group);
  Value end = k.min(k.add(begin, k.mul(together, spec.slice)), length);
  Value other = k.make<arith::RemUIOp>(part, together);
  k.when(k.below(other, k.index(1)), [&] { attend(begin, end); });
}

/// The tile's rows over positions `begin` .. end - 1.
void AttentionBuilder::attend(Value begin, Value end) {
  // Slices of a head have the same queries.
  spec.slice ? k.once(kvHead, at.head, [&] { fillQueries(); }) : fillQueries();
  fillRows();
  k.loop(begin, end, kAttentionBlock, [&](Value position) {
    first = position;
    count = k.min(k.index(kAttentionBlock), k.sub(end, first));
    tiles = k.div(k.add(count, kTileRows - 1), kTileRows);
    if (staged)
      halves ? stageHalves() : cache.isInt8() ? stageInt8() : stage();
    if (direct) {
      next = k.add(first, kAttentionBlock);
      next = k.make<arith::SelectOp>(k.below(next, k.add(k.position(), k.tokens())), next, first);
      findHalfScales();
    }
    k.loop(k.index(0), rows, k.T, [&](Value row) {
      scores(row);
      softmax(row);
      addValues(row);
    });
  });
  storeOutputs();
}

void sinter::buildAttention(OpBuilder &b, Location loc, StringRef name, const AttentionSpec &spec,
                            const Schedule &schedule) {
  int64_t T = std::min<int64_t>(spec.rows(), schedule.attentionRows), R = schedule.attentionLanes, valueLanes = R;
  int64_t width = spec.cache.paddedHeadDim();
  // Dots of words have sums of integers beside those of floats: of 7 rows x 32 lanes there would be 28 registers of sums (Zen 4: 8 %
  // of the time of an int8 cache is saved).
  if (spec.cache.isInt8() && spec.rows() <= T && T > kWordRows)
    R /= 2;
  while (T * 2 * valueLanes <= schedule.attentionRows * R && width % (2 * valueLanes) == 0)
    valueLanes *= 2;
  bool inOrder = R == kTileRows && valueLanes == width && !spec.cache.isInt8();
  bool prefetch = spec.tokens == TokenClass::One && schedule.prefetchBytes && !inOrder;
  AttentionBuilder(b, loc, name, spec, T, R, valueLanes, prefetch, schedule.attentionHalves).build();
}
