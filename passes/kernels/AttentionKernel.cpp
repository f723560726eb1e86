//===- AttentionKernel.cpp - Causal attention with an online softmax -------------------===//
//
// Milakov and Gimelshein 2018, "Online normalizer calculation for softmax"; the score matrix is never written. Queries of
// all heads that share a KV head, and of up to 8 tokens, are the T rows of a register block, so that each line of keys
// and values is loaded once for all of them.
//
//   scratch: q [T][width] (scaled), o [T][width], p [T][32], sum [T], last position [T]
//   scf.for %kt over tiles of 32 positions (max, sum) {
//     %s = sum over elements d of q[d] * keys[%kt][d]            a lane is a position
//     %s = positions after the query's own ? -1e30 : %s
//     %m = max(%max, reduce max %s); %p = exp(%s - %m); sum = sum * exp(%max - %m) + reduce add %p
//     o = o * exp(%max - %m) + sum over positions j of p[j] * values[%kt * 32 + j]    a lane is an element
//   }
//   out = o / sum
//
// Cache layout: LinearKernel.cpp.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

constexpr double kMasked = -1e30;

class AttentionBuilder {
public:
  AttentionBuilder(OpBuilder &b, Location loc, StringRef name, const AttentionSpec &spec, int64_t T)
      : spec(spec), cache(spec.cache), group(spec.heads / cache.heads), width(cache.paddedHeadDim()),
        k(b, loc, name, bindings(b.getContext(), spec), T, 4 * T * (2 * width + kTileRows + 2)) {}

  void build();

private:
  static SmallVector<Type> bindings(MLIRContext *context, const AttentionSpec &spec) {
    int64_t columns = spec.heads * spec.cache.headDim;
    Type rows = RowsType::getPadded(context, columns), bytes = BytesType::get(context);
    return {rows, bytes, bytes, spec.actsOutput ? Type(ActsType::get(context, columns)) : rows};
  }
  /// Query row i of the pass: its token and its head within the group.
  std::pair<Value, Value> query(Value i) {
    Value row = k.add(pass, i);
    return {k.add(firstToken, k.div(row, group)), k.rem(row, group)};
  }
  /// Elements of a head that are moved at a time: its neighbours must stay as they are.
  int64_t headStep() { return cache.headDim % kTileRows == 0 ? kTileRows : cache.headDim % 8 == 0 ? 8 : 1; }
  Value column(Value head) { return k.mul(k.add(k.mul(kvHead, group), head), cache.headDim); }
  Value lineOffset(Value tile, Value line, int64_t linesPerTile, int64_t lineElements) {
    int64_t bytes = cache.elementBytes();
    int64_t headLines = cache.paddedPositions() / kTileRows * linesPerTile;
    Value base = k.mul(kvHead, headLines * lineElements * bytes);
    base = k.add(base, k.mul(tile, linesPerTile * lineElements * bytes));
    return k.add(base, k.mul(line, lineElements * bytes));
  }
  Value loadLine(Value binding, Value offset) {
    return k.toF32(k.op<LoadOp>(k.lanes(kTileRows, cache.element), binding, offset));
  }
  void fillQueries();
  Value scores(Value tile);
  void addValues(Value tile, Value rescale);
  void buildPass();
  void storeOutputs(Value sum);

  const AttentionSpec &spec;
  const CacheShape &cache;
  int64_t group, width;
  KernelBuilder k;
  Value kvHead, firstToken, pass, rows, length;
  Value q, o, p, sums, last;
};

void AttentionBuilder::fillQueries() {
  k.loop(k.index(0), k.index(k.T), 1, [&](Value i) {
    auto [token, head] = query(i);
    // Rows past the last token repeat it; their results are not stored.
    token = k.min(token, k.sub(k.tokens(), k.index(1)));
    Value lastPosition = k.toI32(k.add(k.position(), token));
    k.storeRow(k.make<vector::BroadcastOp>(k.block(1, 1, k.b.getI32Type()), lastPosition), last, i, k.index(0));
    Value start = column(head);
    k.loop(k.index(0), k.index(cache.headDim), headStep(), [&](Value d) {
      Value v = k.loadRow(k.binding(0), token, k.add(start, d), 1, headStep());
      k.storeRow(k.mulf(v, k.splat(k.block(1, headStep()), spec.scale)), q, i, d);
    });
    k.loop(k.index(0), k.index(width), kTileRows,
           [&](Value d) { k.storeRow(k.splat(k.block(1, kTileRows), 0.0), o, i, d); });
  });
}

Value AttentionBuilder::scores(Value tile) {
  VectorType block = k.block(k.T, kTileRows);
  Value s = k.loop(k.index(0), k.index(cache.headDim), 1, k.splat(block, 0.0), [&](Value d, ValueRange s) {
    Value line = loadLine(k.binding(1), lineOffset(tile, d, cache.headDim, kTileRows));
    Value element = k.broadcast(k.loadRow(q, k.index(0), d, k.T, 1), block);
    return SmallVector<Value>{k.fma(element, k.broadcast(line, block), s[0])};
  })[0];
  VectorType numbers = k.lanes(kTileRows, k.b.getI32Type()), wide = k.block(k.T, kTileRows, k.b.getI32Type());
  Value first = k.make<vector::BroadcastOp>(numbers, k.toI32(k.mul(tile, kTileRows)));
  Value positions = k.make<arith::AddIOp>(first, k.op<LanesOp>(numbers));
  Value limits = k.op<LoadRowOp>(k.block(k.T, 1, k.b.getI32Type()), last, k.index(0), k.index(0), false);
  Value seen = k.make<arith::CmpIOp>(arith::CmpIPredicate::sle, k.broadcast(positions, wide),
                                     k.broadcast(limits, wide));
  return k.make<arith::SelectOp>(seen, s, k.splat(block, kMasked));
}

