//===- model.h - A bundle made ready to run -----------------------------------===//
//
// The flatbuffer is for people and for the verifier; what runs a few hundred times a token are
// these flat arrays, filled once: kernels resolved to addresses, bindings to offsets, programs to
// ranges of groups and dispatches.
//
//===----------------------------------------------------------------------===//
#ifndef RUNTIME_CORE_MODEL_H
#define RUNTIME_CORE_MODEL_H

#include "runtime/core/bundle.h"

namespace sinter::core {

struct binding_plan {
  uint64_t offset;
  uint64_t index_offset; ///< into the session's memory; only if limit is not 0
  uint64_t stride;
  uint32_t limit; ///< 0: direct
  bool weights;   ///< base is the weights segment, else the session's memory
};

struct dispatch_plan {
  sinter_kernel_fn entry;
  uint32_t first_binding; ///< into model::bindings
  uint32_t binding_count;
  bundle::TileCount tiles;
  bool indirect;           ///< at least one binding is
  std::string_view source; ///< the layer, for messages; lives in the bundle
  const bundle::Dispatch *described;
};

struct group_plan {
  uint32_t first_dispatch; ///< into model::dispatches
  uint32_t dispatch_count;
};

inline constexpr uint64_t no_port = ~uint64_t(0);

struct program_plan {
  uint32_t first_group = 0; ///< into model::groups
  uint32_t group_count = 0;
  uint32_t max_tokens = 0;                                  ///< 0: the bundle has no such program
  uint64_t ports[4] = {no_port, no_port, no_port, no_port}; ///< offsets by PortRole
};

struct model {
  bundle_view bundle;
  program_plan programs[program_kinds];
  const group_plan *groups = nullptr;
  const dispatch_plan *dispatches = nullptr;
  const binding_plan *bindings = nullptr;
  uint32_t group_count = 0;
  uint32_t dispatch_count = 0;
  uint32_t binding_count = 0;
  uint32_t most_indirect_bindings =
      0; ///< of one dispatch, all its bindings counted, rounded up to a cache line

  uint32_t vocabulary() const { return bundle.root->model()->vocabulary(); }
  uint32_t context() const { return bundle.root->model()->context(); }
  uint32_t prefill_chunk() const { return bundle.root->model()->prefill_chunk(); }
  const program_plan &program(program_kind kind) const {
    return programs[static_cast<unsigned>(kind)];
  }
};

/// Where the kernels of the picked variant come from: a static table first, then code at `code`
/// (the start of the code segment, executable; null if all kernels must be static).
struct kernel_source {
  unsigned variant = 0;
  const uint8_t *code = nullptr;
  const sinter_static_kernel *static_kernels = nullptr;
  size_t static_kernel_count = 0;
};

/// True if every kernel of the variant is in the static table, so that no code has to be mapped.
bool all_static(const bundle_view &bundle, const kernel_source &source);

/// Bytes that model_init takes, aligned to 8.
size_t model_bytes(const bundle_view &bundle);

/// Resolves everything into `memory`, which stays with the model; `source` may go afterwards.
/// Without any kernels
/// (`source` null) the model can be measured but not run.
sinter_status model_init(const bundle_view &bundle, const kernel_source *source, void *memory,
                         model &out, sinter_error *error);

} // namespace sinter::core

#endif
