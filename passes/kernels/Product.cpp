//===- Product.cpp - x · Wᵀ for one row tile: the heart of every linear kernel -------===//
//
//   integer formats                                             float formats
//   scf.for %s over super-blocks (acc) {                        scf.for %k (acc) {
//     for each block %k of %s, unrolled {                         %x = tile.load_row %rows[%m, 8 * %k] uniform
//       %x, %dx, %sx, .., %tx = tile.load_acts %acts[%m, %k]      %b = tile.load_packed %w[%t, %k] row %r
//       %b = tile.load_packed %w[%t, %k] row %r                   %q = tile.unpack %b
//       %s, (%n) = tile.scale %b, (tile.minimum %b)               %acc = tile.dot %acc, %q, %x }
//       %q = tile.unpack %b
//       %i = tile.dot %sx, %q, %x
//       %acc = tile.scale_accumulate %acc, %i, %s, %dx
//       (%acc -= %n * %tx) } }
//
// An unsigned code stands for code - offset; the offset's share, offset * sum(x), is what the dot starts from: the
// activations' starts are that for an offset of 8.
//
// A block that streams goes over all rows of the tile before the next super-block, any other over all columns before the
// next rows (RegisterBlock, codegen/Targets.h). The loop steps by super-blocks because a block's integer scales lie at bits
// that depend on its place in one: unrolled, the shifts are constants and the lines with d and the integers are loaded once.
// Blocks of arranged activations have so many tokens that this is worth nothing, and so much code that it costs: they step by one
// block, or by as many as hide latency (RegisterBlock::steps).
//
// For one token, where memory is what limits, a target may read several streams (Schedule::streamBytes): a super-block of each of
// the strip's tiles, which are apart, before the next ones.
//
//   tile.for_tiles %t, %place { %sums[%place] = 0 }
//   scf.for %s over super-blocks {
//     tile.for_tiles %t, %place { %sums[%place] += as above, of super-block %s of tile %t } }
//
// Loads of all of them are under way then, and what waits for a page of one does not wait for the others'. With pages that lie
// anywhere in memory one core of a Zen 4 reads 24 GB/s of Q4_0 in one stream and 32 in four, 28 and 31 of Q8_0 in two, 26 and 31 of
// Q4_K and Q6_K in two: as many as fit into the 320 instructions that it has under way, but two at least. The tiles must be apart: of
// neighbours each stream would end with its tile, and four are no faster than one. Single blocks of K-quants in turn would be half
// as fast as super-blocks.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/Product.h"
#include "passes/kernels/UnpackedTile.h"
#include <numeric>

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

struct Product {
  KernelBuilder &k;
  Value weight, tile, x, row;
  const Format &format;
  PackedLayout layout;
  int64_t rows;
  /// Where x is arranged: tokens that go together (1 elsewhere).
  ArrangedType arranged;
  int64_t together;
  /// How far ahead of what it reads it prefetches, in bytes (Schedule::prefetchBytes); 0: not at all.
  int64_t distance = 0;
  /// Where the weights are unpacked, and at which place of a strip; or null.
  const UnpackedTile *unpacked = nullptr;
  Value at = {};

  /// Sums: a row of a register block a token; of pairs of tokens, both tokens' sums in turn (tile.dot_pairs).
  VectorType sums(Type element = {}) { return k.block(k.T / together, rows * together, element); }
  /// Scales and totals of the activations: one a token, or four a pair. Starts: four of either where they are arranged.
  VectorType numbers() { return k.block(k.T / together, together == 2 ? 4 : 1); }
  VectorType starts() { return k.block(k.T / together, arranged ? 4 : 1, k.b.getI32Type()); }
  Value perRow(Value v);
  Value scale(Value at, unsigned group);
  Value minimum(Value at, unsigned group);

