//===- UnpackedTile.h - A row tile's weights, unpacked for all arranged blocks of a chunk ---===//
#ifndef SINTER_PASSES_KERNELS_UNPACKEDTILE_H
#define SINTER_PASSES_KERNELS_UNPACKEDTILE_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

/// The 32 rows of one row tile of a matrix in an integer format, in scratch, as the dots of an arranged block read them: for every
/// `rows` rows (RegisterBlock) its blocks of 32 columns one after another, and of each
///
///   8 words of codes, 4 bytes a row: in the order 0 4 1 5 2 6 3 7; or, of pairs of tokens, 4 of 8 codes a row: 0 2 1 3
///   | scales, f32, of each scale group | negated minima, f32, of each group
///
/// Scales and minima are once a row, of pairs of tokens twice. So a block is nothing but loads of neighbouring registers, for all
/// formats the same.
class UnpackedTile {
public:
  /// Of a strip, the tile at place 0 begins at byte `offset` of the scratch.
  UnpackedTile(const WeightShape &weight, const RegisterBlock &block, int64_t offset);

  /// Of one tile.
  int64_t bytes() const { return kTileRows / rows * partBytes(); }
  /// Unpacks tile `tile` of `weight`, which is at `place` in its strip.
  void fill(KernelBuilder &k, mlir::Value weight, mlir::Value tile, mlir::Value place) const;

  /// Of block `block` of rows `part` ..: words in their own order, the scale and the negated minimum of a group.
  llvm::SmallVector<mlir::Value> codes(KernelBuilder &k, mlir::Value place, mlir::Value block, mlir::Value part) const;
  mlir::Value scale(KernelBuilder &k, mlir::Value place, mlir::Value block, mlir::Value part, unsigned group) const;
  mlir::Value minimum(KernelBuilder &k, mlir::Value place, mlir::Value block, mlir::Value part, unsigned group) const;

private:
  unsigned groups() const;
  int64_t words() const { return 8 / together; }
  /// Of a word of codes, or of a number, of all rows.
  int64_t lineBytes() const { return 4 * rows * together; }
  int64_t wordAt(int64_t word) const { return tile::ArrangedType::getWordPlace(word, words()) * lineBytes(); }
  int64_t scaleAt(unsigned group) const { return (words() + group) * lineBytes(); }
  int64_t minimumAt(unsigned group) const { return scaleAt(groups() + group); }
  int64_t blockBytes() const;
  int64_t partBytes() const { return blocks * blockBytes(); }
  mlir::Value at(KernelBuilder &k, mlir::Value place, mlir::Value block, mlir::Value part, int64_t bytes) const;
  mlir::Value numbers(KernelBuilder &k, mlir::Value at) const;

  const Format &format;
  int64_t rows, together, blocks, offset;
};

} // namespace sinter

#endif
