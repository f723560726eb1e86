//===- Product.cpp - x · Wᵀ for one row tile: the heart of every linear kernel -------===//
//
//   integer formats                                             float formats
//   scf.for %k (acc) {                                          scf.for %k (acc) {
//     %x, %dx, %sx, %hx = tile.load_acts %acts[%m, %k]            %x = tile.load_row %rows[%m, 8 * %k] uniform
//     %b = tile.load_packed %w[%t, %k] row %r                     %b = tile.load_packed %w[%t, %k] row %r
//     %q = tile.unpack %b                                         %q = tile.unpack %b
//     %i = tile.dot (-offset * %sx), %q, %x                       %acc = tile.dot %acc, %q, %x }
//     %acc = tile.scale_accumulate %acc, %i, scale(%b), %dx
//     (%acc -= minimum(%b) * %dx * %sx) }
//
// An unsigned code stands for code - offset; the offset's share, offset * sum(x), is taken off the dot's start value.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/Product.h"

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

  Value place(Value block, int64_t part) {
    return k.op<LoadPackedOp>(BlockType::get(k.b.getContext(), format.id, rows), weight, tile, block,
                              k.index(part));
  }
  SmallVector<Value> codes(Value place) {
    Type element = format.isFloat() ? Type(k.b.getF32Type()) : Type(k.b.getI32Type());
    SmallVector<Type> types(8, k.lanes(rows, element));
    return SmallVector<Value>(k.op<UnpackOp>(types, place).getResults());
  }
  Value floatBlock(Value block, int64_t part, Value acc);
  Value integerBlock(Value block, int64_t part, Value acc);
};

Value Product::floatBlock(Value block, int64_t part, Value acc) {
  Value activations = k.loadRow(x, row, k.mul(block, 8), k.T, 8, /*uniform=*/true);
  SmallVector<Value> words = codes(place(block, part));
  return k.op<DotOp>(acc.getType(), acc, words, activations, Value(), 32, 0);
}

Value Product::integerBlock(Value block, int64_t part, Value acc) {
  Type i32 = k.b.getI32Type();
  auto acts = k.op<LoadActsOp>(k.block(k.T, 8, i32), k.block(k.T, 1), k.block(k.T, 1, i32),
                               k.block(k.T, 1, i32), x, row, block);
  Value at = place(block, part);
  SmallVector<Value> words = codes(at);
  VectorType products = k.block(k.T, rows, i32), results = k.block(k.T, rows);
  unsigned groups = format.scaleGroup && format.scaleGroup < kActGroup ? kActGroup / format.scaleGroup : 1;
  for (unsigned g = 0; g < groups; ++g) {
    Value sum = acts.getSum();
    if (groups == 2)
      sum = g == 0 ? acts.getHalf() : k.make<arith::SubIOp>(acts.getSum(), acts.getHalf());
    Value init = k.splatInt(products, 0);
    if (format.codeOffset)
      init = k.broadcast(k.make<arith::MulIOp>(sum, k.splatInt(k.block(k.T, 1, i32), -format.codeOffset)),
                         products);
    unsigned first = 8 / groups * g;
    Value dot = k.op<DotOp>(products, init, ValueRange(words).slice(first, 8 / groups), acts.getCodes(), sum,
                            format.codeBits(), first);
    Value scale = k.op<ScaleOp>(k.lanes(rows), at, g);
    acc = k.op<ScaleAccumulateOp>(results, acc, dot, scale, acts.getScale());
    if (format.minima) {
      Value weightMinimum = k.broadcast(k.op<MinimumOp>(k.lanes(rows), at, g), results);
      Value actSum = k.mulf(k.make<arith::SIToFPOp>(k.block(k.T, 1), sum), acts.getScale());
      actSum = k.make<arith::NegFOp>(actSum);
      acc = k.fma(weightMinimum, k.broadcast(actSum, results), acc);
    }
  }
  return acc;
}

} // namespace

Value sinter::buildProduct(KernelBuilder &k, Value weight, Value tile, Value x, Value row, int64_t partRows,
                           int64_t prefetch) {
  auto type = cast<PackedType>(weight.getType());
  const Format &format = Format::get(type.getFormat());
  Product product{k, weight, tile, x, row, format, PackedLayout(format, type.getRows(), type.getCols()), partRows};
  int64_t blocks = product.layout.paddedCols() / (format.isFloat() ? 8 : kActGroup);
  SmallVector<Value> parts;
  for (int64_t part = 0; part < kTileRows; part += partRows) {
    Value zero = k.splat(k.block(k.T, partRows), 0.0);
    parts.push_back(k.loop(k.index(0), k.index(blocks), 1, zero, [&](Value block, ValueRange acc) {
      if (prefetch && !format.isFloat()) {
        // The codes' first stream, by far the widest, a fixed distance ahead: past the tile's end lies the next one.
        const Stream &stream = product.layout.streams().front();
        int64_t bytes = static_cast<int64_t>(stream.lineBytes) * stream.linesPerUnit;
        Value at = k.add(k.mul(tile, product.layout.tileBytes()), k.mul(block, bytes));
        for (int64_t line = 0; line < bytes; line += 64)
          k.op<PrefetchOp>(weight, k.add(at, prefetch + line), 2);
      }
      Value next = format.isFloat() ? product.floatBlock(block, part, acc[0])
                                    : product.integerBlock(block, part, acc[0]);
      return SmallVector<Value>{next};
    })[0]);
  }
  return parts.size() == 1 ? parts[0] : k.op<ConcatOp>(k.block(k.T, kTileRows), parts).getResult();
}
