//===- StagedTile.cpp - A row tile's weights, unpacked once for all tokens of a chunk ---===//
//
//   %largest = scf.for %p over pairs of scale groups (0) {
//     for each block %k of the pair {
//       %b = tile.load_packed %w[%t, %k]
//       tile.store (tile.scale %b), ..      until all are known
//       max= |tile.scale %b|
//       tile.store (arith.negf (tile.minimum %b)), ..
//       %q:8 = tile.unpack %b               (codes of 8 bits as unsigned ones: + 128; crossed: - 8, of words 0 to 5)
//       tile.store %q#0, %scratch[..] ..    8 lines
//       (tile.store -(tile.dot %q, zeros crossed) as 16 bits, ..) } }
//   tile.store (%largest / 32767), ..
//   scf.for %p over pairs { tile.store (scales of %p) * 32767 / %largest, as 16 bits each, .. }
//   (.. or of a table: eight lines (scales of %p) * 9361 / %largest times 4/8 .. 7/8 and 4/128 .. 7/128, and zeros)
//
// The weights come from memory here: their lines are read in order, scales first (Product::prefetch), and were asked for while
// tokens went over the tile before (ahead): what a chunk waits for otherwise is 2 to 4 % of its time.
// A chunk's tokens go over the tile a register block at a time: what is done here is not done again for each of them.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/StagedTile.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

/// Levels of a row's largest scale.
static constexpr int64_t kLevels = 32767;
/// In a table: seven eighths of it are what fits (ActLevels.cpp).
static constexpr int64_t kSteppedLevels = 9361;

StagedTile::StagedTile(const WeightShape &weight, int64_t offset, const Schedule &schedule)
    : format(Format::get(weight.format)),
      blocks(PackedLayout(format, weight.rows, weight.cols).paddedCols() / kActGroup), offset(offset),
      tileBytes(PackedLayout(format, weight.rows, weight.cols).tileBytes()), unsignedCodes(schedule.unsignedCodes),
      form(formFor(format, schedule)) {
  assert(!format.isFloat());
}

/// Whether dots of such weights can be crossed (tile.dot): codes of 4 bits at most, under one scale for the 32 activations of a
/// cross sum.
static bool canCross(const Format &format) {
  return !format.isFloat() && !format.signedCodes && format.codeBits() <= 4 && scaleGroups(format) == 1;
}

ActForm sinter::formFor(const Format &format, const Schedule &schedule) {
  ActForm form;
  form.crossed = schedule.crossedDots && canCross(format);
  form.stepped = schedule.steppedScales && !format.isFloat() && !form.crossed;
  return form;
}

int64_t StagedTile::shift() const {
  int64_t highest = (1 << format.codeBits()) - 1 - format.codeOffset;
  int64_t code = format.signedCodes ? 128 : std::max<int64_t>(format.codeOffset, highest);
  int64_t dot = code * 127 * kActGroup / groups(), bits = 0;
  while (dot >> bits > INT16_MAX)
    ++bits;
  return bits;
}

std::optional<StartRule> StagedTile::startRule() const {
  StartRule rule{codeOffset(), groups() == 2 ? 32 : 8, shift(), crossed()};
  if (!rule.crossed && !stepped() && (rule.offset == 0 || (rule.offset == rule.unit && rule.shift == 0)))
    return std::nullopt;
  return rule;
}

Value StartRule::apply(KernelBuilder &k, Value start, Value crossSum) const {
  Value scaled = offset ? offsetStart(k, start, offset, unit) : Value();
  if (crossed) {
    // Their codes are 8 above numbers of -8 .. 7.
    Value moved = k.sub(crossSum, start);
    scaled = scaled ? k.make<arith::AddIOp>(moved, scaled) : moved;
  }
  if (shift == 0)
    return scaled;
  return k.make<arith::AddIOp>(scaled, k.splatInt(cast<VectorType>(start.getType()), int64_t(1) << (shift - 1)));
}

Value StartRule::applyShifted(KernelBuilder &k, Value start, Value shifts) const {
  Value one = k.splatInt(cast<VectorType>(start.getType()), 1), half = k.make<arith::ShRUIOp>(k.make<arith::ShLIOp>(one, shifts), one);
  return offset ? k.make<arith::AddIOp>(offsetStart(k, start, offset, unit), half) : half;
}

Value StagedTile::line(KernelBuilder &k, Value pair, int64_t number, Value part) const {
  return k.add(k.add(k.mul(pair, linesPerPair() * kLineBytes), k.mul(part, 4)), offset + number * kLineBytes);
}

Value StagedTile::scaleLine(KernelBuilder &k, Value group) const {
  return k.add(k.mul(group, kLineBytes), offset + (unitLine() + 1) * kLineBytes);
}

Value StagedTile::load(KernelBuilder &k, Value pair, int64_t number, Value part, VectorType type) const {
  return k.op<LoadOp>(type, k.kernel.getScratchArg(), line(k, pair, number, part));
}

