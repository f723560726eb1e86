//===- ActReaders.h - What layers want of the int8 rows that they read ----------------===//
#ifndef SINTER_PASSES_ACTREADERS_H
#define SINTER_PASSES_ACTREADERS_H

#include "mlir/IR/BuiltinOps.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

/// The form in which the layers that read `rows` (!llm.acts) want them of a chunk, on any of the variants.
ActForm formForReaders(mlir::Value rows, llvm::ArrayRef<std::pair<const Variant *, mlir::ModuleOp>> variants);
/// What they read of them beside codes, scales and starts; of rows that are no int8, or that others than layers read, everything.
ActSums sumsForReaders(mlir::Value rows);

} // namespace sinter

#endif