  int64_t blocksPerSuper() { return format.isFloat() ? 1 : format.superBlock / kActGroup; }
  int64_t supers() { return layout.paddedCols() / format.superBlock; }
  /// Of the loop over columns.
  int64_t steps() { return arranged ? supers() * blocksPerSuper() : supers(); }
  Value step(Value at, Value part, Value acc) {
    return arranged ? integerBlock(at, part, acc) : superBlock(at, part, acc);
  }
  /// Not of packed super-blocks of several blocks.
  int64_t stepsTogether(const RegisterBlock &block) {
    bool single = unpacked || (blocksPerSuper() == 1 && !format.isFloat());
    return single ? std::gcd<int64_t>(steps(), block.steps) : 1;
  }
  Value place(Value block, Value part) {
    return k.op<LoadPackedOp>(BlockType::get(k.b.getContext(), format.id, rows), weight, tile, block, part);
  }
  SmallVector<Value> codes(Value place) {
    Type element = format.isFloat() ? Type(k.b.getF32Type()) : Type(k.b.getI32Type());
    SmallVector<Type> types(8 / together, k.lanes(rows * together, element));
    return SmallVector<Value>(k.op<UnpackOp>(types, place, together == 2).getResults());
  }
  Value floatBlock(Value block, Value part, Value acc);
  Value integerBlock(Value block, Value part, Value acc);
  Value superBlock(Value super, Value part, Value acc);
  void prefetch(Value super, Value part, int64_t block);
  void touchIntegers(Value start);
};

Value Product::floatBlock(Value block, Value part, Value acc) {
  Value activations = k.loadRow(x, row, k.mul(block, 8), k.T, 8, /*uniform=*/true);
  SmallVector<Value> words = codes(place(block, part));
  return k.op<DotOp>(acc.getType(), acc, words, activations, Value(), 32, 0);
}

Value Product::integerBlock(Value block, Value part, Value acc) {
  Type i32 = k.b.getI32Type();
  VectorType number = numbers(), count = starts(), words8 = k.block(k.T / together, 8 * together, i32);
  Operation *load = arranged ? k.op<LoadArrangedOp>(words8, number, count, count, count, number, x, block).getOperation()
                             : k.op<LoadActsOp>(words8, number, count, count, count, number, x, row, block);
  Value xCodes = load->getResult(0), xScale = load->getResult(1), start = load->getResult(2), low = load->getResult(3),
        high = load->getResult(4), xTotal = load->getResult(5);
  Value packed = unpacked ? Value() : place(block, part);
  unsigned groups = scaleGroups(format);
  auto scaleOf = [&](unsigned g) { return unpacked ? unpacked->scale(k, at, block, part, g) : scale(packed, g); };
  auto minimumOf = [&](unsigned g) { return unpacked ? unpacked->minimum(k, at, block, part, g) : minimum(packed, g); };
  // Where lines are asked for they are read in order, scales first (prefetch()). Elsewhere registers are kept for the codes.
  SmallVector<Value> scales(groups), minima(groups);
  for (unsigned g = 0; distance && g < groups; ++g) {
    scales[g] = scaleOf(g);
    if (format.minima)
      minima[g] = minimumOf(g);
  }
  SmallVector<Value> words = unpacked ? unpacked->codes(k, at, block, part) : codes(packed);
  int64_t offset = format.codeOffset;
  VectorType products = sums(i32), results = sums();
  for (unsigned g = 0; g < groups; ++g) {
    Value half = g == 0 ? low : high;
    Value init = k.splatInt(products, 0);
    if (offset)
      init = k.broadcast(groups == 1 ? offsetStart(k, start, offset, 8) : offsetStart(k, half, offset, 32), products);
    unsigned first = 8 / groups * g;
    ValueRange codes = ValueRange(words).slice(first / together, 8 / groups / together);
    Value dot;
    if (together == 2)
      dot = k.op<DotPairsOp>(products, init, codes, xCodes, first);
    else // Targets with arranged blocks multiply signed bytes: their dots need no start.
      dot = k.op<DotOp>(products, init, codes, xCodes, format.signedCodes && !arranged ? start : Value(),
                        format.codeBits(), first);
    acc = k.op<ScaleAccumulateOp>(results, acc, dot, scales[g] ? scales[g] : scaleOf(g), xScale);
    if (format.minima) {
      Value least = minima[g] ? minima[g] : minimumOf(g);
      Value total = groups == 1 ? xTotal : halfTotal(k, half, xScale);
      acc = k.fma(k.broadcast(least, results), k.broadcast(total, results), acc);
    }
  }
  return acc;
}

