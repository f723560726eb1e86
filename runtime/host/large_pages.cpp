//===- large_pages.cpp - Large pages for memory that is in use -----------------===//
//
// One token's attention reads the whole KV cache: of 4 KiB pages, a page table's entry for every 64
// lines, and the processor fetches no line ahead across their ends (Zen 4, two threads, 16384 positions:
// 24 to 30 GB/s instead of 33 of 36). madvise(MADV_HUGEPAGE) on all of a session's memory would do as
// well, but then a short sequence has the whole context's memory.
//
//===----------------------------------------------------------------------===//
#include "runtime/host/large_pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sinter::host {

#if defined(__linux__)

namespace {

constexpr uintptr_t piece = uintptr_t(2) << 20;
/// MADV_COLLAPSE, which older headers lack.
constexpr int collapse = 25;

bool is_in_use(uintptr_t start, size_t page) {
  unsigned char resident[piece / 4096];
  if (page < 4096 || mincore(reinterpret_cast<void *>(start), piece, resident) != 0)
    return false;
  size_t pages = piece / page, count = 0;
  for (size_t p = 0; p < pages; ++p)
    count += resident[p] & 1;
  return count >= pages - pages / 16;
}

} // namespace

bool enlarge_pages(const mapping &memory) {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(memory.base), end = begin + memory.length;
  for (uintptr_t at = (begin + piece - 1) / piece * piece; at + piece <= end; at += piece)
    if (is_in_use(at, page) && madvise(reinterpret_cast<void *>(at), piece, collapse) != 0 &&
        errno != EAGAIN)
      return false;
  return true;
}

#else

bool enlarge_pages(const mapping &) { return false; }

#endif

} // namespace sinter::host
