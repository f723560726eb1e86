//===- UnpackedTile.cpp - A row tile's weights, unpacked for all arranged blocks of a chunk ---===//
//
//   scf.for %r = 0 to 32 step R {
//     scf.for %s over super-blocks {
//       for each block %k of %s, unrolled {
//         %b = tile.load_packed %w[%t, %k] row %r
//         tile.store (tile.unpack %b), ..
//         tile.store (tile.scale %b), ..
//         tile.store -(tile.minimum %b), .. } } }
//
// A chunk's blocks of tokens come here for their operands (Product.cpp): what masks, shifts and integer scales cost is paid once
// for all of them, and takes none of their registers.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/UnpackedTile.h"
#include "passes/RowAccess.h"
#include "passes/kernels/Product.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

UnpackedTile::UnpackedTile(const WeightShape &weight, const RegisterBlock &block, int64_t offset)
    : format(Format::get(weight.format)), rows(block.rows), together(block.arrangement == Arrangement::pairs ? 2 : 1),
      blocks(PackedLayout(format, weight.rows, weight.cols).paddedCols() / kActGroup), offset(offset) {
  assert(!format.isFloat());
}

unsigned UnpackedTile::groups() const { return scaleGroups(format); }

int64_t UnpackedTile::blockBytes() const { return format.minima ? minimumAt(groups()) : scaleAt(groups()); }

Value UnpackedTile::at(KernelBuilder &k, Value place, Value block, Value part, int64_t bytes) const {
  auto times = [&](Value v, int64_t factor) { return scaleIndex(k.b, k.loc, v, factor); };
  Value start = k.add(times(place, this->bytes()), times(part, partBytes() / rows));
  return k.add(k.add(start, times(block, blockBytes())), offset + bytes);
}

void UnpackedTile::fill(KernelBuilder &k, Value weight, Value tile, Value place) const {
  Value scratch = k.kernel.getScratchArg();
  int64_t perSuper = format.superBlock / kActGroup;
  auto perRow = [&](Value v) { return together == 1 ? v : k.op<vector::InterleaveOp>(v, v).getResult(); };
  SmallVector<Type> types(words(), k.lanes(rows * together, k.b.getI32Type()));
  k.loop(k.index(0), k.index(kTileRows), rows, [&](Value part) {
    k.loop(k.index(0), k.index(blocks / perSuper), 1, [&](Value super) {
      for (int64_t i = 0; i < perSuper; ++i) {
        Value block = k.add(k.mul(super, perSuper), i);
        Value from = k.op<LoadPackedOp>(BlockType::get(k.b.getContext(), format.id, rows), weight, tile, block, part);
        for (auto [q, word] : llvm::enumerate(k.op<UnpackOp>(types, from, together == 2).getResults()))
          k.op<StoreOp>(word, scratch, at(k, place, block, part, wordAt(static_cast<int64_t>(q))));
        for (unsigned g = 0; g < groups(); ++g) {
          Value scale = perRow(k.op<ScaleOp>(k.lanes(rows), from, g));
          k.op<StoreOp>(scale, scratch, at(k, place, block, part, scaleAt(g)));
          if (!format.minima)
            continue;
          Value least = perRow(k.make<arith::NegFOp>(k.op<MinimumOp>(k.lanes(rows), from, g)));
          k.op<StoreOp>(least, scratch, at(k, place, block, part, minimumAt(g)));
        }
      }
    });
  });
}

SmallVector<Value> UnpackedTile::codes(KernelBuilder &k, Value place, Value block, Value part) const {
  VectorType type = k.lanes(rows * together, k.b.getI32Type());
  SmallVector<Value> result;
  for (int64_t word = 0; word < words(); ++word)
    result.push_back(k.op<LoadOp>(type, k.kernel.getScratchArg(), at(k, place, block, part, wordAt(word))));
  return result;
}

Value UnpackedTile::numbers(KernelBuilder &k, Value at) const {
  return k.op<LoadOp>(k.lanes(rows * together), k.kernel.getScratchArg(), at);
}

Value UnpackedTile::scale(KernelBuilder &k, Value place, Value block, Value part, unsigned group) const {
  return numbers(k, at(k, place, block, part, scaleAt(group)));
}

Value UnpackedTile::minimum(KernelBuilder &k, Value place, Value block, Value part, unsigned group) const {
  return numbers(k, at(k, place, block, part, minimumAt(group)));
}
