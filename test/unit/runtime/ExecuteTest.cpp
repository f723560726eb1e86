//===- ExecuteTest.cpp - Tiles, barriers, indirect bindings -----------------------===//

#include "runtime/core/session.h"
#include "runtime/host/thread_pool.h"
#include "test/unit/runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

using namespace sinter;
using namespace sinter::test;

namespace {

constexpr uint64_t big_memory = 1 << 20;

/// A model in core's terms and a session on a pool, without the C API.
class core_run {
public:
  core_run(bundle::BundleT root, std::vector<sinter_static_kernel> kernels, uint32_t workers)
      : file(pack(std::move(root), toy_segments())) {
    core::bundle_view view;
    sinter_error error{};
    EXPECT_EQ(core::load_bundle(file.data(), file.size(), view, &error), SINTER_OK) << error.text;
    core::kernel_source source;
    source.static_kernels = kernels.data();
    source.static_kernel_count = kernels.size();
    plans.resize(core::model_bytes(view) / 8 + 1);
    EXPECT_EQ(core::model_init(view, &source, plans.data(), model, &error), SINTER_OK)
        << error.text;
    pool_memory = std::make_unique<aligned_bytes>(host::thread_pool::bytes(workers));
    pool = host::thread_pool::start(pool_memory->data(), workers, nullptr, &error);
    memory = std::make_unique<aligned_bytes>(core::session_memory(model, workers).total());
    core::session_init(session, model, pool->executor(), memory->data());
  }
  ~core_run() { pool->stop(); }

