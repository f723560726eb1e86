//===- cpu_features.cpp - What this CPU and its system can execute ------------===//

#include "runtime/host/cpu_features.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

namespace sinter::host {

namespace {

/// Names separated by commas, in storage that lives as long as the process.
class name_list {
public:
  void add(bool present, const char *name) {
    size_t length = strlen(name);
    if (!present || used + length + 2 > sizeof(text))
      return;
    if (used)
      text[used++] = ',';
    memcpy(text + used, name, length + 1);
    used += length;
  }
  char text[256] = {};

private:
  size_t used = 0;
};

#if defined(__x86_64__)

struct cpuid_result {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

cpuid_result cpuid(uint32_t leaf, uint32_t subleaf) {
  cpuid_result r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

/// The register that says which vector registers the system saves (XCR0).
uint64_t saved_state() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

void detect(name_list &names) {
  auto bit = [](uint32_t value, unsigned index) { return (value >> index & 1) != 0; };
  constexpr uint64_t ymm = 0x6, zmm = 0xe6;
  cpuid_result basic = cpuid(1, 0);
  cpuid_result extended = cpuid(7, 0);
  cpuid_result more = extended.eax >= 1 ? cpuid(7, 1) : cpuid_result();
  cpuid_result vendor = cpuid(0x80000000, 0).eax >= 0x80000001 ? cpuid(0x80000001, 0) : cpuid_result();
  uint64_t state = bit(basic.ecx, 27) ? saved_state() : 0;
  bool avx = bit(basic.ecx, 28) && (state & ymm) == ymm;
  bool avx512 = bit(extended.ebx, 16) && (state & zmm) == zmm;
  names.add(bit(basic.ecx, 20), "sse4.2");
  names.add(bit(basic.ecx, 23), "popcnt");
  names.add(bit(extended.ebx, 8), "bmi2");
  names.add(avx, "avx");
  names.add(avx && bit(extended.ebx, 5), "avx2");
  names.add(avx && bit(basic.ecx, 12), "fma");
  names.add(avx && bit(basic.ecx, 29), "f16c");
  names.add(avx && bit(more.eax, 4), "avxvnni");
  names.add(avx512, "avx512f");
  names.add(avx512 && bit(extended.ebx, 30), "avx512bw");
  names.add(avx512 && bit(extended.ebx, 31), "avx512vl");
  names.add(avx512 && bit(extended.ebx, 17), "avx512dq");
  names.add(avx512 && bit(extended.ecx, 11), "avx512vnni");
  // SSE4a is AMD's alone, and AVX-VNNI came to AMD with what followed Zen 4.
  names.add(avx512 && bit(extended.ecx, 11) && bit(vendor.ecx, 6) && !bit(more.eax, 4), "zen4");
  names.add(avx512 && bit(more.eax, 5), "avx512bf16");
}

#elif defined(__aarch64__) && defined(__linux__)

void detect(name_list &names) {
  unsigned long low = getauxval(AT_HWCAP);
  unsigned long high = getauxval(AT_HWCAP2);
  names.add(low & HWCAP_ASIMD, "neon");
  names.add(low & HWCAP_ASIMDDP, "dotprod");
  names.add((low & HWCAP_ASIMDHP) && (low & HWCAP_FPHP), "fullfp16");
  names.add(high & HWCAP2_I8MM, "i8mm");
  names.add(high & HWCAP2_BF16, "bf16");
  names.add(low & HWCAP_SVE, "sve");
  names.add(high & HWCAP2_SVE2, "sve2");
  // How long its registers are is a matter of the process, not only of the CPU; 16 bits of the answer are bytes.
  int vectors = low & HWCAP_SVE ? prctl(PR_SVE_GET_VL) : 0;
  unsigned bytes = vectors > 0 ? static_cast<unsigned>(vectors) & PR_SVE_VL_LEN_MASK : 0;
  names.add(bytes >= 32, "sve256");
  names.add(bytes >= 64, "sve512");
}

#elif defined(__aarch64__)

void detect(name_list &names) { names.add(true, "neon"); }

#else

void detect(name_list &) {}

#endif

} // namespace

const char *target_name() {
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown";
#endif
}

const char *cpu_features() {
  static const name_list names = [] {
    name_list found;
    detect(found);
    return found;
  }();
  return names.text;
}

} // namespace sinter::host
