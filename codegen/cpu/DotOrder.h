//===- DotOrder.h - Where the operands of dots are made -----------------------------===//
#ifndef SINTER_CODEGEN_CPU_DOTORDER_H
#define SINTER_CODEGEN_CPU_DOTORDER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace sinter::cpu {

/// One instruction of a row of dots: the first op that belongs to it, and what it reads that is made in front of the row.
struct DotStep {
  mlir::Operation *first;
  llvm::SmallVector<mlir::Value> operands;
  /// What the sum starts with.
  mlir::Value init;
};

/// Moves the ops that make the operands of `steps`, which stand in this order in one block, to a few steps in front of where
/// they are read: to `ahead` of them.
void placeOperands(llvm::ArrayRef<DotStep> steps, int64_t ahead);

/// Words of one line after another, in the order of their lines: a line is in a register as long as its words are unpacked.
llvm::SmallVector<size_t> orderByLine(mlir::ValueRange codes);
/// The same for arranged activations: where each word has a line to itself, in the order of !tile.arranged.
llvm::SmallVector<size_t> orderOfWords(mlir::ValueRange codes);

/// Registers for sums that start with the same `init`, where LLVM would copy one when a dot waits for it. Of Arm.
void copyStarts(mlir::OpBuilder &b, mlir::Value init, llvm::MutableArrayRef<mlir::Value> sums);

/// What was made of lanes of a long vector, by the first of them.
using MadeLanes = llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value>;

/// Lanes `first` .. first + count - 1 of `v`, loaded and computed by themselves as far as v is made lane by lane.
mlir::Value makeLanes(mlir::OpBuilder &b, mlir::Value v, int64_t first, int64_t count, MadeLanes &made);

} // namespace sinter::cpu

#endif
