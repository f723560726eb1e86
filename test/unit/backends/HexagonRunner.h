//===- HexagonRunner.h - Runs a printed kernel under qemu-hexagon -------------===//
#ifndef SINTER_TEST_UNIT_BACKENDS_HEXAGONRUNNER_H
#define SINTER_TEST_UNIT_BACKENDS_HEXAGONRUNNER_H

#include "codegen/Backend.h"
#include <cstdint>
#include <string>
#include <vector>

namespace sinter::test {

/// Why kernels cannot be run here; empty where they can.
std::string whyNoHexagon();

/// Compiles the C of a kernel for v66 with its harness (hexagon_harness.c), and computes tiles 0 ..
/// tiles - 1. Buffers hold on return what the kernel left in them. Returns an error text, empty
/// where all went well.
std::string runHexagon(const KernelText &kernel, std::vector<std::vector<uint8_t> *> buffers,
                       uint32_t tiles);

} // namespace sinter::test

#endif
