//===- Dequantize.h - Reference values of quantized rows ------------------===//
//
// What a row of blocks means, as floats: one plain loop a format, the layout in words above it.
// This is the reference that packing, kernels and the evaluator are tested against, so it is
// written to be read, and computes in the order that ggml documents (float arithmetic, no fused
// multiply-add), which makes it equal to it in every bit.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_COMPILER_GGUF_DEQUANTIZE_H
#define SINTER_COMPILER_GGUF_DEQUANTIZE_H

#include "compiler/gguf/Types.h"

#include <cstdint>

namespace sinter::gguf {

/// True if dequantizeRow knows the type.
bool isComputable(TensorType type);

/// Writes the `elements` values of the row at `blocks` (of any alignment) to `out`. `elements` is a
/// multiple of blockElements(type), `type` is computable.
void dequantizeRow(TensorType type, const void *blocks, int64_t elements, float *out);

/// IEEE half precision to float, exact; NaN payloads are kept.
float halfToFloat(uint16_t bits);

/// bfloat16 to float, exact.
float bfloat16ToFloat(uint16_t bits);

} // namespace sinter::gguf

#endif // SINTER_COMPILER_GGUF_DEQUANTIZE_H
