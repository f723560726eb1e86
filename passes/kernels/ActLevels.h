//===- ActLevels.h - Scales of a chunk's activations in 16 bits --------------------===//
#ifndef SINTER_PASSES_KERNELS_ACTLEVELS_H
#define SINTER_PASSES_KERNELS_ACTLEVELS_H

#include "passes/kernels/StagedTile.h"

namespace sinter {

/// In scratch, a row a token: a word for each pair of scale groups that staged weights have (StagedTile.h), the level of the
/// first in its low half, and behind them the unit: a scale is its level times the unit of its token.
class ActLevels {
public:
  /// For rows of as many pairs; `offset`: of the scratch.
  ActLevels(int64_t pairs, int64_t offset, int64_t tokens) : pairs(pairs), offset(offset), tokens(tokens) {}

  int64_t bytes() const { return stride() * tokens; }
  bool fits(const StagedTile &tile) const { return pairs == tile.pairs(); }
  /// Of all tokens of `acts`.
  void fill(KernelBuilder &k, mlir::Value acts) const;

  /// vector<Tx1xi32>: both levels of a pair, of tokens `row` ..
  mlir::Value levels(KernelBuilder &k, mlir::Value row, mlir::Value pair) const;
  /// vector<Tx1xf32>: what level 1 stands for.
  mlir::Value unit(KernelBuilder &k, mlir::Value row) const;

private:
  int64_t stride() const { return llvm::alignTo(4 * (pairs + 1), 64); }
  mlir::Value rows(KernelBuilder &k) const;

  int64_t pairs, offset, tokens;
};

} // namespace sinter

#endif
