//===- int8_peak_aarch64.cpp - Multiply-adds of int8 on AArch64 -----------------===//
//
// The operands never change; `asm` hides that from the compiler, at no instruction. Loops over sums
// are unrolled so that each sum is a register.
//
//===----------------------------------------------------------------------===//

#include "limits.h"

#include <arm_neon.h>
#include <arm_sve.h>

namespace sinter::tool {

namespace {

// 4 a cycle times a latency of 4.
constexpr unsigned chains = 16;

// Three instructions for 16: two times 8 products in 16 bits, and their sums in 32.
void smull(uint64_t rounds) {
  int32x4_t sums[chains] = {};
  int8x16_t codes = vdupq_n_s8(3), acts = vdupq_n_s8(5);
  for (; rounds; --rounds)
#pragma GCC unroll 16
    for (int32x4_t &sum : sums) {
      asm volatile("" : "+w"(codes));
      int16x8_t products = vmull_s8(vget_low_s8(codes), vget_low_s8(acts));
      sum = vpadalq_s16(sum, vmlal_high_s8(products, codes, acts));
    }
#pragma GCC unroll 16
  for (int32x4_t &sum : sums)
    asm volatile("" : "+w"(sum));
}

[[gnu::target("arch=armv8.2-a+dotprod")]] void sdot(uint64_t rounds) {
  int32x4_t sums[chains] = {};
  int8x16_t codes = vdupq_n_s8(3), acts = vdupq_n_s8(5);
  for (; rounds; --rounds)
#pragma GCC unroll 16
    for (int32x4_t &sum : sums) {
      asm volatile("" : "+w"(codes));
      sum = vdotq_s32(sum, codes, acts);
    }
#pragma GCC unroll 16
  for (int32x4_t &sum : sums)
    asm volatile("" : "+w"(sum));
}

[[gnu::target("arch=armv8.2-a+i8mm")]] void smmla(uint64_t rounds) {
  int32x4_t sums[chains] = {};
  int8x16_t codes = vdupq_n_s8(3), acts = vdupq_n_s8(5);
  for (; rounds; --rounds)
#pragma GCC unroll 16
    for (int32x4_t &sum : sums) {
      asm volatile("" : "+w"(codes));
      sum = vmmlaq_s32(sum, codes, acts);
    }
#pragma GCC unroll 16
  for (int32x4_t &sum : sums)
    asm volatile("" : "+w"(sum));
}

// Vectors of SVE have no size that an array could be made of.
#define SINTER_EACH_CHAIN(DO)                                                                      \
  DO(0)                                                                                            \
  DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)
#define SINTER_BEGIN(i) svint32_t sum##i = svdup_n_s32(0);
#define SINTER_END(i) asm volatile("" : "+w"(sum##i));

[[gnu::target("arch=armv8.2-a+sve")]] void sdot_sve(uint64_t rounds) {
  svint8_t codes = svdup_n_s8(3), acts = svdup_n_s8(5);
  SINTER_EACH_CHAIN(SINTER_BEGIN)
#define SINTER_STEP(i)                                                                             \
  asm volatile("" : "+w"(codes));                                                                  \
  sum##i = svdot_s32(sum##i, codes, acts);
  for (; rounds; --rounds) {
    SINTER_EACH_CHAIN(SINTER_STEP)
  }
#undef SINTER_STEP
  SINTER_EACH_CHAIN(SINTER_END)
}

[[gnu::target("arch=armv8.2-a+sve+i8mm")]] void smmla_sve(uint64_t rounds) {
  svint8_t codes = svdup_n_s8(3), acts = svdup_n_s8(5);
  SINTER_EACH_CHAIN(SINTER_BEGIN)
#define SINTER_STEP(i)                                                                             \
  asm volatile("" : "+w"(codes));                                                                  \
  sum##i = svmmla_s32(sum##i, codes, acts);
  for (; rounds; --rounds) {
    SINTER_EACH_CHAIN(SINTER_STEP)
  }
#undef SINTER_STEP
  SINTER_EACH_CHAIN(SINTER_END)
}

[[gnu::target("arch=armv8.2-a+sve")]] uint64_t bytes_of_a_vector() { return svcntb(); }

} // namespace

std::vector<int8_loop> int8_loops() {
  return {
      {"smull, smlal, sadalp", {}, smull, [] { return uint64_t(chains * 16); }},
      {"sdot", {"dotprod"}, sdot, [] { return uint64_t(chains * 16); }},
      {"smmla", {"i8mm"}, smmla, [] { return uint64_t(chains * 32); }},
      {"sdot z", {"sve"}, sdot_sve, [] { return chains * bytes_of_a_vector(); }},
      {"smmla z", {"sve", "i8mm"}, smmla_sve, [] { return 2 * chains * bytes_of_a_vector(); }},
  };
}

} // namespace sinter::tool
