//===- report.h - Where a benchmark's time went, against the machine's limits ---===//
//
// Of a phase (prefill: a prompt's chunks and the logits of its last token; decode: single tokens)
//
//     bandwidth share   bytes of weights and KV cache read / time / read bandwidth
//     int8 share        2 x multiply-adds with weights / time / int8 peak
//
// of the repetition that took the median time, and the same of each kernel, with the time that
// workers spent inside it divided by their number.
// A kernel's limit is the one that it would take longer at.
//
//===----------------------------------------------------------------------===//
#ifndef RUNTIME_TOOLS_SINTER_ROOFLINE_REPORT_H
#define RUNTIME_TOOLS_SINTER_ROOFLINE_REPORT_H

#include "limits.h"
#include "sinter/sinter.h"

#include <nlohmann/json_fwd.hpp>

namespace sinter::tool {

/// What one kernel did in a phase of one round, or the phase as a whole; `seconds` of all workers
/// working at the same time.
struct cost {
  uint64_t calls = 0;
  double seconds = 0, bytes = 0, operations = 0;
};

struct kernel_cost : cost {
  std::string name;
};

struct phase_report {
  std::string name;                 ///< "prefill" or "decode"
  cost whole;                       ///< by the clock
  cost linear;                      ///< of all kernels that multiply with weights
  double idle = 0;                  ///< share of the workers' time outside of kernels
  std::vector<kernel_cost> kernels; ///< longest first
};

/// `entries`: of one round; `seconds`: how long its phase took by the clock.
phase_report make_report(const std::string &phase, const std::vector<sinter_profile_entry> &entries,
                         uint32_t threads, double seconds);

void print_limits(const machine_limits &limits, uint64_t barrier_ns);
void print_report(const phase_report &report, const machine_limits &limits);

/// Adds the keys of a report: `decode_bandwidth_share` and its like, and to `kernels`.
void add_json(nlohmann::ordered_json &out, const phase_report &report,
              const machine_limits &limits);

} // namespace sinter::tool

#endif
