//===- RowAccess.cpp - Rows of activations, one token at a time ---------------===//
//
// Layout contract (the same text as !tile.acts):
//   K bytes codes | K/32 f32 scales | K/32 i32 starts | K/16 i32 half starts | K/32 f32 totals; rows 64-byte aligned.
//   (crossed: | K/32 i32 cross sums | K/2 bytes even words)
//   start = -8 * sum of the codes; half start = -32 * sum of the first 16, then of the last 16; total = scale * sum.
// Written by storeActs, read by loadActs.
//
//===----------------------------------------------------------------------===//
#include "passes/RowAccess.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {
struct Offsets {
  OpBuilder &b;
  Location loc;

  Value at(Value row, int64_t stride, Value column, int64_t bytes, int64_t base = 0) {
    Value offset = mul(row, stride);
    offset = b.createOrFold<arith::AddIOp>(loc, offset, mul(column, bytes));
    if (base)
      offset = b.createOrFold<arith::AddIOp>(loc, offset, b.create<arith::ConstantIndexOp>(loc, base));
    return offset;
  }
  Value mul(Value v, int64_t factor) { return sinter::scaleIndex(b, loc, v, factor); }
};

/// A row binding is a binding, or a view of some bytes of one.
std::pair<Value, int64_t> resolveView(Value rows) {
  if (auto view = rows.getDefiningOp<ViewOp>())
    return {view.getSource(), view.getOffset()};
  return {rows, 0};
}
} // namespace

Value sinter::scaleIndex(OpBuilder &b, Location loc, Value v, int64_t factor) {
  auto constant = [&](int64_t n) { return b.create<arith::ConstantIndexOp>(loc, n); };
  if (auto sum = v.getDefiningOp<arith::AddIOp>())
    if (std::optional<int64_t> more = getConstantIntValue(sum.getRhs()))
      return b.createOrFold<arith::AddIOp>(loc, scaleIndex(b, loc, sum.getLhs(), factor), constant(*more * factor));
  return b.createOrFold<arith::MulIOp>(loc, v, constant(factor));
}

Value sinter::loadRow(OpBuilder &b, Location loc, Value source, Value row, Value column, Type type,
                      bool uniform) {
  auto [binding, base] = resolveView(source);
  Value offset = Offsets{b, loc}.at(row, cast<RowsType>(source.getType()).getStride(), column, 4, base);
  if (uniform || !isa<VectorType>(type))
    return b.create<LoadUniformOp>(loc, type, binding, offset);
  return b.create<LoadOp>(loc, type, binding, offset);
}

Value sinter::gatherRow(OpBuilder &b, Location loc, Value source, Value row, Value columns) {
  auto [binding, base] = resolveView(source);
  Value start = Offsets{b, loc}.at(row, cast<RowsType>(source.getType()).getStride(),
                                   b.create<arith::ConstantIndexOp>(loc, 0), 4, base);
  auto type = cast<VectorType>(columns.getType());
  Value two = b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(type, b.getI32IntegerAttr(2)));
  Value offsets = b.create<arith::ShLIOp>(loc, columns, two);
  return b.create<GatherOp>(loc, VectorType::get(type.getShape(), b.getF32Type()), binding, start, offsets);
}

void sinter::storeRow(OpBuilder &b, Location loc, Value value, Value target, Value row, Value column) {
  auto type = cast<RowsType>(target.getType());
  auto [binding, base] = resolveView(target);
  Value offset = Offsets{b, loc}.at(row, type.getStride(), column, 4, base);
  if (isa<VectorType>(value.getType()))
    b.create<StoreOp>(loc, value, binding, offset);
  else
    b.create<StoreUniformOp>(loc, value, binding, offset);
}

ActGroup sinter::loadActs(OpBuilder &b, Location loc, Value source, Value row, Value block, bool crossed) {
  auto type = cast<ActsType>(source.getType());
  Offsets o{b, loc};
  int64_t stride = type.getStride();
  ActGroup group;
  group.codes = b.create<LoadUniformOp>(loc, VectorType::get({8}, b.getI32Type()), source,
                                        o.at(row, stride, block, 32));
  if (type.getCrossed() && !crossed) {
    Value even = b.create<LoadUniformOp>(loc, VectorType::get({4}, b.getI32Type()), source,
                                         o.at(row, stride, block, 16, type.getEvenWordsOffset()));
    Value odd = b.create<vector::ShuffleOp>(loc, group.codes, group.codes, ArrayRef<int64_t>{1, 3, 5, 7});
    group.codes = b.create<vector::InterleaveOp>(loc, even, odd);
  }
  group.scale = b.create<LoadUniformOp>(loc, b.getF32Type(), source,
                                        o.at(row, stride, block, 4, type.getScalesOffset()));
  group.start = b.create<LoadUniformOp>(loc, b.getI32Type(), source,
                                        o.at(row, stride, block, 4, type.getStartsOffset()));
  auto half = [&](int64_t i) {
    Value offset = o.at(row, stride, block, 8, type.getHalfStartsOffset() + 4 * i);
    return b.create<LoadUniformOp>(loc, b.getI32Type(), source, offset);
  };
  group.low = half(0);
  group.high = half(1);
  group.total = b.create<LoadUniformOp>(loc, b.getF32Type(), source,
                                        o.at(row, stride, block, 4, type.getTotalsOffset()));
  return group;
}

