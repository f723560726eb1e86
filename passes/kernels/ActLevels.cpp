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
// Where the weights' levels are a table (StepTable in StagedTile.h) scales are 4, 5, 6 or 7 times a power of two:
//
//     %e = exponent of %largest - exponent of the scale
//     tile.store (line of the scale's bits and %e / 4, or that of zeros), ..
//     tile.store (shift + the rest of %e, or 16 less that), ..
//     tile.store (starts plus half of what their dots are shifted by), ..
//     tile.store (2^exponent of %largest), .. }
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/ActLevels.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

static constexpr int64_t kLevels = 8191;

static int64_t lineWidth(int64_t groups) { return std::min<int64_t>(llvm::bit_floor(uint64_t(groups)), 32); }

/// Where a line of `width` numbers begins that is the next one of `end`: the last one ends with them, in the line before if it is
/// not whole, and some of them are done again.
static Value lineAt(KernelBuilder &k, Value next, int64_t width, int64_t end) {
  return end % width ? k.min(next, k.index(end - width)) : next;
}

void ActLevels::fill(KernelBuilder &k, Value acts) const {
  auto type = cast<ActsType>(acts.getType());
  int64_t groups = type.getWidth() / kActGroup, width = lineWidth(groups);
  VectorType line = k.lanes(width), words = k.lanes(width, k.b.getI32Type()), shorts = k.lanes(width, k.b.getI16Type());
  Value first = k.index(0), end = k.index(groups), scratch = k.kernel.getScratchArg();
  auto splat = [&](double v) { return k.splat(k.lanes(1), v); };
  // What is left of the last block of tokens looks levels up too.
  Value rows = stepped ? k.mul(k.div(k.add(k.tokens(), kTokenPadding - 1), kTokenPadding), kTokenPadding) : k.tokens();
  k.loop(k.firstToken(), rows, 1, [&](Value token) {
    Value row = k.mul(token, type.getStride()), from = k.add(row, type.getScalesOffset());
    Value to = placeOf(k, token);
    auto scales = [&](Value group) -> Value { return k.op<LoadOp>(line, acts, k.add(from, k.mul(group, 4))); };
    Value most = k.loop(first, end, width, k.splat(line, 0.0), [&](Value group, ValueRange most) {
      return SmallVector<Value>{k.maxf(most[0], scales(lineAt(k, group, width, groups)))};
    })[0];
    Value largest = most;
    if (width > 1)
      largest = k.op<vector::BroadcastOp>(k.lanes(1), k.op<ReduceOp>(k.b.getF32Type(), ReduceKind::Max, most, IntegerAttr()));
    if (stepped)
      return fillSteps(k, acts, token, largest);
    // Below 2^-100 the inverse would overflow: such a token is a row of zeros.
    Value tiny = k.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, largest, splat(0x1p-100));
    Value inverse = k.make<arith::SelectOp>(tiny, splat(0), k.make<arith::DivFOp>(splat(kLevels), largest));
    k.op<StoreOp>(k.mulf(largest, splat(32768.0 / kLevels)), scratch, k.add(to, 4 * unitAt()));
    inverse = k.op<vector::BroadcastOp>(line, k.op<vector::ExtractOp>(inverse, ArrayRef<int64_t>{0}));
    k.loop(first, end, width, [&](Value next) {
      Value group = lineAt(k, next, width, groups);
      Value level = k.make<math::RoundEvenOp>(k.mulf(scales(group), inverse));
      level = k.make<arith::FPToSIOp>(words, level);
      if (halves) {
        level = k.make<arith::OrIOp>(level, k.make<arith::ShLIOp>(level, k.splatInt(words, 16)));
        k.op<StoreOp>(level, scratch, k.add(to, k.mul(group, 4)));
      } else {
        k.op<StoreOp>(k.make<arith::TruncIOp>(shorts, level), scratch, k.add(to, k.mul(group, 2)));
      }
    });
    if (!starts)
      return;
    Value given = k.add(row, halves ? type.getHalfStartsOffset() : type.getStartsOffset());
    int64_t count = halves ? 2 * groups : groups;
    k.loop(first, k.index(count), width, [&](Value next) {
      Value group = lineAt(k, next, width, count);
      auto load = [&](Value from) -> Value { return k.op<LoadOp>(words, acts, k.add(from, k.mul(group, 4))); };
      Value crossSum = starts->crossed ? load(k.add(row, type.getCrossSumsOffset())) : Value();
      k.op<StoreOp>(starts->apply(k, load(given), crossSum), scratch, k.add(to, k.add(k.mul(group, 4), 4 * pairs)));
    });
  });
}

