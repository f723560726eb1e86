//===- report.cpp - Where a benchmark's time went, against the machine's limits -===//

#include "report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace sinter::tool {

namespace {

double divided(double a, double b) { return b > 0 ? a / b : 0; }

double bandwidth_share(const cost &of, const machine_limits &limits) {
  return divided(divided(of.bytes, of.seconds), limits.read_bandwidth);
}

double int8_share(const cost &of, const machine_limits &limits) {
  return divided(divided(of.operations, of.seconds), limits.int8_peak);
}

struct limit {
  const char *name; ///< "memory", "int8", or empty: neither is counted
  double share;
};

limit limit_of(const cost &of, const machine_limits &limits) {
  double memory = bandwidth_share(of, limits), int8 = int8_share(of, limits);
  if (memory == 0 && int8 == 0)
    return {"", 0};
  return memory > int8 ? limit{"memory", memory} : limit{"int8", int8};
}

void add(cost &to, const sinter_profile_entry &entry, uint32_t threads) {
  to.calls += entry.calls;
  to.seconds += 1e-9 * double(entry.nanoseconds) / threads;
  to.bytes += double(entry.weight_bytes) + double(entry.kv_bytes);
  to.operations += 2 * double(entry.macs);
}

void print_line(const std::string &name, const cost &of, double whole_seconds,
                const machine_limits &limits) {
  limit most = limit_of(of, limits);
  std::string calls = of.calls ? std::to_string(of.calls) : "";
  char line[400];
  std::snprintf(line, sizeof(line), "  %-44s %6s %10.3f %6.1f %%", name.c_str(), calls.c_str(),
                1e3 * of.seconds, 100 * divided(of.seconds, whole_seconds));
  std::cout << line;
  auto number = [&](double value) {
    if (value > 0)
      std::snprintf(line, sizeof(line), " %8.1f", value);
    std::cout << (value > 0 ? line : "        -");
  };
  number(1e-9 * divided(of.bytes, of.seconds));
  number(1e-9 * divided(of.operations, of.seconds));
  if (*most.name) {
    std::snprintf(line, sizeof(line), "  %5.1f %% of %s", 100 * most.share, most.name);
    std::cout << line;
  }
  std::cout << "\n";
}

} // namespace

phase_report make_report(const std::string &phase, const std::vector<sinter_profile_entry> &entries,
                         uint32_t threads, double seconds) {
  phase_report report;
  report.name = phase;
  double inside = 0;
  for (const sinter_profile_entry &entry : entries) {
    std::string program = entry.program;
    if (entry.calls == 0 || (program == "head" ? "prefill" : program) != phase)
      continue;
    auto same =
        std::find_if(report.kernels.begin(), report.kernels.end(),
                     [&](const kernel_cost &kernel) { return kernel.name == entry.kernel; });
    if (same == report.kernels.end()) {
      same = report.kernels.emplace(report.kernels.end());
      same->name = entry.kernel;
    }
    add(*same, entry, threads);
    add(report.whole, entry, threads);
    if (entry.macs)
      add(report.linear, entry, threads);
    inside += 1e-9 * double(entry.nanoseconds) / threads;
  }
  report.whole.seconds = seconds;
  report.idle = seconds > 0 ? std::max(0.0, 1 - inside / seconds) : 0;
  std::stable_sort(report.kernels.begin(), report.kernels.end(),
                   [](const cost &a, const cost &b) { return a.seconds > b.seconds; });
  return report;
}

void print_limits(const machine_limits &limits, uint64_t barrier_ns) {
  char line[200];
  std::snprintf(line, sizeof(line),
                "\nlimits measured between the rounds: reads %.1f GB/s, int8 %.1f GOPS (%s)",
                1e-9 * limits.read_bandwidth, 1e-9 * limits.int8_peak, limits.instruction);
  std::cout << line;
  if (barrier_ns) {
    std::snprintf(line, sizeof(line), "; a barrier takes %.2f us", 1e-3 * double(barrier_ns));
    std::cout << line;
  }
  std::cout << "\n";
}

void print_report(const phase_report &report, const machine_limits &limits) {
  if (report.kernels.empty())
    return;
  char line[200];
  std::snprintf(line, sizeof(line), "\n%-46s %6s %10s %8s %8s %8s\n", report.name.c_str(), "calls",
                "ms", "share", "GB/s", "GOPS");
  std::cout << line;
  for (const kernel_cost &kernel : report.kernels)
    print_line(kernel.name, kernel, report.whole.seconds, limits);
  std::snprintf(line, sizeof(line), "  %-44s %6s %10.3f %6.1f %%\n", "(waiting, starting)", "",
                1e3 * report.idle * report.whole.seconds, 100 * report.idle);
  std::cout << line;
  cost linear = report.linear;
  linear.calls = 0;
  cost whole = report.whole;
  whole.calls = 0;
  print_line("all with weights", linear, report.whole.seconds, limits);
  print_line("whole", whole, report.whole.seconds, limits);
}

void add_json(nlohmann::ordered_json &out, const phase_report &report,
              const machine_limits &limits) {
  out[report.name + "_bandwidth_share"] = bandwidth_share(report.whole, limits);
  out[report.name + "_int8_share"] = int8_share(report.whole, limits);
  out[report.name + "_linear_bandwidth_share"] = bandwidth_share(report.linear, limits);
  out[report.name + "_linear_int8_share"] = int8_share(report.linear, limits);
  out[report.name + "_idle_share"] = report.idle;
  for (const kernel_cost &kernel : report.kernels) {
    nlohmann::ordered_json entry;
    limit most = limit_of(kernel, limits);
    entry["phase"] = report.name;
    entry["name"] = kernel.name;
    entry["calls"] = kernel.calls;
    entry["seconds"] = kernel.seconds;
    entry["share"] = divided(kernel.seconds, report.whole.seconds);
    entry["gb_s"] = 1e-9 * divided(kernel.bytes, kernel.seconds);
    entry["gops"] = 1e-9 * divided(kernel.operations, kernel.seconds);
    entry["limit"] = most.name;
    entry["limit_share"] = most.share;
    out["kernels"].push_back(std::move(entry));
  }
}

} // namespace sinter::tool
