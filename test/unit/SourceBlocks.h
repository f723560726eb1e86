//===- SourceBlocks.h - Where a GGUF block keeps its float numbers ---------===//
//
// Random blocks need ordinary d and dmin: any bits may be infinities. Where they lie is found by
// asking the function that takes a block apart, so that a new format needs no line here.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_SOURCEBLOCKS_H
#define SINTER_TEST_UNIT_SOURCEBLOCKS_H

#include "compiler/weights/Source.h"
#include <cassert>
#include <cstring>
#include <vector>

namespace sinter::test {

/// The byte of a block, all others zero, from which the unpacker reads `half`. The sign is not
/// looked at: minima that a source adds are kept negated.
inline int64_t offsetOfHalf(const Format &format, uint16_t SourceBlock::*half) {
  constexpr uint16_t mark = 0x2a5b;
  std::vector<uint8_t> block(gguf::blockBytes(format.source));
  for (size_t at = 0; at + 2 <= block.size(); ++at) {
    std::fill(block.begin(), block.end(), 0);
    std::memcpy(block.data() + at, &mark, 2);
    SourceBlock numbers = {};
    sourceUnpacker(format)(block.data(), numbers);
    if ((numbers.*half & 0x7fff) == mark)
      return static_cast<int64_t>(at);
  }
  assert(false && "the format has no such number");
  return 0;
}

} // namespace sinter::test

#endif
