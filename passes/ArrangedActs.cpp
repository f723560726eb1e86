//===- ArrangedActs.cpp - int8 activations side by side, in lane form -------------===//
//
//   tile.arrange_acts %acts[%m], %side          scf.for %unit (4 tokens, or a pair) {
//                                        ==>      scf.for %group step 4 {
//                                                   for each of 4 groups:
//                                                     its codes, word after word of the 4 or of the pair, or token after
//                                                     token, or 8 bytes of one and 8 of the other in turn;
//                                                     its numbers, out of vectors of the 4 groups' } }
//
// The layout is the text of !tile.arranged. Numbers are loaded 4 groups at a time; past the last group what follows in the
// row, or the margin behind the buffer, is copied and never used.
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

using Part = ArrangedType::Part;

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
  Value groupAt(Value group) { return add(times(group, type.getGroupBytes()), base); }

  void storeCodes(ArrayRef<Value> codes, Value at);
  SmallVector<Value> words(ArrayRef<Value> codes);
  void storeOnce(ArrayRef<Value> numbers, int64_t group, Value at);
  void storeFourTimes(ArrayRef<Value> numbers, int64_t group, Value at);
};

/// `codes`: of each token of a unit vector<4xi64>.
void Arranged::storeCodes(ArrayRef<Value> codes, Value at) {
  if (pairs())
    return store(shuffle(codes[0], codes[1], {0, 4, 1, 5, 2, 6, 3, 7}), at);
  for (auto [t, v] : llvm::enumerate(codes))
    store(v, add(at, kActGroup * static_cast<int64_t>(t)));
}

/// `codes`: of each of 4 tokens 8 words, or of each of two 4 words of 64 bits. All of their first words, all of their second
/// ones, ...
SmallVector<Value> Arranged::words(ArrayRef<Value> codes) {
  SmallVector<Value> result;
  if (pairs()) {
    for (int64_t i = 0; i < 4; ++i)
      result.push_back(shuffle(codes[0], codes[1], {i, i + 4}));
    return result;
  }
  for (int64_t i = 0; i < 8; i += 2) {
    int64_t turns[] = {i, i + 8, i + 1, i + 9};
    Value low = shuffle(codes[0], codes[1], turns), high = shuffle(codes[2], codes[3], turns);
    result.append({shuffle(low, high, {0, 1, 4, 5}), shuffle(low, high, {2, 3, 6, 7})});
  }
  return result;
}

/// `numbers`: of each token of a unit those of 4 groups, of which `group` is stored: 4 tokens' one after the other, or a
/// pair's twice.
void Arranged::storeOnce(ArrayRef<Value> numbers, int64_t group, Value at) {
  if (pairs()) {
    // Of two groups t u t u; then t u, which is one word of 64 bits, twice.
    Value two = group < 2 ? shuffle(numbers[0], numbers[1], {0, 4, 1, 5}) : shuffle(numbers[0], numbers[1], {2, 6, 3, 7});
    Value words = b.create<vector::BitCastOp>(loc, lanes(2, b.getI64Type()), two);
    return store(shuffle(words, words, {group % 2, group % 2}), at);
  }
  Value first = shuffle(numbers[0], numbers[1], {group, group + 4}), second = shuffle(numbers[2], numbers[3], {group, group + 4});
  store(shuffle(first, second, {0, 1, 2, 3}), at);
}

/// The same, but of 4 tokens each number 4 times.
void Arranged::storeFourTimes(ArrayRef<Value> numbers, int64_t group, Value at) {
  if (pairs())
    return storeOnce(numbers, group, at);
  for (auto [t, v] : llvm::enumerate(numbers))
    store(shuffle(v, v, {group, group, group, group}), add(at, 16 * static_cast<int64_t>(t)));
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

  auto load = [&](int64_t n, Type element, int64_t offset, int64_t bytes) {
    SmallVector<Value> values;
    for (Value row : rows)
      values.push_back(to.load(n, element, source, to.add(to.add(row, to.times(group, bytes)), offset)));
    return values;
  };
  SmallVector<Value> scales = load(4, f32, from.getScalesOffset(), 4), starts, totals, low, high;
  if (to.type.getStarts())
    starts = load(4, i32, from.getStartsOffset(), 4);
  if (to.type.getTotals())
    totals = load(4, f32, from.getTotalsOffset(), 4);
  if (to.type.getHalves())
    // A group's two are neighbours.
    for (Value both : load(8, i32, from.getHalfStartsOffset(), 8)) {
      low.push_back(to.shuffle(both, both, {0, 2, 4, 6}));
      high.push_back(to.shuffle(both, both, {1, 3, 5, 7}));
    }
  for (int64_t i = 0; i < 4; ++i) {
    Value at = to.groupAt(to.add(group, i));
    auto place = [&](Part part) {
      return to.add(to.add(at, to.times(unit, to.type.getUnitStep(part))), to.type.getOffset(part));
    };
    if (to.type.getStarts())
      to.storeFourTimes(starts, i, place(Part::Starts));
    if (to.type.getHalves()) {
      to.storeFourTimes(low, i, place(Part::LowStarts));
      to.storeFourTimes(high, i, place(Part::HighStarts));
    }
    if (to.type.byWord()) {
      for (auto [word, v] : llvm::enumerate(to.words(to.pairs() ? load(4, b.getI64Type(), kActGroup * i, kActGroup)
                                                              : load(8, i32, kActGroup * i, kActGroup))))
        to.store(v, to.add(place(Part::Codes), to.type.getWordOffset(word) - to.type.getOffset(Part::Codes)));
    } else {
      to.storeCodes(load(4, b.getI64Type(), kActGroup * i, kActGroup), place(Part::Codes));
    }
    to.storeOnce(scales, i, place(Part::Scales));
    if (to.type.getTotals())
      to.storeOnce(totals, i, place(Part::Totals));
  }
}

