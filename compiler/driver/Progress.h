//===- Progress.h - What the compiler is doing ----------------------------===//
//
// On a terminal one line that is redrawn; elsewhere a line for each phase. Standard error.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_DRIVER_PROGRESS_H
#define SINTER_COMPILER_DRIVER_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include <chrono>
#include <cstdint>
#include <string>

namespace sinter {

class Progress {
public:
  Progress();
  ~Progress() { clear(); }

  void begin(llvm::StringRef phase);
  /// How far the phase is. Redraws a few times a second.
  void update(uint64_t done, uint64_t total);
  /// Ends the phase; returns its seconds.
  double end();
  /// Takes the line away, before something else is printed.
  void clear();

private:
  using Clock = std::chrono::steady_clock;
  void draw(llvm::StringRef text);

  bool terminal;
  bool drawn = false;
  std::string phase;
  Clock::time_point started, lastDrawn;
};

} // namespace sinter

#endif
