//===- ScoreKernel.cpp - Log-likelihoods without a logits matrix -------------------------===//
//
// log p(target) = logit[target] - log sum exp(logits), the sum carried online over row tiles of the vocabulary
// (Milakov and Gimelshein 2018). A tile of the first kernel covers 8 row tiles and leaves three numbers a token; the
// second joins them.
//
//   partials[tile][token] = (max, sum of exp(logit - max), the target's logit or 0)
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/Kernels.h"
#include "passes/kernels/Product.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

static constexpr double kNothing = -1e30;

static RowsType partialType(MLIRContext *context) { return RowsType::get(context, 4, 16); }
static RowsType numberType(MLIRContext *context) { return RowsType::get(context, 1, 4); }

/// The largest block that takes rows up to their padding and none behind it: here there is no smaller one for the rest.
static RegisterBlock wholeBlock(ArrayRef<RegisterBlock> blocks) {
  while (kTokenPadding % blocks.back().tokens)
    blocks = blocks.drop_back();
  return blocks.back();
}

void sinter::buildScore(OpBuilder &b, Location loc, StringRef name, const ScoreSpec &spec, const Schedule &schedule) {
  MLIRContext *context = b.getContext();
  const WeightShape &w = spec.weight;
  const RegisterBlock registers = wholeBlock(schedule.blocks(spec.actsInput));
  Type x = spec.actsInput ? Type(spec.inputForm.type(context, w.cols)) : RowsType::getPadded(context, w.cols);
  KernelBuilder k(b, loc, name,
                  {PackedType::get(context, w.rows, w.cols, w.format), x, numberType(context), partialType(context)},
                  registers.tokens, productScratch(context, registers, w));
  Type i32 = b.getI32Type();
  VectorType number = k.block(k.T, 1), block = k.block(k.T, kTileRows), wide = k.block(k.T, kTileRows, i32);
  VectorType numbers = k.lanes(kTileRows, i32);
  Value firstTile = k.mul(k.tile(), kScoreTiles);
  Value endTile = k.min(k.index(w.rowTiles()), k.add(firstTile, kScoreTiles));
  k.loop(k.index(0), k.tokens(), k.T, [&](Value row) {
    Value targets = k.op<LoadRowOp>(k.block(k.T, 1, i32), k.binding(2), row, k.index(0), false);
    Value side = arrangeActivations(k, k.binding(1), row, registers, w);
    SmallVector<Value> inits = {k.splat(number, kNothing), k.splat(number, 0.0), k.splat(number, 0.0)};
    SmallVector<Value> state = k.loop(firstTile, endTile, 1, inits, [&](Value tile, ValueRange state) {
      Value logits = buildProduct(k, k.binding(0), tile, side, row, registers, 0);
      Value first = k.make<vector::BroadcastOp>(numbers, k.toI32(k.mul(tile, kTileRows)));
      Value ids = k.make<arith::AddIOp>(first, k.op<LanesOp>(numbers));
      if (w.rows % kTileRows) {
        Value real = k.make<arith::CmpIOp>(arith::CmpIPredicate::ult, ids, k.splatInt(numbers, w.rows));
        logits = k.make<arith::SelectOp>(k.broadcast(real, block), logits, k.splat(block, kNothing));
      }
      Value largest = k.maxf(state[0], k.reduce(ReduceKind::Max, logits));
      Value terms = k.make<math::ExpOp>(k.subf(logits, k.broadcast(largest, block)));
      Value sum = k.fma(state[1], k.make<math::ExpOp>(k.subf(state[0], largest)), k.reduce(ReduceKind::Add, terms));
      Value hit = k.make<arith::CmpIOp>(arith::CmpIPredicate::eq, k.broadcast(ids, wide), k.broadcast(targets, wide));
      Value mine = k.make<arith::SelectOp>(hit, logits, k.splat(block, 0.0));
      return SmallVector<Value>{largest, sum, k.addf(state[2], k.reduce(ReduceKind::Add, mine))};
    });
    Value base = k.mul(k.tile(), spec.maxTokens);
    for (int64_t i = 0; i < 3; ++i)
      k.storeRow(state[i], k.binding(3), k.add(base, row), k.index(i), k.add(base, k.tokens()));
  });
}

void sinter::buildScoreJoin(OpBuilder &b, Location loc, StringRef name, const ScoreSpec &spec) {
  MLIRContext *context = b.getContext();
  KernelBuilder k(b, loc, name, {partialType(context), numberType(context), numberType(context)}, 1);
  VectorType number = k.block(1, 1);
  SmallVector<Value> inits = {k.splat(number, kNothing), k.splat(number, 0.0), k.splat(number, 0.0)};
  SmallVector<Value> state = k.loop(k.index(0), k.index(spec.tiles()), 1, inits, [&](Value tile, ValueRange state) {
    Value row = k.add(k.mul(tile, spec.maxTokens), k.tile());
    auto load = [&](int64_t i) { return k.loadRow(k.binding(0), row, k.index(i), 1, 1); };
    Value max = load(0), largest = k.maxf(state[0], max);
    Value before = k.make<math::ExpOp>(k.subf(state[0], largest));
    Value now = k.make<math::ExpOp>(k.subf(max, largest));
    Value sum = k.fma(load(1), now, k.mulf(state[1], before));
    return SmallVector<Value>{largest, sum, k.addf(state[2], load(2))};
  });
  Value likelihood = k.subf(state[2], k.addf(state[0], k.make<math::LogOp>(state[1])));
  VectorType ids = k.block(1, 1, b.getI32Type());
  Value target = k.op<LoadRowOp>(ids, k.binding(1), k.tile(), k.index(0), false);
  Value scored = k.make<arith::CmpIOp>(arith::CmpIPredicate::sge, target, k.splatInt(ids, 0));
  likelihood = k.make<arith::SelectOp>(scored, likelihood, k.splat(number, 0.0));
  k.storeRow(likelihood, k.binding(2), k.tile(), k.index(0));
}
