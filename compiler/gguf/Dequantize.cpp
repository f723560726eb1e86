//===- Dequantize.cpp - Reference values of quantized rows ----------------===//
//
// Conventions of the layouts below: bytes in file order, all numbers little endian, `e` the element
// within the block, `f16 d` a half-precision scale, "nibbles" two codes a byte. The order of the
// float operations is part of each format's definition here and this file is compiled without
// contraction, so results are the same on every host.
//
//===----------------------------------------------------------------------===//

#include "compiler/gguf/Dequantize.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/ErrorHandling.h"

#include <cassert>

using namespace sinter::gguf;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;

namespace {

float half(const uint8_t *at) { return halfToFloat(read16le(at)); }
int lowNibble(uint8_t byte) { return byte & 15; }
int highNibble(uint8_t byte) { return byte >> 4; }

// The 16 levels that iq4_nl and iq4_xs codes stand for: denser around zero, where most weights are.
constexpr int8_t iq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                  1,    13,   25,  38,  53,  69,  89,  113};

// f32, 4 bytes: the value.
void f32Block(const uint8_t *block, float *out) { *out = llvm::bit_cast<float>(read32le(block)); }

// f16, 2 bytes: IEEE half precision.
void f16Block(const uint8_t *block, float *out) { *out = half(block); }

// bf16, 2 bytes: the upper half of a float.
void bf16Block(const uint8_t *block, float *out) { *out = bfloat16ToFloat(read16le(block)); }

// q4_0, 18 bytes for 32:  0 f16 d | 2 nibbles[16]
//   code of e: low nibble of byte e for e < 16, high nibble of byte e-16 above;  value = (code - 8)
//   * d
void q4_0Block(const uint8_t *block, float *out) {
  float d = half(block);
  const uint8_t *codes = block + 2;
  for (int i = 0; i < 16; ++i) {
    out[i] = (lowNibble(codes[i]) - 8) * d;
    out[i + 16] = (highNibble(codes[i]) - 8) * d;
  }
}

// q4_1, 20 bytes for 32:  0 f16 d | 2 f16 m | 4 nibbles[16], in q4_0's order
//   value = code * d + m
void q4_1Block(const uint8_t *block, float *out) {
  float d = half(block), m = half(block + 2);
  const uint8_t *codes = block + 4;
  for (int i = 0; i < 16; ++i) {
    out[i] = lowNibble(codes[i]) * d + m;
    out[i + 16] = highNibble(codes[i]) * d + m;
  }
}

/// The fifth bit of element e's code, in its place: bit e of the 32 at `bits`.
int fifthBit(const uint8_t *bits, int e) { return (bits[e / 8] >> (e % 8) & 1) << 4; }

// q5_0, 22 bytes for 32:  0 f16 d | 2 fifth bits[4], bit e of the little-endian word | 6
// nibbles[16], in q4_0's order
//   value = (code - 16) * d
void q5_0Block(const uint8_t *block, float *out) {
  float d = half(block);
  const uint8_t *high = block + 2, *codes = block + 6;
  for (int i = 0; i < 16; ++i) {
    out[i] = ((lowNibble(codes[i]) | fifthBit(high, i)) - 16) * d;
    out[i + 16] = ((highNibble(codes[i]) | fifthBit(high, i + 16)) - 16) * d;
  }
}

// q5_1, 24 bytes for 32:  0 f16 d | 2 f16 m | 4 fifth bits[4] | 8 nibbles[16]
//   value = code * d + m
void q5_1Block(const uint8_t *block, float *out) {
  float d = half(block), m = half(block + 2);
  const uint8_t *high = block + 4, *codes = block + 8;
  for (int i = 0; i < 16; ++i) {
    out[i] = (lowNibble(codes[i]) | fifthBit(high, i)) * d + m;
    out[i + 16] = (highNibble(codes[i]) | fifthBit(high, i + 16)) * d + m;
  }
}

// q8_0, 34 bytes for 32:  0 f16 d | 2 int8 codes[32]
//   value = code * d
void q8_0Block(const uint8_t *block, float *out) {
  float d = half(block);
  for (int e = 0; e < 32; ++e)
    out[e] = static_cast<int8_t>(block[2 + e]) * d;
}

/// The 2-bit code of element e of q2_k and q3_k. Each half of the block (128 elements) has 32
/// bytes; a byte holds the codes of four elements that are 32 apart, lowest bits first.
int twoBitCode(const uint8_t *codes, int e) {
  int halfBlock = e / 128, quarter = e % 128 / 32, byte = e % 32;
  return codes[32 * halfBlock + byte] >> (2 * quarter) & 3;
}

