//===- ExecDialect.h - What the device runs -------------------------------===//
//
// Buffers, programs and the memory plan; README.md says why they are as they are.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_DIALECTS_EXEC_EXECDIALECT_H
#define SINTER_DIALECTS_EXEC_EXECDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"

#include "dialects/exec/ExecDialect.h.inc"
#include "dialects/exec/ExecEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/exec/ExecAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/exec/ExecOps.h.inc"

namespace sinter::exec {

/// Alignment of a constant in the weights segment, and of its offset in exec.buffer.
inline constexpr int64_t kConstantAlignment = 256;

/// Vectors are padded with zeros to a multiple of this many elements.
inline constexpr int64_t kVectorPadding = 32;

/// Bytes of a constant of this type: !llm.packed as its layout says, tensor<NxF32> padded to 32 elements,
/// tensor<RxCxf32> row by row, padded to 64 bytes at the end. Nothing for other types.
std::optional<int64_t> getConstantBytes(mlir::Type type);

/// Bytes of the step's scalars: tokens, position, tokens - 1, 0; each u32.
inline constexpr int64_t kStepBytes = 16;
/// Number of the scalar `tokens - 1` in them: the last token's row.
inline constexpr int64_t kStepLastToken = 2;

/// Attributes of a kernel in a variant's module that is no tile.kernel any more: how many bindings it takes, and how many
/// bytes of scratch a worker needs.
inline constexpr llvm::StringLiteral kKernelBindings = "exec.bindings";
inline constexpr llvm::StringLiteral kKernelScratch = "exec.scratch_bytes";

/// What a dispatch and the plan need to know of a kernel: a tile.kernel says it itself, any other op (a function that was
/// made of one) by the two attributes.
struct KernelFacts {
  std::optional<int64_t> bindings;
  int64_t scratchBytes = 0;
};
KernelFacts getKernelFacts(mlir::Operation *kernel);

/// The target's module that `op` is in: the nearest module with the attribute exec.target, otherwise the nearest module.
mlir::ModuleOp getTargetModule(mlir::Operation *op);

/// The modules of the variants that are nested in a target's module, in order.
llvm::SmallVector<mlir::ModuleOp> getVariantModules(mlir::ModuleOp target);

/// The target's modules in the top-level module (or the module itself if it holds programs directly).
llvm::SmallVector<mlir::ModuleOp> getTargetModules(mlir::ModuleOp top);

/// A binding's indirection by the last token of the step.
IndirectAttr lastTokenOf(mlir::MLIRContext *context, llvm::StringRef stepBuffer, int64_t stride, int64_t limit);

} // namespace sinter::exec

#endif
