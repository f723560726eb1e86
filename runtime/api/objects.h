//===- objects.h - What the opaque types of sinter.h hold ----------------------===//
#ifndef RUNTIME_API_OBJECTS_H
#define RUNTIME_API_OBJECTS_H

#include "runtime/core/session.h"
#include "runtime/host/mapping.h"
#include "runtime/host/thread_pool.h"
#include "runtime/text/sampler.h"
#include "runtime/text/tokenizer.h"

/// Lives at the start of `own`, with the resolved plans behind it.
struct sinter_model {
  sinter::core::model plan;
  sinter::text::tokenizer tokens;
  const char *variant = ""; ///< in the bundle; empty: opened for looking only
  bool runnable = false;
  sinter::host::mapping own;
  sinter::host::mapping file; ///< empty for bytes of the caller
  sinter::host::mapping code; ///< empty if all kernels are static
};

/// Lives at the start of the session's memory; behind it, each at a multiple of 64: the thread
/// pool, the sampler's work memory, then what core asks for.
struct sinter_session {
  const sinter_model *model = nullptr;
  sinter::core::session run;
  sinter::host::thread_pool *pool = nullptr;
  sinter::text::random_numbers random;
  void *sampler_work = nullptr;
  sinter_error error = {SINTER_OK, {}};
  sinter::host::mapping own; ///< empty for memory of the caller
  /// Position from which on `own` is looked at for memory that large pages could take: first what a chunk of tokens has used.
  uint64_t next_look = 512;
};

namespace sinter::api {

/// The caller's struct may be older (shorter) than ours: missing fields keep their defaults.
template <typename Options> Options known_part(const Options *given) {
  Options options{};
  if (given)
    memcpy(static_cast<void *>(&options), given,
           given->struct_bytes < sizeof(options) ? given->struct_bytes : sizeof(options));
  options.struct_bytes = sizeof(options);
  return options;
}

} // namespace sinter::api

#endif
