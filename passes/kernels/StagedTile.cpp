//===- StagedTile.cpp - A row tile's weights, unpacked once for all tokens of a chunk ---===//
//
//   scf.for %k over blocks of 32 columns {
//     %b = tile.load_packed %w[%t, %k]
//     tile.store (tile.scale %b), ..        1 or 2
//     tile.store (arith.negf (tile.minimum %b)), ..
//     %q:8 = tile.unpack %b                 (arith.xori %q, 0x80808080: codes of 8 bits as unsigned ones)
//     tile.store %q#0, %scratch[..] ..      8 lines }
//
// The weights come from memory here: their lines are read in order, scales first (Product::prefetch).
// A chunk's tokens go over the tile a register block at a time: what is done here is not done again for each of them.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/StagedTile.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

StagedTile::StagedTile(const WeightShape &weight, int64_t offset, bool unsignedCodes)
    : format(Format::get(weight.format)),
      blocks(PackedLayout(format, weight.rows, weight.cols).paddedCols() / kActGroup), offset(offset),
      unsignedCodes(unsignedCodes) {
  assert(!format.isFloat());
}

bool StagedTile::pays(FormatId id) {
  const Format &format = Format::get(id);
  return !format.isFloat() && (format.scaleGroup || format.codePlanes.size() > 1 || format.codeBits() == 8);
}

Value StagedTile::line(KernelBuilder &k, Value block, int64_t number, Value part) const {
  return k.add(k.add(k.mul(block, lines() * kLineBytes), k.mul(part, 4)), offset + number * kLineBytes);
}

Value StagedTile::load(KernelBuilder &k, Value block, int64_t number, Value part, VectorType type) const {
  return k.op<LoadOp>(type, k.kernel.getScratchArg(), line(k, block, number, part));
}

void StagedTile::fill(KernelBuilder &k, Value weight, Value tile) const {
  VectorType words = k.lanes(kTileRows, k.b.getI32Type());
  Value first = k.index(0);
  k.loop(first, k.index(blocks), 1, [&](Value block) {
    auto store = [&](Value v, int64_t number) {
      k.op<StoreOp>(v, k.kernel.getScratchArg(), line(k, block, number, first));
    };
    Value at = k.op<LoadPackedOp>(BlockType::get(k.b.getContext(), format.id, kTileRows), weight, tile, block, first);
    for (unsigned g = 0; g < groups(); ++g)
      store(k.op<ScaleOp>(k.lanes(kTileRows), at, g), 8 + g);
    for (unsigned g = 0; format.minima && g < groups(); ++g)
      store(k.make<arith::NegFOp>(k.op<MinimumOp>(k.lanes(kTileRows), at, g)), 8 + groups() + g);
    for (auto [q, word] : llvm::enumerate(k.op<UnpackOp>(SmallVector<Type>(8, words), at, false).getResults()))
      store(movedUp() ? k.make<arith::XOrIOp>(word, k.splatInt(words, int32_t(0x80808080))) : word, q);
  });
}

SmallVector<Value> StagedTile::codes(KernelBuilder &k, Value block, Value part, int64_t rows) const {
  SmallVector<Value> words;
  for (int64_t q = 0; q < 8; ++q)
    words.push_back(load(k, block, q, part, k.lanes(rows, k.b.getI32Type())));
  return words;
}

Value StagedTile::scale(KernelBuilder &k, Value block, unsigned group, Value part, int64_t rows) const {
  return load(k, block, 8 + group, part, k.lanes(rows));
}

Value StagedTile::minimum(KernelBuilder &k, Value block, unsigned group, Value part, int64_t rows) const {
  return load(k, block, 8 + groups() + group, part, k.lanes(rows));
}