/// Block `number` of a pair. The result is the largest scale so far, a row.
Value StagedTile::unpack(KernelBuilder &k, Value weight, Value tile, Value pair, int64_t number, Value largest) const {
  VectorType words = k.lanes(kTileRows, k.b.getI32Type()), floats = k.lanes(kTileRows);
  Value first = k.index(0), scratch = k.kernel.getScratchArg();
  auto store = [&](Value v, int64_t n) { k.op<StoreOp>(v, scratch, line(k, pair, n, first)); };
  Value block = k.add(k.mul(pair, blocksPerPair()), number);
  Value at = k.op<LoadPackedOp>(BlockType::get(k.b.getContext(), format.id, kTileRows), weight, tile, block, first);
  for (unsigned g = 0; g < groups(); ++g) {
    Value scale = k.op<ScaleOp>(floats, at, g);
    k.op<StoreOp>(scale, scratch, scaleLine(k, k.add(k.mul(block, groups()), g)));
    largest = k.maxf(largest, k.make<math::AbsFOp>(scale));
  }
  for (unsigned g = 0; format.minima && g < groups(); ++g)
    store(k.make<arith::NegFOp>(k.op<MinimumOp>(floats, at, g)), minimaLine() + number + g);
  auto splat = [&](uint32_t v) { return k.splatInt(words, static_cast<int32_t>(v)); };
  SmallVector<Value> codes(k.op<UnpackOp>(SmallVector<Type>(8, words), at, false).getResults());
  for (auto [q, word] : llvm::enumerate(codes)) {
    bool isCrossed = crossed() && q < 6;
    if (isCrossed && q % 2)
      word = k.sub(word, splat(0x08080808));
    else if (isCrossed)
      word = k.make<arith::AddIOp>(word, splat(0x78787878)); // + 120, and then - 128
    if (movedUp() || (isCrossed && q % 2 == 0))
      word = k.make<arith::XOrIOp>(word, splat(0x80808080));
    store(word, 8 * number + q);
  }
  if (crossed()) {
    // Activations of zero.
    int32_t cross = static_cast<int32_t>(0x80808080);
    Value none = splat(0), x = k.op<arith::ConstantOp>(k.b.getI32VectorAttr({cross, 0, cross, 0, cross, 0, 0, 0}));
    Value dot = k.op<DotOp>(words, none, codes, x, Value(), 8, 0, false, false, /*crossed=*/true);
    Value less = k.make<arith::ShLIOp>(k.sub(none, dot), splat(16 - shift()));
    if (number == 0) {
      less = k.make<arith::ShRUIOp>(less, splat(16));
    } else {
      Value other = load(k, pair, crossSumsLine(), first, words);
      less = k.make<arith::OrIOp>(k.make<arith::AndIOp>(less, splat(0xffff0000)), other);
    }
    store(less, crossSumsLine());
  }
  return largest;
}

void StagedTile::makeLevels(KernelBuilder &k, Value largest) const {
  VectorType words = k.lanes(kTileRows, k.b.getI32Type()), floats = k.lanes(kTileRows);
  Value first = k.index(0), scratch = k.kernel.getScratchArg();
  // Below 2^-100 the inverse would overflow: such a row is a row of zeros.
  Value tiny = k.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, largest, k.splat(floats, 0x1p-100));
  double most = stepped() ? kSteppedLevels : kLevels;
  Value inverse = k.make<arith::DivFOp>(k.splat(floats, most), largest);
  inverse = k.make<arith::SelectOp>(tiny, k.splat(floats, 0.0), inverse);
  Value unit = k.mulf(largest, k.splat(floats, double(int64_t(1) << shift()) / most));
  k.op<StoreOp>(unit, scratch, line(k, first, unitLine(), first));
  if (stepped())
    return makeTable(k, inverse);
  auto level = [&](Value group) {
    Value scale = k.op<LoadOp>(floats, scratch, scaleLine(k, group));
    return k.make<arith::FPToSIOp>(words, k.make<math::RoundEvenOp>(k.mulf(scale, inverse)));
  };
  auto store = [&](Value pair, bool both) {
    Value group = k.mul(pair, 2), levels = k.make<arith::AndIOp>(level(group), k.splatInt(words, 0xffff));
    if (both)
      levels = k.make<arith::OrIOp>(levels, k.make<arith::ShLIOp>(level(k.add(group, 1)), k.splatInt(words, 16)));
    k.op<StoreOp>(levels, scratch, line(k, pair, levelsLine(), first));
  };
  k.loop(first, k.index(wholePairs()), 1, [&](Value pair) { store(pair, true); });
  if (wholePairs() < pairs())
    store(k.index(wholePairs()), false);
}

