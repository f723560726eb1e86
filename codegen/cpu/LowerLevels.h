//===- LowerLevels.h - tile.accumulate_levels, tile.dot_halves on a CPU -------------------===//
#ifndef SINTER_CODEGEN_CPU_LOWERLEVELS_H
#define SINTER_CODEGEN_CPU_LOWERLEVELS_H

#include "codegen/Targets.h"
#include "dialects/tile/TileDialect.h"

namespace sinter::cpu {

mlir::Value lowerAccumulateLevels(mlir::OpBuilder &b, tile::AccumulateLevelsOp op, const Variant &variant);
mlir::Value lowerAccumulateShifted(mlir::OpBuilder &b, tile::AccumulateShiftedOp op, const Variant &variant);
mlir::Value lowerDotHalves(mlir::OpBuilder &b, tile::DotHalvesOp op, const Variant &variant);

} // namespace sinter::cpu

#endif