Value Product::scale(Value at, unsigned group) {
  return perRow(k.op<ScaleOp>(k.lanes(rows), at, group));
}

/// Negated a row, not a token: once for all of them.
Value Product::minimum(Value at, unsigned group) {
  return perRow(k.make<arith::NegFOp>(k.op<MinimumOp>(k.lanes(rows), at, group)));
}

/// A number a row, for each of the sums that the row has.
Value Product::perRow(Value v) {
  return together == 1 ? v : k.op<vector::InterleaveOp>(v, v).getResult();
}

/// The blocks of one super-block, one after another.
Value Product::superBlock(Value super, Value part, Value acc) {
  if (format.isFloat()) {
    prefetch(super, part, 0);
    return floatBlock(super, part, acc);
  }
  Value first = k.mul(super, blocksPerSuper());
  for (int64_t i = 0; i < blocksPerSuper(); ++i) {
    prefetch(super, part, i);
    acc = integerBlock(k.add(first, i), part, acc);
  }
  return acc;
}

/// Lines a distance behind the share of the super-block that belongs to block `block` of rows `part` ..: one in four leads the
/// hardware over the ends of pages. The rest it fetches by itself as long as lines are read in their order and none is left
/// out, those with scales too: on one core of a Zen 4, 28 GB/s. More requests are in its way (all lines, 8 KiB ahead, 20), and
/// where codes are read before the scales in front of them, or half the lines in one pass and half in the next, it sees no
/// stream (13, and 20 with all lines asked for). They go between the blocks' arithmetic, since a core has room for about 16.
/// Behind a tile lies the next one; behind the last, a prefetch does nothing.
void Product::prefetch(Value super, Value part, int64_t block) {
  if (distance == 0)
    return;
  int64_t blocks = blocksPerSuper(), rowBytes = layout.superBytes() / kTileRows, share = rowBytes * rows, first = 0;
  constexpr int64_t step = 256;
  Value start = k.add(k.mul(tile, layout.tileBytes()), k.mul(super, layout.superBytes()));
  if (block == 0 && isConstantIntValue(part, 0))
    touchIntegers(start);
  start = k.add(k.add(start, distance), k.mul(part, rowBytes));
  // The first of the lines that is in the share.
  if (std::optional<int64_t> row = getConstantIntValue(part))
    first = llvm::alignTo(*row * rowBytes, step) - *row * rowBytes;
  for (int64_t at = first; at < share; at += step)
    if (at * blocks / share == block)
      k.op<PrefetchOp>(weight, k.add(start, at), 2);
}

/// Integer scales of later blocks lie in front of the first one's codes: lines that it would leave out. With Q6_K, one core of a
/// Zen 4 reads 17 to 28 GB/s of such a stream, and 30 if they are asked for.
void Product::touchIntegers(Value start) {
  for (const Section &section : layout.sections())
    if (section.kind != SectionKind::Codes && section.linesPerUnit > 1)
      for (int64_t at = 0; at < section.lineBytes * section.linesPerUnit; at += 64)
        k.op<PrefetchOp>(weight, k.add(start, section.offset + at), 3);
}

} // namespace

Value sinter::offsetStart(KernelBuilder &k, Value start, int64_t offset, int64_t unit) {
  auto count = cast<VectorType>(start.getType());
  assert(llvm::isPowerOf2_64(offset) && llvm::isPowerOf2_64(unit));
  if (offset >= unit)
    return offset == unit ? start : k.make<arith::MulIOp>(start, k.splatInt(count, offset / unit));
  return k.make<arith::ShRSIOp>(start, k.splatInt(count, llvm::Log2_64(unit / offset)));
}

