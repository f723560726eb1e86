//===- DequantizeTest.cpp - Values of blocks made by hand -----------------===//
//
// Two kinds of evidence for each format: single elements whose bits are set by hand where the
// layout puts them, and a hash over pseudo-random blocks, taken when their values were equal, bit
// for bit, to those of ggml's own functions.
//
//===----------------------------------------------------------------------===//

#include "compiler/gguf/Dequantize.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <vector>

using namespace sinter::gguf;

namespace {

constexpr uint16_t half = 0x3800, one = 0x3c00, two = 0x4000, minusOne = 0xbc00;

/// A block of zeros with some bytes set.
class Block {
public:
  explicit Block(TensorType type) : type(type), bytes(static_cast<size_t>(blockBytes(type))) {}
  Block &f16(size_t at, uint16_t bits) { return byte(at, bits & 255).byte(at + 1, bits >> 8); }
  Block &byte(size_t at, int value) {
    bytes.at(at) = static_cast<uint8_t>(value);
    return *this;
  }
  std::vector<float> values() const {
    std::vector<float> out(static_cast<size_t>(blockElements(type)));
    dequantizeRow(type, bytes.data(), blockElements(type), out.data());
    return out;
  }

private:
  TensorType type;
  std::vector<uint8_t> bytes;
};

TEST(Dequantize, Q4_0) {
  auto v = Block(TensorType::Q4_0).f16(0, one).byte(2 + 5, 0xa3).values();
  EXPECT_EQ(v[5], 3 - 8);
  EXPECT_EQ(v[21], 10 - 8);
  EXPECT_EQ(v[0], -8);
}

TEST(Dequantize, Q4_1) {
  auto v = Block(TensorType::Q4_1).f16(0, two).f16(2, minusOne).byte(4, 0x4f).values();
  EXPECT_EQ(v[0], 15 * 2 - 1);
  EXPECT_EQ(v[16], 4 * 2 - 1);
  EXPECT_EQ(v[1], -1);
}

TEST(Dequantize, Q5_0) {
  // Fifth bits of elements 0 and 31.
  auto v = Block(TensorType::Q5_0)
               .f16(0, one)
               .byte(2, 0x01)
               .byte(5, 0x80)
               .byte(6, 0x03)
               .byte(21, 0xf0)
               .values();
  EXPECT_EQ(v[0], 16 + 3 - 16);
  EXPECT_EQ(v[16], 0 - 16);
  EXPECT_EQ(v[15], 0 - 16);
  EXPECT_EQ(v[31], 31 - 16);
}

TEST(Dequantize, Q5_1) {
  auto v = Block(TensorType::Q5_1).f16(0, one).f16(2, half).byte(4, 0x02).byte(9, 0x21).values();
  EXPECT_EQ(v[1], 17.5f);
  EXPECT_EQ(v[17], 2.5f);
}

TEST(Dequantize, Q8_0) {
  auto v = Block(TensorType::Q8_0).f16(0, half).byte(2, 127).byte(33, 0x80).values();
  EXPECT_EQ(v[0], 63.5f);
  EXPECT_EQ(v[31], -64);
}

TEST(Dequantize, Q2_K) {
  auto v = Block(TensorType::Q2_K)
               .f16(80, one)
               .f16(82, half)
               .byte(0, 0x23)       // elements 0 .. 15: scale 3, minimum 2
               .byte(9, 0x0f)       // 144 .. 159: scale 15
               .byte(14, 0x01)      // 224 .. 239: scale 1
               .byte(16 + 1, 0x02)  // element 1: code 2
               .byte(16 + 48, 0x03) // element 128 + 16: code 3
               .byte(16 + 37, 0xc0) // element 128 + 3 * 32 + 5: code 3
               .values();
  EXPECT_EQ(v[0], -1);
  EXPECT_EQ(v[1], 3 * 2 - 1);
  EXPECT_EQ(v[144], 15 * 3);
  EXPECT_EQ(v[229], 3);
}

TEST(Dequantize, Q3_K) {
  auto v = Block(TensorType::Q3_K)
               .f16(108, one)
               .byte(96, 0x0f)     // low bits of the scales of groups 0 (15) and 8 (0)
               .byte(96 + 8, 0x33) // high bits of groups 0 (3), 4 (0), 8 (3), 12 (0)
               .byte(0, 0x11)      // third bits of elements 0 and 128
               .byte(32, 0x03)     // element 0
               .byte(64, 0x02)     // element 128
               .values();
  EXPECT_EQ(v[0], (15 + 48 - 32) * (4 + 3 - 4));
  EXPECT_EQ(v[1], (15 + 48 - 32) * -4);
  EXPECT_EQ(v[16], -32 * -4);
  EXPECT_EQ(v[128], (48 - 32) * (4 + 2 - 4));
}

TEST(Dequantize, Q4_K) {
  auto v = Block(TensorType::Q4_K)
               .f16(0, one)
               .f16(2, half)
               .byte(4, 0x85)   // scale of group 0: 5; its top bits belong to group 4's
               .byte(8, 0x43)   // minimum of group 0: 3; likewise
               .byte(12, 0x21)  // group 4: scale 1 + 32, minimum 2 + 16
               .byte(16, 0x07)  // element 0
               .byte(80, 0x02)  // element 128
               .byte(111, 0xf0) // element 3 * 64 - 1, of a group with scale 0
               .values();
  EXPECT_EQ(v[0], 5 * 7 - 1.5f);
  EXPECT_EQ(v[1], -1.5f);
  EXPECT_EQ(v[128], 33 * 2 - 9);
  EXPECT_EQ(v[129], -9);
  EXPECT_EQ(v[191], 0);
}

TEST(Dequantize, Q5_K) {
  auto v = Block(TensorType::Q5_K)
               .f16(0, one)
               .f16(2, half)
               .byte(4, 0x85)
               .byte(8, 0x43)
               .byte(12, 0x21) // scales as in Q4_K
               .byte(16, 0x11) // fifth bits of elements 0 and 128
               .byte(48, 0x07)
               .byte(112, 0x02)
               .values();
  EXPECT_EQ(v[0], 5 * 23 - 1.5f);
  EXPECT_EQ(v[128], 33 * 18 - 9);
  EXPECT_EQ(v[129], -9);
}

TEST(Dequantize, Q6_K) {
  auto v = Block(TensorType::Q6_K)
               .f16(208, one)
               .byte(192, 2)
               .byte(207, -1)
               .byte(0, 0x0f)
               .byte(128, 0x03) // element 0: 15 + 48
               .byte(127, 0x10)
               .byte(191, 0x80) // element 255: 1 + 32
               .values();
  EXPECT_EQ(v[0], 2 * (63 - 32));
  EXPECT_EQ(v[1], 2 * -32);
  EXPECT_EQ(v[255], -1 * (33 - 32));
  EXPECT_EQ(v[240], -1 * -32);
}

TEST(Dequantize, IQ4_NL) {
  auto v = Block(TensorType::IQ4_NL).f16(0, one).byte(2, 0xf0).byte(3, 0x78).values();
  EXPECT_EQ(v[0], -127);
  EXPECT_EQ(v[16], 113);
  EXPECT_EQ(v[1], 1);
  EXPECT_EQ(v[17], -10);
}

TEST(Dequantize, IQ4_XS) {
  auto v = Block(TensorType::IQ4_XS)
               .f16(0, one)
               .byte(2, 0x02) // group 0: upper bits 2
               .byte(3, 0xc0) // group 7: upper bits 3
               .byte(4, 0x05) // group 0: 5 + 32 - 32
               .byte(7, 0xf0) // group 7: 15 + 48 - 32
               .byte(8, 0xf8)
               .byte(120, 0x0f)
               .values();
  EXPECT_EQ(v[0], 5 * 1);
  EXPECT_EQ(v[16], 5 * 113);
  EXPECT_EQ(v[32], -32 * -127);
  EXPECT_EQ(v[224], 31 * 113);
  EXPECT_EQ(v[240], 31 * -127);
}

TEST(Dequantize, PlainNumbers) {
  const float floats[] = {1.5f, -0.0f, 1e-40f};
  float out[3];
  dequantizeRow(TensorType::F32, floats, 3, out);
  EXPECT_EQ(std::memcmp(floats, out, sizeof(out)), 0);
  const uint16_t halves[] = {one, 0xc100, 0x7bff};
  dequantizeRow(TensorType::F16, halves, 3, out);
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[1], -2.5f);
  EXPECT_EQ(out[2], 65504);
  const uint16_t brains[] = {0x3f80, 0xc020, 0x0001};
  dequantizeRow(TensorType::BF16, brains, 3, out);
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[1], -2.5f);
  EXPECT_EQ(out[2], 0x1p-133f);
}

