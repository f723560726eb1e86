//===- CpuRunner.h - Runs a kernel as machine code of this host -------------------===//
#ifndef SINTER_TEST_UNIT_BACKENDS_CPURUNNER_H
#define SINTER_TEST_UNIT_BACKENDS_CPURUNNER_H

#include "mlir/IR/BuiltinOps.h"
#include <cstdint>
#include <string>
#include <vector>

namespace sinter::test {

/// Compiles the kernels of a module for this machine and computes tiles 0 .. tiles - 1 of one of
/// them. The module is left alone; the buffers hold on return what the kernel left in them. Returns
/// an error text, empty where all went well.
std::string runCpu(mlir::ModuleOp module, llvm::StringRef kernel,
                   std::vector<std::vector<uint8_t> *> buffers, uint32_t tiles,
                   size_t scratchBytes);

} // namespace sinter::test

#endif
