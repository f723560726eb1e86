//===- read_all.cpp - Reading memory as fast as it comes ------------------------===//
//
// One stream with prefetches is how most code reads; several streams a thread keep more banks and
// more of the prefetchers busy. Which is faster depends on the machine, so all are tried.
//
//===----------------------------------------------------------------------===//

#include "limits.h"

namespace sinter::tool {

namespace {

/// GCC's and clang's vectors: as many registers of the target as it takes.
typedef uint64_t lanes __attribute__((vector_size(64)));
constexpr uint64_t line = 64, lines = 4;

// Four lines of each stream a round into four sums: nothing to wait for but the memory.
template <uint64_t Streams, uint64_t Prefetch>
[[gnu::always_inline]] inline uint64_t read_streams(const uint8_t *bytes, uint64_t size) {
  lanes sums[lines] = {};
  uint64_t part = size / Streams / (lines * line) * (lines * line);
  for (uint64_t at = 0; at < part; at += lines * line)
    for (uint64_t stream = 0; stream < Streams; ++stream)
      for (uint64_t l = 0; l < lines; ++l) {
        const uint8_t *from = bytes + stream * part + at + l * line;
        if (Prefetch)
          __builtin_prefetch(from + Prefetch, 0, 3);
        sums[l] ^= *reinterpret_cast<const lanes *>(from);
      }
  lanes sum = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];
  uint64_t word = 0;
  for (uint64_t i = 0; i < line / sizeof(word); ++i)
    word ^= sum[i];
  return word;
}

[[gnu::always_inline]] inline uint64_t read_in_way(unsigned way, const uint8_t *bytes,
                                                   uint64_t size) {
  switch (way) {
  case 0:
    return read_streams<1, 4096>(bytes, size);
  case 1:
    return read_streams<4, 0>(bytes, size);
  case 2:
    return read_streams<4, 1024>(bytes, size);
  default:
    return read_streams<8, 0>(bytes, size);
  }
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] uint64_t read_avx512(unsigned way, const uint8_t *bytes, uint64_t size) {
  return read_in_way(way, bytes, size);
}
[[gnu::target("avx2")]] uint64_t read_avx2(unsigned way, const uint8_t *bytes, uint64_t size) {
  return read_in_way(way, bytes, size);
}
#endif

} // namespace

uint64_t read_all(unsigned way, const uint8_t *bytes, uint64_t size) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return read_avx512(way, bytes, size);
  if (__builtin_cpu_supports("avx2"))
    return read_avx2(way, bytes, size);
#endif
  return read_in_way(way, bytes, size);
}

} // namespace sinter::tool
