//===- PrintGLSL.h - A tile kernel as a GLSL compute shader ------------------===//
#ifndef SINTER_CODEGEN_SPIRV_PRINTGLSL_H
#define SINTER_CODEGEN_SPIRV_PRINTGLSL_H

#include "codegen/Backend.h"
#include "dialects/tile/TileDialect.h"

namespace sinter {

struct GLSLOptions {
  /// Dots by OpSDot (SPV_KHR_integer_dot_product) where true; by shifts and multiplications, which
  /// every Vulkan device has, where false.
  bool integerDot = false;
};

/// A kernel in lane form as GLSL 4.50 for Vulkan 1.1. One workgroup of 32 invocations computes tile
/// gl_WorkGroupID.x. Descriptor set 0: storage buffer i is binding i of the kernel; the buffer
/// after the last holds `uint tokens, position`, so that recorded commands stay the same from step
/// to step.
mlir::FailureOr<KernelText> printGLSL(tile::KernelOp kernel, const GLSLOptions &options = {});

} // namespace sinter

#endif
