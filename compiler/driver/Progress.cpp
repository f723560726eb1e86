//===- Progress.cpp - What the compiler is doing --------------------------===//
#include "compiler/driver/Progress.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <unistd.h>

using namespace sinter;

Progress::Progress() : terminal(isatty(STDERR_FILENO) != 0) {}

void Progress::draw(llvm::StringRef text) {
  // Back to the first column, the text, and the rest of the line erased.
  llvm::errs() << "\r" << text << "\x1b[K";
  llvm::errs().flush();
  drawn = true;
}

void Progress::clear() {
  if (!drawn)
    return;
  llvm::errs() << "\r\x1b[K";
  llvm::errs().flush();
  drawn = false;
}

void Progress::begin(llvm::StringRef name) {
  phase = name.str();
  started = lastDrawn = Clock::now();
  if (terminal)
    draw(phase);
}

void Progress::update(uint64_t done, uint64_t total) {
  Clock::time_point now = Clock::now();
  if (!terminal || now - lastDrawn < std::chrono::milliseconds(100))
    return;
  lastDrawn = now;
  constexpr unsigned width = 30;
  unsigned filled =
      total ? static_cast<unsigned>(static_cast<double>(done) * width / static_cast<double>(total))
            : 0;
  draw(llvm::formatv("{0,-9}[{1}{2}] {3:f1} of {4:f1} MB", phase, std::string(filled, '#'),
                     std::string(width - filled, ' '), static_cast<double>(done) / 1e6,
                     static_cast<double>(total) / 1e6)
           .str());
}

double Progress::end() {
  double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  std::string text = llvm::formatv("{0,-9}{1,8:f2} s", phase, seconds).str();
  if (terminal)
    draw(text);
  else
    llvm::errs() << text << "\n";
  return seconds;
}
