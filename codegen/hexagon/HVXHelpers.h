//===- HVXHelpers.h - C functions that a printed kernel may call --------------===//
//
// Each is written into the text, in front of the kernel, where the kernel calls it; the text
// therefore needs no library.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_HEXAGON_HVXHELPERS_H
#define SINTER_CODEGEN_HEXAGON_HVXHELPERS_H

#include "codegen/TextPrinter.h"
#include "llvm/ADT/ArrayRef.h"

namespace sinter {

/// Each stands behind those that it calls.
llvm::ArrayRef<TextHelper> hvxHelpers();

} // namespace sinter

#endif
