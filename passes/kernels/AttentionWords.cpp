//===- AttentionWords.cpp - Attention over an int8 cache by integer dots ------------------===//
//
// An int8 cache of T rows at most is read as it is, and both products are integer dots of its words: a score is the sum over
// groups of key scale * q scale * (q's codes · codes), with q rounded to int8 once a row and group. What o sums up is
// (p * value scales), rounded to int8 for 32 positions of a group, · the codes of these positions:
//   %i = tile.dot 0, 8 words of values, %codes[row] positive       T x R, a lane is an element
//   o += float(%i) * %scale[row]
// So a line of codes costs a load and a dot a row, a quarter of what converting its codes one by one does.
//
//===----------------------------------------------------------------------===//
#include "passes/RowAccess.h"
#include "passes/kernels/AttentionBuilder.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

AttentionBuilder::Codes AttentionBuilder::codesAt(const AttentionScratch::Codes &at, int64_t groups) {
  return {k.scratchRows(at.codes, groups * kGroupWords), k.scratchRows(at.scales, groups),
          at.starts ? k.scratchRows(at.starts, groups) : Value()};
}

/// Codes, whose last 8 bits count, and scale of group `group` of row `row`.
void AttentionBuilder::storeGroup(Value codes, Value scale, const Codes &to, Value row, Value group) {
  Value bytes = k.make<arith::TruncIOp>(cast<VectorType>(codes.getType()).clone(cache.element), codes);
  auto view = to.codes.getDefiningOp<ViewOp>();
  Value offset = k.add(k.mul(row, cast<RowsType>(to.codes.getType()).getStride()), k.mul(group, 4 * kGroupWords));
  k.op<StoreOp>(bytes, view.getSource(), k.add(offset, static_cast<int64_t>(view.getOffset())));
  k.storeRow(k.make<vector::BroadcastOp>(k.block(1, 1), scale), to.scales, row, group);
}

/// acc + float(lines · group `group` of T rows) * its scale (* weightScale).
Value AttentionBuilder::dotWords(ArrayRef<Value> lines, const Codes &x, Value row, Value group, Value weightScale,
                                 Value acc) {
  Type i32 = k.b.getI32Type();
  auto type = cast<VectorType>(acc.getType());
  VectorType sums = k.block(k.T, type.getDimSize(1), i32);
  Value words = k.op<LoadRowOp>(k.block(k.T, kGroupWords, i32), x.codes, row, k.mul(group, kGroupWords), true);
  Value start;
  if (x.starts)
    start = k.op<LoadRowOp>(k.block(k.T, 1, i32), x.starts, row, group, false);
  Value scale = k.loadRow(x.scales, row, group, k.T, 1);
  Value zero = k.splatInt(sums, 0);
  Value dot = k.op<DotOp>(sums, zero, lines, words, start, 8, 0, /*unsignedCodes=*/false, /*inTurn=*/false, /*crossed=*/false,
                          /*positive=*/!start);
  if (weightScale)
    return k.op<ScaleAccumulateOp>(type, acc, dot, weightScale, scale);
  return k.fma(k.make<arith::SIToFPOp>(type, dot), k.broadcast(scale, type), acc);
}

void AttentionBuilder::roundQueries() {
  int64_t size = cache.scaleGroup(), stride = cast<RowsType>(q.getType()).getStride();
  k.loop(k.index(0), k.index(paddedRows(spec, k.T)), 1, [&](Value row) {
    k.loop(k.index(0), k.index(cache.scaleGroups()), 1, [&](Value g) {
      Value offset = k.add(k.add(k.mul(row, stride), k.mul(g, 4 * size)), at.q);
      Value values = k.op<LoadOp>(k.lanes(size), k.kernel.getScratchArg(), offset);
      RoundedLanes rounded = roundToInt8(k.b, k.loc, values, largestMagnitude(k.b, k.loc, values));
      storeGroup(rounded.codes, rounded.scale, qCodes, row, g);
      // -8 times the sum of the codes.
      Value sum = k.op<ReduceOp>(k.b.getI32Type(), ReduceKind::Add, rounded.codes, IntegerAttr());
      Value start = k.make<arith::MulIOp>(sum, k.op<arith::ConstantIntOp>(-8, 32));
      k.storeRow(k.make<vector::BroadcastOp>(k.block(1, 1, k.b.getI32Type()), start), qCodes.starts, row, g);
    });
  });
}

