//===- read_all.cpp - Reading memory as fast as it comes ------------------------===//

#include "limits.h"

namespace sinter::tool {

namespace {

/// GCC's and clang's vectors: as many registers of the target as it takes.
typedef uint64_t lanes __attribute__((vector_size(64)));
constexpr uint64_t line = 64, lines = 4;

// Four lines a round into four sums: nothing to wait for but the memory.
template <bool Prefetches>
[[gnu::always_inline]] inline uint64_t read_lines(const uint8_t *bytes, uint64_t size,
                                                  uint64_t prefetch) {
  lanes sums[lines] = {};
  for (uint64_t at = 0; at + lines * line <= size; at += lines * line)
    for (uint64_t l = 0; l < lines; ++l) {
      if (Prefetches)
        __builtin_prefetch(bytes + at + l * line + prefetch, 0, 3);
      sums[l] ^= *reinterpret_cast<const lanes *>(bytes + at + l * line);
    }
  lanes sum = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];
  uint64_t word = 0;
  for (uint64_t i = 0; i < line / sizeof(word); ++i)
    word ^= sum[i];
  return word;
}

[[gnu::always_inline]] inline uint64_t read_either(const uint8_t *bytes, uint64_t size,
                                                   uint64_t prefetch) {
  return prefetch ? read_lines<true>(bytes, size, prefetch) : read_lines<false>(bytes, size, 0);
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] uint64_t read_avx512(const uint8_t *bytes, uint64_t size,
                                                uint64_t prefetch) {
  return read_either(bytes, size, prefetch);
}
[[gnu::target("avx2")]] uint64_t read_avx2(const uint8_t *bytes, uint64_t size, uint64_t prefetch) {
  return read_either(bytes, size, prefetch);
}
#endif

} // namespace

uint64_t read_all(const uint8_t *bytes, uint64_t size, uint64_t prefetch) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return read_avx512(bytes, size, prefetch);
  if (__builtin_cpu_supports("avx2"))
    return read_avx2(bytes, size, prefetch);
#endif
  return read_either(bytes, size, prefetch);
}

} // namespace sinter::tool