void AttentionBuilder::addValues(Value tile, Value rescale) {
  VectorType block = k.block(k.T, kTileRows);
  // Positions that are not filled yet may hold anything, so the loop ends with the sequence.
  Value count = k.min(k.index(kTileRows), k.sub(length, k.mul(tile, kTileRows)));
  k.loop(k.index(0), k.index(width), kTileRows, [&](Value d) {
    Value start = k.mulf(k.loadRow(o, k.index(0), d, k.T, kTileRows), k.broadcast(rescale, block));
    Value sum = k.loop(k.index(0), count, 1, start, [&](Value j, ValueRange acc) {
      Value offset = k.add(lineOffset(tile, j, kTileRows, width), k.mul(d, cache.elementBytes()));
      Value line = loadLine(k.binding(2), offset);
      Value weight = k.broadcast(k.loadRow(p, k.index(0), j, k.T, 1), block);
      return SmallVector<Value>{k.fma(weight, k.broadcast(line, block), acc[0])};
    })[0];
    k.storeRow(sum, o, k.index(0), d);
  });
}

void AttentionBuilder::storeOutputs(Value sum) {
  k.storeRow(sum, sums, k.index(0), k.index(0));
  k.loop(k.index(0), k.index(k.T), 1, [&](Value i) {
    auto [token, head] = query(i);
    Value inRange = k.make<arith::AndIOp>(k.below(token, k.tokens()), k.below(k.add(pass, i), rows));
    k.when(inRange, [&, token = token, head = head] {
      Value out = k.binding(3), start = column(head);
      Value total = k.loadRow(sums, i, k.index(0), 1, 1);
      Value inverse = k.make<arith::DivFOp>(k.splat(k.block(1, 1), 1.0), total);
      k.loop(k.index(0), k.index(cache.headDim), headStep(), [&](Value d) {
        VectorType line = k.block(1, headStep());
        Value v = k.mulf(k.loadRow(o, i, d, 1, headStep()), k.broadcast(inverse, line));
        if (spec.actsOutput)
          k.op<StoreActsOp>(v, out, token, k.div(k.add(start, d), kActGroup), Value());
        else
          k.storeRow(v, out, token, k.add(start, d));
      });
    });
  });
}

void AttentionBuilder::buildPass() {
  fillQueries();
  VectorType number = k.block(k.T, 1);
  Value tiles = k.div(k.add(length, kTileRows - 1), kTileRows);
  SmallVector<Value> inits = {k.splat(number, kMasked), k.splat(number, 0.0)};
  SmallVector<Value> state = k.loop(k.index(0), tiles, 1, inits, [&](Value tile, ValueRange state) {
    Value s = scores(tile);
    Value largest = k.maxf(state[0], k.reduce(ReduceKind::Max, s));
    Value weights = k.make<math::ExpOp>(k.subf(s, k.broadcast(largest, k.block(k.T, kTileRows))));
    Value rescale = k.make<math::ExpOp>(k.subf(state[0], largest));
    Value sum = k.fma(state[1], rescale, k.reduce(ReduceKind::Add, weights));
    k.storeRow(weights, p, k.index(0), k.index(0));
    addValues(tile, rescale);
    return SmallVector<Value>{largest, sum};
  });
  storeOutputs(state[1]);
}

void AttentionBuilder::build() {
  int64_t T = k.T;
  q = k.scratchRows(0, width);
  o = k.scratchRows(4 * T * width, width);
  p = k.scratchRows(8 * T * width, kTileRows);
  sums = k.scratchRows(8 * T * width + 4 * T * kTileRows, 1);
  last = k.scratchRows(8 * T * width + 4 * T * (kTileRows + 1), 1);

  bool one = spec.tokens == TokenClass::One;
  kvHead = k.rem(k.tile(), cache.heads);
  firstToken = k.mul(k.div(k.tile(), cache.heads), kAttentionTokens);
  Value end = k.min(k.tokens(), k.add(firstToken, kAttentionTokens));
  length = k.add(k.position(), end);
  rows = k.index(group * (one ? 1 : kAttentionTokens));
  k.loop(k.index(0), rows, T, [&](Value first) {
    pass = first;
    buildPass();
  });
}

} // namespace

void sinter::buildAttention(OpBuilder &b, Location loc, StringRef name, const AttentionSpec &spec,
                            const Schedule &schedule) {
  int64_t rows = spec.heads / spec.cache.heads * (spec.tokens == TokenClass::One ? 1 : kAttentionTokens);
  AttentionBuilder(b, loc, name, spec, std::min<int64_t>(rows, schedule.attentionRows)).build();
}
