//===- HVXHelpers.h - C functions that a printed kernel may call --------------===//
//
// Each is written into the text, in front of the kernel, where the kernel calls it; the text
// therefore needs no library.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_HEXAGON_HVXHELPERS_H
#define SINTER_CODEGEN_HEXAGON_HVXHELPERS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace sinter {

struct HVXHelper {
  llvm::StringLiteral name;
  /// The whole function, with a line feed at its end.
  llvm::StringLiteral text;
};

/// Each stands behind those that it calls.
llvm::ArrayRef<HVXHelper> hvxHelpers();

} // namespace sinter

#endif
