//===- CpuRunner.cpp - Runs a kernel as machine code of this host -----------------===//
#include "CpuRunner.h"
#include "codegen/cpu/CodeBlob.h"
#include "sinter/kernel_abi.h"
#include <cstring>
#include <sys/mman.h>

using namespace sinter;

/// A copy of the buffer at the alignment that the ABI promises.
static std::vector<uint8_t> aligned(const std::vector<uint8_t> &bytes, size_t &start) {
  std::vector<uint8_t> copy(bytes.size() + SINTER_KERNEL_READ_MARGIN + SINTER_KERNEL_ALIGNMENT);
  start = -reinterpret_cast<uintptr_t>(copy.data()) % SINTER_KERNEL_ALIGNMENT;
  std::memcpy(copy.data() + start, bytes.data(), bytes.size());
  return copy;
}

std::string test::runCpu(mlir::ModuleOp module, llvm::StringRef kernel,
                         std::vector<std::vector<uint8_t> *> buffers, uint32_t tiles,
                         size_t scratchBytes) {
  llvm::Expected<TargetChoice> host = parseTarget("host");
  if (!host)
    return llvm::toString(host.takeError());
  auto blob = cpu::compileKernels(module, *host->target, *host->variants.front());
  if (failed(blob) || !blob->entries.count(kernel))
    return "the kernel does not compile for this host";
  void *text =
      mmap(nullptr, blob->bytes.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (text == MAP_FAILED)
    return "no memory for the code";
  std::memcpy(text, blob->bytes.data(), blob->bytes.size());
  mprotect(text, blob->bytes.size(), PROT_READ | PROT_EXEC);

  std::vector<std::vector<uint8_t>> copies(buffers.size() + 1);
  std::vector<size_t> starts(copies.size());
  std::vector<void *> bindings;
  for (size_t i = 0; i < buffers.size(); ++i) {
    copies[i] = aligned(*buffers[i], starts[i]);
    bindings.push_back(copies[i].data() + starts[i]);
  }
  copies.back() = aligned(std::vector<uint8_t>(scratchBytes), starts.back());
  sinter_kernel_args args = {
      bindings.data(), copies.back().data() + starts.back(), 1, 0, 0, tiles, 0, 1};
  auto entry = reinterpret_cast<sinter_kernel_fn>(static_cast<uint8_t *>(text) +
                                                  blob->entries.lookup(kernel));
  entry(&args);
  munmap(text, blob->bytes.size());
  for (size_t i = 0; i < buffers.size(); ++i)
    std::memcpy(buffers[i]->data(), bindings[i], buffers[i]->size());
  return "";
}