// q2_k, 84 bytes for 256:  0 scales[16], one byte for 16 elements: scale in the low nibble, minimum
// in the high one |
//                          16 two-bit codes[64] | 80 f16 d | 82 f16 dmin
//   value = (d * scale) * code - (dmin * minimum)
void q2_kBlock(const uint8_t *block, float *out) {
  const uint8_t *scales = block, *codes = block + 16;
  float d = half(block + 80), dmin = half(block + 82);
  for (int e = 0; e < 256; ++e) {
    uint8_t scale = scales[e / 16];
    out[e] = d * lowNibble(scale) * twoBitCode(codes, e) - dmin * highNibble(scale);
  }
}

/// The signed 6-bit scale of group g (of 16) of a q3_k block, from 12 bytes: the low nibbles of
/// bytes 0 .. 7 for g < 8, their high nibbles for the others; bits 4 and 5 from byte 8 + g % 4 at
/// bit 2 * (g / 4); less 32.
int q3_kScale(const uint8_t *scales, int g) {
  int low = g < 8 ? lowNibble(scales[g]) : highNibble(scales[g - 8]);
  int high = scales[8 + g % 4] >> (2 * (g / 4)) & 3;
  return (low | high << 4) - 32;
}

// q3_k, 110 bytes for 256:  0 third bits[32], element e at bit e / 32 of byte e % 32 | 32 two-bit
// codes[64] |
//                           96 scales[12] | 108 f16 d
//   value = (d * scale) * (code - 4), where the third bit is the code's bit 2
void q3_kBlock(const uint8_t *block, float *out) {
  const uint8_t *high = block, *codes = block + 32, *scales = block + 96;
  float d = half(block + 108);
  for (int e = 0; e < 256; ++e) {
    int code = twoBitCode(codes, e) | (high[e % 32] >> (e / 32) & 1) << 2;
    out[e] = d * q3_kScale(scales, e / 16) * (code - 4);
  }
}

struct ScaleAndMinimum {
  int scale, minimum;
};

/// The 6-bit scale and minimum of group g (of 8) of q4_k and q5_k, from 12 bytes. Groups 0 .. 3:
/// the low six bits of bytes g and g + 4. Groups 4 .. 7: the nibbles of byte g + 4 (scale low,
/// minimum high), with bits 4 and 5 from the top two bits of bytes g - 4 and g.
ScaleAndMinimum sixBitPair(const uint8_t *scales, int g) {
  if (g < 4)
    return {scales[g] & 63, scales[g + 4] & 63};
  return {lowNibble(scales[g + 4]) | scales[g - 4] >> 6 << 4,
          highNibble(scales[g + 4]) | scales[g] >> 6 << 4};
}

/// The nibble of element e of q4_k and q5_k. 32 bytes for 64 elements: the first 32 in the low
/// nibbles, the others in the high ones.
int nibbleOf64(const uint8_t *codes, int e) {
  uint8_t byte = codes[e / 64 * 32 + e % 32];
  return e % 64 < 32 ? lowNibble(byte) : highNibble(byte);
}

// q4_k, 144 bytes for 256:  0 f16 d | 2 f16 dmin | 4 scales and minima[12], a pair for 32 elements
// | 16 nibbles[128]
//   value = (d * scale) * code - (dmin * minimum)
void q4_kBlock(const uint8_t *block, float *out) {
  float d = half(block), dmin = half(block + 2);
  const uint8_t *scales = block + 4, *codes = block + 16;
  for (int e = 0; e < 256; ++e) {
    ScaleAndMinimum group = sixBitPair(scales, e / 32);
    out[e] = d * group.scale * nibbleOf64(codes, e) - dmin * group.minimum;
  }
}

// q5_k, 176 bytes for 256:  0 f16 d | 2 f16 dmin | 4 scales and minima[12] |
//                           16 fifth bits[32], element e at bit e / 32 of byte e % 32 | 48
//                           nibbles[128]
//   value = (d * scale) * code - (dmin * minimum)
void q5_kBlock(const uint8_t *block, float *out) {
  float d = half(block), dmin = half(block + 2);
  const uint8_t *scales = block + 4, *high = block + 16, *codes = block + 48;
  for (int e = 0; e < 256; ++e) {
    ScaleAndMinimum group = sixBitPair(scales, e / 32);
    int code = nibbleOf64(codes, e) | (high[e % 32] >> (e / 32) & 1) << 4;
    out[e] = d * group.scale * code - dmin * group.minimum;
  }
}