/// p times the scales of its values, for each group and 32 positions. None is below 0, so a number's code is what is left of it when
/// 2^23 steps have been added.
void AttentionBuilder::roundWeights() {
  VectorType line = k.lanes(kTileRows), words = k.lanes(kTileRows, k.b.getI32Type());
  FloatType f32 = k.b.getF32Type();
  auto number = [&](double v) { return k.make<arith::ConstantFloatOp>(APFloat(float(v)), f32); };
  k.loop(k.index(0), tiles, 1, [&](Value tile) {
    Value position = k.mul(tile, kTileRows);
    // Where no position is yet a scale may be anything, NaN too.
    Value limit = k.op<vector::BroadcastOp>(words, k.toI32(k.sub(count, position)));
    Value inside = k.make<arith::CmpIOp>(arith::CmpIPredicate::slt, k.op<LanesOp>(words), limit);
    k.loop(k.index(0), k.index(cache.scaleGroups()), 1, [&](Value g) {
      Value scales = k.make<arith::SelectOp>(inside, loadScales(2, g, position, kTileRows), k.splat(line, 0.0));
      // Rows side by side: each is one chain through its maximum and its step.
      for (int64_t i = 0; i < k.T; ++i) {
        Value offset = k.add(k.mul(position, 4), at.p + i * 4 * kAttentionBlock);
        Value values = k.mulf(k.op<LoadOp>(line, k.kernel.getScratchArg(), offset), scales);
        // Of less the inverse would overflow.
        Value largest = k.maxf(k.op<ReduceOp>(f32, ReduceKind::Max, values, IntegerAttr()), number(0x1p-100));
        Value inverse = k.op<vector::BroadcastOp>(line, k.make<arith::DivFOp>(number(127), largest));
        Value steps = k.make<arith::BitcastOp>(words, k.fma(values, inverse, k.splat(line, 0x1p23)));
        storeGroup(steps, k.mulf(largest, number(1.0 / 127)), pCodes, k.index(i), k.add(k.mul(g, kAttentionBlock / kTileRows), tile));
      }
    });
  });
}

/// As addScores(), of group g: its words are dotted at once.
Value AttentionBuilder::addWordScores(Value sum, Value row, Value tile, Value lane, Value g) {
  SmallVector<Value> lines;
  for (int64_t d = 0; d < cache.scaleGroup(); d += 4) {
    Value offset = keysOffset(tile, k.add(k.mul(g, cache.scaleGroup()), d), lane);
    lines.push_back(loadWords(1, offset, R, blocksAhead(1)));
  }
  Value scales = loadScales(1, g, k.add(k.mul(tile, kTileRows), lane), R);
  return dotWords(lines, qCodes, row, g, scales, sum);
}

/// As addValues(), of words of four positions: 32 positions at once, in whole key tiles, since codes of 0 hide what is not
/// filled.
void AttentionBuilder::addWordValues(Value row, Value g, Value lane, int64_t lanes) {
  addToOutput(row, lane, lanes, tiles, [&](Value tile, Value sum) {
    SmallVector<Value> lines;
    for (int64_t j = 0; j < kTileRows; j += 4) {
      Value offset = valuesOffset(k.add(k.mul(tile, kTileRows), j), lane);
      lines.push_back(loadWords(2, offset, lanes, blocksAhead(2)));
    }
    Value part = k.add(k.mul(g, kAttentionBlock / kTileRows), tile);
    return dotWords(lines, pCodes, k.index(0), part, Value(), sum);
  });
}
