//===- Format.cpp - The table of weight formats ---------------------------===//
//
// Adding a format: an enumerator in Format.h, a row here. See README.md for what follows from it.
//
//===----------------------------------------------------------------------===//
#include "compiler/weights/Format.h"
#include "llvm/ADT/STLExtras.h"
#include <cassert>

using namespace sinter;
using gguf::TensorType;

static constexpr unsigned kBits2[] = {2};
static constexpr unsigned kBits4[] = {4};
static constexpr unsigned kBits8[] = {8};
static constexpr unsigned kBits2and1[] = {2, 1};
static constexpr unsigned kBits4and1[] = {4, 1};
static constexpr unsigned kBits4and2[] = {4, 2};

// The codes of the IQ4 formats: denser around zero, where most weights are.
static constexpr int8_t kIQ4Codes[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

// A float format's super-block is only how far the inner loop is unrolled: 8 columns.
static const Format kFormats[] = {
    // id, name, source, superBlock, codePlanes, signed, codeOffset, scaleGroup, scalePlanes, signed, scaleOffset, minima,
    // floatBits, codebook
    {FormatId::f32, "f32", TensorType::F32, 8, {}, false, 0, 0, {}, false, 0, false, 32},
    {FormatId::f16, "f16", TensorType::F16, 8, {}, false, 0, 0, {}, false, 0, false, 16},
    {FormatId::bf16, "bf16", TensorType::BF16, 8, {}, false, 0, 0, {}, false, 0, false, 16},
    {FormatId::q8_0, "q8_0", TensorType::Q8_0, 32, kBits8, true, 0, 0, {}, false, 0, false, 0},
    {FormatId::q4_0, "q4_0", TensorType::Q4_0, 32, kBits4, false, 8, 0, {}, false, 0, false, 0},
    {FormatId::q5_0, "q5_0", TensorType::Q5_0, 32, kBits4and1, false, 16, 0, {}, false, 0, false, 0},
    {FormatId::q4_k, "q4_k", TensorType::Q4_K, 256, kBits4, false, 0, 32, kBits4and2, false, 0, true, 0},
    {FormatId::q6_k, "q6_k", TensorType::Q6_K, 256, kBits4and2, false, 32, 16, kBits8, true, 0, false, 0},
    {FormatId::q4_1, "q4_1", TensorType::Q4_1, 32, kBits4, false, 0, 0, {}, false, 0, true, 0},
    {FormatId::q5_1, "q5_1", TensorType::Q5_1, 32, kBits4and1, false, 0, 0, {}, false, 0, true, 0},
    {FormatId::q2_k, "q2_k", TensorType::Q2_K, 256, kBits2, false, 0, 16, kBits4, false, 0, true, 0},
    {FormatId::q3_k, "q3_k", TensorType::Q3_K, 256, kBits2and1, false, 4, 16, kBits4and2, false, 32, false, 0},
    {FormatId::q5_k, "q5_k", TensorType::Q5_K, 256, kBits4and1, false, 0, 32, kBits4and2, false, 0, true, 0},
    {FormatId::iq4_xs, "iq4_xs", TensorType::IQ4_XS, 256, kBits4, true, 0, 32, kBits4and2, false, 32, false, 0, kIQ4Codes},
    {FormatId::iq4_nl, "iq4_nl", TensorType::IQ4_NL, 32, kBits4, true, 0, 0, {}, false, 0, false, 0, kIQ4Codes},
};

static unsigned sum(llvm::ArrayRef<unsigned> planes) {
  unsigned bits = 0;
  for (unsigned b : planes)
    bits += b;
  return bits;
}

unsigned Format::codeBits() const { return codebook.empty() ? sum(codePlanes) : 8; }

int Format::code(uint8_t bits) const {
  if (!codebook.empty())
    return codebook[bits];
  return signedCodes ? static_cast<int8_t>(bits) : bits;
}

unsigned Format::scaleBits() const { return sum(scalePlanes); }

llvm::ArrayRef<Format> Format::all() { return kFormats; }

const Format &Format::get(FormatId id) {
  const Format &format = kFormats[static_cast<size_t>(id)];
  assert(format.id == id && "the table is in the order of the enumeration");
  return format;
}

const Format *Format::find(llvm::StringRef name) {
  for (const Format &format : kFormats)
    if (format.name == name)
      return &format;
  return nullptr;
}

const Format *Format::find(TensorType type) {
  for (const Format &format : kFormats)
    if (format.source == type)
      return &format;
  return nullptr;
}

void PackedLayout::add(SectionKind kind, unsigned plane, unsigned lineBytes, unsigned linesPerUnit) {
  assert(count < std::size(list));
  int64_t bytes = static_cast<int64_t>(lineBytes) * linesPerUnit;
  list[count++] = {kind, plane, bytesPerSuper, lineBytes, linesPerUnit, bytes};
  bytesPerSuper += bytes;
}

PackedLayout::PackedLayout(const Format &format, int64_t rows, int64_t cols)
    : fmt(&format), numRows(rows), numCols(cols) {
  padded = (cols + format.superBlock - 1) / format.superBlock * format.superBlock;
  if (format.isFloat()) {
    add(SectionKind::Values, 0, format.floatBits / 8 * kTileRows, 1);
    bytesPerSuper *= format.superBlock;
    return;
  }
  add(SectionKind::D, 0, 2 * kTileRows, 1);
  if (format.minima)
    add(SectionKind::DMin, 0, 2 * kTileRows, 1);
  auto integers = [&](SectionKind kind) {
    for (auto [plane, bits] : llvm::enumerate(format.scalePlanes)) {
      unsigned total = format.groupsPerSuperBlock() * bits;
      assert((total == 16 || total % 32 == 0) && "integer lines are 16 or 32 bits a row");
      add(kind, plane, total == 16 ? 2 * kTileRows : 4 * kTileRows, total == 16 ? 1 : total / 32);
    }
  };
  if (format.scaleGroup)
    integers(SectionKind::Scales);
  if (format.minima && format.scaleGroup)
    integers(SectionKind::Minima);
  int64_t head = bytesPerSuper;
  for (auto [plane, bits] : llvm::enumerate(format.codePlanes))
    add(SectionKind::Codes, plane, 4 * kTileRows, bits);
  int64_t groupBytes = bytesPerSuper - head;
  for (Section &section : llvm::MutableArrayRef(list, count))
    if (section.kind == SectionKind::Codes)
      section.unitBytes = groupBytes;
  bytesPerSuper = head + format.superBlock / kActGroup * groupBytes;
}

const Section &PackedLayout::section(SectionKind kind, unsigned plane) const {
  for (const Section &s : sections())
    if (s.kind == kind && s.plane == plane)
      return s;
  assert(false && "the format has no such section");
  return list[0];
}
