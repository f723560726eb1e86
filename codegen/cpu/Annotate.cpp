//===- Annotate.cpp - Layout contracts of kernels in LLVM IR and assembly -------------===//
//
//   # binding 1: q4_0, 64 x 96, tiles of 32 rows in 1728 bytes
//   #   576 bytes for 32 columns:
//   #   d        +0     1 line of 64 bytes for 32 columns
//   #   codes    +64    4 lines of 128 bytes for 32 columns
//   linear_q4_0_i8_add_64x96_t1:
//
// A line has one entry for each of the tile's rows (compiler/weights/Format.h). The offsets are the displacements of the
// inner loop's loads.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/Annotate.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

static StringRef nameOf(SectionKind kind) {
  switch (kind) {
  case SectionKind::Codes:
    return "codes";
  case SectionKind::Scales:
    return "scales";
  case SectionKind::Minima:
    return "minima";
  case SectionKind::D:
    return "d";
  case SectionKind::DMin:
    return "dmin";
  case SectionKind::Values:
    return "values";
  }
  llvm_unreachable("all kinds have names");
}

static void describe(llvm::raw_ostream &out, PackedType type) {
  const Format &format = Format::get(type.getFormat());
  PackedLayout layout(format, type.getRows(), type.getCols());
  out << llvm::formatv("{0}, {1} x {2}, tiles of {3} rows in {4} bytes", format.name, layout.rows(), layout.cols(),
                       kTileRows, layout.tileBytes());
  out << llvm::formatv("|  {0} bytes for {1} columns:", layout.superBytes(), format.superBlock);
  for (const Section &section : layout.sections()) {
    unsigned columns = section.kind == SectionKind::Codes    ? kActGroup
                       : section.kind == SectionKind::Values ? 1
                                                             : format.superBlock;
    out << llvm::formatv("|  {0,-8} +{1,-8} {2} {3} of {4} bytes for {5} {6}", nameOf(section.kind), section.offset,
                         section.linesPerUnit, section.linesPerUnit == 1 ? "line" : "lines", section.lineBytes, columns,
                         columns == 1 ? "column" : "columns");
  }
}

static void describe(llvm::raw_ostream &out, ActsType type) {
  out << llvm::formatv("int8 activations, rows of {0} in {1} bytes|  codes    +0|  scales   +{2}|  -8 sum   +{3}"
                       "|  -32 half +{4}|  totals   +{5}",
                       type.getWidth(), type.getStride(), type.getScalesOffset(), type.getStartsOffset(),
                       type.getHalfStartsOffset(), type.getTotalsOffset());
  if (type.getCrossed())
    out << llvm::formatv("|  crossed  +{0}|  even     +{1}", type.getCrossSumsOffset(), type.getEvenWordsOffset());
  if (type.getStepped())
    out << "|  scales are 4, 5, 6 or 7 times a power of two";
}

std::string cpu::describeLayouts(KernelOp kernel) {
  std::string text;
  llvm::raw_string_ostream out(text);
  for (unsigned i = 0; i < kernel.getNumBindings(); ++i) {
    Type type = kernel.getBinding(i).getType();
    if (!isa<PackedType, ActsType>(type))
      continue;
    out << (text.empty() ? "" : "|") << "binding " << i << ": ";
    if (auto packed = dyn_cast<PackedType>(type))
      describe(out, packed);
    else
      describe(out, cast<ActsType>(type));
  }
  return text;
}

std::string cpu::annotateAssembly(StringRef assembly, ArrayRef<std::pair<std::string, std::string>> contracts,
                                  StringRef comment) {
  llvm::StringMap<StringRef> byLabel;
  for (const auto &[name, contract] : contracts)
    byLabel[name + ":"] = contract;
  std::string text;
  llvm::raw_string_ostream out(text);
  while (!assembly.empty()) {
    auto [line, rest] = assembly.split('\n');
    if (auto found = byLabel.find(line.take_until(llvm::isSpace)); found != byLabel.end())
      for (StringRef part : llvm::split(found->second, '|'))
        out << comment << ' ' << part << '\n';
    out << line << '\n';
    assembly = rest;
  }
  return text;
}
