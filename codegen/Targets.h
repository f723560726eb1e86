//===- Targets.h - What Sinter compiles for, and how kernels are cut for it ---===//
//
// The only table of targets. A target has variants: instruction set levels that share weights, programs and
// memory plan, best first. A variant's schedule says how large its register tiles are; nothing else in the
// compiler knows.
//
// Adding one: a row in Targets.cpp; a new instruction for tile.dot also a case in codegen/cpu/LowerDot.cpp.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_TARGETS_H
#define SINTER_CODEGEN_TARGETS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace sinter {

/// How a target multiplies four neighbouring bytes a lane.
enum class DotKind {
  vpdpbusd, ///< unsigned weights x signed activations (AVX-512-VNNI, AVX-VNNI)
  pmaddubsw, ///< AVX2: exact only where no pair of products passes 16 bits
  sdot,      ///< Arm's dot product, signed x signed: NEON's, or SVE's where registers have more than 128 bits
  smull,     ///< NEON base: widening multiplies
};

/// Where the int8 activations of a register block lie when its dots read them.
enum class Arrangement {
  rows,   ///< in their rows
  tokens, ///< copied to scratch, once for a strip of tiles: group after group, in each one word after the other of all
          ///< tokens, so that they have one address and loads share its displacements (!tile.arranged)
  pairs,  ///< the same with two tokens interleaved by 8 codes: the operand of an instruction that multiplies two rows
          ///< by two tokens (smmla)
};

/// The sums of register blocks of more tokens that are not arranged leave no registers for all of a block's codes: dots go
/// `in_turn`, and a loop steps by single blocks, which are much code (passes/kernels/Product.cpp).
inline constexpr int64_t kFewTokens = 8;

/// What of a linear layer is in registers at a time.
struct RegisterBlock {
  unsigned tokens;
  /// Rows that share unpacked codes; they divide 32.
  unsigned rows;
  /// For few tokens, where reading the weights is what takes the time: all 32 rows of a tile in one pass over the
  /// columns, so that each line is read once; sums of 32 x tokens are in registers (of K-quants with fewer `superRows`, in
  /// scratch). Blocks of 32 rows read lines in order, which hardware fetches ahead: on Zen 4 a quarter more tokens a second
  /// of Q8_0, a third of K-quants, than two passes of 16, which take every other line. Otherwise a pass for every `rows`
  /// rows, whose weights are unpacked once for all tokens of the block.
  bool streams;
  /// Of integer formats. Blocks that do not stream, and so read their activations again for every `rows` rows, may
  /// arrange them first; float formats have no use for such a block.
  Arrangement arrangement = Arrangement::rows;
  /// Rows of a K-quant's super-block that are gone through together; 0: `rows`. Fewer are less code.
  unsigned superRows = 0;
  /// Of a block that does not stream, steps over the columns that a loop takes together: a core that runs instructions in order
  /// does not begin the next one early.
  unsigned steps = 1;
};

/// A chunk of fewer tokens is not worth unpacking a tile's weights for.
inline constexpr int64_t kStagedTokens = 24;

/// Register tiles and distances.
struct Schedule {
  /// Blocks of linear layers, fewest tokens first: the first is for one token, the last for a chunk, those between for
  /// short chunks and for what is left of one.
  llvm::ArrayRef<RegisterBlock> linear;
  /// Attention's register block: query rows (tokens x heads of a group), and positions or elements of a head.
  unsigned attentionRows;
  unsigned attentionLanes;
  /// How far ahead a block that streams prefetches, in bytes; 0: not at all, and scales are read where they are used
  /// (passes/kernels/Product.cpp).
  unsigned prefetchBytes;
  /// For one token, of row tiles as far apart as a call's tiles go: how many bytes of super-blocks, one of each tile, are read in
  /// turn (passes/kernels/Product.cpp), two at least; 0: tile after tile.
  unsigned streamBytes = 0;
  /// Weights of the tiles that share arranged activations: they come once for each block of tokens, out of the second
  /// cache.
  unsigned stripBytes = 0;
  /// Of integer formats and a chunk of kStagedTokens at least: a row tile's weights are unpacked into scratch once
  /// (passes/kernels/StagedTile.h), and this block reads them there, with scales in 16 bits (StagedProduct.cpp). No tokens: not
  /// on this target.
  RegisterBlock staged = {0, 0, false};
  /// The same for arranged activations: a strip's weights are unpacked once (passes/kernels/UnpackedTile.h), and this block reads
  /// them there.
  RegisterBlock unpacked = {0, 0, false};
  /// Unpacked codes of 8 bits are unsigned: what the target's instruction takes them for.
  bool unsignedCodes = false;
  /// Attention of a chunk multiplies integers of 16 bits, two a lane, instead of floats (passes/kernels/AttentionHalves.cpp).
  bool attentionHalves = false;
  /// Staged dots of codes of 4 bits are crossed (tile.dot): for cores that add bytes beside their multiplications. What such
  /// weights read has smaller codes then, on all variants of a bundle (!tile.acts<.., crossed>).
  bool crossedDots = false;
  /// Staged products look up what weights' scales times activations' scales are (passes/kernels/StagedTile.h), of dots that are not
  /// crossed: one multiplication less for two groups. Activations' scales are rounded up for it (!tile.acts<.., stepped>).
  bool steppedScales = false;

