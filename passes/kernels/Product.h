//===- Product.h - x · Wᵀ for one row tile: the heart of every linear kernel ---------===//
#ifndef SINTER_PASSES_KERNELS_PRODUCT_H
#define SINTER_PASSES_KERNELS_PRODUCT_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

class UnpackedTile;

/// The activations of tokens `row` .. row + T - 1 where the dots of `block` read them: `x` itself, or what of it is
/// arranged in scratch for weights of these formats, once for all products of those tokens.
mlir::Value arrangeActivations(KernelBuilder &k, mlir::Value x, mlir::Value row, const RegisterBlock &block,
                               llvm::ArrayRef<WeightShape> weights);

/// vector<Tx32xf32>: rows 32 * tile .. of `weight` times tokens `row` .. row + T - 1 of `x`, as arrangeActivations gives it.
/// T is `block`'s token count; `prefetch` is a distance in bytes, or 0 (blocks that stream only). Uses the kernel's scratch
/// from byte 0 on: `productScratch` bytes.
mlir::Value buildProduct(KernelBuilder &k, mlir::Value weight, mlir::Value tile, mlir::Value x, mlir::Value row,
                         const RegisterBlock &block, int64_t prefetch);

/// The same of all weights and all tiles of a strip, of `places` at most, for one token: a stream of each tile of each weight. The
/// result is what the products lie in, for each weight rows of 32 floats, one a place, from byte 0 of the scratch on.
llvm::SmallVector<mlir::Value> buildStreamedProducts(KernelBuilder &k, mlir::ValueRange weights, mlir::Value x,
                                                     mlir::Value row, const RegisterBlock &block, int64_t prefetch,
                                                     int64_t places);

/// The same into scratch, the product of weight `number` behind those of the weights before. The result is what it lies in:
/// T rows of 32 floats. Of blocks that do not stream. Of a tile that is unpacked, and at `place` of its strip, x is arranged.
mlir::Value buildStoredProduct(KernelBuilder &k, mlir::Value weight, mlir::Value tile, mlir::Value x, mlir::Value row,
                               const RegisterBlock &block, unsigned number, const UnpackedTile *unpacked = nullptr,
                               mlir::Value place = {});

/// Bytes of a product of 32 rows.
int64_t sumBytes(const RegisterBlock &block);
/// Scales that a row has in 32 columns.
inline unsigned scaleGroups(const Format &format) {
  return format.scaleGroup && format.scaleGroup < kActGroup ? kActGroup / format.scaleGroup : 1;
}
/// -offset * sum out of -unit * sum, for all tokens.
mlir::Value offsetStart(KernelBuilder &k, mlir::Value start, int64_t offset, int64_t unit);
/// scale * sum of half a group out of its start, -32 * sum: a power of two, so that nothing more is rounded.
mlir::Value halfTotal(KernelBuilder &k, mlir::Value start, mlir::Value scale);

/// Products of 32 rows, and arranged activations, for these weights.
int64_t productScratch(mlir::MLIRContext *context, const RegisterBlock &block, llvm::ArrayRef<WeightShape> weights);

} // namespace sinter

#endif
