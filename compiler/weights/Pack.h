//===- Pack.h - Rows of GGUF blocks to row tiles --------------------------===//
//
// Lossless: every code and scale of the source is in the tile, in another place. The layout is
// written down at the head of Format.h; nothing here knows a format by name.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_WEIGHTS_PACK_H
#define SINTER_COMPILER_WEIGHTS_PACK_H

#include "compiler/weights/Format.h"

namespace sinter {

/// Packs one row tile.
///
/// \param rows  up to 32 pointers to source rows of layout.cols() elements, of any alignment; rows
/// that are missing
///              are zero in the tile.
/// \param tile  layout.tileBytes() bytes, written completely.
void packTile(const PackedLayout &layout, llvm::ArrayRef<const uint8_t *> rows, uint8_t *tile);

} // namespace sinter

#endif
