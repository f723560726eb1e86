//===- StagedTile.h - A row tile's weights, unpacked once for all tokens of a chunk ---===//
#ifndef SINTER_PASSES_KERNELS_STAGEDTILE_H
#define SINTER_PASSES_KERNELS_STAGEDTILE_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

/// Scales that a row has in 32 columns.
inline unsigned scaleGroups(const Format &format) {
  return format.scaleGroup && format.scaleGroup < kActGroup ? kActGroup / format.scaleGroup : 1;
}

/// The 32 rows of one row tile of a matrix in an integer format, in scratch. For each 32 columns lines of 32 rows follow one
/// another, 4 bytes a row:
///
///   8 lines of codes, a byte each | scales, f32: 1 line, or 2 of 16 columns each | as many of negated minima, if it has them
class StagedTile {
public:
  /// Whether it pays for a format: not where two codes share a byte and one f16 is a block's scale. Those are unpacked by one
  /// or two operations a word, for which the loop reads half the bytes (Zen 4: Q4_0 4 % slower out of here, Q8_0 the same,
  /// Q4_K 14 % and Q6_K 10 % faster).
  static bool pays(FormatId format);

  /// `offset`: of the scratch, a multiple of 64 bytes. `unsignedCodes`: codes of 8 bits are moved up by 128.
  StagedTile(const WeightShape &weight, int64_t offset, bool unsignedCodes);

  int64_t bytes() const { return blocks * lines() * kLineBytes; }
  /// Unpacks tile `tile` of `weight`.
  void fill(KernelBuilder &k, mlir::Value weight, mlir::Value tile) const;

  /// Rows `part` .. of what 32 columns have: 8 words of codes, scale and negated minimum of a group.
  llvm::SmallVector<mlir::Value> codes(KernelBuilder &k, mlir::Value block, mlir::Value part, int64_t rows) const;
  mlir::Value scale(KernelBuilder &k, mlir::Value block, unsigned group, mlir::Value part, int64_t rows) const;
  mlir::Value minimum(KernelBuilder &k, mlir::Value block, unsigned group, mlir::Value part, int64_t rows) const;
  /// Codes of 8 bits are unsigned here.
  bool movedUp() const { return unsignedCodes && format.codeBits() == 8; }
  /// What a code is above the number that it stands for.
  int64_t codeOffset() const { return movedUp() ? 128 : format.codeOffset; }

private:
  static constexpr int64_t kLineBytes = 4 * kTileRows;
  unsigned groups() const { return scaleGroups(format); }
  int64_t lines() const { return 8 + groups() * (format.minima ? 2 : 1); }
  mlir::Value line(KernelBuilder &k, mlir::Value block, int64_t number, mlir::Value part) const;
  mlir::Value load(KernelBuilder &k, mlir::Value block, int64_t number, mlir::Value part, mlir::VectorType type) const;

  const Format &format;
  int64_t blocks, offset;
  bool unsignedCodes;
};

} // namespace sinter

#endif