SmallVector<ActGroup> sinter::loadArranged(OpBuilder &b, LoadArrangedOp op) {
  Arranged from(b, op.getLoc(), op.getSource());
  ArrangedType type = from.type;
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  Value group = from.groupAt(op.getBlock());
  auto words = [&](int64_t n, int64_t offset) -> Value {
    return b.create<LoadUniformOp>(op.getLoc(), from.lanes(n, i32), from.memory, from.add(group, offset));
  };
  // Fours of words by their offset. Neighbours that are used soon after one another come in one load.
  DenseMap<int64_t, Value> fours;
  auto load = [&](ArrayRef<int64_t> offsets) {
    for (; offsets.size() > 1; offsets = offsets.drop_front(2)) {
      Value both = words(8, offsets[0]);
      fours[offsets[0]] = from.shuffle(both, both, {0, 1, 2, 3});
      fours[offsets[1]] = from.shuffle(both, both, {4, 5, 6, 7});
    }
    if (!offsets.empty())
      fours[offsets[0]] = words(4, offsets[0]);
  };
  SmallVector<int64_t> together;
  if (type.byWord()) {
    for (int64_t offset = 0; offset < type.getGroupBytes(); offset += 16)
      together.push_back(offset);
  } else {
    // Codes by themselves; a pair's last numbers and the next one's first.
    for (int64_t u = 0; u < type.getUnits(); ++u)
      for (Part part : {Part::Starts, Part::LowStarts, Part::HighStarts, Part::Codes, Part::Scales, Part::Totals}) {
        bool begins = part == Part::Starts && !from.pairs();
        if (begins || part == Part::Codes) {
          load(together);
          together.clear();
        }
        for (int64_t t = 0; part != Part::Codes && type.has(part) && t < (from.pairs() || part > Part::Codes ? 1 : 4); ++t)
          together.push_back(type.getOffset(part) + u * type.getUnitStep(part) + 16 * t);
      }
  }
  load(together);

  SmallVector<ActGroup> groups;
  for (int64_t u = 0; u < type.getUnits(); ++u) {
    // What is not there is not used: any number will do.
    auto numbers = [&](Type element, Part part, int64_t t) -> Value {
      VectorType four = from.lanes(4, element);
      if (!type.has(part))
        return b.create<arith::ConstantOp>(op.getLoc(), b.getZeroAttr(four));
      Value v = fours.lookup(type.getOffset(part) + u * type.getUnitStep(part) + 16 * t);
      return element == i32 ? v : b.create<arith::BitcastOp>(op.getLoc(), four, v).getResult();
    };
    Value scales = numbers(f32, Part::Scales, 0), totals = numbers(f32, Part::Totals, 0);
    if (from.pairs()) {
      SmallVector<Value> codes;
      for (int64_t word = 0; type.byWord() && word < type.getWords(); ++word)
        codes.push_back(fours.lookup(type.getWordOffset(word) + u * type.getUnitStep(Part::Codes)));
      groups.push_back({type.byWord() ? b.create<ConcatOp>(op.getLoc(), from.lanes(16, i32), codes)
                                      : words(16, type.getOffset(Part::Codes) + u * type.getUnitStep(Part::Codes)),
                        scales,
                        numbers(i32, Part::Starts, 0), numbers(i32, Part::LowStarts, 0), numbers(i32, Part::HighStarts, 0),
                        totals});
      continue;
    }
    for (int64_t t = 0; t < type.getUnitTokens(); ++t) {
      auto one = [&](Value all) -> Value { return b.create<vector::ExtractOp>(op.getLoc(), all, ArrayRef<int64_t>{t}); };
      Value token;
      if (type.byWord()) {
        SmallVector<Value> codes;
        for (int64_t word = 0; word < 8; ++word)
          codes.push_back(one(fours.lookup(type.getWordOffset(word) + u * type.getUnitStep(Part::Codes))));
        token = b.create<vector::FromElementsOp>(op.getLoc(), from.lanes(8, i32), codes);
      } else {
        token = words(8, type.getOffset(Part::Codes) + u * type.getUnitStep(Part::Codes) + kActGroup * t);
      }
      groups.push_back({token, one(scales), numbers(i32, Part::Starts, t), numbers(i32, Part::LowStarts, t),
                        numbers(i32, Part::HighStarts, t), one(totals)});
    }
  }
  return groups;
}
