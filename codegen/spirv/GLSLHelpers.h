//===- GLSLHelpers.h - GLSL functions that a printed kernel may call --------------===//
//
// Each is written into the shader where its body calls it; the text therefore needs no library.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_SPIRV_GLSLHELPERS_H
#define SINTER_CODEGEN_SPIRV_GLSLHELPERS_H

#include "codegen/TextPrinter.h"
#include "llvm/ADT/ArrayRef.h"

namespace sinter {

/// In the order in which they are printed.
llvm::ArrayRef<TextHelper> glslHelpers();

} // namespace sinter

#endif
