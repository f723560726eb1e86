//===- Format.h - Weight formats as bit planes and scale chains -----------===//
//
// The one place that says what a weight format is. Packing (Pack.cpp), the tile program's unpacking
// (passes/ExpandFormats.cpp) and the bundle's size all follow from the description here; nothing else
// in the compiler switches on a format's name.
//
// A weight is      w = scale * (code - codeOffset) - minimum
// where scale and minimum are chains: an f16 value for each super-block (or each block of 32), times, where there are
// integer levels, a small integer for each group of `scaleGroup` elements. A source that adds its minimum (q4_1, q5_1) is
// packed with the sign of dmin flipped. Where the format has a codebook, its entry of the stored number is the code.
//
// Packed layout of one row tile (32 rows), every target reads it: super-block after super-block
//
//   d | dmin | integer scales, plane by plane | integer minima | 32 elements' codes, plane by plane | the next 32 ..
//
// in lines 32 rows wide, so that lane r belongs to row 32t + r:
//
//   codes, plane of b bits   b lines of 128 bytes for each 32 elements. Quad q (elements 4q .. 4q+3) is in
//                            line q % b, row r at byte 4r, one byte an element, at bit (q / b) * b.
//   integers, plane of b bits, n a super-block: n*b/32 lines of 128 bytes (or one of 64, where n*b is 16):
//                            integer i is at bit (i*b) % 32 of row r's word in line (i*b) / 32.
//   d, dmin                  one line of 64 bytes (f16) for each super-block.
//
// Of float formats it is a line of 32 values for each element. Rows past the matrix and elements past the row are zero
// (scale zero).
//
// So a tile is read from its first line to its last: one stream, which the hardware sees and fetches ahead. With the scales
// behind all codes of the tile it sees two that wait for each other: 18 GB/s of Q4_0 on one Zen 4 core for 27, of 28 that the
// memory gives.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_WEIGHTS_FORMAT_H
#define SINTER_COMPILER_WEIGHTS_FORMAT_H

#include "compiler/gguf/Types.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace sinter {

/// Rows of a row tile, on every target.
inline constexpr int64_t kTileRows = 32;

/// Elements of an activation group: one int8 scale and one sum each.
inline constexpr int64_t kActGroup = 32;

enum class FormatId : uint8_t {
  f32, f16, bf16, q8_0, q4_0, q5_0, q4_k, q6_k, q4_1, q5_1, q2_k, q3_k, q5_k, iq4_xs, iq4_nl
};

struct Format {
  FormatId id;
  llvm::StringRef name;
  gguf::TensorType source;
  /// Elements under one d (and dmin): 32 or 256; for float formats the step of the inner loop.
  unsigned superBlock;
  /// Bits of each code plane, low bits first; empty for float formats.
  llvm::ArrayRef<unsigned> codePlanes;
  /// Codes are two's complement (8 bits only); otherwise unsigned.
  bool signedCodes;
  int codeOffset;
  /// Elements under one integer scale; 0 where d alone is the scale.
  unsigned scaleGroup;
  llvm::ArrayRef<unsigned> scalePlanes;
  bool signedScales;
  int scaleOffset;
  /// dmin times an integer minimum of the scales' group and planes; dmin alone where there are no integer scales.
  bool minima;
  /// Bits of a value, float formats only.
  unsigned floatBits;
  /// The 16 signed codes that four bits choose from; empty where planes hold the codes themselves.
  llvm::ArrayRef<int8_t> codebook = {};

  bool isFloat() const { return floatBits != 0; }
  /// Bits of a code: 8 where there is a codebook.
  unsigned codeBits() const;
  /// The code that the planes' bits of an element say.
  int code(uint8_t bits) const;
  unsigned scaleBits() const;
  unsigned groupsPerSuperBlock() const { return scaleGroup ? superBlock / scaleGroup : 0; }

  static const Format &get(FormatId id);
  static const Format *find(llvm::StringRef name);
  static const Format *find(gguf::TensorType type);
  static llvm::ArrayRef<Format> all();
};

/// What a section of a packed super-block holds.
enum class SectionKind : uint8_t { Codes, Scales, Minima, D, DMin, Values };

/// One section: where it starts in the super-block and how far apart its lines are.
struct Section {
  SectionKind kind;
  unsigned plane;
  /// Bytes from the start of the super-block.
  int64_t offset;
  /// Bytes of a line: 128, or 64 for d, dmin and 16-bit integer lines and f16/bf16 values.
  unsigned lineBytes;
  /// Lines for each unit: 32 elements for codes, a super-block for scales, minima, d; 1 element for values.
  unsigned linesPerUnit;
  /// Bytes from one unit's lines to the next one's in the super-block.
  int64_t unitBytes;
};

/// The packed layout of a matrix of `rows` x `cols` in a format; all sizes in bytes.
class PackedLayout {
public:
  PackedLayout(const Format &format, int64_t rows, int64_t cols);

  const Format &format() const { return *fmt; }
  int64_t rows() const { return numRows; }
  int64_t cols() const { return numCols; }
  int64_t tiles() const { return (numRows + kTileRows - 1) / kTileRows; }
  /// Elements of a row with its zero padding: a multiple of the super-block.
  int64_t paddedCols() const { return padded; }
  int64_t superBytes() const { return bytesPerSuper; }
  int64_t tileBytes() const { return padded / fmt->superBlock * bytesPerSuper; }
  int64_t bytes() const { return tiles() * tileBytes(); }
  llvm::ArrayRef<Section> sections() const { return {list, count}; }
  const Section &section(SectionKind kind, unsigned plane = 0) const;
  /// Where the lines of unit `unit` of super-block `super` are, in bytes from the start of the tile.
  int64_t offset(const Section &section, int64_t super, int64_t unit = 0) const {
    return super * bytesPerSuper + section.offset + unit * section.unitBytes;
  }

private:
  void add(SectionKind kind, unsigned plane, unsigned lineBytes, unsigned linesPerUnit);

  const Format *fmt;
  int64_t numRows, numCols, padded, bytesPerSuper = 0;
  Section list[12];
  size_t count = 0;
};

} // namespace sinter

#endif
