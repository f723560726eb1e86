//===- StagedProduct.h - x · Wᵀ of staged weights ----------------------------------===//
#ifndef SINTER_PASSES_KERNELS_STAGEDPRODUCT_H
#define SINTER_PASSES_KERNELS_STAGEDPRODUCT_H

#include "passes/kernels/ActLevels.h"

namespace sinter {

/// As buildStoredProduct (Product.h), of a row tile that is staged and activations whose levels are known.
/// With them goes what is asked for `ahead`.
mlir::Value buildStagedProduct(KernelBuilder &k, const StagedTile &tile, mlir::Value x, const ActLevels &levels,
                               mlir::Value row, const RegisterBlock &block, unsigned number,
                               const StagedTile::Ahead &ahead);
/// Steps of one product.
int64_t stagedSteps(const StagedTile &tile, const RegisterBlock &block);

} // namespace sinter

#endif
