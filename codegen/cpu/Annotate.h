//===- Annotate.h - What a kernel's operands look like in memory, for readers of its code -===//
#ifndef SINTER_CODEGEN_CPU_ANNOTATE_H
#define SINTER_CODEGEN_CPU_ANNOTATE_H

#include "dialects/tile/TileDialect.h"
#include <string>

namespace sinter::cpu {

/// The name of the function attribute, in LLVM IR too, that holds a kernel's contract.
inline constexpr llvm::StringRef kLayoutAttribute = "sinter-layout";

/// The layout contract of a kernel: for each binding of packed weights or activations its streams; parts separated by
/// '|'. Empty if it has no such binding.
std::string describeLayouts(tile::KernelOp kernel);

/// `assembly` with the contracts as comments in front of the kernels' labels. `contracts` are pairs of a function's name
/// and its contract; `comment` is what begins a comment in this assembly.
std::string annotateAssembly(llvm::StringRef assembly,
                             llvm::ArrayRef<std::pair<std::string, std::string>> contracts,
                             llvm::StringRef comment);

} // namespace sinter::cpu

#endif
