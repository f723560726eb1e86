/*===- kernel_abi.h - What a compiled kernel and its caller agree on ----------===*\
|*
|* Bundles hold machine code, so this layout is a file format: version 1 never
|* changes, new fields are appended at the end under a new version, and a runtime
|* runs every version up to its own. The compiler loads the fields by the offsets
|* asserted below; the runtime fills the struct once a worker and step.
|*
|* A kernel is a leaf: it calls nothing, keeps no state, uses no thread-local and
|* no writable data, and touches only its bindings and its scratch.
|*
|* Version 2 has `again`.
|*
\*===----------------------------------------------------------------------===*/
#ifndef SINTER_KERNEL_ABI_H
#define SINTER_KERNEL_ABI_H

#include <stddef.h>
#include <stdint.h>

#define SINTER_KERNEL_ABI_VERSION 2u

/** Base addresses of bindings and scratch are multiples of this many bytes. */
#define SINTER_KERNEL_ALIGNMENT 64u

/** A kernel may read this many bytes past the end of a binding (whole vectors, prefetched lines);
 *  it never writes there. The bundle and the session memory end with such a margin. */
#define SINTER_KERNEL_READ_MARGIN 256u

typedef struct sinter_kernel_args {
  /** One base address a binding, in the order of the kernel's signature. Never aliased unless the plan says
   *  that a result is computed in place of an operand. */
  void *const *bindings;
  /** `scratch_bytes` of the kernel, private to this worker during the call; contents undefined, but see `again`. */
  void *scratch;
  /** Tokens of this step: 1 .. the program's `max_tokens`. */
  uint32_t tokens;
  /** Position of the first of them in the sequence, counted from 0. */
  uint32_t position;
  /** Tiles to compute: [tile_begin, tile_end) of the dispatch's tile count. */
  uint32_t tile_begin;
  uint32_t tile_end;
  /** 0 .. workers - 1; no two calls at the same time have the same. */
  uint32_t worker;
  uint32_t workers;
  /** 1: the last call with this scratch was of the same dispatch in the same step, and the scratch is as it was left.
   *  0: nothing is known of it. */
  uint32_t again;
} sinter_kernel_args;

typedef void (*sinter_kernel_fn)(const sinter_kernel_args *args);

#if defined(__cplusplus)
#define SINTER_ABI_ASSERT(x) static_assert(x, #x)
#else
#define SINTER_ABI_ASSERT(x) _Static_assert(x, #x)
#endif
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, bindings) == 0);
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, scratch) == sizeof(void *));
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, tokens) == 2 * sizeof(void *));
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, position) == 2 * sizeof(void *) + 4);
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, tile_begin) == 2 * sizeof(void *) + 8);
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, tile_end) == 2 * sizeof(void *) + 12);
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, worker) == 2 * sizeof(void *) + 16);
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, workers) == 2 * sizeof(void *) + 20);
SINTER_ABI_ASSERT(offsetof(sinter_kernel_args, again) == 2 * sizeof(void *) + 24);

#endif
