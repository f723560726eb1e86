//===- LinearLayer.cpp - A linear layer of one token with its reference --------===//
#include "LinearLayer.h"
#include "../SourceBlocks.h"
#include "compiler/gguf/Dequantize.h"
#include "compiler/weights/Pack.h"
#include "compiler/weights/Source.h"
#include "sinter/kernel_abi.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace sinter;
using test::LinearLayer;

template <typename T> static void put(uint8_t *at, T value) {
  std::memcpy(at, &value, sizeof value);
}

/// Random rows of source blocks. Scales are halves of ordinary and of denormal size; the first rows
/// are all-lowest and all-highest codes, which is where an instruction that saturates would show.
static std::vector<uint8_t> randomSource(const Format &format, int64_t rows, int64_t cols,
                                         std::mt19937 &random) {
  int64_t blockBytes = gguf::blockBytes(format.source);
  int64_t blocksPerRow = cols / gguf::blockElements(format.source);
  const int64_t d = format.isFloat() ? 0 : test::offsetOfHalf(format, &SourceBlock::d);
  const int64_t dmin = format.minima ? test::offsetOfHalf(format, &SourceBlock::dmin) : 0;
  std::vector<uint8_t> source(static_cast<size_t>(rows * blocksPerRow * blockBytes));
  auto half = [&](int64_t row) -> uint16_t {
    if (row % 16 == 2)
      return random() % 0x400;
    return static_cast<uint16_t>((random() & 1) << 15 | (0x1800 + random() % 0x1000));
  };
  for (int64_t b = 0; b < rows * blocksPerRow; ++b) {
    int64_t row = b / blocksPerRow;
    uint8_t *block = source.data() + b * blockBytes;
    for (int64_t i = 0; i < blockBytes; ++i)
      block[i] = static_cast<uint8_t>(row == 0 ? 0x80 : row == 1 ? 0x7f : random());
    float value = std::ldexp(float(int(random() % 4096) - 2048), -16);
    if (format.id == FormatId::f32)
      put(block, value);
    else if (format.id == FormatId::bf16)
      std::memcpy(block, reinterpret_cast<uint8_t *>(&value) + 2, 2);
    else
      put(block + d, half(row));
    if (format.minima)
      put(block + dmin, half(row));
  }
  return source;
}

LinearLayer::LinearLayer(FormatId id, int64_t rows, int64_t cols, unsigned seed)
    : rows(rows), cols(cols) {
  const Format &format = Format::get(id);
  groupSize = format.isFloat() ? 0 : kActGroup;
  if (format.scaleGroup)
    groupSize = std::min<int64_t>(groupSize, format.scaleGroup);
  std::mt19937 random(seed);
  source = randomSource(format, rows, cols, random);
  pack(format);
  makeActivations(format, seed + 1);
  multiply(format);
}

void LinearLayer::pack(const Format &format) {
  PackedLayout layout(format, rows, cols);
  int64_t rowBytes = static_cast<int64_t>(source.size()) / rows;
  weights.resize(layout.bytes() + SINTER_KERNEL_READ_MARGIN);
  for (int64_t tile = 0; tile < layout.tiles(); ++tile) {
    std::vector<const uint8_t *> pointers;
    for (int64_t r = tile * kTileRows; r < std::min(rows, (tile + 1) * kTileRows); ++r)
      pointers.push_back(source.data() + r * rowBytes);
    packTile(layout, pointers, weights.data() + tile * layout.tileBytes());
  }
}

/// Integer formats: K codes | K/32 scales | K/32 starts (-8 * sum) | K/16 half starts (-32 * sum of
/// 16) | K/32 totals (scale * sum). The first groups have the largest codes.
void LinearLayer::makeActivations(const Format &format, unsigned seed) {
  std::mt19937 random(seed);
  x.resize(cols);
  if (format.isFloat()) {
    acts.resize((cols + 31) / 32 * 128 + SINTER_KERNEL_READ_MARGIN);
    for (int64_t k = 0; k < cols; ++k) {
      float value = std::ldexp(float(int(random() % 8192) - 4096), -12);
      put(acts.data() + 4 * k, value);
      x[k] = value;
    }
    return;
  }
  int64_t blocks = cols / kActGroup;
  acts.resize(cols + 20 * blocks + SINTER_KERNEL_READ_MARGIN);
  xCodes.resize(cols);
  for (int64_t k = 0; k < cols; ++k)
    xCodes[k] = static_cast<int8_t>(k < 16   ? 127
                                    : k < 32 ? -127
                                    : k < 64 ? 127
                                             : int(random() % 255) - 127);
  std::memcpy(acts.data(), xCodes.data(), cols);
  for (int64_t b = 0; b < blocks; ++b) {
    float scale = std::ldexp(1.0f + float(random() % 4096) / 4096.0f, int(random() % 8) - 10);
    int32_t sum = 0, half = 0;
    for (int64_t k = 0; k < kActGroup; ++k) {
      int8_t code = xCodes[b * kActGroup + k];
      sum += code;
      half += k < kActGroup / 2 ? code : 0;
      x[b * kActGroup + k] = double(scale) * code;
    }
    put(acts.data() + cols + 4 * b, scale);
    put(acts.data() + cols + 4 * (blocks + b), -8 * sum);
    put(acts.data() + cols + 4 * (2 * blocks + 2 * b), -32 * half);
    put(acts.data() + cols + 4 * (2 * blocks + 2 * b + 1), -32 * (sum - half));
    put(acts.data() + cols + 4 * (4 * blocks + b), float(sum) * scale);
  }
}

void LinearLayer::multiply(const Format &format) {
  int64_t rowBytes = static_cast<int64_t>(source.size()) / rows;
  reference.resize(rows);
  magnitude.resize(rows);
  groupSums.resize(tiles() * groups() * kTileRows);
  std::vector<float> row(cols);
  auto addCode = [&](int64_t r, int64_t k, int32_t code) {
    int64_t group = r / kTileRows * groups() + k / groupSize;
    groupSums[group * kTileRows + r % kTileRows] += (code - format.codeOffset) * xCodes[k];
  };
  for (int64_t r = 0; r < rows; ++r) {
    const uint8_t *blocks = source.data() + r * rowBytes;
    gguf::dequantizeRow(format.source, blocks, cols, row.data());
    for (int64_t k = 0; k < cols; ++k) {
      reference[r] += row[k] * x[k];
      magnitude[r] += std::fabs(row[k] * x[k]);
    }
    if (format.isFloat())
      continue;
    SourceBlock block;
    for (int64_t k = 0; k < cols; ++k) {
      int64_t element = k % format.superBlock;
      if (element == 0)
        sourceUnpacker(format)(blocks + k / format.superBlock * gguf::blockBytes(format.source),
                               block);
      addCode(r, k, format.code(block.codes[element]));
    }
  }
  // Rows past the matrix are bits of zero.
  for (int64_t r = rows; groups() && r < tiles() * kTileRows; ++r)
    for (int64_t k = 0; k < cols; ++k)
      addCode(r, k, format.code(0));
}
