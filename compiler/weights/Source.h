//===- Source.h - A source block as codes and scale-chain numbers ---------===//
//
// One function a GGUF format takes its block apart; all that follows (Pack.cpp) is generic over
// Format.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_WEIGHTS_SOURCE_H
#define SINTER_COMPILER_WEIGHTS_SOURCE_H

#include "compiler/weights/Format.h"

namespace sinter {

/// The numbers of one super-block in the order of its elements and groups. Signed numbers are two's
/// complement bytes; d and dmin are the bits of f16 values.
struct SourceBlock {
  uint8_t codes[256];
  uint8_t scales[16];
  uint8_t minima[16];
  uint16_t d, dmin;
};

using UnpackSource = void (*)(const uint8_t *block, SourceBlock &out);

/// What takes a block of this format apart; the format is not a float one.
UnpackSource sourceUnpacker(const Format &format);

} // namespace sinter

#endif
