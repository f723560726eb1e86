//===- Product.h - x · Wᵀ for one row tile: the heart of every linear kernel ---------===//
#ifndef SINTER_PASSES_KERNELS_PRODUCT_H
#define SINTER_PASSES_KERNELS_PRODUCT_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

/// vector<Tx32xf32>: rows 32 * tile .. of `weight` times tokens `row` .. row + T - 1 of `x` (!tile.rows or !tile.acts).
/// T is `block`'s token count; `prefetch` is a distance in bytes, or 0 (blocks that stream only). Uses the kernel's scratch
/// from byte 0 on: at least `productScratch(block)`.
mlir::Value buildProduct(KernelBuilder &k, mlir::Value weight, mlir::Value tile, mlir::Value x, mlir::Value row,
                         const RegisterBlock &block, int64_t prefetch);

inline int64_t productScratch(const RegisterBlock &block) { return 4 * kTileRows * block.tokens; }

} // namespace sinter

#endif
