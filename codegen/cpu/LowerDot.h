//===- LowerDot.h - tile.dot on a CPU's dot instruction -------------------------===//
#ifndef SINTER_CODEGEN_CPU_LOWERDOT_H
#define SINTER_CODEGEN_CPU_LOWERDOT_H

#include "codegen/Targets.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"

namespace sinter::cpu {

/// The value of a dot in lane form, in the instructions of `variant`. Exact for every input that the op allows.
mlir::Value lowerDot(mlir::OpBuilder &b, tile::DotOp dot, const Variant &variant);

} // namespace sinter::cpu

#endif
