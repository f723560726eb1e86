//===- ActLevels.h - Scales of a chunk's activations in 16 bits --------------------===//
#ifndef SINTER_PASSES_KERNELS_ACTLEVELS_H
#define SINTER_PASSES_KERNELS_ACTLEVELS_H

#include "passes/kernels/StagedTile.h"

namespace sinter {

/// In scratch, a row a token: a word for each pair of scale groups that staged weights have (StagedTile.h), the level of the
/// first in its low half; for tiles whose dots start with other numbers than the activations have, those of all groups; and the
/// unit: a scale is its level times the unit of its token.
class ActLevels {
public:
  /// For tiles like `tile`; `offset`: of the scratch.
  ActLevels(const StagedTile &tile, int64_t offset, int64_t tokens)
      : pairs(tile.pairs()), offset(offset), tokens(tokens), starts(tile.startRule()) {}

  int64_t bytes() const { return stride() * tokens; }
  bool fits(const StagedTile &tile) const { return pairs == tile.pairs() && starts == tile.startRule(); }
  /// Of all tokens of `acts`.
  void fill(KernelBuilder &k, mlir::Value acts) const;

  /// vector<Tx1xi32>: both levels of a pair, of tokens `row` ..
  mlir::Value levels(KernelBuilder &k, mlir::Value row, mlir::Value pair) const;
  bool hasStarts() const { return starts.has_value(); }
  /// vector<Tx1xi32>: what the dot of a scale group starts with.
  mlir::Value start(KernelBuilder &k, mlir::Value row, mlir::Value group) const;
  /// vector<Tx1xf32>: what level 1 stands for.
  mlir::Value unit(KernelBuilder &k, mlir::Value row) const;

private:
  /// In words.
  int64_t unitAt() const { return hasStarts() ? 3 * pairs : pairs; }
  int64_t stride() const { return llvm::alignTo(4 * (unitAt() + 1), 64); }
  mlir::Value rows(KernelBuilder &k) const;
  mlir::Value word(KernelBuilder &k, mlir::Value row, mlir::Value column) const;

  int64_t pairs, offset, tokens;
  std::optional<StartRule> starts;
};

} // namespace sinter

#endif
