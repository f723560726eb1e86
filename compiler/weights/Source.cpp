//===- Source.cpp - A source block as codes and scale-chain numbers -------===//
//
// The block layouts are ggml's; gguf/Dequantize.cpp states them in full and computes with them,
// here they are only sorted. Loops are short and without branches, so that the compiler vectorizes
// them.
//
//===----------------------------------------------------------------------===//
#include "compiler/weights/Source.h"
#include <cstring>

using namespace sinter;

static uint16_t load16(const uint8_t *at) { return static_cast<uint16_t>(at[0] | at[1] << 8); }

/// d:f16 | 32 signed codes.
static void unpackQ8_0(const uint8_t *block, SourceBlock &out) {
  out.d = load16(block);
  std::memcpy(out.codes, block + 2, 32);
}

/// 16 bytes: elements 0..15 in the low halves, 16..31 in the high ones.
static void splitNibbles(const uint8_t *bytes, int count, uint8_t *low, uint8_t *high) {
  for (int i = 0; i < count; ++i) {
    low[i] = bytes[i] & 15;
    high[i] = bytes[i] >> 4;
  }
}

/// d:f16 | 16 bytes of nibbles.
static void unpackQ4_0(const uint8_t *block, SourceBlock &out) {
  out.d = load16(block);
  splitNibbles(block + 2, 16, out.codes, out.codes + 16);
}

/// d:f16 | 4 bytes: bit i is bit 4 of code i | 16 bytes of nibbles.
static void unpackQ5_0(const uint8_t *block, SourceBlock &out) {
  out.d = load16(block);
  splitNibbles(block + 6, 16, out.codes, out.codes + 16);
  for (int i = 0; i < 32; ++i)
    out.codes[i] |= (block[2 + i / 8] >> (i % 8) & 1) << 4;
}

/// d:f16 | m:f16 | 16 bytes of nibbles. The minimum is added, ours is subtracted.
static void unpackQ4_1(const uint8_t *block, SourceBlock &out) {
  out.d = load16(block);
  out.dmin = load16(block + 2) ^ 0x8000;
  splitNibbles(block + 4, 16, out.codes, out.codes + 16);
}

/// d:f16 | m:f16, added | 4 bytes: bit i is bit 4 of code i | 16 bytes of nibbles.
static void unpackQ5_1(const uint8_t *block, SourceBlock &out) {
  out.d = load16(block);
  out.dmin = load16(block + 2) ^ 0x8000;
  splitNibbles(block + 8, 16, out.codes, out.codes + 16);
  for (int i = 0; i < 32; ++i)
    out.codes[i] |= (block[4 + i / 8] >> (i % 8) & 1) << 4;
}

/// 12 bytes: 8 scales and 8 minima of 6 bits. Bytes 0-3 hold scales 0-3 below the upper 2 bits of
/// scales 4-7, bytes 4-7 the same of the minima; bytes 8-11 the lower 4 bits of scales (low half)
/// and minima (high half) 4-7.
static void splitScalesAndMinima(const uint8_t *packed, SourceBlock &out) {
  for (int i = 0; i < 4; ++i) {
    out.scales[i] = packed[i] & 63;
    out.minima[i] = packed[4 + i] & 63;
    out.scales[4 + i] = static_cast<uint8_t>((packed[8 + i] & 15) | packed[i] >> 6 << 4);
    out.minima[4 + i] = static_cast<uint8_t>(packed[8 + i] >> 4 | packed[4 + i] >> 6 << 4);
  }
}

/// d:f16 | dmin:f16 | 12 bytes: scales and minima | 128 bytes of nibbles, 64 elements in each 32
/// bytes.
static void unpackQ4_K(const uint8_t *block, SourceBlock &out) {
  out.d = load16(block);
  out.dmin = load16(block + 2);
  splitScalesAndMinima(block + 4, out);
  for (int part = 0; part < 4; ++part)
    splitNibbles(block + 16 + 32 * part, 32, out.codes + 64 * part, out.codes + 64 * part + 32);
}

/// Bit e / 32 of byte e % 32 is bit `at` of code e, for the 256 elements of a block.
static void addHighBits(const uint8_t *bits, int at, uint8_t *codes) {
  for (int part = 0; part < 8; ++part)
    for (int i = 0; i < 32; ++i)
      codes[32 * part + i] |= (bits[i] >> part & 1) << at;
}

