//===- GLSLHelpers.h - GLSL functions that a printed kernel may call --------------===//
//
// Each is written into the shader where its body calls it; the text therefore needs no library.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_SPIRV_GLSLHELPERS_H
#define SINTER_CODEGEN_SPIRV_GLSLHELPERS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace sinter {

struct GLSLHelper {
  llvm::StringRef name;
  /// The whole function, with a line feed at both ends.
  llvm::StringRef text;
};

/// In the order in which they are printed.
llvm::ArrayRef<GLSLHelper> glslHelpers();

} // namespace sinter

#endif
