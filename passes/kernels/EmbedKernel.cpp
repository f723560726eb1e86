//===- EmbedKernel.cpp - One row out of a packed matrix, one token a tile ---------------===//
//
// The packed tensor serves the output layer too (or is nothing but the embedding): a row is lane `id % 32` of row tile
// `id / 32`, so that no tensor is stored twice.
//
//   %id = tile.load_uniform %tokens[4 * %t]
//   scf.for %k { %b = tile.load_packed %w[%id / 32, %k] row (%id % 32);  %c = tile.spread (tile.unpack %b)
//                tile.store_row (%c - offset) * scale(%b) - minimum(%b), %out[%t, 32 * %k] }
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

struct EmbedBuilder {
  const EmbedSpec &spec;
  const Format &format;
  KernelBuilder k;
  Value rowTile, lane;

  Value load(Value block) {
    return k.op<LoadPackedOp>(BlockType::get(k.b.getContext(), format.id, 1), k.binding(1), rowTile, block, lane);
  }
  SmallVector<Value> words(Value place) {
    SmallVector<Type> types(8, k.lanes(1, format.isFloat() ? Type(k.b.getF32Type()) : Type(k.b.getI32Type())));
    return SmallVector<Value>(k.op<UnpackOp>(types, place).getResults());
  }
  /// A number of each scale group, spread to the 32 elements.
  template <typename OpT> Value levels(Value place) {
    unsigned groups = format.scaleGroup && format.scaleGroup < kActGroup ? kActGroup / format.scaleGroup : 1;
    SmallVector<Value> parts;
    for (unsigned g = 0; g < groups; ++g) {
      Value one = k.op<OpT>(k.lanes(1), place, g);
      Value number = k.op<vector::ExtractOp>(one, ArrayRef<int64_t>{0});
      parts.push_back(k.make<vector::BroadcastOp>(k.lanes(kActGroup / groups), number));
    }
    return groups == 1 ? parts[0] : k.op<ConcatOp>(k.lanes(kActGroup), parts).getResult();
  }
  void store(Value line, Value column) {
    int64_t width = cast<VectorType>(line.getType()).getDimSize(0);
    if (spec.scale != 1.0)
      line = k.mulf(line, k.splat(k.lanes(width), spec.scale));
    k.storeRow(k.broadcast(line, k.block(1, width)), k.binding(2), k.tile(), column);
  }
  void build();
};

void EmbedBuilder::build() {
  int64_t step = format.isFloat() ? 8 : kActGroup;
  int64_t blocks = PackedLayout(format, spec.weight.rows, spec.weight.cols).paddedCols() / step;
  Value id = k.op<LoadUniformOp>(k.b.getI32Type(), k.binding(0), k.mul(k.tile(), 4));
  id = k.make<arith::IndexCastUIOp>(k.b.getIndexType(), id);
  rowTile = k.div(id, kTileRows);
  lane = k.rem(id, kTileRows);
  k.loop(k.index(0), k.index(blocks), 1, [&](Value block) {
    Value at = load(block);
    SmallVector<Value> row = words(at);
    if (format.isFloat()) {
      Value line = k.op<SpreadOp>(k.lanes(8), row, false);
      return store(line, k.mul(block, step));
    }
    VectorType line = k.lanes(kActGroup);
    Value codes = k.op<SpreadOp>(k.lanes(kActGroup, k.b.getI32Type()), row, format.signedCodes);
    Value v = k.make<arith::SIToFPOp>(line, codes);
    if (format.codeOffset)
      v = k.subf(v, k.splat(line, format.codeOffset));
    v = k.mulf(v, levels<ScaleOp>(at));
    if (format.minima)
      v = k.subf(v, levels<MinimumOp>(at));
    store(v, k.mul(block, step));
  });
  // Readers take 32 elements at a time: what is past the row is zero.
  for (int64_t column = blocks * step; column < paddedWidth(spec.weight.cols); column += 8)
    k.storeRow(k.splat(k.block(1, 8), 0.0), k.binding(2), k.tile(), k.index(column));
}

} // namespace

void sinter::buildEmbed(OpBuilder &b, Location loc, StringRef name, const EmbedSpec &spec) {
  MLIRContext *context = b.getContext();
  Type weight = PackedType::get(context, spec.weight.rows, spec.weight.cols, spec.weight.format);
  Type out = RowsType::getPadded(context, spec.weight.cols);
  EmbedBuilder{spec, Format::get(spec.weight.format),
               KernelBuilder(b, loc, name, {BytesType::get(context), weight, out}, 1), Value(), Value()}
      .build();
}
