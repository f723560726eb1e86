//===- LowerKernel.h - A kernel in lane form as a function of the ABI ------------===//
#ifndef SINTER_CODEGEN_CPU_LOWERKERNEL_H
#define SINTER_CODEGEN_CPU_LOWERKERNEL_H

#include "codegen/Targets.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace sinter::cpu {

/// Replaces the kernel (lane form) by a func.func of the same name that takes sinter_kernel_args and loops over its
/// tiles; what is left are upstream dialects on the way to LLVM.
mlir::LogicalResult lowerKernel(tile::KernelOp kernel, const Variant &variant);

/// A pass around lowerKernel, for all kernels of a module.
std::unique_ptr<mlir::Pass> createLowerKernelsPass(const Variant &variant);

/// A pass for targets that shift bytes: shifts of words by fewer than 8 bits, masked, become those.
std::unique_ptr<mlir::Pass> createNarrowShiftsPass();

/// A pass for SVE: masks of words that are read again are held in registers.
std::unique_ptr<mlir::Pass> createHoldMasksPass(const Variant &variant);

/// A pass for long registers: short inner loops take two blocks of columns an iteration.
std::unique_ptr<mlir::Pass> createPairBlocksPass();

/// A pass for SVE: integers and halves become floats in the register where they are.
std::unique_ptr<mlir::Pass> createInPlaceConversionsPass(const Variant &variant);

/// A pass for all: what would be a call of the math library becomes a polynomial.
std::unique_ptr<mlir::Pass> createApproximateMathPass();

/// A pass for Zen 4: numbers that multiply several registers are memory operands.
std::unique_ptr<mlir::Pass> createFoldBroadcastsPass();

/// Makes the passes on upstream's dialects known to sinter-opt.
void registerPasses();
void registerApproximateMathPass();
void registerFoldBroadcastsPass();
void registerHoldMasksPass();
void registerInPlaceConversionsPass();
void registerNarrowShiftsPass();
void registerPairBlocksPass();

/// Adds all that takes a module of kernels (structured form) to the LLVM dialect.
void addPasses(mlir::OpPassManager &pm, const Variant &variant);

} // namespace sinter::cpu

#endif