Value sinter::loadLevels(OpBuilder &b, Location loc, Type type, Value source, Value offset, Value low, Value high) {
  auto line = [&](Value number) -> Value {
    Value at = b.create<arith::IndexCastUIOp>(loc, b.getIndexType(), number);
    return b.create<LoadOp>(loc, type, source, b.create<arith::AddIOp>(loc, offset, at));
  };
  auto mask = [&](uint32_t bits) {
    auto splat = DenseElementsAttr::get(cast<VectorType>(type), b.getI32IntegerAttr(static_cast<int32_t>(bits)));
    return b.create<arith::ConstantOp>(loc, splat);
  };
  Value first = line(low);
  if (low == high)
    return first;
  Value lower = b.create<arith::AndIOp>(loc, first, mask(0xffff));
  Value upper = b.create<arith::AndIOp>(loc, line(high), mask(0xffff0000));
  return b.create<arith::OrIOp>(loc, lower, upper);
}

Value sinter::largestMagnitude(OpBuilder &b, Location loc, Value values) {
  Value magnitudes = b.create<math::AbsFOp>(loc, values);
  return b.create<ReduceOp>(loc, b.getF32Type(), ReduceKind::Max, magnitudes, IntegerAttr());
}

/// The next stepped scale, of a number that is not less than 0. In lanes: bits of a number by itself would go through a core's
/// other registers.
static Value roundUpToStep(OpBuilder &b, Location loc, Value v) {
  auto floats = VectorType::get({4}, b.getF32Type()), words = VectorType::get({4}, b.getI32Type());
  auto constant = [&](int32_t c) {
    return b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(words, b.getI32IntegerAttr(c)));
  };
  constexpr int32_t rest = (1 << (23 - ActsType::kStepBits)) - 1;
  Value bits = b.create<vector::BitCastOp>(loc, words, b.create<vector::BroadcastOp>(loc, floats, v));
  bits = b.create<arith::AddIOp>(loc, bits, constant(rest));
  bits = b.create<arith::AndIOp>(loc, bits, constant(~rest));
  return b.create<vector::ExtractOp>(loc, b.create<vector::BitCastOp>(loc, floats, bits), ArrayRef<int64_t>{0});
}

RoundedLanes sinter::roundToInt8(OpBuilder &b, Location loc, Value values, Value largest, int64_t largestCode, bool stepped) {
  auto type = cast<VectorType>(values.getType());
  auto constant = [&](float v) { return b.create<arith::ConstantFloatOp>(loc, APFloat(v), b.getF32Type()); };

  Value scale = b.create<arith::MulFOp>(loc, largest, constant(1.0f / static_cast<float>(largestCode)));
  // Below 2^-100 the inverse would overflow; such a group is a group of zeros, whatever its codes are. A
  // comparison of its own for the scale: what both need would be waited for.
  Value least = constant(0x1p-100f);
  Value tiny = b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OLT, largest, least);
  Value divisor = largest, dividend = constant(static_cast<float>(largestCode));
  if (stepped) {
    // 2^-100 / 127 becomes 5/4 * 2^-107, and of less than 2^-100 codes are 120 at most.
    divisor = scale = roundUpToStep(b, loc, scale);
    dividend = constant(1.0f);
    least = constant(0x1.1p-107f);
  }
  Value enough = b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, divisor, least);
  Value inverse = b.create<arith::DivFOp>(loc, dividend, b.create<arith::SelectOp>(loc, enough, divisor, least));
  scale = b.create<arith::SelectOp>(loc, tiny, constant(0.0f), scale);

  Value codes = b.create<arith::MulFOp>(loc, values, b.create<vector::BroadcastOp>(loc, type, inverse));
  codes = b.create<math::RoundEvenOp>(loc, codes);
  codes = b.create<arith::FPToSIOp>(loc, VectorType::get(type.getShape(), b.getI32Type()), codes);
  return {codes, scale};
}

