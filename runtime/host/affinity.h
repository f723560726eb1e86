//===- affinity.h - Which processors threads run on ----------------------------===//
#ifndef RUNTIME_HOST_AFFINITY_H
#define RUNTIME_HOST_AFFINITY_H

#include "sinter/sinter.h"

#include <pthread.h>

namespace sinter::host {

/// Processors that the calling thread, and threads that it makes, may run on.
uint32_t usable_processors();

/// The calling thread's processors, kept to be put back.
class affinity {
public:
  /// Pins the calling thread to the first of `cpus`, and refuses (nothing is changed then) if one
  /// of them is none that this process may use; the message names it.
  sinter_status pin(const uint32_t *cpus, size_t count, sinter_error *error);
  /// Undoes `pin`.
  void restore();

private:
#if defined(__linux__)
  cpu_set_t before;
#endif
  bool pinned = false;
};

/// A thread of these attributes will run on one processor, which `affinity::pin` has accepted.
void place_thread(pthread_attr_t &attributes, uint32_t cpu);

} // namespace sinter::host

#endif
