//===- LinkBlob.h - An object as position-independent bytes --------------------------===//
#ifndef SINTER_CODEGEN_CPU_LINKBLOB_H
#define SINTER_CODEGEN_CPU_LINKBLOB_H

#include "codegen/cpu/CodeBlob.h"
#include "llvm/Support/Error.h"

namespace sinter::cpu {

/// Links one object with lld: text first, constants behind it, nothing else. Fails on undefined symbols (kernels call
/// nothing), writable data and relocations that are left.
llvm::Expected<CodeBlob> linkBlob(llvm::StringRef object, const Target &target);

} // namespace sinter::cpu

#endif
