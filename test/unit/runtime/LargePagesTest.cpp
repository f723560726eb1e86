//===- LargePagesTest.cpp - Memory in use gets large pages, other memory none ------===//

#include "runtime/host/large_pages.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

using namespace sinter;

namespace {

constexpr size_t kPiece = size_t(2) << 20, kPieces = 6;

class LargePages : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(host::map_memory((kPieces + 1) * kPiece, memory, nullptr), SINTER_OK);
    auto start = reinterpret_cast<uintptr_t>(memory.base);
    pieces = memory.data + ((start + kPiece - 1) / kPiece * kPiece - start);
    // Some systems have large pages wherever memory is first used.
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  }
  bool enlarge(const host::mapping &part) {
    prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
    return host::enlarge_pages(part);
  }
  void TearDown() override { host::unmap(memory); }

  static uint8_t byteOf(size_t piece, size_t at) {
    return static_cast<uint8_t>(at * 7 + at / 4096 + piece * 31 + 1);
  }
  void fill(size_t piece, size_t bytes) {
    for (size_t at = 0; at < bytes; ++at)
      pieces[piece * kPiece + at] = byteOf(piece, at);
    filled.push_back({piece, bytes});
  }
  void expectFilled() {
    for (auto [piece, bytes] : filled)
      for (size_t at = 0; at < bytes; ++at)
        ASSERT_EQ(pieces[piece * kPiece + at], byteOf(piece, at)) << piece << " at " << at;
  }
  size_t residentPages(size_t piece) {
    std::vector<unsigned char> resident(kPiece / static_cast<size_t>(sysconf(_SC_PAGESIZE)));
    EXPECT_EQ(mincore(pieces + piece * kPiece, kPiece, resident.data()), 0);
    size_t count = 0;
    for (unsigned char page : resident)
      count += page & 1;
    return count;
  }
  /// Asked by itself, for a piece that is used up.
  bool systemHasThem(size_t piece) {
    constexpr int collapse = 25;
    int result = -1;
    for (int again = 0; again < 100 && result; ++again)
      if ((result = madvise(pieces + piece * kPiece, kPiece, collapse)) && errno != EAGAIN)
        break;
    return result == 0;
  }
  /// KiB of large pages in the mapping that has the pieces.
  long largeKiB() {
    std::ifstream maps("/proc/self/smaps");
    bool mine = false;
    for (std::string line; std::getline(maps, line);) {
      unsigned long begin, end;
      long size;
      auto at = reinterpret_cast<unsigned long>(pieces);
      if (sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2)
        mine = begin <= at && at < end;
      else if (mine && sscanf(line.c_str(), "AnonHugePages: %ld", &size) == 1)
        return size;
    }
    return 0;
  }

  host::mapping memory;
  uint8_t *pieces = nullptr;
  std::vector<std::pair<size_t, size_t>> filled;
};

TEST_F(LargePages, AreForMemoryInUse) {
  fill(1, kPiece);
  fill(3, kPiece / 16 * 15);
  fill(4, kPiece / 8 * 7);
  fill(5, 1);
  size_t most = residentPages(4), one = residentPages(5);
  // Pages on their way between the system's lists make it ask to try again.
  bool some = enlarge(memory);
  for (int again = 0; some && again < 100 && largeKiB() < 2 * 2048; ++again)
    some = enlarge(memory);
  expectFilled();
  EXPECT_EQ(residentPages(0), 0u);
  EXPECT_EQ(residentPages(2), 0u);
  EXPECT_EQ(residentPages(4), most);
  EXPECT_EQ(residentPages(5), one);
  for (size_t at = kPiece / 16 * 15; at < kPiece; ++at)
    ASSERT_EQ(pieces[3 * kPiece + at], 0);
  // A piece that has become one already is one still.
  if (!systemHasThem(1))
    GTEST_SKIP() << "this system has no large pages on request";
  EXPECT_TRUE(some);
  EXPECT_EQ(largeKiB(), 2 * 2048);
}

TEST_F(LargePages, LeavesMemoryOfLessThanAPieceAlone) {
  host::mapping small{pieces + 4096, kPiece, pieces + 4096};
  fill(0, kPiece);
  fill(1, 8192);
  enlarge(small);
  expectFilled();
  EXPECT_EQ(largeKiB(), 0);
}

} // namespace