/// Words 0, 2, 4, 6 of 32 codes, or from 1 on.
static Value everyOtherWord(OpBuilder &b, Location loc, Value codes, int64_t first) {
  SmallVector<int64_t> mask;
  for (int64_t i = 0; i < kActGroup / 2; ++i)
    mask.push_back(i / 4 * 8 + i % 4 + 4 * first);
  return b.create<vector::ShuffleOp>(loc, codes, codes, mask);
}

/// -sum((a + 128) * b) of codes a of words 0, 2, 4 and b of the words behind them, - 8 * sum of words 6 and 7: of those
/// (0 * a + 8) * (b + a).
static Value crossSum(OpBuilder &b, Location loc, Value codes) {
  Value even = everyOtherWord(b, loc, codes, 0), odd = everyOtherWord(b, loc, codes, 1);
  auto type = cast<VectorType>(even.getType());
  auto perWord = [&](int32_t crossed, int32_t plain) -> Value {
    SmallVector<int32_t> lanes(12, crossed);
    lanes.append(4, plain);
    return b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(type, ArrayRef(lanes)));
  };
  Value factors = b.create<arith::SubIOp>(loc, perWord(-128, -8), b.create<arith::AndIOp>(loc, even, perWord(-1, 0)));
  Value sums = b.create<arith::AddIOp>(loc, odd, b.create<arith::AndIOp>(loc, even, perWord(0, -1)));
  Value products = b.create<arith::MulIOp>(loc, factors, sums);
  return b.create<ReduceOp>(loc, b.getI32Type(), ReduceKind::Add, products, IntegerAttr());
}

void sinter::storeActs(OpBuilder &b, Location loc, Value values, Value largest, StoreActsOp op, Value row) {
  Value target = op.getTarget(), block = op.getBlock();
  auto type = cast<ActsType>(target.getType());
  Offsets o{b, loc};
  int64_t stride = type.getStride();
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  auto [codes, scale] = roundToInt8(b, loc, values, largest, type.getLargestCode(), type.getStepped());
  Value sum = b.create<ReduceOp>(loc, i32, ReduceKind::Add, codes, IntegerAttr());
  Value bytes = b.create<arith::TruncIOp>(loc, VectorType::get({kActGroup}, b.getI8Type()), codes);
  auto times = [&](Value sum, int64_t n) {
    return b.create<arith::MulIOp>(loc, sum, b.create<arith::ConstantIntOp>(loc, n, 32));
  };

  if (type.getCrossed()) {
    Value even = b.create<arith::TruncIOp>(loc, VectorType::get({kActGroup / 2}, b.getI8Type()),
                                           everyOtherWord(b, loc, codes, 0));
    b.create<StoreOp>(loc, even, target, o.at(row, stride, block, 16, type.getEvenWordsOffset()));
    b.create<StoreUniformOp>(loc, crossSum(b, loc, codes), target, o.at(row, stride, block, 4, type.getCrossSumsOffset()));
    SmallVector<int8_t> up;
    for (int64_t i = 0; i < kActGroup; ++i)
      up.push_back(i < 24 && i / 4 % 2 == 0 ? -128 : 0);
    auto pattern = DenseElementsAttr::get(cast<VectorType>(bytes.getType()), ArrayRef(up));
    bytes = b.create<arith::XOrIOp>(loc, bytes, b.create<arith::ConstantOp>(loc, pattern));
  }
  b.create<StoreOp>(loc, bytes, target, o.at(row, stride, block, 32));
  b.create<StoreUniformOp>(loc, scale, target, o.at(row, stride, block, 4, type.getScalesOffset()));
  b.create<StoreUniformOp>(loc, times(sum, -8), target, o.at(row, stride, block, 4, type.getStartsOffset()));
  if (op.getHalves()) {
    Value first = b.create<ReduceOp>(loc, i32, ReduceKind::Add, codes, b.getI64IntegerAttr(kActGroup / 2));
    Value second = b.create<arith::SubIOp>(loc, sum, first);
    auto at = [&](int64_t half) { return o.at(row, stride, block, 8, type.getHalfStartsOffset() + 4 * half); };
    b.create<StoreUniformOp>(loc, times(first, -32), target, at(0));
    b.create<StoreUniformOp>(loc, times(second, -32), target, at(1));
  }
  if (op.getTotals()) {
    Value total = b.create<arith::MulFOp>(loc, b.create<arith::SIToFPOp>(loc, f32, sum), scale);
    b.create<StoreUniformOp>(loc, total, target, o.at(row, stride, block, 4, type.getTotalsOffset()));
  }
}
