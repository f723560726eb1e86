/*===- hexagon_harness.c - Feeds one kernel from standard input ---------------===*\
|*
|* Freestanding, under qemu-hexagon. Reads: number of bindings, tiles, scratch
|* bytes, the size of each binding (32-bit words), then their bytes. Runs KERNEL on
|* all tiles and writes the bytes of all bindings. Exits 1 where the input is short
|* or too large.
|*
\*===----------------------------------------------------------------------===*/
#include "sinter/kernel_abi.h"

void KERNEL(const sinter_kernel_args *args);

static uint8_t memory[16 << 20] __attribute__((aligned(128)));

static long system_call(long number, long a, long b, long c) {
  register long r0 __asm__("r0") = a;
  register long r1 __asm__("r1") = b;
  register long r2 __asm__("r2") = c;
  register long r6 __asm__("r6") = number;
  __asm__ volatile("trap0(#1)" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r6) : "memory");
  return r0;
}

static void leave(int code) { system_call(94, code, 0, 0); }

static void transfer(long call, long file, uint8_t *bytes, uint32_t size) {
  while (size > 0) {
    long done = system_call(call, file, (long)bytes, size);
    if (done <= 0)
      leave(1);
    bytes += done;
    size -= (uint32_t)done;
  }
}

static void read_all(void *bytes, uint32_t size) { transfer(63, 0, (uint8_t *)bytes, size); }

__attribute__((used)) static void run(void) {
  static uint32_t head[3], sizes[16];
  static void *bindings[16];
  read_all(head, sizeof head);
  if (head[0] > 16)
    leave(1);
  read_all(sizes, 4 * head[0]);
  uint32_t next = 0;
  for (uint32_t i = 0; i < head[0]; ++i) {
    bindings[i] = memory + next;
    next = (next + sizes[i] + SINTER_KERNEL_READ_MARGIN + 127) / 128 * 128;
    if (next + head[2] > sizeof memory)
      leave(1);
    read_all(bindings[i], sizes[i]);
  }
  sinter_kernel_args args = {bindings, memory + next, 1, 0, 0, head[1], 0, 1};
  KERNEL(&args);
  for (uint32_t i = 0; i < head[0]; ++i)
    transfer(64, 1, (uint8_t *)bindings[i], sizes[i]);
  leave(0);
}

__asm__(".globl _start\n_start:\n  { r29 = and(r29, #-128) }\n  call run\n");