/// The levels of pairs times what activations' scales may be.
void StagedTile::makeTable(KernelBuilder &k, Value inverse) const {
  VectorType words = k.lanes(kTileRows, k.b.getI32Type()), floats = k.lanes(kTileRows);
  Value first = k.index(0), scratch = k.kernel.getScratchArg();
  auto fraction = [&](Value group) -> Value {
    return k.mulf(k.op<LoadOp>(floats, scratch, scaleLine(k, group)), inverse);
  };
  auto store = [&](Value pair, bool both) {
    Value low = fraction(k.mul(pair, 2));
    Value high = both ? fraction(k.add(k.mul(pair, 2), 1)) : k.splat(floats, 0.0);
    for (int64_t i = 0; i < StepTable::kLines; ++i) {
      Value levels = k.roundToHalves(low, high, k.splat(floats, StepTable::factor(i)));
      k.op<StoreOp>(levels, scratch, line(k, pair, levelsLine() + i, first));
    }
    k.op<StoreOp>(k.splatInt(words, 0), scratch, line(k, pair, levelsLine() + StepTable::kLines, first));
  };
  k.loop(first, k.index(wholePairs()), 1, [&](Value pair) { store(pair, true); });
  if (wholePairs() < pairs())
    store(k.index(wholePairs()), false);
}

void StagedTile::fill(KernelBuilder &k, Value weight, Value tile) const {
  Value first = k.index(0);
  Value largest = k.loop(first, k.index(wholePairs()), 1, k.splat(k.lanes(kTileRows), 0.0), [&](Value pair, ValueRange most) {
    Value now = most[0];
    for (int64_t i = 0; i < blocksPerPair(); ++i)
      now = unpack(k, weight, tile, pair, i, now);
    return SmallVector<Value>{now};
  })[0];
  if (wholePairs() < pairs()) {
    largest = unpack(k, weight, tile, k.index(wholePairs()), 0, largest);
    Value zero = k.splatInt(k.lanes(kTileRows, k.b.getI32Type()), 0);
    for (int64_t n = 8; n < levelsLine(); ++n)
      k.op<StoreOp>(zero, k.kernel.getScratchArg(), line(k, k.index(wholePairs()), n, first));
  }
  makeLevels(k, largest);
}

/// In the last quarter of the steps: a chunk's activations flow through the caches, and lines that are asked for sooner have
/// fallen out of them.
StagedTile::Ahead StagedTile::ahead(KernelBuilder &k, Value weight, Value tile, Value steps) const {
  int64_t lines = llvm::divideCeil(tileBytes, 64);
  auto divide = [&](int64_t n, Value by) { return k.make<arith::DivUIOp>(k.sub(k.add(by, n), k.index(1)), by); };
  Value together = divide(4 * lines, steps);
  return {weight, k.mul(k.add(tile, 1), tileBytes), together, k.sub(steps, divide(lines, together))};
}

/// A few lines a step, into the first cache. On Zen 4 unpacking takes 4.2 % of the prefill of a 1B in Q4_0 if nothing is asked for,
/// 3 with lines asked for many at once or into the second cache, 1.4 like this; of lines that never leave the cache 1.3. Behind the
/// last tile a prefetch does nothing.
void StagedTile::prefetch(KernelBuilder &k, const Ahead &ahead, Value step) {
  Value none = k.index(0), first = k.make<arith::MulIOp>(k.sub(step, ahead.firstStep), ahead.lines);
  Value count = k.make<arith::SelectOp>(k.below(step, ahead.firstStep), none, ahead.lines);
  k.loop(none, count, 1, [&](Value i) {
    k.op<PrefetchOp>(ahead.weight, k.add(ahead.offset, k.mul(k.add(first, i), 64)), /*locality=*/3);
  });
}

SmallVector<Value> StagedTile::codes(KernelBuilder &k, Value pair, int64_t block, Value part, int64_t rows) const {
  SmallVector<Value> words;
  for (int64_t q = 0; q < 8; ++q)
    words.push_back(load(k, pair, 8 * block + q, part, k.lanes(rows, k.b.getI32Type())));
  return words;
}

Value StagedTile::levels(KernelBuilder &k, Value pair, Value part, int64_t rows) const {
  return load(k, pair, levelsLine(), part, k.lanes(rows, k.b.getI32Type()));
}

Value StagedTile::levels(KernelBuilder &k, Value pair, Value part, int64_t rows, Value low, Value high) const {
  return k.op<LoadLevelsOp>(k.block(k.T, rows, k.b.getI32Type()), k.kernel.getScratchArg(), line(k, pair, levelsLine(), part),
                            low, high);
}

Value StagedTile::minimum(KernelBuilder &k, Value pair, int64_t group, Value part, int64_t rows) const {
  return load(k, pair, minimaLine() + group, part, k.lanes(rows));
}

Value StagedTile::crossSums(KernelBuilder &k, Value pair, Value part, int64_t rows) const {
  return load(k, pair, crossSumsLine(), part, k.lanes(rows, k.b.getI32Type()));
}

Value StagedTile::unit(KernelBuilder &k, Value part, int64_t rows) const {
  return load(k, k.index(0), unitLine(), part, k.lanes(rows));
}
