//===- CacheAppend.h - Rows of keys or values into a KV cache ------------------------===//
#ifndef SINTER_PASSES_KERNELS_CACHEAPPEND_H
#define SINTER_PASSES_KERNELS_CACHEAPPEND_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

/// Appends a register block, vector<Tx32xf32>: rows 32 * tile .. of `rows` (heads x elements) for tokens `row` .. of the
/// step, those past the last token left out. `out` is the cache's keys or its values (CacheShape has the layout). The block
/// may go through the scratch, 128 bytes a token from byte 0 on.
void buildAppend(KernelBuilder &k, mlir::Value block, mlir::Value row, int64_t rows, const CacheShape &cache, bool keys,
                 mlir::Value out);

/// Where the block of a head is that has a position, in bytes.
mlir::Value cacheBlockOffset(KernelBuilder &k, const CacheShape &cache, bool keys, mlir::Value head, mlir::Value position);

/// Where an int8 cache has the scale of a group of a head at a position, in bytes; those of a block's positions lie side by side.
mlir::Value cacheScaleOffset(KernelBuilder &k, const CacheShape &cache, bool keys, mlir::Value head, mlir::Value group,
                             mlir::Value position);

} // namespace sinter

#endif
