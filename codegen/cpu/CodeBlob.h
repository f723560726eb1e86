//===- CodeBlob.h - Kernels as position-independent text ---------------------------===//
#ifndef SINTER_CODEGEN_CPU_CODEBLOB_H
#define SINTER_CODEGEN_CPU_CODEBLOB_H

#include "codegen/Targets.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace sinter::cpu {

/// What the pipeline prints on its way.
enum class EmitKind { LLVM, Assembly, Object };

/// The code of one variant: bytes that run wherever they are mapped (64-byte aligned), without relocations, imports
/// or writable data.
struct CodeBlob {
  std::vector<uint8_t> bytes;
  /// Offset of each kernel's first instruction.
  llvm::StringMap<uint64_t> entries;
};

/// Lowers the kernels of `module` (structured tile programs; the module is left alone) for `variant` and links them.
/// Errors are emitted as diagnostics: a kernel that calls a function or has writable data is refused by name.
mlir::FailureOr<CodeBlob> compileKernels(mlir::ModuleOp module, const Target &target, const Variant &variant);

/// Writes LLVM IR, assembly or the object instead.
mlir::LogicalResult emitKernels(mlir::ModuleOp module, const Target &target, const Variant &variant, EmitKind kind,
                                llvm::raw_pwrite_stream &out);

} // namespace sinter::cpu

#endif