// q6_k, 210 bytes for 256:  0 low nibbles[128] | 128 upper bits[64] | 192 int8 scales[16], one for
// 16 elements | 208 f16 d
//   Each half of the block (128 elements) has 64 bytes of nibbles: its first 64 elements in the low
//   ones, the others in the high ones; and 32 bytes of upper bit pairs, in q2_k's order. value = (d
//   * scale) * (code - 32)
void q6_kBlock(const uint8_t *block, float *out) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  float d = half(block + 208);
  for (int e = 0; e < 256; ++e) {
    uint8_t byte = low[e / 128 * 64 + e % 64];
    int code = (e % 128 < 64 ? lowNibble(byte) : highNibble(byte)) | twoBitCode(high, e) << 4;
    out[e] = d * static_cast<int8_t>(scales[e / 16]) * (code - 32);
  }
}

// iq4_nl, 18 bytes for 32: q4_0's layout
//   value = d * level[code]
void iq4_nlBlock(const uint8_t *block, float *out) {
  float d = half(block);
  const uint8_t *codes = block + 2;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * iq4Levels[lowNibble(codes[i])];
    out[i + 16] = d * iq4Levels[highNibble(codes[i])];
  }
}

// iq4_xs, 136 bytes for 256:  0 f16 d | 2 u16 upper scale bits, group g (of 8, 32 elements each) at
// bit 2g |
//                             4 lower scale nibbles[4], group g in byte g / 2, even groups low |
//                             8 nibbles[128]: 16 bytes a group, in q4_0's order
//   value = (d * (scale - 32)) * level[code]
void iq4_xsBlock(const uint8_t *block, float *out) {
  float d = half(block);
  uint16_t upper = read16le(block + 2);
  for (int g = 0; g < 8; ++g) {
    uint8_t pair = block[4 + g / 2];
    int scale = (g % 2 ? highNibble(pair) : lowNibble(pair)) | (upper >> (2 * g) & 3) << 4;
    float groupScale = d * (scale - 32);
    const uint8_t *codes = block + 8 + 16 * g;
    for (int i = 0; i < 16; ++i) {
      out[32 * g + i] = groupScale * iq4Levels[lowNibble(codes[i])];
      out[32 * g + i + 16] = groupScale * iq4Levels[highNibble(codes[i])];
    }
  }
}

using BlockFunction = void (*)(const uint8_t *block, float *out);

/// Null for types that are only known by name.
BlockFunction blockFunction(TensorType type) {
  switch (type) {
  case TensorType::F32:
    return f32Block;
  case TensorType::F16:
    return f16Block;
  case TensorType::BF16:
    return bf16Block;
  case TensorType::Q4_0:
    return q4_0Block;
  case TensorType::Q4_1:
    return q4_1Block;
  case TensorType::Q5_0:
    return q5_0Block;
  case TensorType::Q5_1:
    return q5_1Block;
  case TensorType::Q8_0:
    return q8_0Block;
  case TensorType::Q2_K:
    return q2_kBlock;
  case TensorType::Q3_K:
    return q3_kBlock;
  case TensorType::Q4_K:
    return q4_kBlock;
  case TensorType::Q5_K:
    return q5_kBlock;
  case TensorType::Q6_K:
    return q6_kBlock;
  case TensorType::IQ4_NL:
    return iq4_nlBlock;
  case TensorType::IQ4_XS:
    return iq4_xsBlock;
  default:
    return nullptr;
  }
}

} // namespace

bool sinter::gguf::isComputable(TensorType type) { return blockFunction(type) != nullptr; }

void sinter::gguf::dequantizeRow(TensorType type, const void *blocks, int64_t elements,
                                 float *out) {
  BlockFunction function = blockFunction(type);
  int64_t perBlock = blockElements(type), bytes = blockBytes(type);
  if (!function)
    llvm_unreachable("the caller asks isComputable first");
  assert(elements % perBlock == 0 && "a row is a whole number of blocks");
  const uint8_t *block = static_cast<const uint8_t *>(blocks);
  for (int64_t i = 0; i < elements; i += perBlock, block += bytes)
    function(block, out + i);
}

float sinter::gguf::halfToFloat(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits >> 15) << 31;
  uint32_t exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
  if (exponent == 0) {
    // Zero or subnormal: fraction * 2^-24 is exact.
    float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return llvm::bit_cast<float>(sign | llvm::bit_cast<uint32_t>(magnitude));
  }
  // Infinity and NaN keep the fraction under the largest exponent; otherwise only the bias changes,
  // 15 to 127.
  uint32_t wide = exponent == 31 ? 255 : exponent + 127 - 15;
  return llvm::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

float sinter::gguf::bfloat16ToFloat(uint16_t bits) {
  return llvm::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}
