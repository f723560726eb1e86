//===- sha256.h - The digest that bundles carry of their segments --------------===//
//
// FIPS 180-4, in a few lines, because the tool also runs where no crypto library is.
//
//===----------------------------------------------------------------------===//
#ifndef RUNTIME_TOOLS_SINTER_SHA256_H
#define RUNTIME_TOOLS_SINTER_SHA256_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace sinter::tool {

class sha256 {
public:
  void add(const uint8_t *bytes, size_t count);
  /// The digest of all that was added; the object is used up.
  std::array<uint8_t, 32> finish();

private:
  void block(const uint8_t *bytes);

  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending = {};
  uint64_t total = 0;
};

} // namespace sinter::tool

#endif
