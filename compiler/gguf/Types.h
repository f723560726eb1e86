//===- Types.h - The tensor types a GGUF can hold -------------------------===//
//
// Every tensor type of ggml by id, name and block geometry. A tensor is stored row by row, a row is
// a whole number of blocks, a block is `blockElements` weights in `blockBytes` bytes. Knowing a
// type here means that a file that holds it can be read, sized and named in a message; whether its
// values can be computed is `isComputable` (Dequantize.h).
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_COMPILER_GGUF_TYPES_H
#define SINTER_COMPILER_GGUF_TYPES_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sinter::gguf {

/// The values are the ids in the file. The gaps (4, 5, 31-33, 36-38) are types that ggml has
/// withdrawn.
enum class TensorType : uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q8_1 = 9,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  Q8_K = 15,
  IQ2_XXS = 16,
  IQ2_XS = 17,
  IQ3_XXS = 18,
  IQ1_S = 19,
  IQ4_NL = 20,
  IQ3_S = 21,
  IQ2_S = 22,
  IQ4_XS = 23,
  I8 = 24,
  I16 = 25,
  I32 = 26,
  I64 = 27,
  F64 = 28,
  IQ1_M = 29,
  BF16 = 30,
  TQ1_0 = 34,
  TQ2_0 = 35,
  MXFP4 = 39,
  NVFP4 = 40,
  Q1_0 = 41,
  Q2_0 = 42,
};

/// The type with this id in a file; nothing if the id is unknown or withdrawn.
std::optional<TensorType> tensorTypeFromId(uint32_t id);

/// The type with this lower-case name ("q4_k"); nothing if there is none.
std::optional<TensorType> tensorTypeFromName(llvm::StringRef name);

/// The name that ggml once gave to a withdrawn id ("q4_2"), empty for every other id.
llvm::StringRef withdrawnTypeName(uint32_t id);

/// Lower-case name as ggml prints it: "q4_0", "q4_k", "bf16".
llvm::StringRef tensorTypeName(TensorType type);

/// Weights in a block: 1 for plain numbers, 32 to 256 for quantized types.
int64_t blockElements(TensorType type);

/// Bytes of a block.
int64_t blockBytes(TensorType type);

/// Bytes of a row of `elements` weights, a multiple of blockElements(type).
inline int64_t rowBytes(TensorType type, int64_t elements) {
  return elements / blockElements(type) * blockBytes(type);
}

} // namespace sinter::gguf

#endif // SINTER_COMPILER_GGUF_TYPES_H
