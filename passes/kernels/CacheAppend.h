//===- CacheAppend.h - Rows of keys or values into a KV cache ------------------------===//
#ifndef SINTER_PASSES_KERNELS_CACHEAPPEND_H
#define SINTER_PASSES_KERNELS_CACHEAPPEND_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

/// Appends a register block, vector<Tx32xf32>: rows 32 * tile .. of `rows` (heads x elements) for tokens `row` .. of the
/// step, those past the last token left out. `out` is the cache's keys or its values (CacheShape has the layout).
void buildAppend(KernelBuilder &k, mlir::Value block, mlir::Value row, int64_t rows, const CacheShape &cache, bool keys,
                 mlir::Value out);

} // namespace sinter

#endif
