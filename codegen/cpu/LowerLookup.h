//===- LowerLookup.h - tile.lookup on a CPU's byte shuffle -----------------------===//
#ifndef SINTER_CODEGEN_CPU_LOWERLOOKUP_H
#define SINTER_CODEGEN_CPU_LOWERLOOKUP_H

#include "codegen/Targets.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"

namespace sinter::cpu {

/// The value of a lookup in lane form, in the instructions of `variant`.
mlir::Value lowerLookup(mlir::OpBuilder &b, tile::LookupOp lookup, const Variant &variant);

} // namespace sinter::cpu

#endif
