//===- EmitText.h - Kernels as text or object -----------------------------===//
#ifndef SINTER_COMPILER_DRIVER_EMITTEXT_H
#define SINTER_COMPILER_DRIVER_EMITTEXT_H

#include "codegen/Targets.h"
#include "compiler/driver/Options.h"
#include "mlir/IR/BuiltinOps.h"

namespace sinter {

/// The target and the variants that a target's module was made for, from its attribute exec.target.
mlir::FailureOr<TargetChoice> chosenTarget(mlir::ModuleOp target);

/// The kernels of all variants as LLVM IR, assembly, an object (of one variant), GLSL or C with HVX
/// intrinsics. The last two are the same for all variants of a target; a kernel that they have no
/// words for is named in a comment.
mlir::FailureOr<std::string> kernelText(mlir::ModuleOp top, Emit kind);

} // namespace sinter

#endif