  aligned_bytes file;
  std::vector<uint64_t> plans;
  core::model model;
  core::session session;
  host::thread_pool *pool;
  std::unique_ptr<aligned_bytes> pool_memory, memory;
};

/// bindings[0]: one counter a tile.
void count_tiles(const sinter_kernel_args *args) {
  auto *counters = static_cast<uint32_t *>(args->bindings[0]);
  for (uint32_t tile = args->tile_begin; tile < args->tile_end; ++tile)
    std::atomic_ref<uint32_t>(counters[tile]).fetch_add(1, std::memory_order_relaxed);
}

/// bindings[0]: counters; bindings[1]: how many of them there are, then how often the check failed.
void check_counters(const sinter_kernel_args *args) {
  auto *counters = static_cast<uint32_t *>(args->bindings[0]);
  auto *expected = static_cast<uint32_t *>(args->bindings[1]);
  for (uint32_t i = 0; i < expected[0]; ++i)
    if (counters[i] != expected[1])
      std::atomic_ref<uint32_t>(expected[2]).fetch_add(1);
}

std::unique_ptr<bundle::DispatchT> make_dispatch(uint32_t kernel, bundle::TileCount tiles,
                                                 std::vector<uint64_t> offsets) {
  auto dispatch = std::make_unique<bundle::DispatchT>();
  dispatch->kernel = kernel;
  dispatch->tiles = std::make_unique<bundle::TileCount>(tiles);
  dispatch->source = "made by a test";
  for (uint64_t offset : offsets) {
    auto binding = std::make_unique<bundle::BindingT>();
    binding->space = bundle::Space::Memory;
    binding->offset = offset;
    binding->size = 4096;
    binding->written = true;
    dispatch->bindings.push_back(std::move(binding));
  }
  return dispatch;
}

/// Program prefill: one group that counts in three dispatches of 1, 777 * ceil(tokens / 4) and 64 *
/// ceil((position + tokens) / 16) tiles, then a group of many workers' worth of checks. Kernel 0
/// counts (1 binding), kernel 1 checks (2 bindings).
constexpr uint64_t first_counters = 16384, second_counters = 32768, third_counters = 65536;
constexpr uint64_t first_check = 131072, second_check = 131136, third_check = 131200;

bundle::BundleT counting_bundle() {
  bundle::BundleT root = toy_bundle();
  root.memory->fixed_bytes = big_memory;
  root.kernels[0]->bindings = 1;
  root.kernels[1]->bindings = 2;
  for (auto &program : root.programs)
    if (program->name != "prefill")
      program->groups.clear();
  auto &groups = root.programs[0]->groups;
  groups.clear();
  groups.push_back(std::make_unique<bundle::GroupT>());
  groups[0]->dispatches.push_back(make_dispatch(0, {1, 0, 0}, {first_counters}));
  groups[0]->dispatches.push_back(make_dispatch(0, {777, 4, 0}, {second_counters}));
  groups[0]->dispatches.push_back(make_dispatch(0, {64, 0, 16}, {third_counters}));
  groups.push_back(std::make_unique<bundle::GroupT>()); // an empty group is only a barrier
  groups.push_back(std::make_unique<bundle::GroupT>());
  groups[2]->dispatches.push_back(make_dispatch(1, {5, 0, 0}, {first_counters, first_check}));
  groups[2]->dispatches.push_back(make_dispatch(1, {5, 0, 0}, {second_counters, second_check}));
  groups[2]->dispatches.push_back(make_dispatch(1, {5, 0, 0}, {third_counters, third_check}));
  return root;
}

class Tiles : public testing::TestWithParam<uint32_t> {};

TEST_P(Tiles, EachIsRunOnceBeforeTheBarrierOpens) {
  core_run run(counting_bundle(),
               {{"toy_embed", nullptr, count_tiles}, {"toy_sum", nullptr, check_counters}},
               GetParam());
  auto *memory = run.session.fixed;
  auto at = [&](uint64_t offset) { return reinterpret_cast<uint32_t *>(memory + offset); };
  uint32_t rounds = 0;
  for (uint32_t tokens : {1u, 4u, 7u, 16u}) {
    for (uint32_t position : {0u, 15u, 48u}) {
      const uint32_t counts[] = {1, 777 * ((tokens + 3) / 4), 64 * ((position + tokens + 15) / 16)};
      const uint64_t counters[] = {first_counters, second_counters, third_counters};
      const uint64_t checks[] = {first_check, second_check, third_check};
      for (int repeat = 0; repeat < 20; ++repeat, ++rounds) {
        for (int d = 0; d < 3; ++d) {
          memset(at(counters[d]), 0, 16384);
          at(checks[d])[0] = counts[d];
          at(checks[d])[1] = 1;
        }
        ASSERT_EQ(
            core::run_program(run.session, core::program_kind::prefill, tokens, position, nullptr),
            SINTER_OK);
        for (int d = 0; d < 3; ++d) {
          ASSERT_EQ(at(checks[d])[2], 0u)
              << "seen behind the barrier, dispatch " << d << ", tokens " << tokens;
          ASSERT_EQ(at(counters[d])[counts[d]], 0u) << "past the last tile of dispatch " << d;
        }
      }
    }
  }
  EXPECT_EQ(rounds, 240u);
}

INSTANTIATE_TEST_SUITE_P(Workers, Tiles, testing::Values(1, 2, 3, 4, 9));

/// bindings[0], two workers: tiles done; where each worker's first range begins, and ends. Worker 0
/// goes on once worker 1 has drawn, worker 1 once all is done that it has not drawn.
void hold_worker_one(const sinter_kernel_args *args) {
  auto *words = static_cast<uint32_t *>(args->bindings[0]);
  auto done = std::atomic_ref<uint32_t>(words[0]);
  auto end = [&](uint32_t worker) { return std::atomic_ref<uint32_t>(words[2 + 2 * worker]); };
  if (end(args->worker) == 0) {
    words[1 + 2 * args->worker] = args->tile_begin;
    end(args->worker) = args->tile_end;
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    uint32_t own = args->tile_end - args->tile_begin;
    while (std::chrono::steady_clock::now() < limit &&
           (args->worker == 0 ? end(1) == 0 : done != 100 - own))
      std::this_thread::yield();
    if (args->worker == 1 && done != 100 - own)
      words[5] = 1;
  }
  done += args->tile_end - args->tile_begin;
}

TEST(Execute, WhatAWorkerHasNotDrawnIsDoneByOthers) {
  bundle::BundleT root = counting_bundle();
  root.programs[0]->groups.resize(1);
  root.programs[0]->groups[0]->dispatches.clear();
  root.programs[0]->groups[0]->dispatches.push_back(
      make_dispatch(0, {100, 0, 0}, {first_counters}));
  core_run run(std::move(root),
               {{"toy_embed", nullptr, hold_worker_one}, {"toy_sum", nullptr, check_counters}}, 2);
  for (int repeat = 0; repeat < 3; ++repeat) {
    auto *words = reinterpret_cast<uint32_t *>(run.session.fixed + first_counters);
    memset(words, 0, 64);
    ASSERT_EQ(core::run_program(run.session, core::program_kind::prefill, 1, 0, nullptr),
              SINTER_OK);
    EXPECT_EQ(words[0], 100u);
    EXPECT_EQ(words[1], 0u) << "worker 0 begins with its share";
    EXPECT_EQ(words[3], 50u) << "worker 1 begins with its share";
    EXPECT_EQ(words[4], 75u) << "the first half of it";
    EXPECT_EQ(words[5], 0u) << "worker 0 has left tiles to worker 1";
  }
}

/// bindings[0], four words a worker: whether it has been here; where its first range begins, and
/// ends. Each waits for the other.
void note_ranges(const sinter_kernel_args *args) {
  auto *words = static_cast<uint32_t *>(args->bindings[0]);
  auto drawn = [&](uint32_t worker) { return std::atomic_ref<uint32_t>(words[4 * worker]); };
  if (drawn(args->worker) == 0) {
    words[4 * args->worker + 1] = args->tile_begin;
    words[4 * args->worker + 2] = args->tile_end;
    drawn(args->worker) = 1;
  }
  auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (drawn(1 - args->worker) == 0 && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
}

// Of two dispatches side by side a worker has the same part, so that where tiles are tokens it has
// the same tokens: 2 tiles of 4 and 10 of 20, the first half of which it draws at once.
TEST(Execute, AWorkerHasItsPartOfEachDispatch) {
  bundle::BundleT root = counting_bundle();
  root.programs[0]->groups.resize(1);
  root.programs[0]->groups[0]->dispatches.clear();
  for (uint32_t tiles : {4u, 20u})
    root.programs[0]->groups[0]->dispatches.push_back(
        make_dispatch(0, {tiles, 0, 0}, {tiles == 4 ? first_counters : second_counters}));
  core_run run(std::move(root),
               {{"toy_embed", nullptr, note_ranges}, {"toy_sum", nullptr, check_counters}}, 2);
  auto *first = reinterpret_cast<uint32_t *>(run.session.fixed + first_counters);
  auto *second = reinterpret_cast<uint32_t *>(run.session.fixed + second_counters);
  memset(first, 0, 64);
  memset(second, 0, 64);
  ASSERT_EQ(core::run_program(run.session, core::program_kind::prefill, 1, 0, nullptr), SINTER_OK);
  EXPECT_EQ(first[1], 0u);
  EXPECT_EQ(first[2], 2u) << "all that worker 0 has of the first";
  EXPECT_EQ(first[5], 2u) << "worker 1's begins behind it";
  EXPECT_EQ(first[6], 4u);
  EXPECT_EQ(second[1], 0u);
  EXPECT_EQ(second[2], 4u) << "with the 2 before half of its 12 tiles";
  EXPECT_EQ(second[5], 10u) << "not behind the 12 tiles that worker 0 has of both";
  EXPECT_EQ(second[6], 14u);
}

/// bindings[0], four words a worker: its calls, and how many of them said that they were its first
/// of this dispatch.
void count_first_calls(const sinter_kernel_args *args) {
  auto *words = static_cast<uint32_t *>(args->bindings[0]) + 4 * args->worker;
  words[0] += 1;
  words[1] += args->again == 0;
}

// Each worker's first call of each dispatch, in each step.
TEST(Execute, KernelsKnowWhatTheirScratchIs) {
  for (uint32_t workers : {1u, 2u}) {
    bundle::BundleT root = counting_bundle();
    root.programs[0]->groups.resize(2);
    for (int g = 0; g < 2; ++g) {
      root.programs[0]->groups[g]->dispatches.clear();
      root.programs[0]->groups[g]->dispatches.push_back(
          make_dispatch(0, {100, 0, 0}, {g ? second_counters : first_counters}));
    }
    core_run run(std::move(root),
                 {{"toy_embed", nullptr, count_first_calls}, {"toy_sum", nullptr, check_counters}},
                 workers);
    for (uint64_t offset : {first_counters, second_counters})
      memset(run.session.fixed + offset, 0, 64);
    for (int step = 0; step < 3; ++step)
      ASSERT_EQ(core::run_program(run.session, core::program_kind::prefill, 1, 0, nullptr),
                SINTER_OK);
    for (uint64_t offset : {first_counters, second_counters})
      for (uint32_t worker = 0; worker < workers; ++worker) {
        auto *words = reinterpret_cast<uint32_t *>(run.session.fixed + offset) + 4 * worker;
        EXPECT_LE(words[1], 3u) << "one in each step";
        EXPECT_TRUE(words[0] == 0 || words[1] > 0) << "worker " << worker << " of " << workers;
        if (workers == 1) {
          EXPECT_EQ(words[1], 3u);
        }
      }
  }
}

void note_scalars(const sinter_kernel_args *args) {
  auto *out = static_cast<uint32_t *>(args->bindings[0]);
  out[0] = args->tokens;
  out[1] = args->position;
  out[2] = args->worker < args->workers;
  out[3] = reinterpret_cast<uintptr_t>(args->scratch) % SINTER_KERNEL_ALIGNMENT == 0;
  memset(args->scratch, 0xee, 64);
}

TEST(Execute, KernelsGetTheStepsScalars) {
  bundle::BundleT root = counting_bundle();
  auto &groups = root.programs[1]->groups; // head: one token
  groups.push_back(std::make_unique<bundle::GroupT>());
  groups[0]->dispatches.push_back(make_dispatch(0, {1, 0, 0}, {first_counters}));
  core_run run(std::move(root),
               {{"toy_embed", nullptr, note_scalars}, {"toy_sum", nullptr, check_counters}}, 2);
  ASSERT_EQ(core::run_program(run.session, core::program_kind::head, 7, 20, nullptr), SINTER_OK);
  // A program of one token works on the last one of the step's seven ...
  auto *seen = reinterpret_cast<uint32_t *>(run.session.fixed + first_counters);
  EXPECT_EQ(seen[0], 1u);
  EXPECT_EQ(seen[1], 26u);
  EXPECT_EQ(seen[2], 1u);
  EXPECT_EQ(seen[3], 1u);
  // ... and the scalars in memory are the step's.
  uint32_t scalars[4];
  memcpy(scalars, run.session.fixed + toy_memory::step, sizeof(scalars));
  EXPECT_EQ(scalars[0], 7u);
  EXPECT_EQ(scalars[1], 20u);
  EXPECT_EQ(scalars[2], 6u);
  EXPECT_EQ(scalars[3], 0u);
}

/// Binding 0 of the only dispatch is indirect: base + index * 64, index at `third_check`, below 8.
bundle::BundleT indirect_bundle() {
  bundle::BundleT root = counting_bundle();
  auto &groups = root.programs[0]->groups;
  groups.resize(1);
  groups[0]->dispatches.clear();
  groups[0]->dispatches.push_back(make_dispatch(0, {1, 0, 0}, {first_counters}));
  auto &binding = *groups[0]->dispatches[0]->bindings[0];
  binding.size = 64;
  binding.indirect = std::make_unique<bundle::IndirectT>();
  binding.indirect->index_offset = third_check;
  binding.indirect->stride = 64;
  binding.indirect->limit = 8;
  return root;
}

TEST(Execute, IndirectBindingsFollowTheirIndex) {
  core_run run(indirect_bundle(),
               {{"toy_embed", nullptr, count_tiles}, {"toy_sum", nullptr, check_counters}}, 2);
  for (uint32_t index = 0; index < 8; ++index) {
    memcpy(run.session.fixed + third_check, &index, sizeof(index));
    ASSERT_EQ(core::run_program(run.session, core::program_kind::prefill, 1, 0, nullptr),
              SINTER_OK);
    uint32_t count;
    memcpy(&count, run.session.fixed + first_counters + 64 * index, sizeof(count));
    EXPECT_EQ(count, 1u) << index;
  }
}

TEST(Execute, AnIndexOutOfRangeRunsNothing) {
  core_run run(indirect_bundle(),
               {{"toy_embed", nullptr, count_tiles}, {"toy_sum", nullptr, check_counters}}, 2);
  for (uint32_t index : {8u, 9u, UINT32_MAX}) {
    memcpy(run.session.fixed + third_check, &index, sizeof(index));
    sinter_error error{};
    EXPECT_EQ(core::run_program(run.session, core::program_kind::prefill, 1, 0, &error),
              SINTER_INDEX_OUT_OF_RANGE);
    EXPECT_NE(std::string(error.text).find("binding 0 of made by a test"), std::string::npos)
        << error.text;
    EXPECT_NE(std::string(error.text).find("is " + std::to_string(index) + ", must be below 8"),
              std::string::npos)
        << error.text;
  }
  std::vector<uint8_t> zero(64 * 8);
  EXPECT_EQ(memcmp(run.session.fixed + first_counters, zero.data(), zero.size()), 0);
  // The session is usable afterwards.
  uint32_t index = 3;
  memcpy(run.session.fixed + third_check, &index, sizeof(index));
  EXPECT_EQ(core::run_program(run.session, core::program_kind::prefill, 1, 0, nullptr), SINTER_OK);
}

/// bindings[0]: a log: how many calls, then (worker + 1) of each call.
void note_worker(const sinter_kernel_args *args) {
  auto *log = static_cast<uint32_t *>(args->bindings[0]);
  log[++log[0]] = args->worker + 1;
}

struct noted_run {
  core::executor real;
  std::atomic<uint32_t> runs{0};
};

/// A program of groups with these numbers of tiles, each of which notes its workers.
bundle::BundleT program_of_groups(const std::vector<uint32_t> &tiles) {
  bundle::BundleT root = counting_bundle();
  auto &groups = root.programs[0]->groups;
  groups.clear();
  for (size_t g = 0; g < tiles.size(); ++g) {
    groups.push_back(std::make_unique<bundle::GroupT>());
    groups[g]->dispatches.push_back(
        make_dispatch(tiles[g] == 1 ? 0 : 1, {tiles[g], 0, 0}, {first_counters + 4096 * g}));
    groups[g]->dispatches[0]->macs = g + 1;
    groups[g]->dispatches[0]->weight_bytes = 10 * (g + 1);
    groups[g]->dispatches[0]->kv_bytes = 100 * (g + 1);
  }
  root.kernels[1]->bindings = 1;
  return root;
}

/// Runs on the session's pool and counts how often.
void count_runs(void *context, void (*body)(void *, uint32_t), void *argument) {
  auto &noted = *static_cast<noted_run *>(context);
  ++noted.runs;
  noted.real.run(noted.real.context, body, argument);
}

TEST(Execute, SingleTilesWakeNobodyAndHaveNoBarrier) {
  const std::vector<sinter_static_kernel> kernels = {{"toy_embed", nullptr, note_worker},
                                                     {"toy_sum", nullptr, count_tiles}};
  for (const auto &[tiles, woken] :
       {std::pair(std::vector<uint32_t>{1, 1, 1}, 0u), std::pair(std::vector<uint32_t>{1, 64}, 1u),
        std::pair(std::vector<uint32_t>{64, 1, 1, 64, 1}, 1u)}) {
    core_run run(program_of_groups(tiles), kernels, 3);
    noted_run noted{run.session.team, {}};
    run.session.team.run = count_runs;
    run.session.team.context = &noted;
    constexpr uint32_t repeats = 50;
    for (uint32_t repeat = 1; repeat <= repeats; ++repeat) {
      ASSERT_EQ(core::run_program(run.session, core::program_kind::prefill, 1, 0, nullptr),
                SINTER_OK);
      for (size_t g = 0; g < tiles.size(); ++g) {
        auto *log = reinterpret_cast<uint32_t *>(run.session.fixed + first_counters + 4096 * g);
        if (tiles[g] == 1) {
          ASSERT_EQ(log[0], repeat) << "group " << g;
          if (woken == 0) {
            EXPECT_EQ(log[repeat], 1u) << "not by the caller";
          }
        } else {
          for (uint32_t tile = 0; tile < tiles[g]; ++tile)
            ASSERT_EQ(log[tile], repeat) << "group " << g << ", tile " << tile;
        }
      }
    }
    EXPECT_EQ(noted.runs.load(), woken * repeats);
  }
}

TEST(Execute, ProfilesCountRunsTokensAndCosts) {
  for (uint32_t workers : {1u, 3u}) {
    core_run run(program_of_groups({64, 1}),
                 {{"toy_embed", nullptr, note_worker}, {"toy_sum", nullptr, count_tiles}}, workers);
    std::vector<sinter_profile_entry> entries(run.model.dispatch_count);
    entries[0].calls = 77; // cleared by the start
    core::start_profile(run.session, entries.data());
    ASSERT_EQ(core::run_program(run.session, core::program_kind::prefill, 5, 2, nullptr),
              SINTER_OK);
    ASSERT_EQ(core::run_program(run.session, core::program_kind::prefill, 3, 7, nullptr),
              SINTER_OK);
    run.session.profile = nullptr;
    ASSERT_EQ(core::run_program(run.session, core::program_kind::prefill, 1, 0, nullptr),
              SINTER_OK);
    const char *kernels[] = {"toy_sum", "toy_embed"};
    for (uint32_t d = 0; d < 2; ++d) {
      EXPECT_STREQ(entries[d].program, "prefill");
      EXPECT_STREQ(entries[d].kernel, kernels[d]);
      EXPECT_STREQ(entries[d].source, "made by a test");
      EXPECT_EQ(entries[d].calls, 2u);
      EXPECT_EQ(entries[d].tokens, 8u);
      EXPECT_GT(entries[d].nanoseconds, 0u);
      EXPECT_LT(entries[d].nanoseconds, 1'000'000'000u);
      EXPECT_EQ(entries[d].weight_bytes, 2 * 10u * (d + 1)); // once a run, for all tokens
      EXPECT_EQ(entries[d].macs, 8u * (d + 1));
      EXPECT_EQ(entries[d].kv_bytes, (7 + 10) * 100u * (d + 1)); // up to each run's last position
    }
  }
}

TEST(Execute, BarriersAreShort) {
  core_run run(counting_bundle(),
               {{"toy_embed", nullptr, count_tiles}, {"toy_sum", nullptr, check_counters}}, 2);
  uint64_t nanoseconds = core::barrier_nanoseconds(run.session);
  EXPECT_GT(nanoseconds, 0u);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // 0.1 us where each worker has a processor; on a busy machine the median may be a time slice.
  EXPECT_LT(nanoseconds, 50'000'000u);
#endif
  core_run alone(counting_bundle(),
                 {{"toy_embed", nullptr, count_tiles}, {"toy_sum", nullptr, check_counters}}, 1);
  EXPECT_EQ(core::barrier_nanoseconds(alone.session), 0u);
}

} // namespace
