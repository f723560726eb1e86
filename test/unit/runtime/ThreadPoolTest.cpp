//===- ThreadPoolTest.cpp - The pool runs everything once and sleeps when idle -----===//

#include "runtime/host/cpu_features.h"
#include "runtime/host/thread_pool.h"
#include "test/unit/runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <ctime>
#include <thread>

using namespace sinter;

namespace {

struct pool_under_test {
  explicit pool_under_test(uint32_t workers)
      : memory(host::thread_pool::bytes(workers)),
        pool(host::thread_pool::start(memory.data(), workers, nullptr)) {}
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
