//===- ThreadPoolTest.cpp - The pool runs everything once and sleeps when idle -----===//

#include "runtime/host/cpu_features.h"
#include "runtime/host/thread_pool.h"
#include "test/unit/runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <sched.h>
#include <thread>

using namespace sinter;

namespace {

struct pool_under_test {
  explicit pool_under_test(uint32_t workers)
      : memory(host::thread_pool::bytes(workers)),
        pool(host::thread_pool::start(memory.data(), workers, nullptr, nullptr)) {}
  ~pool_under_test() { pool->stop(); }
  void run(void (*body)(void *, uint32_t), void *argument) {
    core::executor team = pool->executor();
    team.run(team.context, body, argument);
  }
  test::aligned_bytes memory;
  host::thread_pool *pool;
};

struct calls {
  std::atomic<uint32_t> of[16]{};
};

void count_call(void *argument, uint32_t worker) {
  static_cast<calls *>(argument)->of[worker].fetch_add(1);
}

TEST(ThreadPool, EveryWorkerRunsOnceARun) {
  for (uint32_t workers : {1u, 2u, 5u, 16u}) {
    pool_under_test pool(workers);
    calls seen;
    for (uint32_t run = 1; run <= 500; ++run) {
      pool.run(count_call, &seen);
      for (uint32_t w = 0; w < workers; ++w)
        ASSERT_EQ(seen.of[w].load(), run) << "worker " << w << " of " << workers;
    }
  }
}

TEST(ThreadPool, WakesFromSleep) {
  pool_under_test pool(3);
  calls seen;
  for (uint32_t run = 1; run <= 20; ++run) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // well behind the 50 us of spinning
    pool.run(count_call, &seen);
    ASSERT_EQ(seen.of[2].load(), run);
  }
}

TEST(ThreadPool, StartsAndStopsOften) {
  for (int i = 0; i < 50; ++i)
    pool_under_test pool(4);
}

double processor_seconds() {
  timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return double(used.tv_sec) + 1e-9 * double(used.tv_nsec);
}

TEST(ThreadPool, IdleUsesNoProcessor) {
  pool_under_test pool(4);
  calls seen;
  pool.run(count_call, &seen);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  double before = processor_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  // Three threads spinning would have used up to 0.9 s.
  EXPECT_LT(processor_seconds() - before, 0.01);
}

#if defined(__linux__)
std::vector<uint32_t> processors_of_this_thread() {
  cpu_set_t set;
  std::vector<uint32_t> found;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set))
        found.push_back(cpu);
  return found;
}

struct places {
  std::vector<uint32_t> of[4];
};

void note_place(void *argument, uint32_t worker) {
  static_cast<places *>(argument)->of[worker] = processors_of_this_thread();
}

TEST(Affinity, EachWorkerRunsOnItsProcessor) {
  std::vector<uint32_t> usable = processors_of_this_thread();
  ASSERT_EQ(host::usable_processors(), usable.size());
  // The last first, so that the order is seen to be ours.
  std::vector<uint32_t> cpus(usable.rbegin(), usable.rend());
  uint32_t workers = uint32_t(std::min<size_t>(cpus.size(), 4));
  host::affinity caller;
  ASSERT_EQ(caller.pin(cpus.data(), workers, nullptr), SINTER_OK);
  {
    test::aligned_bytes memory(host::thread_pool::bytes(workers));
    auto *pool = host::thread_pool::start(memory.data(), workers, cpus.data(), nullptr);
    places seen;
    core::executor team = pool->executor();
    team.run(team.context, note_place, &seen);
    pool->stop();
    for (uint32_t w = 0; w < workers; ++w)
      EXPECT_EQ(seen.of[w], std::vector<uint32_t>{cpus[w]}) << "worker " << w;
  }
  caller.restore();
  EXPECT_EQ(processors_of_this_thread(), usable);
}

TEST(Affinity, AnUnknownProcessorIsNamedAndNothingChanges) {
  std::vector<uint32_t> usable = processors_of_this_thread();
  for (uint32_t unknown : {1023u, 1024u, UINT32_MAX}) {
    uint32_t cpus[] = {usable[0], unknown};
    host::affinity caller;
    sinter_error error{};
    EXPECT_EQ(caller.pin(cpus, 2, &error), SINTER_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("processor " + std::to_string(unknown) + " is none"),
              std::string::npos)
        << error.text;
    EXPECT_EQ(processors_of_this_thread(), usable);
  }
}
#endif

TEST(CpuFeatures, AreNamesSeparatedByCommas) {
  std::string features = host::cpu_features();
  EXPECT_EQ(features.find(' '), std::string::npos);
  EXPECT_EQ(features.find(",,"), std::string::npos);
#if defined(__x86_64__)
  EXPECT_STREQ(host::target_name(), "x86-64");
  // The compiler's own way of asking, for the ones that it knows.
  EXPECT_EQ(features.find("avx2") != std::string::npos, bool(__builtin_cpu_supports("avx2")));
  EXPECT_EQ(features.find("fma") != std::string::npos, bool(__builtin_cpu_supports("fma")));
  EXPECT_EQ(features.find("avx512f") != std::string::npos, bool(__builtin_cpu_supports("avx512f")));
  EXPECT_EQ(features.find("avx512vnni") != std::string::npos,
            bool(__builtin_cpu_supports("avx512vnni")));
#endif
}

} // namespace
