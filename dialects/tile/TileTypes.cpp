//===- TileTypes.cpp - How bindings are written ------------------------------===//
#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

#define GET_TYPEDEF_CLASSES
#include "dialects/tile/TileTypes.cpp.inc"

void TileDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/tile/TileTypes.cpp.inc"
      >();
}

static FailureOr<FormatId> parseFormat(AsmParser &parser) {
  StringRef name;
  llvm::SMLoc where = parser.getCurrentLocation();
  if (parser.parseKeyword(&name))
    return failure();
  if (const Format *format = Format::find(name))
    return format->id;
  parser.emitError(where) << "unknown weight format '" << name << "'";
  return failure();
}

Type PackedType::parse(AsmParser &parser) {
  SmallVector<int64_t> dims;
  llvm::SMLoc where = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(dims, /*allowDynamic=*/false, /*withTrailingX=*/false))
    return {};
  if (dims.size() != 2) {
    parser.emitError(where) << "a packed matrix has rows and columns";
    return {};
  }
  if (parser.parseComma())
    return {};
  FailureOr<FormatId> format = parseFormat(parser);
  if (failed(format) || parser.parseGreater())
    return {};
  return parser.getChecked<PackedType>(where, parser.getContext(), dims[0], dims[1], *format);
}

LogicalResult PackedType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t cols, FormatId) {
  if (rows < 1 || cols < 1)
    return emitError() << "a packed matrix has at least one row and one column, not " << rows << "x" << cols;
  return success();
}

void PackedType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getCols() << ", " << Format::get(getFormat()).name << '>';
}

/// A row tile's 128 bytes of several tokens are read and written together: if rows were a multiple of 2048 bytes apart, they would
/// have one or two sets of a first cache of 4096 bytes a way to themselves (Zen 4: to add and store rows of 8192 bytes takes 7 to 10
/// % of a layer of 2048 columns, 1 % of rows that are 128 bytes longer).
static int64_t paddedStride(int64_t width) {
  int64_t bytes = (width + 31) / 32 * 32 * 4;
  return bytes % 2048 ? bytes : bytes + 128;
}

RowsType RowsType::getPadded(MLIRContext *context, int64_t width) {
  return get(context, width, paddedStride(width));
}

Type RowsType::parse(AsmParser &parser) {
  int64_t width, stride;
  llvm::SMLoc where = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseInteger(width))
    return {};
  stride = paddedStride(width);
  if (succeeded(parser.parseOptionalComma()))
    if (parser.parseKeyword("stride") || parser.parseInteger(stride))
      return {};
  if (parser.parseGreater())
    return {};
  return parser.getChecked<RowsType>(where, parser.getContext(), width, stride);
}

LogicalResult RowsType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t width, int64_t stride) {
  if (width < 1)
    return emitError() << "rows have at least one element, not " << width;
  if (stride < 4 * width || stride % 4)
    return emitError() << "rows of " << width << " floats are a multiple of 4 bytes and at least " << 4 * width
                       << " apart, not " << stride;
  return success();
}

// <2048, crossed, stepped>
Type ActsType::parse(AsmParser &parser) {
  int64_t width;
  llvm::SMLoc where = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseInteger(width))
    return {};
  bool crossed = false, stepped = false;
  while (succeeded(parser.parseOptionalComma())) {
    llvm::SMLoc at = parser.getCurrentLocation();
    StringRef word;
    if (parser.parseKeyword(&word))
      return {};
    bool &said = word == "crossed" ? crossed : stepped;
    if (said || stepped || (word != "crossed" && word != "stepped")) {
      parser.emitError(at, "expected 'crossed' and then 'stepped', or one of them");
      return {};
    }
    said = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<ActsType>(where, parser.getContext(), width, crossed, stepped);
}

void ActsType::print(AsmPrinter &printer) const {
  printer << '<' << getWidth() << (getCrossed() ? ", crossed" : "") << (getStepped() ? ", stepped" : "") << '>';
}

LogicalResult ActsType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t width, bool, bool) {
  if (width < kActGroup || width % kActGroup)
    return emitError() << "int8 activations come in groups of " << kActGroup << ": a width of " << width << " has none";
  return success();
}

// <2048, 16 by 2, starts, halves, totals>
Type ArrangedType::parse(AsmParser &parser) {
  int64_t width, tokens, together;
  llvm::SMLoc where = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseInteger(width) || parser.parseComma() || parser.parseInteger(tokens) ||
      parser.parseKeyword("by") || parser.parseInteger(together))
    return {};
  bool starts = false, halves = false, totals = false;
  while (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalKeyword("starts")))
      starts = true;
    else if (succeeded(parser.parseOptionalKeyword("halves")))
      halves = true;
    else if (parser.parseKeyword("totals"))
      return {};
    else
      totals = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<ArrangedType>(where, parser.getContext(), width, tokens, together, starts, halves, totals);
}

void ArrangedType::print(AsmPrinter &printer) const {
  printer << '<' << getWidth() << ", " << getTokens() << " by " << getTogether() << (getStarts() ? ", starts" : "")
          << (getHalves() ? ", halves" : "") << (getTotals() ? ", totals" : "") << '>';
}

LogicalResult ArrangedType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t width, int64_t tokens,
                                   int64_t together, bool, bool, bool) {
  if (width < kActGroup || width % kActGroup)
    return emitError() << "int8 activations come in groups of " << kActGroup << ": a width of " << width << " has none";
  if (together != 1 && together != 2)
    return emitError() << "tokens go together by one or by two, not by " << together;
  int64_t unit = together == 2 ? 2 : 4;
  if (tokens < unit || tokens % unit)
    return emitError() << "tokens that go together by " << together << " are a multiple of " << unit << ", not " << tokens;
  return success();
}

bool ArrangedType::has(Part part) const {
  switch (part) {
  case Starts:
    return getStarts();
  case LowStarts:
  case HighStarts:
    return getHalves();
  case Codes:
  case Scales:
    return true;
  case Totals:
    return getTotals();
  case End:
    break;
  }
  llvm_unreachable("the end is no part");
}

int64_t ArrangedType::getOffset(Part part) const {
  int64_t offset = 0;
  for (int i = Starts; i < part; ++i)
    if (auto before = static_cast<Part>(i); has(before)) {
      int64_t bytes = before == Codes ? kActGroup * getUnitTokens() : before < Codes ? getStartBytes() : 16;
      offset += byWord() ? getUnits() * bytes : bytes;
    }
  return offset;
}

void RowsType::print(AsmPrinter &printer) const {
  printer << '<' << getWidth();
  if (getStride() != paddedStride(getWidth()))
    printer << ", stride " << getStride();
  printer << '>';
}

Type BlockType::parse(AsmParser &parser) {
  if (parser.parseLess())
    return {};
  FailureOr<FormatId> format = parseFormat(parser);
  int64_t rows;
  if (failed(format) || parser.parseComma() || parser.parseInteger(rows) || parser.parseGreater())
    return {};
  return get(parser.getContext(), *format, rows);
}

void BlockType::print(AsmPrinter &printer) const {
  printer << '<' << Format::get(getFormat()).name << ", " << getRows() << '>';
}
