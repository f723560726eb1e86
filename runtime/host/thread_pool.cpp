//===- thread_pool.cpp - Workers that are there when a step begins ------------===//

#include "runtime/host/thread_pool.h"
#include "runtime/core/message.h"

#include <ctime>
#include <limits.h>
#include <new>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace sinter::host {

namespace {

/// Kernels are leaves with their own scratch; what a thread needs of stack is small.
constexpr size_t stack_bytes = 512 * 1024;
constexpr uint64_t spin_ns = 50'000;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

#if defined(__linux__)

long futex(const std::atomic<uint32_t> &value, int operation, uint32_t argument) {
  static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));
  return syscall(SYS_futex, &value, operation, argument, nullptr, nullptr, 0);
}

/// Sleeps until woken, unless the value has changed already; wakes for no reason at times.
void wait(const std::atomic<uint32_t> &value, uint32_t seen) {
  futex(value, FUTEX_WAIT_PRIVATE, seen);
}
void wake(const std::atomic<uint32_t> &value) { futex(value, FUTEX_WAKE_PRIVATE, INT_MAX); }

#else

void wait(const std::atomic<uint32_t> &value, uint32_t seen) { value.wait(seen); }
void wake(const std::atomic<uint32_t> &value) {
  const_cast<std::atomic<uint32_t> &>(value).notify_all();
}

#endif

/// Spins, then sleeps, until `value` is no longer `seen`. The other side stores, then looks at
/// `sleepers`; both in one total order, so that it either sees the sleeper or is seen by it.
void spin_then_wait(const std::atomic<uint32_t> &value, uint32_t seen,
                    std::atomic<uint32_t> &sleepers) {
  uint64_t end = 0;
  while (value.load(std::memory_order_acquire) == seen) {
    for (int i = 0; i < 64 && value.load(std::memory_order_relaxed) == seen; ++i)
      relax();
    uint64_t now = now_ns();
    if (end == 0)
      end = now + spin_ns;
    if (now < end)
      continue;
    sleepers.fetch_add(1);
    while (value.load() == seen)
      wait(value, seen);
    sleepers.fetch_sub(1);
  }
}

} // namespace

core::wait_policy system_wait_policy() { return {wait, wake}; }

size_t thread_pool::bytes(uint32_t workers) {
  size_t sum = sizeof(thread_pool) + (workers - 1) * sizeof(member);
  return (sum + 63) / 64 * 64;
}

thread_pool *thread_pool::start(void *memory, uint32_t workers, const uint32_t *cpus,
                                sinter_error *error) {
  auto *pool = new (memory) thread_pool();
  pool->members = reinterpret_cast<member *>(pool + 1);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  for (; pool->workers < workers; ++pool->workers) {
    member &next = pool->members[pool->workers - 1];
    next.pool = pool;
    next.worker = pool->workers;
    if (cpus)
      place_thread(attributes, cpus[pool->workers]);
    int number = pthread_create(&next.thread, &attributes, thread_main, &next);
    if (number != 0) {
      core::fail(error, SINTER_OUT_OF_MEMORY, "cannot start worker thread ", pool->workers, " of ",
                 workers, " (error ", number, ")");
      pool->stop();
      pool = nullptr;
      break;
    }
  }
  pthread_attr_destroy(&attributes);
  return pool;
}

void thread_pool::stop() {
  body = nullptr;
  generation.value.fetch_add(1);
  if (sleepers.value.load())
    wake(generation.value);
  for (uint32_t i = 0; i + 1 < workers; ++i)
    pthread_join(members[i].thread, nullptr);
}

core::executor thread_pool::executor() {
  return {run, this, workers, system_wait_policy(), now_ns};
}

void thread_pool::run(void *context, void (*body)(void *, uint32_t), void *argument) {
  auto &pool = *static_cast<thread_pool *>(context);
  if (pool.workers == 1) {
    body(argument, 0);
    return;
  }
  pool.body = body;
  pool.argument = argument;
  pool.finished.value.store(0, std::memory_order_relaxed);
  pool.generation.value.fetch_add(1);
  if (pool.sleepers.value.load())
    wake(pool.generation.value);
  body(argument, 0);
  for (uint32_t done;
       (done = pool.finished.value.load(std::memory_order_acquire)) != pool.workers - 1;)
    spin_then_wait(pool.finished.value, done, pool.caller_sleeps.value);
}

void *thread_pool::thread_main(void *argument) {
  auto &self = *static_cast<member *>(argument);
  self.pool->work(self.worker);
  return nullptr;
}

void thread_pool::work(uint32_t worker) {
  for (uint32_t seen = 0;;) {
    spin_then_wait(generation.value, seen, sleepers.value);
    // Runs do not overlap, so this one is exactly the next.
    ++seen;
    if (!body)
      return;
    body(argument, worker);
    finished.value.fetch_add(1);
    if (caller_sleeps.value.load())
      wake(finished.value);
  }
}

} // namespace sinter::host
