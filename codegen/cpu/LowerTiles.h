//===- LowerTiles.h - The loops over a call's tiles ------------------------------===//
#ifndef SINTER_CODEGEN_CPU_LOWERTILES_H
#define SINTER_CODEGEN_CPU_LOWERTILES_H

#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"

namespace sinter::cpu {

/// Of sinter_kernel_args: the tiles (index), `again` (i32) and the scratch.
struct TileCall {
  mlir::Value begin, end, again, scratch;
};

/// Moves the kernel's body into loops over the call's tiles at the builder's place, and replaces its tile.for_tiles and
/// tile.once. The result is what now holds the body.
mlir::Block *lowerTiles(mlir::OpBuilder &builder, tile::KernelOp kernel, const TileCall &call);

} // namespace sinter::cpu

#endif
