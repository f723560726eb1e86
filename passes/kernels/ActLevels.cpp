//===- ActLevels.cpp - Scales of a chunk's activations in 16 bits ------------------===//
//
//   scf.for %m over tokens {
//     %largest = max over the scales of %m
//     tile.store (scales * 8191 / %largest, as 16 bits each), %scratch[%m ..] ..
//     tile.store (starts of %m as the weights' format has them), ..
//     tile.store (%largest * 2^15 / 8191), .. }
//
// 8191: 8 groups are added up in 32 bits before their sum becomes a float (StagedProduct.cpp), dots of 16 bits times products of a
// weight's level and an activation's, 2^15 units, which are then at most 8191: 8 * 2^15 * 8191 < 2^31.
//
// A level is off by half of 1. For the group with the largest scale that is nothing beside the rounding of its codes, half of one
// in 127; for a group whose scale is a hundredth of it, 0.6 % of what adds little to the sum.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/ActLevels.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

static constexpr int64_t kLevels = 8191;

void ActLevels::fill(KernelBuilder &k, Value acts) const {
  auto type = cast<ActsType>(acts.getType());
  // The last line ends with the scales: it begins in the one before if that is not whole, and does some of them again.
  int64_t groups = type.getWidth() / kActGroup, width = std::min<int64_t>(llvm::bit_floor(uint64_t(groups)), 32);
  VectorType line = k.lanes(width), words = k.lanes(width, k.b.getI32Type()), halves = k.lanes(width, k.b.getI16Type());
  Value first = k.index(0), end = k.index(groups), scratch = k.kernel.getScratchArg();
  auto splat = [&](double v) { return k.splat(k.lanes(1), v); };
  auto lineAt = [&](Value group, int64_t end) { return end % width ? k.min(group, k.index(end - width)) : group; };
  k.loop(first, k.tokens(), 1, [&](Value token) {
    Value row = k.mul(token, type.getStride()), from = k.add(row, type.getScalesOffset());
    Value to = k.add(k.mul(token, stride()), offset);
    auto scales = [&](Value group) -> Value { return k.op<LoadOp>(line, acts, k.add(from, k.mul(group, 4))); };
    Value most = k.loop(first, end, width, k.splat(line, 0.0), [&](Value group, ValueRange most) {
      return SmallVector<Value>{k.maxf(most[0], scales(lineAt(group, groups)))};
    })[0];
    Value largest = most;
    if (width > 1)
      largest = k.op<vector::BroadcastOp>(k.lanes(1), k.op<ReduceOp>(k.b.getF32Type(), ReduceKind::Max, most, IntegerAttr()));
    // Below 2^-100 the inverse would overflow: such a token is a row of zeros.
    Value tiny = k.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, largest, splat(0x1p-100));
    Value inverse = k.make<arith::SelectOp>(tiny, splat(0), k.make<arith::DivFOp>(splat(kLevels), largest));
    k.op<StoreOp>(k.mulf(largest, splat(32768.0 / kLevels)), scratch, k.add(to, 4 * unitAt()));
    inverse = k.op<vector::BroadcastOp>(line, k.op<vector::ExtractOp>(inverse, ArrayRef<int64_t>{0}));
    k.loop(first, end, width, [&](Value next) {
      Value group = lineAt(next, groups);
      Value level = k.make<math::RoundEvenOp>(k.mulf(scales(group), inverse));
      level = k.make<arith::FPToSIOp>(words, level);
      if (pairs == groups) { // Both groups of a pair are the weights' alone: they have the same activations' scale.
        level = k.make<arith::OrIOp>(level, k.make<arith::ShLIOp>(level, k.splatInt(words, 16)));
        k.op<StoreOp>(level, scratch, k.add(to, k.mul(group, 4)));
      } else {
        k.op<StoreOp>(k.make<arith::TruncIOp>(halves, level), scratch, k.add(to, k.mul(group, 2)));
      }
    });
    if (!starts)
      return;
    bool half = pairs == groups;
    Value given = k.add(row, half ? type.getHalfStartsOffset() : type.getStartsOffset());
    int64_t count = half ? 2 * groups : groups;
    k.loop(first, k.index(count), width, [&](Value next) {
      Value group = lineAt(next, count);
      auto load = [&](Value from) -> Value { return k.op<LoadOp>(words, acts, k.add(from, k.mul(group, 4))); };
      Value crossSum = starts->crossed ? load(k.add(row, type.getCrossSumsOffset())) : Value();
      k.op<StoreOp>(starts->apply(k, load(given), crossSum), scratch, k.add(to, k.add(k.mul(group, 4), 4 * pairs)));
    });
  });
}

Value ActLevels::rows(KernelBuilder &k) const {
  auto type = RowsType::get(k.b.getContext(), unitAt() + 1, stride());
  return k.op<ViewOp>(type, k.kernel.getScratchArg(), k.b.getI64IntegerAttr(offset));
}

Value ActLevels::word(KernelBuilder &k, Value row, Value column) const {
  return k.op<LoadRowOp>(k.block(k.T, 1, k.b.getI32Type()), rows(k), row, column, false);
}

Value ActLevels::levels(KernelBuilder &k, Value row, Value pair) const { return word(k, row, pair); }

Value ActLevels::start(KernelBuilder &k, Value row, Value group) const { return word(k, row, k.add(group, pairs)); }

Value ActLevels::unit(KernelBuilder &k, Value row) const { return k.loadRow(rows(k), row, k.index(unitAt()), k.T, 1); }
