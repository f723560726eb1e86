//===- PrintHVX.h - A tile kernel as C with HVX intrinsics --------------------===//
#ifndef SINTER_CODEGEN_HEXAGON_PRINTHVX_H
#define SINTER_CODEGEN_HEXAGON_PRINTHVX_H

#include "codegen/Backend.h"
#include "dialects/tile/TileDialect.h"

namespace sinter {

/// A kernel in lane form as C for Hexagon v66 with 128-byte HVX: one function
/// `void NAME(const sinter_kernel_args *)` (runtime/include/sinter/kernel_abi.h) that calls nothing
/// outside its text. Compile with `clang --target=hexagon -mv66 -mhvx=v66 -mhvx-length=128B
/// -ffreestanding`.
mlir::FailureOr<KernelText> printHVX(tile::KernelOp kernel);

} // namespace sinter

#endif
