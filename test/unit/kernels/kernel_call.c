/* Calls a kernel of another architecture: KernelCall.cpp writes the job, an emulator runs this.
 *
 * Job on standard input, all numbers u64: sizes of the code and of the memory, entry, tokens,
 * position, offset of the scratch, number of bindings, their offsets, number of tile ranges, their
 * begins and ends; then the code and the memory. The memory goes to standard output as the kernel
 * left it. */
#include "sinter/kernel_abi.h"
#include <stdio.h>
#include <sys/mman.h>

static uint64_t number(void) {
  uint64_t value = 0;
  return fread(&value, sizeof value, 1, stdin) == 1 ? value : 0;
}

static uint8_t *pages(uint64_t bytes) {
  return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(void) {
  uint64_t codeBytes = number(), bytes = number(), entry = number();
  uint32_t tokens = (uint32_t)number(), position = (uint32_t)number();
  uint64_t scratch = number(), bindings = number();
  void *addresses[16];
  uint32_t ranges[16];
  uint8_t *code = pages(codeBytes), *memory = pages(bytes);
  if (bindings > 16)
    return 1;
  for (uint64_t i = 0; i < bindings; ++i)
    addresses[i] = memory + number();
  uint64_t count = 2 * number();
  if (count > 16)
    return 1;
  for (uint64_t i = 0; i < count; ++i)
    ranges[i] = (uint32_t)number();
  if (fread(code, 1, codeBytes, stdin) != codeBytes || fread(memory, 1, bytes, stdin) != bytes)
    return 2;
  __builtin___clear_cache((char *)code, (char *)code + codeBytes);
  if (mprotect(code, codeBytes, PROT_READ | PROT_EXEC) != 0)
    return 3;
  for (uint64_t i = 0; i < count; i += 2) {
    sinter_kernel_args args = {addresses, memory + scratch, tokens, position,
                               ranges[i], ranges[i + 1],    0,      1, i > 0};
    ((sinter_kernel_fn)(code + entry))(&args);
  }
  return fwrite(memory, 1, bytes, stdout) == bytes ? 0 : 4;
}