Value sinter::halfTotal(KernelBuilder &k, Value start, Value scale) {
  auto number = VectorType::get(cast<VectorType>(start.getType()).getShape(), k.b.getF32Type());
  Value sum = k.mulf(k.make<arith::SIToFPOp>(number, start), k.splat(number, -1.0 / 32));
  return k.mulf(sum, k.broadcast(scale, number));
}

ActSums sinter::sumsOf(const Format &format) { return {scaleGroups(format) == 2, format.minima}; }

int64_t sinter::sumBytes(const RegisterBlock &block) { return 4 * kTileRows * block.tokens; }

/// Arranged activations of `block`, with the numbers that weights of these formats read (Product::integerBlock).
static ArrangedType arrangedType(MLIRContext *context, const RegisterBlock &block, ArrayRef<WeightShape> weights) {
  bool starts = false, halves = false, totals = false;
  for (const WeightShape &weight : weights) {
    const Format &format = Format::get(weight.format);
    bool split = scaleGroups(format) > 1;
    starts |= !split && format.codeOffset;
    halves |= split && (format.codeOffset || format.minima);
    totals |= !split && format.minima;
  }
  return ArrangedType::get(context, weights.front().cols, block.tokens,
                           block.arrangement == Arrangement::pairs ? 2 : 1, starts, halves, totals);
}

int64_t sinter::productScratch(MLIRContext *context, const RegisterBlock &block, ArrayRef<WeightShape> weights) {
  int64_t sums = sumBytes(block) * weights.size();
  return block.arrangement == Arrangement::rows ? sums : sums + arrangedType(context, block, weights).getBytes();
}

Value sinter::arrangeActivations(KernelBuilder &k, Value x, Value row, const RegisterBlock &block,
                                 ArrayRef<WeightShape> weights) {
  if (block.arrangement == Arrangement::rows)
    return x;
  Value side = k.op<ViewOp>(arrangedType(k.b.getContext(), block, weights), k.kernel.getScratchArg(),
                            k.b.getI64IntegerAttr(sumBytes(block) * weights.size()));
  k.op<ArrangeActsOp>(x, row, side);
  return side;
}

static Product makeProduct(KernelBuilder &k, Value weight, Value tile, Value x, Value row, const RegisterBlock &block) {
  auto type = cast<PackedType>(weight.getType());
  const Format &format = Format::get(type.getFormat());
  auto arranged = dyn_cast<ArrangedType>(x.getType());
  return {k,      weight,     tile,
          x,      row,        format,
          PackedLayout(format, type.getRows(), type.getCols()),
          block.rows, arranged,   arranged ? arranged.getTogether() : 1};
}

/// Sums in scratch, so that the parts can be a loop: an unrolled super-block is a lot of code.
static void forParts(KernelBuilder &k, const RegisterBlock &block, llvm::function_ref<void(Value)> body) {
  k.loop(k.index(0), k.index(kTileRows), block.rows, body);
}

/// `block` with the rows that it has of this weight.
static RegisterBlock blockOf(Value weight, const RegisterBlock &block) {
  const Format &format = Format::get(cast<PackedType>(weight.getType()).getFormat());
  RegisterBlock own = block;
  if (own.superRows && !format.isFloat() && format.superBlock > kActGroup)
    own.rows = own.superRows;
  return own;
}