TEST(Dequantize, HalfToFloatIsExact) {
  for (uint32_t bits = 0; bits < 0x8000; ++bits) {
    int exponent = static_cast<int>(bits >> 10), fraction = bits & 0x3ff;
    float value = halfToFloat(static_cast<uint16_t>(bits));
    float negative = halfToFloat(static_cast<uint16_t>(bits | 0x8000));
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), fraction != 0);
      EXPECT_EQ(std::isinf(value), fraction == 0);
      continue;
    }
    // The definition: 1.fraction * 2^(exponent - 15), and 0.fraction * 2^-14 without an exponent.
    double expected =
        exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
    EXPECT_EQ(value, expected) << bits;
    EXPECT_EQ(negative, -expected) << bits;
    EXPECT_TRUE(std::signbit(negative));
  }
}

TEST(Dequantize, AnyAlignment) {
  std::vector<uint8_t> bytes(1 + 34);
  bytes[1 + 1] = one >> 8;
  bytes[1 + 2] = 7;
  float out[32];
  dequantizeRow(TensorType::Q8_0, bytes.data() + 1, 32, out);
  EXPECT_EQ(out[0], 7);
}

/// 64 blocks of pseudo-random bytes; halves at `scales` are made small normal numbers of either
/// sign.
std::vector<uint8_t> pseudoRandomBlocks(TensorType type, const std::vector<size_t> &scales) {
  uint64_t state = static_cast<uint64_t>(type) + 1;
  auto next = [&state] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint8_t>(state >> 56);
  };
  size_t size = static_cast<size_t>(blockBytes(type));
  std::vector<uint8_t> bytes(64 * size);
  for (uint8_t &byte : bytes)
    byte = next();
  for (size_t block = 0; block < 64; ++block)
    for (size_t at : scales) {
      uint8_t &high = bytes[block * size + at + 1];
      high = static_cast<uint8_t>(0x28 | (high & 0x87)); // 2^-5 .. 2^-3
    }
  return bytes;
}

