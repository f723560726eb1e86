//===- Registers.h - Long vectors a register at a time ------------------------------===//
#ifndef SINTER_CODEGEN_CPU_REGISTERS_H
#define SINTER_CODEGEN_CPU_REGISTERS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace sinter::cpu {

/// How far Arm's ldp and stp of 16 bytes reach from their address.
inline constexpr int64_t kPairReach = 1008;

/// Lanes `first` .. first + count - 1 of `v`; `v` itself if that is all of it.
inline mlir::Value lanesOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Value v, int64_t first, int64_t count) {
  if (llvm::cast<mlir::VectorType>(v.getType()).getDimSize(0) == count)
    return v;
  return b.create<mlir::vector::ExtractStridedSliceOp>(loc, v, llvm::ArrayRef<int64_t>{first},
                                                       llvm::ArrayRef<int64_t>{count}, llvm::ArrayRef<int64_t>{1});
}

/// Equally long `parts` one behind the other.
inline mlir::Value joinLanes(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::Value> parts) {
  if (parts.size() == 1)
    return parts.front();
  auto part = llvm::cast<mlir::VectorType>(parts.front().getType());
  int64_t lanes = part.getDimSize(0);
  auto type = mlir::VectorType::get({static_cast<int64_t>(parts.size()) * lanes}, part.getElementType());
  mlir::Value whole = b.create<mlir::arith::ConstantOp>(loc, b.getZeroAttr(type));
  for (auto [i, v] : llvm::enumerate(parts))
    whole = b.create<mlir::vector::InsertStridedSliceOp>(
        loc, v, whole, llvm::ArrayRef<int64_t>{static_cast<int64_t>(i) * lanes}, llvm::ArrayRef<int64_t>{1});
  return whole;
}

/// `v` in a register of this class of LLVM's assembly (r, v, w), behind an empty piece of it: how it is made stays as it is
/// and stays where it is.
inline mlir::Value hideInRegister(mlir::OpBuilder &b, mlir::Location loc, mlir::Value v, llvm::StringRef registers) {
  return b
      .create<mlir::LLVM::InlineAsmOp>(loc, v.getType(), v, "", ("=" + registers + ",0").str(),
                                       /*has_side_effects=*/false, /*is_align_stack=*/false, mlir::LLVM::AsmDialectAttr(),
                                       mlir::ArrayAttr())
      .getRes();
}

} // namespace sinter::cpu

#endif