Value sinter::buildStoredProduct(KernelBuilder &k, Value weight, Value tile, Value x, Value row,
                                 const RegisterBlock &any, unsigned number, const UnpackedTile *unpacked, Value place) {
  RegisterBlock block = blockOf(weight, any);
  Product product = makeProduct(k, weight, tile, x, row, block);
  product.unpacked = unpacked;
  product.at = place;
  Value zero = k.splat(product.sums(), 0.0), end = k.index(product.steps()), first = k.index(0);
  Value sums = k.scratchRows(number * sumBytes(block), kTileRows);
  forParts(k, block, [&](Value part) {
    int64_t together = product.stepsTogether(block);
    Value sum = k.loop(k.index(0), end, together, zero, [&](Value at, ValueRange acc) {
      Value next = acc[0];
      for (int64_t i = 0; i < together; ++i)
        next = product.step(i ? k.add(at, i) : at, part, next);
      return SmallVector<Value>{next};
    })[0];
    if (product.together == 2)
      sum = k.op<SplitPairsOp>(k.block(k.T, block.rows), sum);
    k.storeRow(sum, sums, first, part);
  });
  return sums;
}

SmallVector<Value> sinter::buildStreamedProducts(KernelBuilder &k, ValueRange weights, Value x, Value row,
                                                 const RegisterBlock &block, int64_t prefetch, int64_t places) {
  assert(block.rows == kTileRows && k.T == 1);
  Value first = k.index(0);
  SmallVector<Value> sums;
  for (size_t i = 0; i < weights.size(); ++i)
    sums.push_back(k.scratchRows(static_cast<int64_t>(i) * places * sumBytes(block), kTileRows));
  k.forPlaces([&](Value place) {
    for (Value sum : sums)
      k.storeRow(k.splat(k.block(1, kTileRows), 0.0), sum, place, first);
  });
  auto productOf = [&](Value weight, Value tile) {
    Product product = makeProduct(k, weight, tile, x, row, block);
    product.distance = prefetch;
    return product;
  };
  auto supersOf = [&](Value weight) { return productOf(weight, first).supers(); };
  for (size_t from = 0, to; from < weights.size(); from = to) {
    int64_t supers = supersOf(weights[from]);
    for (to = from + 1; to < weights.size() && supersOf(weights[to]) == supers;)
      ++to;
    k.loop(first, k.index(supers), 1, [&](Value super) {
      k.forPlaces([&](Value place) {
        for (size_t i = from; i < to; ++i) {
          Value sum = k.loadRow(sums[i], place, first, 1, kTileRows);
          k.storeRow(productOf(weights[i], k.tile()).superBlock(super, first, sum), sums[i], place, first);
        }
      });
    });
  }
  return sums;
}

Value sinter::buildProduct(KernelBuilder &k, Value weight, Value tile, Value x, Value row, const RegisterBlock &any,
                           int64_t prefetch) {
  Value first = k.index(0);
  if (!any.streams)
    return k.loadRow(buildStoredProduct(k, weight, tile, x, row, any, 0), first, first, k.T, kTileRows);
  RegisterBlock block = blockOf(weight, any);
  Product product = makeProduct(k, weight, tile, x, row, block);
  product.distance = prefetch;
  Value zero = k.splat(product.sums(), 0.0), end = k.index(product.supers());
  if (product.blocksPerSuper() == 1 || block.rows == kTileRows) {
    SmallVector<Value> sums(kTileRows / block.rows, zero);
    sums = k.loop(k.index(0), end, 1, sums, [&](Value super, ValueRange acc) {
      SmallVector<Value> next;
      for (auto [part, sum] : llvm::enumerate(acc))
        next.push_back(product.superBlock(super, k.index(part * block.rows), sum));
      return next;
    });
    return sums.size() == 1 ? sums[0] : k.op<ConcatOp>(k.block(k.T, kTileRows), sums).getResult();
  }
  Value sums = k.scratchRows(0, kTileRows);
  forParts(k, block, [&](Value part) { k.storeRow(zero, sums, first, part); });
  k.loop(k.index(0), end, 1, [&](Value super) {
    forParts(k, block, [&](Value part) {
      Value sum = k.loadRow(sums, first, part, k.T, block.rows);
      k.storeRow(product.superBlock(super, part, sum), sums, first, part);
    });
  });
  return k.loadRow(sums, first, first, k.T, kTileRows);
}
