//===- ExecAttrs.cpp - Syntax of bindings, tile counts, ports and targets -===//
//
// Bindings and ports are also printed bare, inside exec.dispatch and exec.program: their syntax is
// in functions that the ops share (ExecSyntax.h).
//
//===----------------------------------------------------------------------===//
#include "dialects/exec/ExecSyntax.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter::exec;

#define GET_ATTRDEF_CLASSES
#include "dialects/exec/ExecAttrs.cpp.inc"

void ExecDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/exec/ExecAttrs.cpp.inc"
      >();
}

/// One word of an enumeration, or an error that lists nothing but says what was expected.
template <typename Enum>
static ParseResult parseWord(AsmParser &parser, Enum &value,
                             std::optional<Enum> (*symbolize)(StringRef), const char *expected) {
  StringRef word;
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  std::optional<Enum> found = symbolize(word);
  if (!found)
    return parser.emitError(at) << "expected " << expected << ", got '" << word << "'";
  value = *found;
  return success();
}

static ParseResult parseSymbol(AsmParser &parser, FlatSymbolRefAttr &symbol) {
  StringAttr name;
  if (parser.parseSymbolName(name))
    return failure();
  symbol = FlatSymbolRefAttr::get(name);
  return success();
}

// ---- #exec.indirect: (@step[2] * 8192 below 256)
// ------------------------------------------------------------------

static FailureOr<IndirectAttr> parseIndirect(AsmParser &parser) {
  FlatSymbolRefAttr index;
  int64_t element, stride, limit;
  if (parser.parseLParen() || parseSymbol(parser, index) || parser.parseLSquare() ||
      parser.parseInteger(element) || parser.parseRSquare() || parser.parseStar() ||
      parser.parseInteger(stride) || parser.parseKeyword("below") || parser.parseInteger(limit) ||
      parser.parseRParen())
    return failure();
  return IndirectAttr::get(parser.getContext(), index, element, stride, limit);
}

static void printIndirect(AsmPrinter &printer, IndirectAttr indirect) {
  printer << "(" << indirect.getIndex() << "[" << indirect.getElement() << "] * "
          << indirect.getStride() << " below " << indirect.getLimit() << ")";
}

Attribute IndirectAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<IndirectAttr> indirect = parseIndirect(parser);
  if (failed(indirect) || parser.parseGreater())
    return {};
  return *indirect;
}

void IndirectAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printIndirect(printer, *this);
  printer << ">";
}

// ---- #exec.binding: write @sum offset 0 size 64 at (...) over [0, 1]
// ------------------------------------------------

FailureOr<BindingAttr> sinter::exec::parseBinding(AsmParser &parser) {
  Access access = Access::Read;
  FlatSymbolRefAttr buffer;
  int64_t offset = 0, size = -1;
  IndirectAttr indirect;
  SmallVector<int64_t> over;
  if (parseWord(parser, access, symbolizeAccess, "read, write or update") ||
      parseSymbol(parser, buffer))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("offset")) && parser.parseInteger(offset))
    return failure();
  SMLoc at = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalKeyword("size")) && parser.parseInteger(size))
    return failure();
  if (offset < 0 || size < -1)
    return parser.emitError(at, "offset and size must not be negative");
  if (succeeded(parser.parseOptionalKeyword("at"))) {
    FailureOr<IndirectAttr> parsed = parseIndirect(parser);
    if (failed(parsed))
      return failure();
    indirect = *parsed;
  }
  if (succeeded(parser.parseOptionalKeyword("over")) &&
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     [&] { return parser.parseInteger(over.emplace_back()); }))
    return failure();
  return BindingAttr::get(parser.getContext(), buffer, access, offset, size, indirect, over);
}

void sinter::exec::printBinding(AsmPrinter &printer, BindingAttr binding) {
  printer << stringifyAccess(binding.getAccess()) << " " << binding.getBuffer();
  if (binding.getOffset())
    printer << " offset " << binding.getOffset();
  if (binding.getSize() >= 0)
    printer << " size " << binding.getSize();
  if (binding.getIndirect()) {
    printer << " at ";
    printIndirect(printer, binding.getIndirect());
  }
  if (!binding.getOver().empty()) {
    printer << " over [";
    llvm::interleaveComma(binding.getOver(), printer.getStream());
    printer << "]";
  }
}

Attribute BindingAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<BindingAttr> binding = parseBinding(parser);
  if (failed(binding) || parser.parseGreater())
    return {};
  return *binding;
}

void BindingAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printBinding(printer, *this);
  printer << ">";
}

// ---- #exec.tiles: <8 per 4 tokens per 32 positions>
// -----------------------------------------------------------------

