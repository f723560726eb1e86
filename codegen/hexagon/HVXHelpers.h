//===- HVXHelpers.h - C functions that a printed kernel may call --------------===//
//
// Each is written into the text in front of the kernel where the kernel uses it, after those that it uses
// itself; the text therefore needs no library.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_HEXAGON_HVXHELPERS_H
#define SINTER_CODEGEN_HEXAGON_HVXHELPERS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace sinter {

struct HVXHelper {
  llvm::StringLiteral name;
  /// Names of helpers that stand earlier in the list, separated by spaces.
  llvm::StringLiteral needs;
  llvm::StringLiteral text;
};

llvm::ArrayRef<HVXHelper> hvxHelpers();

} // namespace sinter

#endif
