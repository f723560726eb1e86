//===- Backend.h - A kernel as source text ---------------------------------===//
//
// What every back end that prints source gives for a tile.kernel in lane form. Each is one function
//
//   FailureOr<KernelText> printX(tile::KernelOp, const XOptions &)
//
// that emits a diagnostic at the op it has no words for, and never text that computes something
// else.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_BACKEND_H
#define SINTER_CODEGEN_BACKEND_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <string>

namespace sinter {

/// What a kernel does with one of its bindings.
struct BindingAccess {
  bool read = false;
  bool written = false;
};

struct KernelText {
  /// The kernel's symbol; also the name of the C function where the text is C.
  std::string name;
  std::string text;
  /// In the order of the kernel's signature.
  llvm::SmallVector<BindingAccess> bindings;
  /// Scratch bytes that the caller provides; 0 where the text has memory of its own for it.
  int64_t scratchBytes = 0;
};

} // namespace sinter

#endif