/// d:f16 | dmin:f16 | 12 bytes: scales and minima | 32 bytes: fifth bits | 128 bytes of nibbles as
/// in q4_k.
static void unpackQ5_K(const uint8_t *block, SourceBlock &out) {
  out.d = load16(block);
  out.dmin = load16(block + 2);
  splitScalesAndMinima(block + 4, out);
  for (int part = 0; part < 4; ++part)
    splitNibbles(block + 48 + 32 * part, 32, out.codes + 64 * part, out.codes + 64 * part + 32);
  addHighBits(block + 16, 4, out.codes);
}

/// 64 bytes, 32 for each 128 elements: elements l, l + 32, l + 64, l + 96 share byte l.
static void splitBitPairs(const uint8_t *bytes, uint8_t *codes) {
  for (int part = 0; part < 8; ++part)
    for (int l = 0; l < 32; ++l)
      codes[32 * part + l] = bytes[part / 4 * 32 + l] >> (2 * (part % 4)) & 3;
}

/// 16 bytes: scales (low halves) and minima (high halves) | 64 bytes of bit pairs | d:f16 |
/// dmin:f16.
static void unpackQ2_K(const uint8_t *block, SourceBlock &out) {
  splitNibbles(block, 16, out.scales, out.minima);
  splitBitPairs(block + 16, out.codes);
  out.d = load16(block + 80);
  out.dmin = load16(block + 82);
}

/// 32 bytes: third bits | 64 bytes of bit pairs | 12 bytes: scales | d:f16. Of scale i the low four
/// bits are a half of byte i % 8, the upper two bits 2 * (i / 4) and up of byte 8 + i % 4.
static void unpackQ3_K(const uint8_t *block, SourceBlock &out) {
  splitBitPairs(block + 32, out.codes);
  addHighBits(block, 2, out.codes);
  const uint8_t *packed = block + 96;
  splitNibbles(packed, 8, out.scales, out.scales + 8);
  for (int i = 0; i < 16; ++i)
    out.scales[i] |= (packed[8 + i % 4] >> (2 * (i / 4)) & 3) << 4;
  out.d = load16(block + 108);
}

/// 128 bytes: low 4 bits | 64 bytes: high 2 bits | 16 signed scales | d:f16. Each half of the block
/// (128 elements) has 64 + 32 of these bytes; its elements l, l + 32, l + 64, l + 96 share high
/// byte l.
static void unpackQ6_K(const uint8_t *block, SourceBlock &out) {
  for (int half = 0; half < 2; ++half) {
    const uint8_t *low = block + 64 * half, *high = block + 128 + 32 * half;
    uint8_t *codes = out.codes + 128 * half;
    splitNibbles(low, 64, codes, codes + 64);
    for (int quarter = 0; quarter < 4; ++quarter)
      for (int l = 0; l < 32; ++l)
        codes[32 * quarter + l] |= (high[l] >> (2 * quarter) & 3) << 4;
  }
  std::memcpy(out.scales, block + 192, 16);
  out.d = load16(block + 208);
}

/// d:f16 | 2 bytes: upper two bits of 8 scales | 4 bytes: their low halves | 128 bytes of nibbles, 32
/// elements in each 16 bytes.
static void unpackIQ4_XS(const uint8_t *block, SourceBlock &out) {
  out.d = load16(block);
  uint16_t upper = load16(block + 2);
  for (int i = 0; i < 8; ++i) {
    int low = block[4 + i / 2] >> (4 * (i % 2)) & 15;
    out.scales[i] = static_cast<uint8_t>(low | (upper >> (2 * i) & 3) << 4);
    splitNibbles(block + 8 + 16 * i, 16, out.codes + 32 * i, out.codes + 32 * i + 16);
  }
}

UnpackSource sinter::sourceUnpacker(const Format &format) {
  switch (format.id) {
  case FormatId::q8_0:
    return unpackQ8_0;
  case FormatId::q4_0:
  case FormatId::iq4_nl:
    return unpackQ4_0;
  case FormatId::q5_0:
    return unpackQ5_0;
  case FormatId::q4_k:
    return unpackQ4_K;
  case FormatId::q6_k:
    return unpackQ6_K;
  case FormatId::q4_1:
    return unpackQ4_1;
  case FormatId::q5_1:
    return unpackQ5_1;
  case FormatId::q2_k:
    return unpackQ2_K;
  case FormatId::q3_k:
    return unpackQ3_K;
  case FormatId::q5_k:
    return unpackQ5_K;
  case FormatId::iq4_xs:
    return unpackIQ4_XS;
  case FormatId::f32:
  case FormatId::f16:
  case FormatId::bf16:
    break;
  }
  return nullptr;
}
