//===- ActLevels.h - Scales of a chunk's activations in 16 bits --------------------===//
#ifndef SINTER_PASSES_KERNELS_ACTLEVELS_H
#define SINTER_PASSES_KERNELS_ACTLEVELS_H

#include "passes/kernels/StagedTile.h"

namespace sinter {

/// In scratch, a row a token: a word for each pair of scale groups that staged weights have (StagedTile.h), the level of the
/// first in its low half; for tiles whose dots start with other numbers than the activations have, those of all groups; and the
/// unit: a scale is its level times the unit of its token. Where levels of the weights are a table (StepTable) the word says at
/// which bytes of it their lines are, and behind it are words with what the groups' dots are shifted by.
class ActLevels {
public:
  /// For tiles like `tile`; `offset`: of the scratch.
  ActLevels(const StagedTile &tile, int64_t offset, int64_t tokens)
      : pairs(tile.pairs()), offset(offset), tokens(tokens), starts(tile.startRule()), stepped(tile.stepped()),
        halves(tile.blocksPerPair() == 1) {}

  int64_t bytes() const { return stride() * tokens; }
  bool fits(const StagedTile &tile) const {
    return pairs == tile.pairs() && starts == tile.startRule() && stepped == tile.stepped() &&
           halves == (tile.blocksPerPair() == 1);
  }
  /// Of all tokens that a tile has.
  void fill(KernelBuilder &k, mlir::Value acts) const;

  /// vector<Tx1xi32>: both levels, or lines, of a pair, of tokens `row` ..
  mlir::Value levels(KernelBuilder &k, mlir::Value row, mlir::Value pair) const;
  /// vector<Tx1xi32>: by how much the dot of a pair's first group is shifted to the right, or that of its second to the left.
  mlir::Value shift(KernelBuilder &k, mlir::Value row, mlir::Value pair, int64_t group) const;
  bool hasStarts() const { return starts.has_value(); }
  /// vector<Tx1xi32>: what the dot of a scale group starts with.
  mlir::Value start(KernelBuilder &k, mlir::Value row, mlir::Value group) const;
  /// vector<Tx1xf32>: what level 1 stands for.
  mlir::Value unit(KernelBuilder &k, mlir::Value row) const;

private:
  /// In words.
  int64_t startsAt() const { return stepped ? 3 * pairs : pairs; }
  int64_t unitAt() const { return startsAt() + (hasStarts() ? 2 * pairs : 0); }
  int64_t stride() const { return llvm::alignTo(4 * (unitAt() + 1), 64); }
  void fillSteps(KernelBuilder &k, mlir::Value acts, mlir::Value token, mlir::Value largest) const;
  mlir::Value rows(KernelBuilder &k) const;
  /// Of rows(), that of a token.
  static mlir::Value rowOf(KernelBuilder &k, mlir::Value token) { return k.sub(token, k.firstToken()); }
  /// At which byte of the scratch it begins.
  mlir::Value placeOf(KernelBuilder &k, mlir::Value token) const { return k.add(k.mul(rowOf(k, token), stride()), offset); }
  mlir::Value word(KernelBuilder &k, mlir::Value row, mlir::Value column) const;

  int64_t pairs, offset, tokens;
  std::optional<StartRule> starts;
  bool stepped;
  /// Both groups of a pair are the weights' alone: they have the same activations' scale.
  bool halves;
};

} // namespace sinter

#endif