TEST(Dequantize, EqualToGgmlInEveryBit) {
  struct {
    TensorType type;
    std::vector<size_t> scales;
    uint64_t hash;
  } cases[] = {
      {TensorType::Q4_0, {0}, 0xbb00143ed82b375d},
      {TensorType::Q4_1, {0, 2}, 0x4c438e0f1287e278},
      {TensorType::Q5_0, {0}, 0xb6ab8bc65c613e1f},
      {TensorType::Q5_1, {0, 2}, 0xd8d6db01406fee9f},
      {TensorType::Q8_0, {0}, 0x3314b84506293c18},
      {TensorType::Q2_K, {80, 82}, 0xc6425e84afae5b20},
      {TensorType::Q3_K, {108}, 0x8a2ccabbec5c7497},
      {TensorType::Q4_K, {0, 2}, 0xea0a5b67919cb206},
      {TensorType::Q5_K, {0, 2}, 0xbc9d6680a6a93aeb},
      {TensorType::Q6_K, {208}, 0x8fd5568fac4e337a},
      {TensorType::IQ4_NL, {0}, 0x9952b05debadbeb4},
      {TensorType::IQ4_XS, {0}, 0x039a7a86a3246c7b},
  };
  for (const auto &[type, scales, expected] : cases) {
    int64_t elements = 64 * blockElements(type);
    std::vector<float> values(static_cast<size_t>(elements));
    dequantizeRow(type, pseudoRandomBlocks(type, scales).data(), elements, values.data());
    uint64_t hash = 0xcbf29ce484222325u; // FNV-1a over the floats' bytes
    for (float value : values) {
      uint32_t bits;
      std::memcpy(&bits, &value, 4);
      for (int shift = 0; shift < 32; shift += 8)
        hash = (hash ^ (bits >> shift & 255)) * 0x100000001b3u;
    }
    EXPECT_EQ(hash, expected) << tensorTypeName(type).str() << std::hex << " 0x" << hash;
  }
}

} // namespace