void ActLevels::fillSteps(KernelBuilder &k, Value acts, Value token, Value largest) const {
  auto type = cast<ActsType>(acts.getType());
  int64_t groups = type.getWidth() / kActGroup, width = lineWidth(groups);
  VectorType words = k.lanes(width, k.b.getI32Type()), number = k.lanes(1, k.b.getI32Type());
  auto constant = [&](int64_t v) { return k.splatInt(words, v); };
  auto plus = [&](Value x, Value y) { return k.make<arith::AddIOp>(x, y); };
  auto select = [&](Value condition, Value x, Value y) { return k.make<arith::SelectOp>(condition, x, y); };
  Value scratch = k.kernel.getScratchArg(), row = k.mul(token, type.getStride()), to = placeOf(k, token);
  auto load = [&](VectorType type, int64_t from, Value at) -> Value {
    return k.op<LoadOp>(type, acts, k.add(k.add(row, from), k.mul(at, 4)));
  };
  auto store = [&](Value v, Value bytes) { k.op<StoreOp>(v, scratch, k.add(to, bytes)); };

  Value top = k.make<arith::ShRUIOp>(k.make<arith::BitcastOp>(number, largest), k.splatInt(number, 23));
  // The unit, 8 * 2^(exponent - 2).
  Value unit = k.make<arith::ShLIOp>(plus(top, k.splatInt(number, 1)), k.splatInt(number, 23));
  store(k.make<arith::BitcastOp>(k.lanes(1), unit), k.index(4 * unitAt()));
  top = k.op<vector::BroadcastOp>(words, k.op<vector::ExtractOp>(top, ArrayRef<int64_t>{0}));
  k.loop(k.index(0), k.index(groups), width, [&](Value next) {
    Value group = lineAt(k, next, width, groups);
    Value bits = load(words, type.getScalesOffset(), group);
    Value down = k.sub(top, k.make<arith::ShRUIOp>(bits, constant(23)));
    Value line = k.make<arith::ShRUIOp>(bits, constant(23 - ActsType::kStepBits));
    line = k.make<arith::AndIOp>(line, constant(StepTable::kSteps - 1));
    Value small = k.make<arith::CmpIOp>(arith::CmpIPredicate::sge, down, constant(StepTable::kDown));
    line = select(small, plus(line, constant(StepTable::kSteps)), line);
    Value shift = plus(select(small, k.sub(down, constant(StepTable::kDown)), down), constant(starts->shift));
    Value gone = k.make<arith::CmpIOp>(arith::CmpIPredicate::sgt, shift, constant(16));
    line = k.make<arith::MulIOp>(select(gone, constant(StepTable::kLines), line), constant(StagedTile::kLineBytes));
    shift = select(gone, constant(16), shift);
    Value left = k.sub(constant(16), shift), shiftBytes = k.index(4 * pairs), startBytes = k.index(4 * startsAt());
    if (halves) {
      store(line, k.mul(group, 4));
      store(shift, k.add(shiftBytes, k.mul(group, 4)));
      store(left, k.add(shiftBytes, k.mul(k.add(group, pairs), 4)));
      // One for each half.
      VectorType both = k.lanes(2 * width, k.b.getI32Type());
      SmallVector<int64_t> twice;
      for (int64_t i = 0; i < 2 * width; ++i)
        twice.push_back(i / 2);
      Value start = load(both, type.getHalfStartsOffset(), k.mul(group, 2));
      Value shifts = k.op<vector::ShuffleOp>(shift, shift, twice);
      return store(starts->applyShifted(k, start, shifts), k.add(startBytes, k.mul(group, 8)));
    }
    store(k.make<arith::TruncIOp>(k.lanes(width, k.b.getI16Type()), line), k.mul(group, 2));
    Value number = plus(k.op<LanesOp>(words), k.op<vector::BroadcastOp>(words, k.toI32(group)));
    Value second = k.make<arith::CmpIOp>(arith::CmpIPredicate::ne, k.make<arith::AndIOp>(number, constant(1)), constant(0));
    store(select(second, left, shift), k.add(shiftBytes, k.mul(group, 4)));
    Value start = load(words, type.getStartsOffset(), group);
    store(starts->applyShifted(k, start, shift), k.add(startBytes, k.mul(group, 4)));
  });
  if (!halves && groups % 2) { // What the last pair lacks.
    store(k.splatInt(k.lanes(1, k.b.getI16Type()), 0), k.index(2 * groups));
    store(k.splatInt(number, 0), k.index(4 * (pairs + groups)));
    store(k.splatInt(number, 0), k.index(4 * (startsAt() + groups)));
  }
}

Value ActLevels::rows(KernelBuilder &k) const {
  auto type = RowsType::get(k.b.getContext(), unitAt() + 1, stride());
  return k.op<ViewOp>(type, k.kernel.getScratchArg(), k.b.getI64IntegerAttr(offset));
}

Value ActLevels::word(KernelBuilder &k, Value row, Value column) const {
  return k.op<LoadRowOp>(k.block(k.T, 1, k.b.getI32Type()), rows(k), rowOf(k, row), column, false);
}

Value ActLevels::levels(KernelBuilder &k, Value row, Value pair) const { return word(k, row, pair); }

Value ActLevels::shift(KernelBuilder &k, Value row, Value pair, int64_t group) const {
  Value column = halves ? k.add(pair, pairs * (1 + group)) : k.add(k.mul(pair, 2), pairs + group);
  return word(k, row, column);
}

Value ActLevels::start(KernelBuilder &k, Value row, Value group) const { return word(k, row, k.add(group, startsAt())); }

Value ActLevels::unit(KernelBuilder &k, Value row) const {
  return k.loadRow(rows(k), rowOf(k, row), k.index(unitAt()), k.T, 1);
}
