//===- ArrangedActs.cpp - int8 activations side by side, in lane form -------------===//
//
//   tile.arrange_acts %acts[%m], %side          scf.for %unit (4 tokens, or a pair) {
//                                        ==>      scf.for %group step 4 {
//                                                   the codes of 4 groups, token after token, or 8 bytes of one and
//                                                   8 of the other in turn;
//                                                   the numbers of 4 groups, transposed } }
//
// The layout is the text of !tile.arranged. Numbers come 4 groups at a time because that is a square to transpose; past
// the last group what follows in the row, or the margin behind the buffer, is copied and never used.
//
//===----------------------------------------------------------------------===//
#include "passes/ArrangedActs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

/// Offsets and lane ops for one arranged view.
struct Arranged {
  OpBuilder &b;
  Location loc;
  ArrangedType type;
  Value memory;
  int64_t base;

  Arranged(OpBuilder &b, Location loc, Value view)
      : b(b), loc(loc), type(cast<ArrangedType>(view.getType())), memory(view.getDefiningOp<ViewOp>().getSource()),
        base(static_cast<int64_t>(view.getDefiningOp<ViewOp>().getOffset())) {}

  Value index(int64_t v) { return b.create<arith::ConstantIndexOp>(loc, v); }
  Value add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
  Value add(Value x, int64_t y) { return add(x, index(y)); }
  Value times(Value v, int64_t n) { return scaleIndex(b, loc, v, n); }
  VectorType lanes(int64_t n, Type element) { return VectorType::get({n}, element); }
  Value load(int64_t n, Type element, Value source, Value offset) {
    return b.create<LoadOp>(loc, lanes(n, element), source, offset);
  }
  Value shuffle(Value x, Value y, ArrayRef<int64_t> mask) { return b.create<vector::ShuffleOp>(loc, x, y, mask); }
  void store(Value v, Value offset) { b.create<StoreOp>(loc, v, memory, offset); }

  bool pairs() { return type.getTogether() == 2; }
  Value codesAt(Value group, Value unit) {
    return add(add(times(group, type.getTokens() * 32), times(unit, type.getUnitTokens() * 32)), base);
  }
  Value numbersAt(ArrangedType::Numbers kind, Value unit, Value group) {
    return add(add(times(unit, type.getGroups() * 16), times(group, 16)), base + type.getNumbersOffset(kind));
  }

  void copyCodes(Value source, ArrayRef<Value> rows, Value group, Value unit);
  void storeNumbers(ArrayRef<Value> numbers, ArrangedType::Numbers kind, Value unit, Value group);
};

void Arranged::copyCodes(Value source, ArrayRef<Value> rows, Value group, Value unit) {
  Value to = codesAt(group, unit);
  SmallVector<Value> codes;
  for (Value row : rows)
    codes.push_back(load(4, b.getI64Type(), source, add(row, times(group, 32))));
  if (pairs())
    return store(shuffle(codes[0], codes[1], {0, 4, 1, 5, 2, 6, 3, 7}), to);
  for (auto [i, v] : llvm::enumerate(codes))
    store(v, add(to, 32 * static_cast<int64_t>(i)));
}

/// `numbers` has 4 neighbouring groups' numbers for each token of a unit; group after group they are stored.
void Arranged::storeNumbers(ArrayRef<Value> numbers, ArrangedType::Numbers kind, Value unit, Value group) {
  Value all;
  if (pairs()) {
    all = shuffle(numbers[0], numbers[1], {0, 4, 0, 4, 1, 5, 1, 5, 2, 6, 2, 6, 3, 7, 3, 7});
  } else {
    Value first = shuffle(numbers[0], numbers[1], {0, 1, 2, 3, 4, 5, 6, 7});
    Value second = shuffle(numbers[2], numbers[3], {0, 1, 2, 3, 4, 5, 6, 7});
    all = shuffle(first, second, {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15});
  }
  store(all, numbersAt(kind, unit, group));
}

} // namespace

