//===- KernelCall.h - A kernel's machine code, called as the runtime calls it -----===//
//
// For every variant: those of this machine's architecture run in the process if its CPU has what
// they need, the others under an emulator.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_KERNELS_KERNELCALL_H
#define SINTER_TEST_UNIT_KERNELS_KERNELCALL_H

#include "codegen/cpu/CodeBlob.h"
#include "mlir/IR/BuiltinOps.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinter::test {

using Bytes = std::vector<uint8_t>;

/// "avx2": a variant and the target that has it.
struct Machine {
  const Target *target;
  const Variant *variant;
  /// How long the registers of an emulated CPU are, of what calls its length its own matter (SVE).
  unsigned registerBits = variant->vectorBits;

  /// All variants of all targets.
  static std::vector<Machine> all();
  std::string name() const { return variant->name.str(); }
  bool native() const;
  /// Why kernels of this variant cannot run here; empty if they can.
  std::string missing() const;
};

/// One call: bindings in the kernel's order, of which it writes the last one only.
struct Call {
  std::vector<Bytes> bindings;
  uint32_t tokens = 1, position = 0;
  uint32_t tiles = 1;
  /// The last binding is computed in place of this one.
  std::optional<size_t> inPlace;
};

/// The kernels of one module, compiled for one variant.
class KernelCode {
public:
  /// Fails the running test if it does not compile.
  KernelCode(mlir::ModuleOp module, const Machine &machine);

  /// The last binding after the call. The tiles are computed in one call, and once more in several
  /// calls in another order: both have to give the same bytes. What the kernel may only read, and
  /// what lies before and behind its bindings and its scratch, has to stay as it was.
  Bytes run(llvm::StringRef kernel, const Call &call) const;

private:
  struct Memory;
  using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;
  void execute(llvm::StringRef kernel, const Call &call, const Ranges &ranges,
               Memory &memory) const;
  std::string emulate(uint64_t entry, const Call &call, const Ranges &ranges, Memory &memory) const;

  Machine machine;
  cpu::CodeBlob blob;
  llvm::StringMap<int64_t> scratchBytes;
};

} // namespace sinter::test

#endif
