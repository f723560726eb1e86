//===- Kernels.h - The kinds of kernels -------------------------------------------------===//
//
// A spec says what a kernel computes, without IR of the model: two ops with equal specs share a kernel. `key` is all of
// it as text; the kernel's name is its readable part. Bindings are in the order that each spec names.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_KERNELS_KERNELS_H
#define SINTER_PASSES_KERNELS_KERNELS_H

#include "codegen/Targets.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"
#include <optional>
#include <string>

namespace sinter {

/// Tokens that one tile of a chunk's attention covers: the same for all variants of a target.
inline constexpr int64_t kAttentionTokens = 8;
/// Row tiles of the vocabulary that one tile of the score kernel covers.
inline constexpr int64_t kScoreTiles = 8;

/// One token at a time (GEMV), or a chunk (GEMM).
enum class TokenClass { One, Chunk };

struct WeightShape {
  FormatId format;
  int64_t rows, cols;
};

/// A layer's KV cache; element f16 or f32.
struct CacheShape {
  int64_t heads, headDim, positions;
  mlir::Type element;

  int64_t elementBytes() const { return element.getIntOrFloatBitWidth() / 8; }
  int64_t paddedPositions() const { return (positions + kTileRows - 1) / kTileRows * kTileRows; }
  int64_t paddedHeadDim() const { return (headDim + kTileRows - 1) / kTileRows * kTileRows; }
  int64_t keyBytes() const { return heads * paddedPositions() * headDim * elementBytes(); }
  int64_t valueBytes() const { return heads * paddedPositions() * paddedHeadDim() * elementBytes(); }
};

enum class OutputKind { Rows, Acts, Keys, Values };

/// bindings: weights, x, residuals, biases, rope table, output.
struct LinearSpec {
  llvm::SmallVector<WeightShape> weights;
  bool actsInput;
  unsigned residuals = 0, biases = 0;
  /// Width of the rope table's rows; 0: none.
  int64_t ropeWidth = 0;
  /// The epilogue (llm.linear's region), or null.
  mlir::Region *epilogue = nullptr;
  OutputKind output = OutputKind::Rows;
  CacheShape cache;
  TokenClass tokens;
};
void buildLinear(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const LinearSpec &spec,
                 const Schedule &schedule);

/// bindings: x, gain, output. Without eps there is no norm and no gain: quantization alone.
struct NormSpec {
  int64_t width;
  std::optional<double> eps;
  bool actsOutput;
};
void buildNorm(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const NormSpec &spec);

/// bindings: token ids, weight, output.
struct EmbedSpec {
  WeightShape weight;
  double scale;
};
void buildEmbed(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const EmbedSpec &spec);

/// bindings: q, keys, values, output.
struct AttentionSpec {
  int64_t heads;
  CacheShape cache;
  double scale;
  bool actsOutput;
  TokenClass tokens;
};
void buildAttention(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const AttentionSpec &spec,
                    const Schedule &schedule);

/// bindings: weight, x, targets, partials.
struct ScoreSpec {
  WeightShape weight;
  bool actsInput;
  int64_t maxTokens;

  int64_t tiles() const {
    int64_t rowTiles = (weight.rows + kTileRows - 1) / kTileRows;
    return (rowTiles + kScoreTiles - 1) / kScoreTiles;
  }
  /// Maximum, sum, target's logit and a spare, for each tile and token.
  int64_t partialBytes() const { return tiles() * maxTokens * 16; }
};
void buildScore(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const ScoreSpec &spec,
                const Schedule &schedule);
/// bindings: partials, targets, scores.
void buildScoreJoin(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const ScoreSpec &spec);

/// Element-wise on rows, for what no epilogue took. bindings: inputs, output; a bias is the same row for every token.
struct ElementwiseSpec {
  int64_t width;
  unsigned inputs;
  bool bias = false;
  /// Computes a block from the inputs' blocks.
  std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> compute;
};
void buildElementwise(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const ElementwiseSpec &spec);

} // namespace sinter

#endif
