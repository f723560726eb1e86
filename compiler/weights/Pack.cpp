//===- Pack.cpp - Rows of GGUF blocks to row tiles ------------------------===//
//
// For each super-block: take the 32 rows' blocks apart, turn them so that rows are neighbours,
// write the planes.
//
//   blocks of 32 rows --sourceUnpacker--> codes[row][element] --turn--> quads[quad][row]
//   --planes--> lines
//
//===----------------------------------------------------------------------===//
#include "compiler/weights/Pack.h"
#include "compiler/weights/Source.h"
#include "llvm/ADT/STLExtras.h"
#include <cassert>
#include <cstring>

using namespace sinter;

namespace {

constexpr int kRows = kTileRows;
constexpr int kQuads = kActGroup / 4;

/// A source block of each row of the tile. Rows that are missing stay zero.
struct Blocks {
  SourceBlock rows[kRows];
};

/// Writes the code planes of 32 elements of all rows.
void packCodes(const PackedLayout &layout, const Blocks &blocks, int group, int64_t super,
               uint8_t *tile) {
  uint32_t quads[kQuads][kRows];
  for (int r = 0; r < kRows; ++r) {
    uint32_t row[kQuads];
    std::memcpy(row, blocks.rows[r].codes + group * kActGroup, sizeof(row));
    for (int q = 0; q < kQuads; ++q)
      quads[q][r] = row[q];
  }
  unsigned below = 0; // bits in the planes before
  for (auto [plane, bits] : llvm::enumerate(layout.format().codePlanes)) {
    const Section &section = layout.section(SectionKind::Codes, plane);
    uint8_t *at = tile + layout.offset(section, super, group);
    uint32_t mask = ((1u << bits) - 1) * 0x01010101u;
    for (unsigned line = 0; line < bits; ++line) {
      uint32_t words[kRows] = {};
      for (unsigned q = line; q < kQuads; q += bits) {
        unsigned shift = q / bits * bits;
        for (int r = 0; r < kRows; ++r)
          words[r] |= (quads[q][r] >> below & mask) << shift;
      }
      std::memcpy(at + line * section.lineBytes, words, sizeof(words));
    }
    below += bits;
  }
}

/// Writes the integer scales or minima of one super-block of all rows.
void packIntegers(const PackedLayout &layout, SectionKind kind, const Blocks &blocks, int64_t super,
                  uint8_t *tile) {
  const Format &format = layout.format();
  unsigned below = 0;
  for (auto [plane, bits] : llvm::enumerate(format.scalePlanes)) {
    const Section &section = layout.section(kind, plane);
    uint8_t *at = tile + layout.offset(section, super);
    unsigned wordBytes = section.lineBytes / kRows, perLine = 8 * wordBytes / bits;
    for (int r = 0; r < kRows; ++r) {
      const uint8_t *numbers =
          kind == SectionKind::Scales ? blocks.rows[r].scales : blocks.rows[r].minima;
      for (unsigned line = 0; line < section.linesPerUnit; ++line) {
        uint32_t word = 0;
        for (unsigned i = 0; i < perLine; ++i)
          word |= (numbers[line * perLine + i] >> below & ((1u << bits) - 1)) << (i * bits);
        std::memcpy(at + line * section.lineBytes + r * wordBytes, &word, wordBytes);
      }
    }
    below += bits;
  }
}

void packHalves(const PackedLayout &layout, SectionKind kind, const Blocks &blocks,
                uint16_t SourceBlock::*half, int64_t super, uint8_t *tile) {
  uint16_t line[kRows];
  for (int r = 0; r < kRows; ++r)
    line[r] = blocks.rows[r].*half;
  std::memcpy(tile + layout.offset(layout.section(kind), super), line, sizeof(line));
}

void packBlocks(const PackedLayout &layout, llvm::ArrayRef<const uint8_t *> rows, uint8_t *tile) {
  const Format &format = layout.format();
  assert(layout.cols() % format.superBlock == 0 && "rows are whole blocks");
  const UnpackSource unpack = sourceUnpacker(format);
  const int64_t blockBytes = gguf::blockBytes(format.source);
  const int groups = static_cast<int>(format.superBlock / kActGroup);
  Blocks blocks;
  std::memset(&blocks, 0, sizeof(blocks));
  for (int64_t super = 0; super < layout.cols() / format.superBlock; ++super) {
    for (size_t r = 0; r < rows.size(); ++r)
      if (rows[r])
        unpack(rows[r] + super * blockBytes, blocks.rows[r]);
    for (int group = 0; group < groups; ++group)
      packCodes(layout, blocks, group, super, tile);
    if (format.scaleGroup)
      packIntegers(layout, SectionKind::Scales, blocks, super, tile);
    if (format.minima) {
      if (format.scaleGroup)
        packIntegers(layout, SectionKind::Minima, blocks, super, tile);
      packHalves(layout, SectionKind::DMin, blocks, &SourceBlock::dmin, super, tile);
    }
    packHalves(layout, SectionKind::D, blocks, &SourceBlock::d, super, tile);
  }
}

/// A line of 32 values for each element; columns past the row are zero.
template <typename Bits>
void packValues(const PackedLayout &layout, llvm::ArrayRef<const uint8_t *> rows, uint8_t *tile) {
  constexpr int64_t step = 16;
  for (int64_t begin = 0; begin < layout.paddedCols(); begin += step) {
    int64_t lines = std::min(step, layout.paddedCols() - begin);
    int64_t present = std::clamp<int64_t>(layout.cols() - begin, 0, lines);
    Bits block[step][kRows] = {};
    for (size_t r = 0; r < rows.size(); ++r) {
      if (!rows[r])
        continue;
      Bits row[step];
      std::memcpy(row, rows[r] + begin * sizeof(Bits), present * sizeof(Bits));
      for (int64_t i = 0; i < present; ++i)
        block[i][r] = row[i];
    }
    std::memcpy(tile + begin * sizeof(Bits) * kRows, block, lines * sizeof(Bits) * kRows);
  }
}

} // namespace

void sinter::packTile(const PackedLayout &layout, llvm::ArrayRef<const uint8_t *> rows,
                      uint8_t *tile) {
  assert(rows.size() <= kTileRows && "a tile has 32 rows");
  if (layout.format().floatBits == 32)
    packValues<uint32_t>(layout, rows, tile);
  else if (layout.format().floatBits == 16)
    packValues<uint16_t>(layout, rows, tile);
  else
    packBlocks(layout, rows, tile);
}
