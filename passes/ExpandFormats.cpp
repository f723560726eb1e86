//===- ExpandFormats.cpp - Unpacking and scale chains as lane arithmetic ----===//
//
// What a weight format is stands in one table (compiler/weights/Format.h); this pass reads it and writes the
// words of a block, its scales and its minima as shifts and masks that every back end has.
//
//   %b = tile.load_packed %w[%t, %k] row %r                  %l = tile.load %w[..line 0..] : vector<32xi32>
//   %q:8 = tile.unpack %b                           ==>      %q0 = arith.andi %l, 0x0f0f0f0f
//   %s = tile.scale %b                                       %q4 = arith.andi (arith.shrui %l, 4), 0x0f0f0f0f ...
//   %y = tile.scale_accumulate %acc, %i, %s, %x              %s = arith.extf (tile.load %w[..d..] : vector<32xf16>)
//                                                            %y = math.fma (arith.sitofp %i), %s * %x, %acc
//
// The block index may be a constant or a value: where a K-quant's loop is unrolled over its super-block the
// shifts fold to constants, elsewhere they are computed.
//
//===----------------------------------------------------------------------===//
#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Passes.h"
#include "passes/RowAccess.h"

namespace sinter {
#define GEN_PASS_DEF_EXPANDFORMATS
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

/// Writes the parts of one block as lane arithmetic.
class BlockReader {
public:
  BlockReader(OpBuilder &builder, LoadPackedOp place)
      : b(builder), loc(place.getLoc()), place(place), packed(place.getSource().getType()),
        format(Format::get(packed.getFormat())), layout(format, packed.getRows(), packed.getCols()),
        rows(place.getResult().getType().getRows()) {}

  SmallVector<Value> codes(bool pairs);
  Value interleave(Value even, Value odd) { return b.create<vector::InterleaveOp>(loc, even, odd); }
  Value chain(SectionKind integers, SectionKind top, unsigned group);

private:
  Value index(int64_t v) { return b.create<arith::ConstantIndexOp>(loc, v); }
  Value times(Value v, int64_t factor) { return scaleIndex(b, loc, v, factor); }
  Value plus(Value a, Value c) { return b.createOrFold<arith::AddIOp>(loc, a, c); }
  VectorType lanes(Type element) { return VectorType::get({rows}, element); }
  Value splat(uint32_t v) {
    return b.create<arith::ConstantOp>(
        loc, DenseElementsAttr::get(lanes(b.getI32Type()), b.getI32IntegerAttr(static_cast<int32_t>(v))));
  }

  /// The block's super-block, and its place in it. A float format's block is a super-block.
  int64_t blocksPerSuper() { return format.superBlock / kActGroup; }
  Value super() { return divide().first; }
  Value blockInSuper() { return divide().second; }
  /// Block n * s + i, with a constant i below n, is block i of super-block s: how Product.cpp unrolls.
  std::pair<Value, Value> divide() {
    Value block = place.getBlock();
    int64_t n = blocksPerSuper(), within = 0;
    if (n <= 1)
      return {block, index(0)};
    if (auto sum = block.getDefiningOp<arith::AddIOp>())
      if (std::optional<int64_t> i = getConstantIntValue(sum.getRhs()); i && *i < n) {
        block = sum.getLhs();
        within = *i;
      }
    if (auto product = block.getDefiningOp<arith::MulIOp>(); product && getConstantIntValue(product.getRhs()) == n)
      return {product.getLhs(), index(within)};
    block = place.getBlock();
    return {b.createOrFold<arith::DivUIOp>(loc, block, index(n)), b.createOrFold<arith::RemUIOp>(loc, block, index(n))};
  }

  /// Loads this block's rows of line `line` of unit `unit` of its super-block.
  Value loadLine(const Section &section, Value unit, Value line, Type element);
  Value integer(SectionKind kind, unsigned group);
  Value half(SectionKind kind);

