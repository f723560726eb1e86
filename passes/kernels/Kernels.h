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
#include <numeric>
#include <optional>
#include <string>

namespace sinter {

/// Row tiles of the vocabulary that one tile of the score kernel covers.
inline constexpr int64_t kScoreTiles = 8;

/// Positions of the cache that attention takes at a time: two key tiles.
inline constexpr int64_t kAttentionBlock = 64;

/// One token at a time (GEMV), or a chunk (GEMM).
enum class TokenClass { One, Chunk };

struct WeightShape {
  FormatId format;
  int64_t rows, cols;

  int64_t rowTiles() const { return (rows + kTileRows - 1) / kTileRows; }
};

/// A layer's KV cache; element f16, f32 or i8. Written by CacheAppend.cpp, read by AttentionKernel.cpp. Blocks of 64 positions:
///   [block / span][head][block % span]    keys    [position % 64 / 32][element][position % 32]
///                                         values  [position % 64][element, padded to 32]
/// A head's blocks lie together as far as what fetches lines ahead needs that (Zen 4: spans of 8 blocks cost one token's attention
/// 10 %), then come the other heads': so what a sequence fills is whole large pages before its context is full
/// (runtime/host/large_pages.h). The last span has the blocks that are left.
/// Of i8, words of four codes are what a dot product takes: four neighbouring elements of a key, four positions of a value.
/// Values are not padded, and behind a block's codes lie its scales, f32, one for each group of neighbouring elements of a position:
///   keys    [position % 64 / 32][element / 4][position % 32][element % 4]
///   values  [position % 64 / 4][element][position % 4]
///   scales  [group][position % 64]
/// A group is what a row tile of the layer before has of one head, so that a tile writes its scale with its codes; heads of an
/// int8 cache are multiples of 8 (llm.kv_cache), so groups are whole words.
struct CacheShape {
  int64_t heads, headDim, positions;
  mlir::Type element;
  /// In blocks.
  int64_t span = 64;

  bool isInt8() const { return element.isInteger(8); }
  int64_t elementBytes() const { return element.getIntOrFloatBitWidth() / 8; }
  int64_t paddedHeadDim() const { return (headDim + kTileRows - 1) / kTileRows * kTileRows; }
  /// Elements from one position's values to the next one's.
  int64_t valueStride() const { return isInt8() ? headDim : paddedHeadDim(); }
  /// Codes that lie together in a word.
  int64_t wordCodes() const { return isInt8() ? 4 : 1; }
  /// i8: elements under one scale, and groups of a head.
  int64_t scaleGroup() const { return std::gcd(headDim, kTileRows); }
  int64_t scaleGroups() const { return headDim / scaleGroup(); }
  /// Of a head's block, without its scales and with them.
  int64_t codeBytes(bool keys) const { return kAttentionBlock * (keys ? headDim : valueStride()) * elementBytes(); }
  int64_t blockBytes(bool keys) const { return codeBytes(keys) + (isInt8() ? scaleGroups() * kAttentionBlock * 4 : 0); }
  int64_t blocks() const { return (positions + kAttentionBlock - 1) / kAttentionBlock; }
  int64_t bytes(bool keys) const { return blocks() * heads * blockBytes(keys); }
};

enum class OutputKind { Rows, Acts, Keys, Values };

/// What is stored beside codes, scales and starts of int8 rows (!tile.acts): what layers that read them ask for.
struct ActSums {
  /// Half starts: of formats with a scale for each 16.
  bool halves = true;
  /// Totals: of formats with minima.
  bool totals = true;
};

/// What int8 rows are beside their width (!tile.acts).
struct ActForm {
  bool crossed = false, stepped = false;

  tile::ActsType type(mlir::MLIRContext *context, int64_t width) const {
    return tile::ActsType::get(context, width, crossed, stepped);
  }
};

/// In what form a variant with such a schedule wants what such weights read, of a chunk: crossed where it crosses their dots,
/// stepped where it looks up products with their scales. Other weights and variants may read the same rows.
ActForm formFor(const Format &format, const Schedule &schedule);
/// What kernels of such weights read of activations beside codes, scales and starts.
ActSums sumsOf(const Format &format);

/// bindings: weights, x, residuals, biases, rope table, output.
struct LinearSpec {
  llvm::SmallVector<WeightShape> weights;
  bool actsInput;
  /// Of int8 rows that are read or written.
  ActForm inputForm, outputForm;
  ActSums sums;
  unsigned residuals = 0, biases = 0;
  /// Width of the rope table's rows; 0: none.
  int64_t ropeWidth = 0;
  /// The epilogue (llm.linear's region), or null.
  mlir::Region *epilogue = nullptr;
  OutputKind output = OutputKind::Rows;
  CacheShape cache;
  TokenClass tokens;
  /// Rows of x in memory.
  int64_t maxTokens;
  /// Tokens of a tile, a multiple of kTokenPadding; 0: all. The tiles of the first tokens come first.
  int64_t tileTokens = 0;

  int64_t rowTiles() const { return weights.front().rowTiles(); }
};
void buildLinear(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const LinearSpec &spec,
                 const Schedule &schedule);

/// bindings: x, gain, output. Without eps there is no norm and no gain: quantization alone.
struct NormSpec {
  int64_t width;
  std::optional<double> eps;
  bool actsOutput;
  ActForm outputForm = {};
  ActSums sums = {};
};
void buildNorm(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const NormSpec &spec);

/// bindings: token ids, weight, output.
struct EmbedSpec {
  WeightShape weight;
  double scale;
};
void buildEmbed(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const EmbedSpec &spec);

/// bindings: q, keys, values, output or (slice) partials.
struct AttentionSpec {
  int64_t heads;
  CacheShape cache;
  double scale;
  bool actsOutput;
  TokenClass tokens;
  /// Positions of a slice, of one token; 0: one has all of them. A multiple of 64.
  int64_t slice = 0;
  /// Slices of a head. A sequence that would have more has longer ones, of several each: the first one's tile does them all, those of
  /// the others nothing.
  int64_t mostSlices = 64;
  ActForm outputForm = {};
  ActSums sums = {};

  int64_t group() const { return heads / cache.heads; }
  /// Tokens of a tile, the same for all variants of a target: about 64 rows of queries share a block of the cache.
  int64_t tileTokens() const {
    return tokens == TokenClass::One ? 1 : group() <= 2 ? 32 : group() <= 4 ? 16 : 8;
  }
  int64_t rows() const { return tileTokens() * group(); }
  /// Those of the whole context, before there are too many.
  int64_t shortSlices() const { return (cache.positions + slice - 1) / slice; }
  int64_t slices() const { return std::min(shortSlices(), mostSlices); }
  /// Row slice * heads + head: o, padded to 32; max; sum.
  tile::RowsType partialType(mlir::MLIRContext *context) const {
    int64_t width = cache.paddedHeadDim();
    return tile::RowsType::get(context, width + 2, (width + 16) * 4);
  }
  int64_t partialBytes() const { return slices() * heads * (cache.paddedHeadDim() + 16) * 4; }
};
/// Sets slice and mostSlices, for one token.
void sliceAttention(AttentionSpec &spec);
void buildAttention(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const AttentionSpec &spec,
                    const Schedule &schedule);
/// bindings: partials, output. A tile is a head.
void buildAttentionJoin(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const AttentionSpec &spec);

/// bindings: weight, x, targets, partials.
struct ScoreSpec {
  WeightShape weight;
  bool actsInput;
  int64_t maxTokens;
  ActForm inputForm = {};

  int64_t tiles() const { return (weight.rowTiles() + kScoreTiles - 1) / kScoreTiles; }
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
