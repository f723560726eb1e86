//===- CompileSPIRV.h - GLSL to SPIR-V, in process ---------------------------===//
#ifndef SINTER_CODEGEN_SPIRV_COMPILESPIRV_H
#define SINTER_CODEGEN_SPIRV_COMPILESPIRV_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace sinter {

/// Compiles a compute shader for Vulkan 1.1 (SPIR-V 1.3), optimizes and validates it. The words are
/// the module; the error is the tool's own text, which names the line of the GLSL. Not thread-safe.
llvm::Expected<std::vector<uint32_t>> compileSPIRV(llvm::StringRef glsl);

} // namespace sinter

#endif
