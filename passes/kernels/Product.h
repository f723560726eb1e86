//===- Product.h - x · Wᵀ for one row tile: the heart of every linear kernel ---------===//
#ifndef SINTER_PASSES_KERNELS_PRODUCT_H
#define SINTER_PASSES_KERNELS_PRODUCT_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

/// vector<Tx32xf32>: rows 32 * tile .. of `weight` times tokens `row` .. row + T - 1 of `x` (!tile.rows or !tile.acts).
/// `partRows` rows are in registers at a time; `prefetch` is a distance in bytes, or 0.
mlir::Value buildProduct(KernelBuilder &k, mlir::Value weight, mlir::Value tile, mlir::Value x, mlir::Value row,
                         int64_t partRows, int64_t prefetch);

} // namespace sinter

#endif
