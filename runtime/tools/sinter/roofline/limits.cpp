//===- limits.cpp - What this machine can do at most ----------------------------===//

#include "limits.h"
#include "../command.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <sys/mman.h>
#include <thread>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace sinter::tool {

namespace {

using steady = std::chrono::steady_clock;

constexpr uint64_t most_region = uint64_t(512) << 20, least_region = uint64_t(16) << 20;
constexpr double seconds_of_a_loop = 0.02;

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  return (values[values.size() / 2] + values[(values.size() - 1) / 2]) / 2;
}

void place([[maybe_unused]] const std::vector<uint32_t> &cpus, [[maybe_unused]] uint32_t thread) {
#if defined(__linux__)
  if (cpus.empty())
    return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpus[thread], &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
#endif
}

/// Runs work(t) on all threads at the same time, the calling one among them; seconds from the first
/// begin to the last end.
template <typename Work>
double run_on_all(uint32_t threads, const std::vector<uint32_t> &cpus, const Work &work) {
  std::atomic<uint32_t> ready{0};
  std::vector<steady::time_point> begins(threads), ends(threads);
  auto part = [&](uint32_t t) {
    ready.fetch_add(1);
    while (ready.load() != threads)
      ;
    begins[t] = steady::now();
    work(t);
    ends[t] = steady::now();
  };
  std::vector<std::thread> team;
  for (uint32_t t = 1; t < threads; ++t)
    team.emplace_back([&, t] {
      place(cpus, t);
      part(t);
    });
  part(0);
  for (std::thread &thread : team)
    thread.join();
  std::chrono::duration<double> time =
      *std::max_element(ends.begin(), ends.end()) - *std::min_element(begins.begin(), begins.end());
  return time.count();
}

} // namespace

/// Memory that has been written to, so that it is there; in large pages where the system has them.
struct limit_meter::region {
  region() {
    for (size = most_region; size >= least_region; size /= 2) {
      void *base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (base == MAP_FAILED)
        continue;
      bytes = static_cast<uint8_t *>(base);
#if defined(MADV_HUGEPAGE)
      madvise(bytes, size, MADV_HUGEPAGE);
#endif
      return;
    }
    throw failure("--roofline: there is no memory to measure the bandwidth with");
  }
  ~region() { munmap(bytes, size); }
  uint8_t *bytes = nullptr;
  uint64_t size = 0;
};

limit_meter::limit_meter(uint32_t threads, std::vector<uint32_t> cpus,
                         std::vector<std::string> features)
    : threads(threads), cpus(std::move(cpus)), features(std::move(features)),
      memory(std::make_unique<region>()) {
  uint64_t part = memory->size / threads;
  run_on_all(threads, this->cpus,
             [&](uint32_t t) { std::memset(memory->bytes + t * part, int(t + 1), part); });
}

limit_meter::~limit_meter() = default;

void limit_meter::measure() {
  uint64_t part = memory->size / threads / 4096 * 4096;
  std::atomic<uint64_t> sink{0};
  double bandwidth = 0;
  for (unsigned way = 0; way < ways_to_read; ++way) {
    double seconds = run_on_all(threads, cpus, [&](uint32_t t) {
      sink.fetch_xor(read_all(way, memory->bytes + t * part, part));
    });
    bandwidth = std::max(bandwidth, double(part) * threads / seconds);
  }
  bandwidths.push_back(bandwidth);

  double peak = 0;
  for (const int8_loop &loop : int8_loops()) {
    bool usable = std::all_of(loop.features.begin(), loop.features.end(), [&](const auto &feature) {
      return std::find(features.begin(), features.end(), feature) != features.end();
    });
    if (!usable)
      continue;
    // One thread finds out how many rounds fill the time.
    uint64_t rounds = 1000;
    for (;; rounds *= 4) {
      stopwatch time;
      loop.run(rounds);
      if (double seconds = time.seconds(); seconds > seconds_of_a_loop / 8) {
        rounds = uint64_t(double(rounds) * seconds_of_a_loop / seconds) + 1;
        break;
      }
    }
    double seconds = run_on_all(threads, cpus, [&](uint32_t) { loop.run(rounds); });
    double operations = 2.0 * double(loop.macs()) * double(rounds) * threads / seconds;
    if (operations > peak) {
      peak = operations;
      instruction = loop.instruction;
    }
  }
  peaks.push_back(peak);
}

machine_limits limit_meter::limits() const {
  return {median(bandwidths), median(peaks), instruction};
}

} // namespace sinter::tool
