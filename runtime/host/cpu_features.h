//===- cpu_features.h - What this CPU and its system can execute --------------===//
#ifndef RUNTIME_HOST_CPU_FEATURES_H
#define RUNTIME_HOST_CPU_FEATURES_H

namespace sinter::host {

/// The architecture as bundles name targets: "x86-64", "aarch64", or "unknown".
const char *target_name();

/// Instruction sets that variants are picked by, under LLVM's names, separated by commas; "sve256" and
/// "sve512" are registers of SVE of at least so many bits in this process; "zen4" is the pipelines of AMD's
/// first cores with AVX-512. Only what the operating system saves on a task switch counts. A constant string.
const char *cpu_features();

} // namespace sinter::host

#endif