  const RegisterBlock &gemv() const { return linear.front(); }
  /// Blocks for weights of integer formats, or of float formats, which have no arranged ones. Of two blocks for as many
  /// tokens the arranged one is for integers.
  llvm::SmallVector<RegisterBlock> blocks(bool integers) const {
    llvm::SmallVector<RegisterBlock> chosen;
    for (const RegisterBlock &block : linear) {
      if (!integers && block.arrangement != Arrangement::rows)
        continue;
      if (!chosen.empty() && chosen.back().tokens == block.tokens)
        chosen.pop_back();
      chosen.push_back(block);
    }
    return chosen;
  }
};

/// Who says in which order instructions stand.
enum class Ordering {
  llvm,
  /// The tile program until registers are given out, then LLVM: its first order hides latency with more registers than a
  /// block leaves free, and spills.
  registers,
  /// The tile program: LowerDot.cpp has placed what dots need, and ScheduleLoops.cpp has moved what an in-order core would wait
  /// for.
  program,
};

struct Variant {
  llvm::StringRef name;
  /// Names of runtime/host/cpu_features that a CPU needs; empty: every CPU of the architecture.
  llvm::ArrayRef<llvm::StringRef> features;
  /// The same for LLVM ("+avx2,+fma").
  llvm::StringRef llvmFeatures;
  unsigned vectorBits;
  DotKind dot;
  Schedule schedule;
  /// The CPU whose pipelines LLVM orders instructions for; empty: its default.
  llvm::StringRef tune = {};
  Ordering ordering = Ordering::llvm;
  /// A number that multiplies several registers is better loaded for each than held in one (codegen/cpu/FoldBroadcasts.cpp).
  bool memoryFactors = false;

  /// Vectors are those of SVE.
  bool isScalable() const { return dot == DotKind::sdot && vectorBits > 128; }
};

struct Target {
  llvm::StringRef name;
  llvm::StringRef triple;
  llvm::StringRef cpu;
  /// Code that needs no particular load address (TOOLCHAIN: ADRP of the small model does).
  bool tinyCodeModel;
  llvm::ArrayRef<Variant> variants;

  const Variant *findVariant(llvm::StringRef name) const;
};

/// A CPU or board by name: the variants of a target that it runs, best first. A bundle for it holds no others.
struct Preset {
  llvm::StringRef name;
  llvm::StringRef target;
  llvm::ArrayRef<llvm::StringRef> variants;
};
llvm::ArrayRef<Preset> allPresets();

/// What --list-targets says.
void printTargets(llvm::raw_ostream &out);

/// All targets, in the order of --list-targets.
llvm::ArrayRef<Target> allTargets();
const Target *findTarget(llvm::StringRef name);

/// Register blocks have at most this many tokens; buffers of rows are padded to a multiple of it, and blocks must not read
/// behind that (LinearKernel.cpp).
inline constexpr int64_t kTokenPadding = 16;

/// What --target= says: a target and the variants to put into the bundle, best first.
struct TargetChoice {
  const Target *target;
  llvm::SmallVector<const Variant *> variants;
};

/// `host` (the architecture of this machine, the best variant that it runs), `x86-64` or `aarch64` (all variants), a
/// preset, or `NAME:variant,variant`. The error names what is unknown and what is known.
llvm::Expected<TargetChoice> parseTarget(llvm::StringRef text);

} // namespace sinter

#endif
