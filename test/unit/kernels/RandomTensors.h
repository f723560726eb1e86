//===- RandomTensors.h - Weights and activations as kernels read them -------------===//
//
// The same random numbers in three forms: as a GGUF that the reference evaluator reads, packed as
// kernels read them, and as bounds on what rounding can make of them.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_KERNELS_RANDOMTENSORS_H
#define SINTER_TEST_UNIT_KERNELS_RANDOMTENSORS_H

#include "KernelCall.h"
#include "compiler/gguf/Reader.h"
#include "compiler/reference/Array.h"
#include "compiler/weights/Format.h"
#include "passes/kernels/Kernels.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <memory>
#include <random>

namespace sinter::test {

using reference::Array;

/// 2^-24: half a unit in the last place of a float, relative.
inline constexpr double kRounding = 1.0 / (1 << 24);

enum class Codes {
  Random,
  /// Only the lowest and the highest code that the format has, all scales 1 and all minima 0 or 1: every
  /// sum is an integer, which float arithmetic has to give exactly while it stays below 2^24.
  Extreme,
};

/// A weight of a GGUF: source blocks, row by row.
struct Weight {
  Weight(FormatId format, int64_t rows, int64_t cols, unsigned seed, Codes codes = Codes::Random);

  const Format &format;
  int64_t rows, cols;
  Bytes blocks;

  /// What kernels read.
  Bytes packed() const;
  /// |w| of each element; for a format with minima |scale * code| + |minimum| at most, since the
  /// two are added up apart and what cancels has been rounded before.
  std::vector<double> magnitudes() const;
  std::vector<float> values() const;
  /// At least the largest scale of a row.
  double largestScale(int64_t row) const;

private:
  int64_t rowBytes() const { return static_cast<int64_t>(blocks.size()) / rows; }
};

/// A GGUF of tensors, for the evaluator.
class RandomFile {
public:
  void add(llvm::StringRef name, const Weight &weight);
  void add(llvm::StringRef name, llvm::ArrayRef<float> values);
  const gguf::GGUFFile &open();

private:
  void add(llvm::StringRef name, std::vector<uint64_t> dims, gguf::TensorType type,
           llvm::ArrayRef<uint8_t> bytes);

  Bytes infos, data, whole;
  uint64_t count = 0;
  std::unique_ptr<gguf::GGUFFile> file;
};

/// Rows that a buffer has for a step of `tokens` of a program for more than one: register blocks
/// may read what is past the step's own.
int64_t bufferRows(int64_t tokens);

/// Uniform in [-1, 1), exact in f16.
std::vector<float> randomFloats(size_t count, unsigned seed);

/// A buffer of `rows` float rows, each padded with zeros to 32; those past the tokens hold NaN.
struct FloatRows {
  FloatRows(int64_t tokens, int64_t rows, int64_t width, unsigned seed);

  Array values;
  Bytes bytes;
};

/// A buffer of `rows` int8 rows with their scales and sums; those past the tokens hold anything.
struct ActRows {
  ActRows(int64_t tokens, int64_t rows, int64_t width, unsigned seed, Codes codes = Codes::Random, ActForm form = {});

  /// Codes times scales.
  Array values;
  Bytes bytes;
};

/// From one row of `!tile.rows<width>` to the next.
int64_t floatRowBytes(int64_t width);
/// Where keys, or values, of a KV cache are, in elements; scales of int8 in bytes. Blocks of 64 positions of keys
/// [position % 64 / 32][element][position % 32] or values [position % 64][element, padded to 32]; of int8 words of four elements, or of
/// four positions, unpadded, and scales [group][position % 64] behind them. Two blocks of each head lie together, or as many as are
/// left.
struct CachePlaces {
  int64_t heads, dim, positions;
  bool int8, keys;

  int64_t group() const { return std::gcd(dim, int64_t(32)); }
  int64_t element(int64_t head, int64_t position, int64_t i) const;
  int64_t scale(int64_t head, int64_t position, int64_t group) const;

private:
  int64_t stride() const { return keys || int8 ? dim : (dim + 31) / 32 * 32; }
  int64_t block(int64_t head, int64_t position) const;
};
int64_t actRowBytes(int64_t width, ActForm form = {});

/// Bytes that say whether anybody wrote.
Bytes untouched(size_t size);
bool isUntouched(llvm::ArrayRef<uint8_t> bytes);

float floatAt(const Bytes &bytes, int64_t offset);

/// Expects rows of floats within `bound(token, column)` of `expected`, zero padding, and rows past
/// the tokens untouched.
void expectFloatRows(const Bytes &found, const Array &expected,
                     llvm::function_ref<double(int64_t, int64_t)> bound);

/// Expects int8 rows: `expected` before it is rounded. Scales are max|x| / 127 (crossed: / 120; stepped: the next of those)
/// within `bound`, codes are a nearest integer (half a step, and what `bound` moves the element), sums are exact.
void expectActRows(const Bytes &found, const Array &expected,
                   llvm::function_ref<double(int64_t, int64_t)> bound, ActForm form = {});

} // namespace sinter::test

#endif
