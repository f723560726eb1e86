//===- StagedTile.h - A row tile's weights, unpacked once for all tokens of a chunk ---===//
#ifndef SINTER_PASSES_KERNELS_STAGEDTILE_H
#define SINTER_PASSES_KERNELS_STAGEDTILE_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Product.h"

namespace sinter {

/// How the activations' starts become those of a format's dots.
struct StartRule {
  /// Of codes; what the activations' starts are made for; by how many bits dots are shifted.
  int64_t offset, unit, shift;
  /// They are crossed: what the activations add to them comes off as well.
  bool crossed;
  bool operator==(const StartRule &other) const {
    return offset == other.offset && unit == other.unit && shift == other.shift && crossed == other.crossed;
  }
  /// With half of what a dot is shifted by.
  mlir::Value apply(KernelBuilder &k, mlir::Value start, mlir::Value crossSum) const;
  /// The same of dots that are not crossed and are shifted by `shifts`.
  mlir::Value applyShifted(KernelBuilder &k, mlir::Value start, mlir::Value shifts) const;
};

/// Where activations' scales are stepped (!tile.acts) they are (4 + m) / 8 * 2^-e times their token's unit. Of a pair's levels w
/// there is a line for each m and two powers, w * (4 + m) / 8 and w * (4 + m) / 128: a product of levels is looked up. By the rest
/// of e dots are shifted on their way to 16 bits: three more bits are lost at most where a scale is down to 2^-7 of the largest,
/// six at 2^-10. A group whose dot would be shifted by more than 16 finds a line of zeros: to dots of the largest it would add
/// less than 1.
struct StepTable {
  static constexpr int64_t kSteps = 1 << tile::ActsType::kStepBits, kLines = 2 * kSteps, kDown = 4;
  static double factor(int64_t line) {
    double step = double(kSteps + line % kSteps) / (2 * kSteps);
    return line < kSteps ? step : step / (1 << kDown);
  }
};

/// The 32 rows of one row tile of a matrix in an integer format, in scratch. Scale groups go in pairs: those of two blocks of
/// 32 columns, or the two of one block. For each pair lines of 32 rows follow one another, 4 bytes a row:
///
///   8 lines of codes a block, a byte each | levels of both scales, 16 bits each, or a StepTable of them
///   | negated minima, f32, a line each
///   | of crossed dots what the rows alone add to both, shifted as they are and negated, modulo 2^16 each
///
/// and behind all pairs the rows' units, f32: a scale is its level times the unit of its row. What a matrix lacks of the last
/// pair is zero.
///
/// Codes c that are crossed (tile.dot) are c - 8: plus an activation of -120 .. 120 that is a signed byte, plus one that is 128
/// above it an unsigned byte. In words 0, 2, 4 they are bytes, those of words 1, 3, 5 are sums of codes times powers of 256, with
/// borrows, so that they are added to an activation's word as a word, which may be read from memory while they are.
class StagedTile {
public:
  /// `offset`: of the scratch, a multiple of 64 bytes.
  StagedTile(const WeightShape &weight, int64_t offset, const Schedule &schedule);

  int64_t bytes() const { return (unitLine() + 1 + blocks * groups()) * kLineBytes; }
  /// Unpacks tile `tile` of `weight`.
  void fill(KernelBuilder &k, mlir::Value weight, mlir::Value tile) const;
  /// What unpacking the next tile will read, asked for `lines` at a time in the last of the steps in which this one is multiplied.
  struct Ahead {
    mlir::Value weight, offset, lines, firstStep;
  };
  Ahead ahead(KernelBuilder &k, mlir::Value weight, mlir::Value tile, mlir::Value steps) const;
  static void prefetch(KernelBuilder &k, const Ahead &ahead, mlir::Value step);

  int64_t pairs() const { return (blocks + blocksPerPair() - 1) / blocksPerPair(); }
  /// Without the last one where half of it is missing.
  int64_t wholePairs() const { return blocks / blocksPerPair(); }
  int64_t blocksPerPair() const { return groups() == 2 ? 1 : 2; }

  /// Rows `part` .. of what a pair has: 8 words of codes of one of its blocks; levels; the negated minimum of one of its groups.
  llvm::SmallVector<mlir::Value> codes(KernelBuilder &k, mlir::Value pair, int64_t block, mlir::Value part,
                                       int64_t rows) const;
  mlir::Value levels(KernelBuilder &k, mlir::Value pair, mlir::Value part, int64_t rows) const;
  /// Of a table, for each token: the lines at byte `low` of it for the first scale, `high` for the second.
  mlir::Value levels(KernelBuilder &k, mlir::Value pair, mlir::Value part, int64_t rows, mlir::Value low, mlir::Value high) const;
  mlir::Value minimum(KernelBuilder &k, mlir::Value pair, int64_t group, mlir::Value part, int64_t rows) const;
  /// What level 1 of both scales and a shifted dot of 1 stand for, a row, with activations of scale 1.
  mlir::Value unit(KernelBuilder &k, mlir::Value part, int64_t rows) const;

  const Format &getFormat() const { return format; }
  /// Codes of 8 bits are unsigned here.
  bool movedUp() const { return unsignedCodes && format.codeBits() == 8; }
  /// Dots are crossed.
  bool crossed() const { return form.crossed; }
  /// Levels are a table.
  bool stepped() const { return form.stepped; }
  /// Minus what the rows add to a pair's crossed dots, for tile.accumulate_levels.
  mlir::Value crossSums(KernelBuilder &k, mlir::Value pair, mlir::Value part, int64_t rows) const;
  /// What a code is above the number that it stands for.
  int64_t codeOffset() const { return movedUp() ? 128 : format.codeOffset; }
  /// By how many bits the dot of a scale group may exceed 16.
  int64_t shift() const;
  /// None where the activations' starts will do, or no dot has one.
  std::optional<StartRule> startRule() const;

  static constexpr int64_t kLineBytes = 4 * kTileRows;

private:
  unsigned groups() const { return scaleGroups(format); }
  int64_t levelsLine() const { return 8 * blocksPerPair(); }
  int64_t minimaLine() const { return levelsLine() + (stepped() ? StepTable::kLines + 1 : 1); }
  int64_t crossSumsLine() const { return minimaLine() + (format.minima ? 2 : 0); }
  int64_t linesPerPair() const { return crossSumsLine() + (crossed() ? 1 : 0); }
  int64_t unitLine() const { return pairs() * linesPerPair(); }
  mlir::Value line(KernelBuilder &k, mlir::Value pair, int64_t number, mlir::Value part) const;
  /// Behind the units: the scales, until all are known.
  mlir::Value scaleLine(KernelBuilder &k, mlir::Value group) const;
  mlir::Value load(KernelBuilder &k, mlir::Value pair, int64_t number, mlir::Value part, mlir::VectorType type) const;
  mlir::Value unpack(KernelBuilder &k, mlir::Value weight, mlir::Value tile, mlir::Value pair, int64_t number,
                     mlir::Value largest) const;
  void makeLevels(KernelBuilder &k, mlir::Value largest) const;
  void makeTable(KernelBuilder &k, mlir::Value inverse) const;

  const Format &format;
  int64_t blocks, offset, tileBytes;
  bool unsignedCodes;
  ActForm form;
};

} // namespace sinter

#endif
