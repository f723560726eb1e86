//===- Scalable.h - Vectors of known length in SVE's registers ----------------------===//
//
// Tile programs have vectors of known length, SVE's intrinsics take <vscale x ..>. A kernel is compiled for registers of
// `Variant::vectorBits` at least: a vector of that length is the low lanes of a register, and going over to the scalable
// type and back costs no instruction.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_CPU_SCALABLE_H
#define SINTER_CODEGEN_CPU_SCALABLE_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace sinter::cpu {

/// `fixed` as the low lanes of a register; what is in the others is not known.
inline mlir::Value toScalable(mlir::OpBuilder &b, mlir::Location loc, mlir::Value fixed) {
  mlir::Type element = llvm::cast<mlir::VectorType>(fixed.getType()).getElementType();
  auto whole = mlir::VectorType::get({128 / element.getIntOrFloatBitWidth()}, element, {true});
  return b.create<mlir::vector::ScalableInsertOp>(loc, fixed, b.create<mlir::LLVM::PoisonOp>(loc, whole), 0);
}

/// The low lanes of `scalable`.
inline mlir::Value fromScalable(mlir::OpBuilder &b, mlir::Location loc, mlir::VectorType fixed, mlir::Value scalable) {
  return b.create<mlir::vector::ScalableExtractOp>(loc, fixed, scalable, 0);
}

} // namespace sinter::cpu

#endif