void sinter::arrangeActs(OpBuilder &b, ArrangeActsOp op) {
  Arranged to(b, op.getLoc(), op.getTarget());
  ActsType from = op.getSource().getType();
  Value source = op.getSource();
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  Location loc = op.getLoc();
  OpBuilder::InsertionGuard guard(b);
  auto units = b.create<scf::ForOp>(loc, to.index(0), to.index(to.type.getUnits()), to.index(1));
  b.setInsertionPointToStart(units.getBody());
  Value unit = units.getInductionVar();
  SmallVector<Value> rows;
  for (int64_t t = 0; t < to.type.getUnitTokens(); ++t)
    rows.push_back(to.times(to.add(to.add(op.getRow(), to.times(unit, to.type.getUnitTokens())), t), from.getStride()));
  auto groups = b.create<scf::ForOp>(loc, to.index(0), to.index(to.type.getGroups()), to.index(4));
  b.setInsertionPointToStart(groups.getBody());
  Value group = groups.getInductionVar();
  for (int64_t i = 0; i < 4; ++i)
    to.copyCodes(source, rows, to.add(group, i), unit);
  auto numbers = [&](int64_t offset, Type element, ArrangedType::Numbers kind) {
    SmallVector<Value> values;
    for (Value row : rows)
      values.push_back(to.load(4, element, source, to.add(to.add(row, to.times(group, 4)), offset)));
    to.storeNumbers(values, kind, unit, group);
  };
  numbers(from.getScalesOffset(), f32, ArrangedType::Scales);
  if (op.getStarts())
    numbers(from.getStartsOffset(), i32, ArrangedType::Starts);
  if (op.getTotals())
    numbers(from.getTotalsOffset(), f32, ArrangedType::Totals);
  if (op.getHalves()) {
    // A group's two are neighbours.
    SmallVector<Value> low, high;
    for (Value row : rows) {
      Value both = to.load(8, i32, source, to.add(to.add(row, to.times(group, 8)), from.getHalfStartsOffset()));
      low.push_back(to.shuffle(both, both, {0, 2, 4, 6}));
      high.push_back(to.shuffle(both, both, {1, 3, 5, 7}));
    }
    to.storeNumbers(low, ArrangedType::LowStarts, unit, group);
    to.storeNumbers(high, ArrangedType::HighStarts, unit, group);
  }
}

SmallVector<ActGroup> sinter::loadArranged(OpBuilder &b, LoadArrangedOp op) {
  Arranged from(b, op.getLoc(), op.getSource());
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  Value block = op.getBlock();
  auto load = [&](Type type, Value offset) -> Value {
    return b.create<LoadUniformOp>(op.getLoc(), type, from.memory, offset);
  };
  SmallVector<ActGroup> groups;
  for (int64_t u = 0; u < from.type.getUnits(); ++u) {
    Value unit = from.index(u), codes = from.codesAt(block, unit);
    auto numbers = [&](Type element, ArrangedType::Numbers kind) {
      return load(from.lanes(4, element), from.numbersAt(kind, unit, block));
    };
    Value scales = numbers(f32, ArrangedType::Scales), starts = numbers(i32, ArrangedType::Starts),
          low = numbers(i32, ArrangedType::LowStarts), high = numbers(i32, ArrangedType::HighStarts),
          totals = numbers(f32, ArrangedType::Totals);
    if (from.pairs()) {
      groups.push_back({load(from.lanes(16, i32), codes), scales, starts, low, high, totals});
      continue;
    }
    for (int64_t t = 0; t < from.type.getUnitTokens(); ++t) {
      auto one = [&](Value all) -> Value { return b.create<vector::ExtractOp>(op.getLoc(), all, ArrayRef<int64_t>{t}); };
      groups.push_back({load(from.lanes(8, i32), from.add(codes, 32 * t)), one(scales), one(starts), one(low), one(high),
                        one(totals)});
    }
  }
  return groups;
}
