//===- LLMTypes.cpp - How the types are written and what they refuse ------===//
#include "dialects/llm/LLMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

#define GET_TYPEDEF_CLASSES
#include "dialects/llm/LLMTypes.cpp.inc"

void LLMDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/llm/LLMTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// weight, packed: <rows x cols, format>
//===----------------------------------------------------------------------===//

template <typename MatrixType> static Type parseMatrix(AsmParser &parser) {
  SMLoc where = parser.getCurrentLocation();
  SmallVector<int64_t> dims;
  if (parser.parseLess() ||
      parser.parseDimensionList(dims, /*allowDynamic=*/false, /*withTrailingX=*/false))
    return {};
  if (dims.size() != 2) {
    parser.emitError(where) << "a matrix has rows and columns";
    return {};
  }
  StringRef name;
  if (parser.parseComma())
    return {};
  SMLoc nameAt = parser.getCurrentLocation();
  if (parser.parseKeyword(&name))
    return {};
  const Format *format = Format::find(name);
  if (!format) {
    auto error = parser.emitError(nameAt) << "unknown weight format '" << name << "'; known:";
    for (const Format &known : Format::all())
      error << ' ' << known.name;
    return {};
  }
  if (parser.parseGreater())
    return {};
  return MatrixType::getChecked([&] { return parser.emitError(where); }, parser.getContext(),
                                dims[0], dims[1], format->id);
}

static void printMatrix(AsmPrinter &printer, int64_t rows, int64_t cols, const Format &format) {
  printer << '<' << rows << 'x' << cols << ", " << format.name << '>';
}

static LogicalResult verifyMatrix(function_ref<InFlightDiagnostic()> emitError, int64_t rows,
                                  int64_t cols, FormatId id) {
  const Format &format = Format::get(id);
  if (rows < 1 || cols < 1)
    return emitError() << "a matrix needs at least one row and one column, not " << rows << "x"
                       << cols;
  if (!format.isFloat() && cols % format.superBlock)
    return emitError() << "columns of " << format.name << " must be a multiple of "
                       << format.superBlock << ", not " << cols;
  return success();
}

Type WeightType::parse(AsmParser &parser) { return parseMatrix<WeightType>(parser); }
void WeightType::print(AsmPrinter &printer) const {
  printMatrix(printer, getRows(), getCols(), getFormat());
}
LogicalResult WeightType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows,
                                 int64_t cols, FormatId id) {
  return verifyMatrix(emitError, rows, cols, id);
}

Type PackedType::parse(AsmParser &parser) { return parseMatrix<PackedType>(parser); }
void PackedType::print(AsmPrinter &printer) const {
  printMatrix(printer, getRows(), getCols(), getFormat());
}
LogicalResult PackedType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows,
                                 int64_t cols, FormatId id) {
  return verifyMatrix(emitError, rows, cols, id);
}

//===----------------------------------------------------------------------===//
// acts: <tokens x width, i8 per 32>
//===----------------------------------------------------------------------===//

Type ActsType::parse(AsmParser &parser) {
  SMLoc where = parser.getCurrentLocation();
  SmallVector<int64_t> dims;
  if (parser.parseLess() ||
      parser.parseDimensionList(dims, /*allowDynamic=*/true, /*withTrailingX=*/false))
    return {};
  if (dims.size() != 2 || ShapedType::isDynamic(dims[1])) {
    parser.emitError(where) << "activations have tokens and a static width";
    return {};
  }
  int64_t group = 0;
  if (parser.parseComma() || parser.parseKeyword("i8") || parser.parseKeyword("per") ||
      parser.parseInteger(group))
    return {};
  if (group != kActGroup) {
    parser.emitError(where) << "activations are quantized in groups of " << kActGroup << ", not "
                            << group;
    return {};
  }
  if (parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(where); }, parser.getContext(), dims[0], dims[1]);
}

void ActsType::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printDimensionList({getTokens(), getWidth()});
  printer << ", i8 per " << kActGroup << '>';
}

LogicalResult ActsType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t tokens,
                               int64_t width) {
  if (width < 1 || width % kActGroup)
    return emitError() << "the width of quantized activations must be a multiple of " << kActGroup
                       << ", not " << width;
  if (!ShapedType::isDynamic(tokens) && tokens < 1)
    return emitError() << "activations need at least one token";
  return success();
}

ActsType ActsType::getFor(RankedTensorType type) {
  return get(type.getContext(), type.getDimSize(0), type.getDimSize(1));
}

RankedTensorType ActsType::getTensorType() const {
  return getRowsType(getContext(), getTokens(), getWidth());
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

MatrixShape llm::getMatrixShape(Type weight) {
  if (auto packed = dyn_cast<PackedType>(weight))
    return {packed.getRows(), packed.getCols(), packed.getFormatId()};
  auto type = cast<WeightType>(weight);
  return {type.getRows(), type.getCols(), type.getFormatId()};
}

RowsShape llm::getRowsShape(Type type) {
  if (auto acts = dyn_cast<ActsType>(type))
    return {acts.getTokens(), acts.getWidth()};
  auto tensor = cast<RankedTensorType>(type);
  return {tensor.getDimSize(0), tensor.getDimSize(1)};
}

RankedTensorType llm::getRowsType(MLIRContext *context, int64_t tokens, int64_t width) {
  return RankedTensorType::get({tokens, width}, Float32Type::get(context));
}

RankedTensorType llm::getVectorType(MLIRContext *context, int64_t size) {
  return RankedTensorType::get({size}, Float32Type::get(context));
}
