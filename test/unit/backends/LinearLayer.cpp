//===- LinearLayer.cpp - A linear layer of one token with its reference --------===//
#include "LinearLayer.h"
#include "compiler/gguf/Dequantize.h"
#include "compiler/weights/Pack.h"
#include "compiler/weights/Source.h"
#include "sinter/kernel_abi.h"
#include <cassert>
#include <cmath>
#include <cstring>
#include <random>

using namespace sinter;
using test::LinearLayer;

static void putHalf(uint8_t *at, uint16_t bits) { std::memcpy(at, &bits, 2); }

/// Random rows of source blocks. Scales are halves of ordinary, of denormal and of zero size; among the first rows are
/// all-lowest and all-highest codes, which is where an instruction that saturates would show.
static std::vector<uint8_t> randomSource(const Format &format, int64_t rows, int64_t cols, std::mt19937 &random) {
  int64_t blockBytes = gguf::blockBytes(format.source), elements = gguf::blockElements(format.source);
  std::vector<uint8_t> source(static_cast<size_t>(rows * cols / elements * blockBytes));
  int64_t blocksPerRow = cols / elements;
  auto half = [&](int64_t row) -> uint16_t {
    if (row % 16 == 2)
      return random() % 0x400; // denormal
    return static_cast<uint16_t>((random() & 1) << 15 | (0x1800 + random() % 0x1000)); // 2^-9 .. 2^-5
  };
  for (int64_t b = 0; b < rows * blocksPerRow; ++b) {
    int64_t row = b / blocksPerRow;
    uint8_t *block = source.data() + b * blockBytes;
    for (int64_t i = 0; i < blockBytes; ++i)
      block[i] = static_cast<uint8_t>(row == 0 ? 0x80 : row == 1 ? 0x7f : random());
    putHalf(block, half(row));
    if (format.minima)
      putHalf(block + 2, half(row));
  }
  return source;
}

LinearLayer::LinearLayer(FormatId id, int64_t rows, int64_t cols, unsigned seed) : rows(rows), cols(cols) {
  const Format &format = Format::get(id);
  assert((id == FormatId::q8_0 || id == FormatId::q4_k) && "formats whose blocks begin with their halves");
  std::mt19937 random(seed);
  std::vector<uint8_t> source = randomSource(format, rows, cols, random);
  int64_t rowBytes = static_cast<int64_t>(source.size()) / rows;

  PackedLayout layout(format, rows, cols);
  weights.resize(layout.bytes() + SINTER_KERNEL_READ_MARGIN);
  for (int64_t tile = 0; tile < layout.tiles(); ++tile) {
    std::vector<const uint8_t *> pointers;
    for (int64_t r = tile * kTileRows; r < std::min(rows, (tile + 1) * kTileRows); ++r)
      pointers.push_back(source.data() + r * rowBytes);
    packTile(layout, pointers, weights.data() + tile * layout.tileBytes());
  }

  // K codes | K/32 scales | K/32 sums | K/32 sums of the first 16. The first group has the largest codes.
  std::vector<int8_t> codes(cols);
  std::vector<float> scales(blocks());
  std::vector<int32_t> sums(blocks()), halves(blocks());
  for (int64_t k = 0; k < cols; ++k)
    codes[k] = static_cast<int8_t>(k < 16 ? 127 : k < 32 ? -127 : k < 64 ? 127 : int(random() % 255) - 127);
  for (int64_t b = 0; b < blocks(); ++b) {
    scales[b] = std::ldexp(1.0f + float(random() % 4096) / 4096.0f, int(random() % 8) - 10);
    for (int64_t k = 0; k < kActGroup; ++k) {
      sums[b] += codes[b * kActGroup + k];
      halves[b] += k < kActGroup / 2 ? codes[b * kActGroup + k] : 0;
    }
  }
  acts.resize(cols + 12 * blocks() + SINTER_KERNEL_READ_MARGIN);
  std::memcpy(acts.data(), codes.data(), cols);
  std::memcpy(acts.data() + cols, scales.data(), 4 * blocks());
  std::memcpy(acts.data() + cols + 4 * blocks(), sums.data(), 4 * blocks());
  std::memcpy(acts.data() + cols + 8 * blocks(), halves.data(), 4 * blocks());

  reference.resize(rows);
  magnitude.resize(rows);
  blockSums.resize(tiles() * blocks() * kTileRows);
  std::vector<float> row(cols);
  int64_t blockElements = gguf::blockElements(format.source);
  for (int64_t r = 0; r < rows; ++r) {
    gguf::dequantizeRow(format.source, source.data() + r * rowBytes, cols, row.data());
    for (int64_t k = 0; k < cols; ++k) {
      double term = double(row[k]) * codes[k] * scales[k / kActGroup];
      reference[r] += term;
      magnitude[r] += std::fabs(term);
    }
    for (int64_t k = 0; k < cols; ++k) {
      SourceBlock block;
      sourceUnpacker(format)(source.data() + r * rowBytes + k / blockElements * gguf::blockBytes(format.source), block);
      uint8_t byte = block.codes[k % blockElements];
      int32_t code = format.signedCodes ? static_cast<int8_t>(byte) : byte;
      blockSums[(r / kTileRows * blocks() + k / kActGroup) * kTileRows + r % kTileRows] += code * codes[k];
    }
  }
}