  OpBuilder &b;
  Location loc;
  LoadPackedOp place;
  PackedType packed;
  const Format &format;
  PackedLayout layout;
  int64_t rows;
};

Value BlockReader::loadLine(const Section &section, Value unit, Value line, Type element) {
  Value offset = times(place.getTile(), layout.tileBytes());
  offset = plus(offset, times(super(), layout.superBytes()));
  offset = plus(offset, index(section.offset));
  offset = plus(offset, times(unit, section.unitBytes));
  offset = plus(offset, times(line, section.lineBytes));
  offset = plus(offset, times(place.getRow(), section.lineBytes / kTileRows));
  return b.create<LoadOp>(loc, lanes(element), place.getSource(), offset);
}

/// Of pairs, lines are interleaved before their words are taken out of them, as far as two words have two lines.
SmallVector<Value> BlockReader::codes(bool pairs) {
  SmallVector<Value> words;
  if (format.isFloat()) {
    const Section &values = layout.section(SectionKind::Values);
    for (unsigned c = 0; c < 8; ++c) {
      Value column = index(c);
      if (format.id == FormatId::bf16) {
        // A bf16 is the upper half of an f32: a shift every target has.
        Value bits = loadLine(values, column, index(0), b.getI16Type());
        bits = b.create<arith::ExtUIOp>(loc, lanes(b.getI32Type()), bits);
        bits = b.create<arith::ShLIOp>(loc, bits, splat(16));
        words.push_back(b.create<arith::BitcastOp>(loc, lanes(b.getF32Type()), bits));
        continue;
      }
      Value line = loadLine(values, column, index(0),
                            format.floatBits == 16 ? Type(b.getF16Type()) : Type(b.getF32Type()));
      if (format.floatBits == 16)
        line = b.create<arith::ExtFOp>(loc, lanes(b.getF32Type()), line);
      words.push_back(line);
    }
    return words;
  }
  unsigned step = pairs ? 2 : 1;
  words.resize(8 / step);
  int64_t width = rows;
  auto splat = [&](uint32_t v) {
    auto type = VectorType::get({width}, b.getI32Type());
    return b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(type, b.getI32IntegerAttr(static_cast<int32_t>(v))));
  };
  unsigned low = 0;
  for (auto [plane, bits] : llvm::enumerate(format.codePlanes)) {
    const Section &section = layout.section(SectionKind::Codes, plane);
    SmallVector<Value> lines;
    for (unsigned l = 0; l < bits; ++l)
      lines.push_back(loadLine(section, blockInSuper(), index(l), b.getI32Type()));
    bool joined = pairs && bits > 1;
    width = joined ? 2 * rows : rows;
    if (joined)
      for (unsigned l = 0; l < bits; l += 2)
        lines[l] = interleave(lines[l], lines[l + 1]);
    auto take = [&](unsigned q) {
      Value word = lines[q % bits];
      unsigned shift = q / bits * bits;
      if (bits == 8)
        return word;
      // Moved to its place in the code and masked there, in one shift either way.
      int move = static_cast<int>(low) - static_cast<int>(shift);
      if (move < 0)
        word = b.create<arith::ShRUIOp>(loc, word, splat(-move));
      else if (move > 0)
        word = b.create<arith::ShLIOp>(loc, word, splat(move));
      return b.create<arith::AndIOp>(loc, word, splat(((1u << bits) - 1u) * 0x01010101u << low)).getResult();
    };
    for (unsigned w = 0; w < words.size(); ++w) {
      Value word = take(step * w);
      if (pairs && !joined)
        word = interleave(word, take(2 * w + 1));
      words[w] = words[w] ? b.create<arith::OrIOp>(loc, words[w], word) : word;
    }
    low += bits;
  }
  if (!format.codebook.empty())
    for (Value &word : words)
      word = b.create<LookupOp>(loc, word, format.codebook);
  return words;
}

