//===- limits.h - What this machine can do at most ------------------------------===//
//
// The two limits of a roofline, measured with as many threads as the session has, on the same
// processors:
//
//     read bandwidth   all threads read a region far larger than the caches, each a part of it, in
//                      the fastest of several ways
//     int8 peak        all threads multiply and add on registers alone, by the best instruction
//     that
//                      the kernels of the variant may use
//
// A machine's speed changes from minute to minute (heat, neighbours): measure beside what is
// compared with it, and often.
//
//===----------------------------------------------------------------------===//
#ifndef RUNTIME_TOOLS_SINTER_ROOFLINE_LIMITS_H
#define RUNTIME_TOOLS_SINTER_ROOFLINE_LIMITS_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sinter::tool {

struct machine_limits {
  double read_bandwidth = 0; ///< bytes a second
  double int8_peak = 0;      ///< operations a second, two a multiply-add; 0: no loop for this CPU
  const char *instruction = "none";
};

class limit_meter {
public:
  /// `cpus`: one a thread, or empty; `features`: of the variant that is compared.
  limit_meter(uint32_t threads, std::vector<uint32_t> cpus, std::vector<std::string> features);
  ~limit_meter();

  /// Takes a tenth of a second or so.
  void measure();
  /// Medians of what has been measured so far.
  machine_limits limits() const;

private:
  uint32_t threads;
  std::vector<uint32_t> cpus;
  std::vector<std::string> features;
  struct region;
  std::unique_ptr<region> memory;
  std::vector<double> bandwidths, peaks;
  const char *instruction = "none";
};

/// A loop of multiply-adds on registers: several independent chains, so that what limits it is how
/// many instructions the core can start and not how long one takes.
struct int8_loop {
  const char *instruction;
  std::vector<std::string> features; ///< of a variant whose kernels may use it
  void (*run)(uint64_t rounds);
  uint64_t (*macs)(); ///< of one round
};

/// The loops of this architecture (int8_peak_*.cpp).
std::vector<int8_loop> int8_loops();

/// Reads all of the bytes (a multiple of 2 KiB) and returns their XOR; in how many streams and with
/// which prefetches is the way, below `ways_to_read`.
constexpr unsigned ways_to_read = 4;
uint64_t read_all(unsigned way, const uint8_t *bytes, uint64_t size);

} // namespace sinter::tool

#endif