Attribute TilesAttr::parse(AsmParser &parser, Type) {
  int64_t constant, tokenStep = 0, lengthStep = 0;
  if (parser.parseLess() || parser.parseInteger(constant))
    return {};
  while (succeeded(parser.parseOptionalKeyword("per"))) {
    int64_t step;
    StringRef unit;
    SMLoc at = parser.getCurrentLocation();
    if (parser.parseInteger(step) || parser.parseKeyword(&unit))
      return {};
    int64_t *slot = unit == "tokens" ? &tokenStep : unit == "positions" ? &lengthStep : nullptr;
    if (!slot || *slot || step <= 0) {
      parser.emitError(
          at, "expected 'per N tokens' or 'per N positions', each at most once, N at least 1");
      return {};
    }
    *slot = step;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<TilesAttr>(parser.getContext(), constant, tokenStep, lengthStep);
}

void TilesAttr::print(AsmPrinter &printer) const {
  printer << "<" << getConstant();
  if (getTokenStep())
    printer << " per " << getTokenStep() << " tokens";
  if (getLengthStep())
    printer << " per " << getLengthStep() << " positions";
  printer << ">";
}

LogicalResult TilesAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                int64_t constant, int64_t tokenStep, int64_t lengthStep) {
  constexpr int64_t most = std::numeric_limits<uint32_t>::max();
  if (constant < 1 || constant > most || tokenStep < 0 || tokenStep > most || lengthStep < 0 ||
      lengthStep > most)
    return emitError() << "a tile count needs a constant of at least 1 and steps that are not "
                          "negative, all below 2^32";
  return success();
}

// ---- #exec.port: tokens @tokens
// -------------------------------------------------------------------------------------

FailureOr<PortAttr> sinter::exec::parsePort(AsmParser &parser) {
  PortRole role = PortRole::Tokens;
  FlatSymbolRefAttr buffer;
  if (parseWord(parser, role, symbolizePortRole, "tokens, targets, logits or scores") ||
      parseSymbol(parser, buffer))
    return failure();
  return PortAttr::get(parser.getContext(), role, buffer);
}

void sinter::exec::printPort(AsmPrinter &printer, PortAttr port) {
  printer << stringifyPortRole(port.getRole()) << " " << port.getBuffer();
}

Attribute PortAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<PortAttr> port = parsePort(parser);
  if (failed(port) || parser.parseGreater())
    return {};
  return *port;
}

void PortAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printPort(printer, *this);
  printer << ">";
}

// ---- #exec.variant, #exec.target
// --------------------------------------------------------------------------------------

static ParseResult parseString(AsmParser &parser, StringAttr &attribute) {
  std::string text;
  if (parser.parseString(&text))
    return failure();
  attribute = StringAttr::get(parser.getContext(), text);
  return success();
}

Attribute VariantAttr::parse(AsmParser &parser, Type) {
  StringAttr name;
  SmallVector<StringAttr> features;
  if (parser.parseLess() || parseString(parser, name))
    return {};
  if (succeeded(parser.parseOptionalKeyword("needs")) &&
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     [&] { return parseString(parser, features.emplace_back()); }))
    return {};
  if (parser.parseGreater())
    return {};
  return VariantAttr::get(parser.getContext(), name, features);
}

void VariantAttr::print(AsmPrinter &printer) const {
  printer << "<" << getName();
  if (!getFeatures().empty()) {
    printer << " needs [";
    llvm::interleaveComma(getFeatures(), printer.getStream(),
                          [&](StringAttr feature) { printer << feature; });
    printer << "]";
  }
  printer << ">";
}

Attribute TargetAttr::parse(AsmParser &parser, Type) {
  StringAttr name;
  Activations activations = Activations::F32;
  SmallVector<VariantAttr> variants;
  auto parseVariant = [&]() -> ParseResult {
    auto variant = llvm::dyn_cast_or_null<VariantAttr>(VariantAttr::parse(parser, {}));
    if (!variant)
      return failure();
    variants.push_back(variant);
    return success();
  };
  if (parser.parseLess() || parseString(parser, name) || parser.parseComma() ||
      parser.parseKeyword("activations") || parser.parseEqual() ||
      parseWord(parser, activations, symbolizeActivations, "f32 or i8") || parser.parseComma() ||
      parser.parseKeyword("variants") || parser.parseEqual() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseVariant) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<TargetAttr>(parser.getContext(), name, activations, variants);
}

void TargetAttr::print(AsmPrinter &printer) const {
  printer << "<" << getName() << ", activations = " << stringifyActivations(getActivations())
          << ", variants = [";
  llvm::interleaveComma(getVariants(), printer.getStream(),
                        [&](VariantAttr variant) { variant.print(printer); });
  printer << "]>";
}

LogicalResult TargetAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                 StringAttr name, Activations activations,
                                 ArrayRef<VariantAttr> variants) {
  if (variants.empty())
    return emitError() << "target " << name << " has no variant";
  llvm::SmallPtrSet<Attribute, 4> names;
  for (VariantAttr variant : variants)
    if (!names.insert(variant.getName()).second)
      return emitError() << "target " << name << " has variant " << variant.getName() << " twice";
  return success();
}
