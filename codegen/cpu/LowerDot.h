//===- LowerDot.h - tile.dot on a CPU's dot instruction -------------------------===//
#ifndef SINTER_CODEGEN_CPU_LOWERDOT_H
#define SINTER_CODEGEN_CPU_LOWERDOT_H

#include "codegen/Targets.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"

namespace sinter::cpu {

/// The values of dots in lane form that share their codes, in the instructions of `variant`. Exact for every input that the
/// op allows.
llvm::SmallVector<mlir::Value> lowerDots(mlir::OpBuilder &b, llvm::ArrayRef<tile::DotOp> dots, const Variant &variant);

/// The same of dots of pairs, by smmla.
llvm::SmallVector<mlir::Value> lowerDotPairs(mlir::OpBuilder &b, llvm::ArrayRef<tile::DotPairsOp> dots);

} // namespace sinter::cpu

#endif
