//===- thread_pool.h - Workers that are there when a step begins --------------===//
//
// workers - 1 threads, started once, in memory of the caller; the calling thread is worker 0.
// Between runs they spin for some 50 us, because the next token usually follows as soon as this
// one is sampled and printed, and then sleep in the kernel: an idle session uses no processor.
//
//===----------------------------------------------------------------------===//
#ifndef RUNTIME_HOST_THREAD_POOL_H
#define RUNTIME_HOST_THREAD_POOL_H

#include "runtime/core/session.h"
#include "runtime/host/affinity.h"

#include <pthread.h>

namespace sinter::host {

/// Futexes where the system has them.
core::wait_policy system_wait_policy();

class thread_pool {
public:
  /// Bytes of memory that `start` takes, at a multiple of 64.
  static size_t bytes(uint32_t workers);

  /// Places a pool in `memory` and starts its threads, each on `cpus[worker]` if there are cpus.
  /// nullptr if one cannot be started; then none is left.
  static thread_pool *start(void *memory, uint32_t workers, const uint32_t *cpus,
                            sinter_error *error);

  /// Ends all threads; the memory may go.
  void stop();

  core::executor executor();

private:
  struct member {
    thread_pool *pool;
    pthread_t thread;
    uint32_t worker;
  };

  static void run(void *pool, void (*body)(void *, uint32_t), void *argument);
  static void *thread_main(void *member);
  void work(uint32_t worker);

  core::shared_counter generation;          ///< rises with every run
  core::shared_counter sleepers;            ///< threads that wait for it in the kernel
  core::shared_counter finished;            ///< threads that are done with this run
  core::shared_counter caller_sleeps;       ///< 1: the caller waits for `finished` in the kernel
  void (*body)(void *, uint32_t) = nullptr; ///< null: the threads end
  void *argument = nullptr;
  uint32_t workers = 1;
  member *members = nullptr; ///< workers - 1, behind the pool in its memory
};

} // namespace sinter::host

#endif