/// Integer level of the chain: the bits of integer i of this super-block, plane by plane.
Value BlockReader::integer(SectionKind kind, unsigned group) {
  unsigned groupsPerBlock = kActGroup / format.scaleGroup;
  Value i = plus(times(blockInSuper(), groupsPerBlock), index(group));
  Value sum;
  unsigned low = 0;
  for (auto [plane, bits] : llvm::enumerate(format.scalePlanes)) {
    const Section &section = layout.section(kind, plane);
    bool narrow = section.lineBytes == 2 * kTileRows;
    Value bit = times(i, bits);
    Value line = narrow ? index(0) : b.createOrFold<arith::DivUIOp>(loc, bit, index(32));
    Value shift = narrow ? bit : b.createOrFold<arith::RemUIOp>(loc, bit, index(32));
    Value word = loadLine(section, index(0), line, narrow ? Type(b.getI16Type()) : Type(b.getI32Type()));
    if (narrow)
      word = b.create<arith::ExtUIOp>(loc, lanes(b.getI32Type()), word);
    shift = b.createOrFold<arith::IndexCastUIOp>(loc, b.getI32Type(), shift);
    word = b.create<arith::ShRUIOp>(
        loc, word, b.createOrFold<vector::BroadcastOp>(loc, lanes(b.getI32Type()), shift));
    word = b.create<arith::AndIOp>(loc, word, splat((1u << bits) - 1u));
    if (low)
      word = b.create<arith::ShLIOp>(loc, word, splat(low));
    sum = sum ? b.create<arith::OrIOp>(loc, sum, word).getResult() : word;
    low += bits;
  }
  if (format.signedScales) {
    sum = b.create<arith::ShLIOp>(loc, sum, splat(32 - low));
    sum = b.create<arith::ShRSIOp>(loc, sum, splat(32 - low));
  }
  if (format.scaleOffset)
    sum = b.create<arith::SubIOp>(loc, sum, splat(format.scaleOffset));
  return b.create<arith::SIToFPOp>(loc, lanes(b.getF32Type()), sum);
}

Value BlockReader::half(SectionKind kind) {
  Value line = loadLine(layout.section(kind), index(0), index(0), b.getF16Type());
  return b.create<arith::ExtFOp>(loc, lanes(b.getF32Type()), line);
}

Value BlockReader::chain(SectionKind integers, SectionKind top, unsigned group) {
  Value value = half(top);
  if (format.scaleGroup)
    value = b.create<arith::MulFOp>(loc, value, integer(integers, group));
  return value;
}

Value expandScaleAccumulate(OpBuilder &b, ScaleAccumulateOp op) {
  Location loc = op.getLoc();
  VectorType type = cast<VectorType>(op.getResult().getType());
  Value dot = b.create<arith::SIToFPOp>(loc, type, op.getDot());
  Value weight = b.create<BroadcastOp>(loc, type, op.getWeightScale());
  Value act = b.create<BroadcastOp>(loc, type, op.getActScale());
  Value scale = b.create<arith::MulFOp>(loc, weight, act);
  return b.create<math::FmaOp>(loc, dot, scale, op.getAcc());
}

struct ExpandFormatsPass : sinter::impl::ExpandFormatsBase<ExpandFormatsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> expanded;
    WalkResult walked = getOperation().walk([&](Operation *op) -> WalkResult {
      OpBuilder b(op);
      for (Value operand : op->getOperands())
        if (isa<BlockType>(operand.getType()) && !operand.getDefiningOp<LoadPackedOp>())
          return op->emitOpError("reads a block that no tile.load_packed names");
      if (auto unpack = dyn_cast<UnpackOp>(op)) {
        unpack.replaceAllUsesWith(reader(b, unpack.getBlock()).codes(unpack.getPairs()));
      } else if (auto scale = dyn_cast<ScaleOp>(op)) {
        Value v = reader(b, scale.getBlock()).chain(SectionKind::Scales, SectionKind::D, scale.getGroup());
        scale.replaceAllUsesWith(v);
      } else if (auto minimum = dyn_cast<MinimumOp>(op)) {
        Value v = reader(b, minimum.getBlock()).chain(SectionKind::Minima, SectionKind::DMin, minimum.getGroup());
        minimum.replaceAllUsesWith(v);
      } else if (auto accumulate = dyn_cast<ScaleAccumulateOp>(op)) {
        accumulate.replaceAllUsesWith(expandScaleAccumulate(b, accumulate));
      } else if (!isa<LoadPackedOp>(op)) {
        return WalkResult::advance();
      }
      expanded.push_back(op);
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    for (Operation *op : llvm::reverse(expanded))
      op->erase();
  }

  static BlockReader reader(OpBuilder &b, Value block) {
    return BlockReader(b, block.getDefiningOp<LoadPackedOp>());
  }
};

} // namespace
