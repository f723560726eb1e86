//===- PackTest.cpp - The packed layout says what the GGUF says -----------===//
//
// A slow reader written from the text at the head of Format.h must find, in every packed tile, the
// value that gguf::dequantizeRow computes from the source, bit for bit.
//
//===----------------------------------------------------------------------===//
#include "compiler/weights/Pack.h"
#include "compiler/gguf/Dequantize.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace sinter;

namespace {

uint32_t wordAt(const uint8_t *at, unsigned bytes) {
  uint32_t word = 0;
  std::memcpy(&word, at, bytes);
  return word;
}

/// Bytes of one plane of integers, and of all: "n*b/32 lines of 128 bytes (or one of 64, where n*b is 16)".
int64_t integerBytes(const Format &format, unsigned plane) {
  unsigned total = format.groupsPerSuperBlock() * format.scalePlanes[plane];
  return total == 16 ? 64 : total / 32 * 128;
}

int64_t integerBytes(const Format &format) {
  int64_t bytes = 0;
  for (unsigned plane = 0; plane < format.scalePlanes.size(); ++plane)
    bytes += integerBytes(format, plane);
  return bytes;
}

/// "d | dmin | integer scales, plane by plane | integer minima": a line of 64 bytes each for d and dmin.
int64_t headBytes(const Format &format) { return (64 + integerBytes(format)) * (format.minima ? 2 : 1); }

const uint8_t *superBlock(const PackedLayout &layout, const uint8_t *tile, int64_t element) {
  return tile + element / layout.format().superBlock * layout.superBytes();
}

/// "plane of b bits: b lines of 128 bytes for each 32 elements. Quad q is in line q % b, row r at
/// byte 4r, one byte an element, at bit (q / b) * b."
int readCode(const PackedLayout &layout, const uint8_t *tile, int row, int64_t element) {
  const Format &format = layout.format();
  // "32 elements' codes, plane by plane | the next 32 .."
  int64_t groupBytes = 128 * (format.codebook.empty() ? format.codeBits() : 4);
  const uint8_t *codes = superBlock(layout, tile, element) + headBytes(format) +
                         element % format.superBlock / 32 * groupBytes;
  int code = 0;
  unsigned below = 0;
  for (unsigned plane = 0; plane < format.codePlanes.size(); ++plane) {
    unsigned bits = format.codePlanes[plane];
    unsigned quad = element % 32 / 4;
    const uint8_t *lines = codes + below * 128;
    uint8_t byte = lines[quad % bits * 128 + 4 * row + element % 4];
    code |= (byte >> (quad / bits * bits) & ((1 << bits) - 1)) << below;
    below += bits;
  }
  return format.code(static_cast<uint8_t>(code));
}

/// "integer i is at bit (i*b) % 32 of row r's word in line (i*b) / 32"
int readInteger(const PackedLayout &layout, const uint8_t *tile, bool minima, int row, int64_t element) {
  const Format &format = layout.format();
  const uint8_t *at = superBlock(layout, tile, element) + (format.minima ? 128 : 64) +
                      (minima ? integerBytes(format) : 0);
  unsigned index = element % format.superBlock / format.scaleGroup, below = 0;
  int value = 0;
  for (unsigned plane = 0; plane < format.scalePlanes.size(); ++plane) {
    unsigned bits = format.scalePlanes[plane], total = format.groupsPerSuperBlock() * bits;
    unsigned lineBytes = total == 16 ? 64 : 128;
    const uint8_t *line = at + index * bits / 32 * lineBytes;
    uint32_t word = wordAt(line + row * (lineBytes / 32), lineBytes / 32);
    value |= (word >> (index * bits % 32) & ((1u << bits) - 1)) << below;
    below += bits;
    at += integerBytes(format, plane);
  }
  return format.signedScales ? static_cast<int8_t>(value) : value;
}

float readHalf(const PackedLayout &layout, const uint8_t *tile, bool minimum, int row, int64_t element) {
  const uint8_t *line = superBlock(layout, tile, element) + (minimum ? 64 : 0);
  return gguf::halfToFloat(wordAt(line + 2 * row, 2));
}

float readWeight(const PackedLayout &layout, const uint8_t *tile, int row, int64_t element) {
  const Format &format = layout.format();
  if (format.isFloat()) {
    unsigned bytes = format.floatBits / 8;
    uint32_t bits = wordAt(tile + element * 32 * bytes + row * bytes, bytes);
    if (format.id == FormatId::f16)
      return gguf::halfToFloat(bits);
    if (format.id == FormatId::bf16)
      return gguf::bfloat16ToFloat(bits);
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
  }
  float scale = readHalf(layout, tile, false, row, element);
  if (format.scaleGroup)
    scale *= readInteger(layout, tile, false, row, element) - format.scaleOffset;
  float value = scale * (readCode(layout, tile, row, element) - format.codeOffset);
  if (!format.minima)
    return value;
  float minimum = readHalf(layout, tile, true, row, element);
  if (format.scaleGroup)
    minimum *= readInteger(layout, tile, true, row, element);
  return value - minimum;
}

std::vector<uint8_t> randomRow(const Format &format, int64_t cols, std::mt19937 &random) {
  std::vector<uint8_t> row(gguf::rowBytes(format.source, cols));
  for (uint8_t &byte : row)
    byte = random();
  return row;
}

struct Case {
  FormatId format;
  int64_t rows, cols;
};

class PackTest : public testing::TestWithParam<Case> {};

TEST_P(PackTest, HoldsEveryWeightBitForBit) {
  const Format &format = Format::get(GetParam().format);
  int64_t rows = GetParam().rows, cols = GetParam().cols;
  PackedLayout layout(format, rows, cols);
  std::mt19937 random(1);
  std::vector<std::vector<uint8_t>> source;
  for (int64_t r = 0; r < rows; ++r)
    source.push_back(randomRow(format, cols, random));
  std::vector<uint8_t> tile(layout.tileBytes());
  std::vector<float> expected(cols);
  for (int64_t t = 0; t < layout.tiles(); ++t) {
    std::vector<const uint8_t *> pointers;
    for (int64_t r = 32 * t; r < std::min(rows, 32 * t + 32); ++r)
      pointers.push_back(source[r].data());
    std::fill(tile.begin(), tile.end(), 0xee); // every byte must be written
    packTile(layout, pointers, tile.data());
    for (int r = 0; r < 32; ++r) {
      if (32 * t + r < rows)
        gguf::dequantizeRow(format.source, source[32 * t + r].data(), cols, expected.data());
      else
        std::fill(expected.begin(), expected.end(), 0.f);
      for (int64_t c = 0; c < layout.paddedCols(); ++c) {
        float wanted = c < cols ? expected[c] : 0.f, found = readWeight(layout, tile.data(), r, c);
        ASSERT_TRUE(wanted == found || (std::isnan(wanted) && std::isnan(found)))
            << format.name.str() << " row " << 32 * t + r << " column " << c << ": " << wanted
            << " in the GGUF, " << found << " packed";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, PackTest,
    testing::Values(Case{FormatId::f32, 32, 64}, Case{FormatId::f32, 33, 172},
                    Case{FormatId::f16, 5, 172}, Case{FormatId::f16, 64, 20},
                    Case{FormatId::bf16, 31, 172}, Case{FormatId::q8_0, 32, 64},
                    Case{FormatId::q8_0, 45, 96}, Case{FormatId::q4_0, 32, 32},
                    Case{FormatId::q4_0, 1, 160}, Case{FormatId::q5_0, 40, 96},
                    Case{FormatId::q4_k, 33, 512}, Case{FormatId::q6_k, 32, 256},
                    Case{FormatId::q6_k, 7, 768}, Case{FormatId::q4_1, 33, 96},
                    Case{FormatId::q5_1, 32, 64}, Case{FormatId::q2_k, 35, 512},
                    Case{FormatId::q3_k, 31, 512}, Case{FormatId::q5_k, 64, 256},
                    Case{FormatId::iq4_xs, 33, 512}, Case{FormatId::iq4_nl, 37, 96}),
    [](const testing::TestParamInfo<Case> &info) {
      return Format::get(info.param.format).name.str() + "_" + std::to_string(info.param.rows) +
             "x" + std::to_string(info.param.cols);
    });

/// Repacking does not cost memory or bandwidth: at most 3 % more than the source, at the widths and
/// row counts of real layers.
TEST(PackSize, AtMostThreePercentMoreThanTheSource) {
  for (const Format &format : Format::all())
    for (int64_t cols : {2048, 4096, 8192, 14336})
      for (int64_t rows : {512, 4096, 128256}) {
        double source = double(rows) * gguf::rowBytes(format.source, cols);
        EXPECT_LE(PackedLayout(format, rows, cols).bytes(), 1.03 * source)
            << format.name.str() << ' ' << rows << 'x' << cols;
      }
}

/// Every byte pattern of the integer scales, Q4_K's split ones above all.
TEST(PackScales, EveryScaleAndMinimumOfQ4_K) {
  const Format &format = Format::get(FormatId::q4_k);
  PackedLayout layout(format, 1, 256);
  std::mt19937 random(7);
  std::vector<uint8_t> tile(layout.tileBytes());
  std::vector<float> expected(256);
  for (int round = 0; round < 500; ++round) {
    std::vector<uint8_t> row(144);
    for (uint8_t &byte : row)
      byte = random();
    row[0] = row[2] = 0, row[1] = row[3] = 0x3c; // d and dmin are 1
    const uint8_t *pointer = row.data();
    packTile(layout, pointer, tile.data());
    gguf::dequantizeRow(format.source, row.data(), 256, expected.data());
    for (int c = 0; c < 256; ++c)
      ASSERT_EQ(expected[c], readWeight(layout, tile.data(), 0, c));
  }
}

} // namespace
