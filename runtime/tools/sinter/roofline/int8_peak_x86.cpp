//===- int8_peak_x86.cpp - Multiply-adds of int8 on x86-64 ----------------------===//
//
// The operands never change; `asm` hides that from the compiler, at no instruction. Loops over sums
// are unrolled so that each sum is a register.
//
//===----------------------------------------------------------------------===//

#include "limits.h"

#include <immintrin.h>

namespace sinter::tool {

namespace {

// zmm: 4 x 16 multiply-adds; 12 chains, above 2 a cycle times the latency of 5.
constexpr unsigned wide_chains = 12;
[[gnu::target("avx512f,avx512vnni")]] void vpdpbusd_zmm(uint64_t rounds) {
  __m512i sums[wide_chains], codes = _mm512_set1_epi8(3), acts = _mm512_set1_epi8(5);
#pragma GCC unroll 16
  for (__m512i &sum : sums)
    sum = _mm512_setzero_si512();
  for (; rounds; --rounds)
#pragma GCC unroll 16
    for (__m512i &sum : sums) {
      asm volatile("" : "+v"(codes));
      sum = _mm512_dpbusd_epi32(sum, codes, acts);
    }
#pragma GCC unroll 16
  for (__m512i &sum : sums)
    asm volatile("" : "+v"(sum));
}

// ymm: 4 x 8.
[[gnu::target("avx2,avxvnni")]] void vpdpbusd_ymm(uint64_t rounds) {
  __m256i sums[wide_chains], codes = _mm256_set1_epi8(3), acts = _mm256_set1_epi8(5);
#pragma GCC unroll 16
  for (__m256i &sum : sums)
    sum = _mm256_setzero_si256();
  for (; rounds; --rounds)
#pragma GCC unroll 16
    for (__m256i &sum : sums) {
      asm volatile("" : "+x"(codes));
      sum = _mm256_dpbusd_avx_epi32(sum, codes, acts);
    }
#pragma GCC unroll 16
  for (__m256i &sum : sums)
    asm volatile("" : "+x"(sum));
}

// Three instructions for 4 x 8: pairs in 16 bits, pairs of pairs in 32, their sum.
constexpr unsigned chains = 8;
[[gnu::target("avx2")]] void pmaddubsw(uint64_t rounds) {
  __m256i sums[chains], codes = _mm256_set1_epi8(3), acts = _mm256_set1_epi8(5);
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 16
  for (__m256i &sum : sums)
    sum = _mm256_setzero_si256();
  for (; rounds; --rounds)
#pragma GCC unroll 16
    for (__m256i &sum : sums) {
      asm volatile("" : "+x"(codes));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, acts), ones));
    }
#pragma GCC unroll 16
  for (__m256i &sum : sums)
    asm volatile("" : "+x"(sum));
}

} // namespace

std::vector<int8_loop> int8_loops() {
  return {
      {"vpdpbusd zmm", {"avx512vnni"}, vpdpbusd_zmm, [] { return uint64_t(wide_chains * 64); }},
      {"vpdpbusd ymm", {"avxvnni"}, vpdpbusd_ymm, [] { return uint64_t(wide_chains * 32); }},
      {"vpmaddubsw ymm", {"avx2"}, pmaddubsw, [] { return uint64_t(chains * 32); }},
  };
}

} // namespace sinter::tool
