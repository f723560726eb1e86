//===- LLMModelOps.cpp - What model ops refuse and fold -------------------===//
#include "dialects/llm/LLMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

//===----------------------------------------------------------------------===//
// Words of the syntax: `order = halves`
//===----------------------------------------------------------------------===//

template <typename Enum, typename WordAttr>
static ParseResult parseEnumWord(OpAsmParser &parser, WordAttr &attr,
                                 std::optional<Enum> (*symbolize)(StringRef)) {
  StringRef word;
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  std::optional<Enum> value = symbolize(word);
  if (!value)
    return parser.emitError(where) << "unknown " << WordAttr::getMnemonic() << " '" << word << "'";
  attr = WordAttr::get(parser.getContext(), *value);
  return success();
}

static ParseResult parseWord(OpAsmParser &parser, ActivationAttr &attr) {
  return parseEnumWord<Activation>(parser, attr, symbolizeActivation);
}
static ParseResult parseWord(OpAsmParser &parser, RopeOrderAttr &attr) {
  return parseEnumWord<RopeOrder>(parser, attr, symbolizeRopeOrder);
}
static ParseResult parseWord(OpAsmParser &parser, KvPartAttr &attr) {
  return parseEnumWord<KvPart>(parser, attr, symbolizeKvPart);
}
static void printWord(OpAsmPrinter &printer, Operation *, ActivationAttr attr) {
  printer << stringifyActivation(attr.getValue());
}
static void printWord(OpAsmPrinter &printer, Operation *, RopeOrderAttr attr) {
  printer << stringifyRopeOrder(attr.getValue());
}
static void printWord(OpAsmPrinter &printer, Operation *, KvPartAttr attr) {
  printer << stringifyKvPart(attr.getValue());
}

//===----------------------------------------------------------------------===//
// Numbers of the syntax: the shortest decimal that reads back as the same double (`eps = 1.0e-6`)
//===----------------------------------------------------------------------===//

static ParseResult parseNumber(OpAsmParser &parser, FloatAttr &attr) {
  double value;
  if (parser.parseFloat(value))
    return failure();
  attr = parser.getBuilder().getF64FloatAttr(value);
  return success();
}

static void printNumber(OpAsmPrinter &printer, Operation *, FloatAttr attr) {
  double value = attr.getValueAsDouble();
  if (!std::isfinite(value)) {
    printer << attr;
    return;
  }
  char text[40];
  for (int digits = 6; digits <= 17; ++digits) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, nullptr) == value)
      break;
  }
  // MLIR's float literals have a point before the exponent.
  auto [mantissa, exponent] = StringRef(text).split('e');
  printer << mantissa << (mantissa.contains('.') ? "" : ".0");
  if (!exponent.empty())
    printer << 'e' << exponent;
}

//===----------------------------------------------------------------------===//
// Types that follow from the rows' type
//===----------------------------------------------------------------------===//

static ParseResult parseRowsType(OpAsmParser &parser, RankedTensorType &rows) {
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseType(rows))
    return failure();
  if (rows.getRank() != 2 || rows.isDynamicDim(1))
    return parser.emitError(where) << "expected a tokens x width tensor";
  return success();
}

static ParseResult parseRowsAndVector(OpAsmParser &parser, Type &rows, Type &vector) {
  RankedTensorType type;
  if (parseRowsType(parser, type))
    return failure();
  rows = type;
  vector = getVectorType(parser.getContext(), type.getDimSize(1));
  return success();
}
static void printRowsAndVector(OpAsmPrinter &printer, Operation *, Type rows, Type) {
  printer << rows;
}

static ParseResult parseRowsToActs(OpAsmParser &parser, Type &rows, Type &acts) {
  RankedTensorType type;
  SMLoc where = parser.getCurrentLocation();
  if (parseRowsType(parser, type))
    return failure();
  rows = type;
  acts = ActsType::getChecked([&] { return parser.emitError(where); }, parser.getContext(),
                              type.getDimSize(0), type.getDimSize(1));
  return success(static_cast<bool>(acts));
}
static void printRowsToActs(OpAsmPrinter &printer, Operation *, Type rows, Type) {
  printer << rows;
}

static ParseResult parseNormToActs(OpAsmParser &parser, Type &rows, Type &vector, Type &acts) {
  if (parseRowsToActs(parser, rows, acts))
    return failure();
  vector = getVectorType(parser.getContext(), cast<RankedTensorType>(rows).getDimSize(1));
  return success();
}
static void printNormToActs(OpAsmPrinter &printer, Operation *, Type rows, Type, Type) {
  printer << rows;
}

#define GET_OP_CLASSES
#include "dialects/llm/LLMOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

LogicalResult EmbedOp::verify() {
  MatrixShape weight = getMatrixShape(getWeight().getType());
  if (getType().getDimSize(1) != weight.cols)
    return emitOpError("gives rows of ")
           << weight.cols << " elements, not " << getType().getDimSize(1);
  if (getType().getDimSize(0) != getTokens().getType().getDimSize(0))
    return emitOpError("gives one row a token");
  if (!getScale().isFinite())
    return emitOpError("needs a finite scale");
  return success();
}

template <typename NormOp> static LogicalResult verifyNorm(NormOp op) {
  int64_t width = op.getX().getType().getDimSize(1);
  if (op.getGain().getType().getDimSize(0) != width)
    return op.emitOpError("needs ")
           << width << " gains, not " << op.getGain().getType().getDimSize(0);
  if (!op.getEps().isFinite() || (op.getEps().isNegative() && !op.getEps().isZero()))
    return op.emitOpError("needs an eps that is finite and not negative");
  return success();
}

LogicalResult RmsNormOp::verify() { return verifyNorm(*this); }

LogicalResult AddBiasOp::verify() {
  int64_t width = getX().getType().getDimSize(1);
  if (getBias().getType().getDimSize(0) != width)
    return emitOpError("needs a bias of ")
           << width << " elements, not " << getBias().getType().getDimSize(0);
  return success();
}

LogicalResult ScaleOp::verify() {
  return getFactor().isFinite() ? success() : emitOpError("needs a finite factor");
}

OpFoldResult ScaleOp::fold(FoldAdaptor) {
  return getFactor().isExactlyValue(1.0) ? getX() : OpFoldResult();
}

LogicalResult LastTokenOp::verify() {
  if (getType() != getRowsType(getContext(), 1, getX().getType().getDimSize(1)))
    return emitOpError("gives one row of ")
           << getX().getType().getDimSize(1) << " elements, not " << getType();
  return success();
}

OpFoldResult LastTokenOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? getX() : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// Quantized activations
//===----------------------------------------------------------------------===//

template <typename QuantizeOp> static LogicalResult verifyQuantized(QuantizeOp op) {
  if (op.getType().getTensorType() != op.getX().getType())
    return op.emitOpError("gives activations of another shape: ")
           << op.getType() << " from " << op.getX().getType();
  return success();
}

LogicalResult QuantizeActsOp::verify() { return verifyQuantized(*this); }

LogicalResult NormQuantizeOp::verify() {
  if (failed(verifyNorm(*this)))
    return failure();
  return verifyQuantized(*this);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

LogicalResult RopeOp::verify() {
  int64_t headDim = getHeadDim(), rotary = getRotaryDim(), width = getX().getType().getDimSize(1);
  if (rotary % 2 || rotary > headDim)
    return emitOpError("needs an even rotary_dim of at most head_dim (")
           << headDim << "), not " << rotary;
  if (width % headDim)
    return emitOpError("has rows of ")
           << width << " elements, no multiple of head_dim (" << headDim << ")";
  auto angles = cast<RankedTensorType>(getAngles().getType());
  int64_t pairs = angles.getRank() == 1 ? angles.getDimSize(0) : angles.getDimSize(1) / 2;
  if (2 * pairs != rotary)
    return emitOpError("with rotary_dim ")
           << rotary << " needs " << rotary / 2 << " frequencies, not " << pairs;
  return success();
}

LogicalResult KvCacheOp::verify() {
  int64_t headDim = getHeadDim();
  if (getElementType().isInteger(8) && headDim % 8)
    return emitOpError("holds i8 of heads whose size is a multiple of 8, not ") << headDim;
  return success();
}

/// The cache that `op` names, with a diagnostic where there is none.
static KvCacheOp findCache(Operation *op, FlatSymbolRefAttr name, SymbolTableCollection &tables) {
  auto cache = tables.lookupNearestSymbolFrom<KvCacheOp>(op, name);
  if (!cache)
    op->emitOpError() << "names " << name << ", which is no llm.kv_cache";
  return cache;
}

static LogicalResult verifyAppend(Operation *op, FlatSymbolRefAttr name, int64_t width,
                                  SymbolTableCollection &tables) {
  KvCacheOp cache = findCache(op, name, tables);
  if (!cache)
    return failure();
  int64_t expected = cache.getHeads() * cache.getHeadDim();
  if (width != expected)
    return op->emitOpError() << "appends rows of " << width << " elements to " << name
                             << ", whose rows have " << expected;
  return success();
}

LogicalResult AppendOp::verifySymbolUses(SymbolTableCollection &tables) {
  return verifyAppend(*this, getCacheAttr(), getX().getType().getDimSize(1), tables);
}

LogicalResult LinearOp::verifySymbolUses(SymbolTableCollection &tables) {
  return getAppendAttr() ? verifyAppend(*this, getAppendAttr(), getRows(), tables) : success();
}

LogicalResult AttentionOp::verify() {
  int64_t heads = getHeads(), kvHeads = getKvHeads(), headDim = getHeadDim();
  if (heads % kvHeads)
    return emitOpError("has ") << heads << " heads, no multiple of its " << kvHeads << " kv_heads";
  if (!getScale().isFinite())
    return emitOpError("needs a finite scale");
  RankedTensorType q = getQ().getType();
  if (q.getDimSize(1) != heads * headDim)
    return emitOpError("needs queries of ")
           << heads * headDim << " elements, not " << q.getDimSize(1);
  if (getRowsShape(getType()).width != heads * headDim ||
      getRowsShape(getType()).tokens != q.getDimSize(0))
    return emitOpError("gives rows as its queries are, not ") << getType();
  if (isa<ActsType>(getType()) && headDim % kActGroup)
    return emitOpError("cannot quantize its result: head_dim ")
           << headDim << " is no multiple of " << kActGroup;
  if (isa<AppendedType>(getK().getType()) != isa<AppendedType>(getV().getType()))
    return emitOpError("appends both keys and values, or neither");
  if (appends())
    for (Value part : {getK(), getV()})
      if (part.getType() != getRowsType(getContext(), q.getDimSize(0), kvHeads * headDim))
        return emitOpError("needs keys and values of ")
               << kvHeads * headDim << " elements, not " << part.getType();
  return success();
}

LogicalResult AttentionOp::verifySymbolUses(SymbolTableCollection &tables) {
  KvCacheOp cache = findCache(*this, getCacheAttr(), tables);
  if (!cache)
    return failure();
  if (cache.getHeads() != getKvHeads() || cache.getHeadDim() != getHeadDim())
    return emitOpError("has ") << getKvHeads() << " kv_heads of " << getHeadDim() << ", but "
                               << getCacheAttr() << " has " << cache.getHeads() << " of "
                               << cache.getHeadDim();
  return success();
}

void AttentionOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  effects.emplace_back(MemoryEffects::Read::get());
  if (appends())
    effects.emplace_back(MemoryEffects::Write::get());
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

static LogicalResult verifyScores(Operation *op, int64_t tokens, Value targets, Value result) {
  if (cast<RankedTensorType>(targets.getType()).getDimSize(0) != tokens ||
      cast<RankedTensorType>(result.getType()).getDimSize(0) != tokens)
    return op->emitOpError("needs one target and gives one score a token");
  return success();
}

LogicalResult LogLikelihoodOp::verify() {
  return verifyScores(*this, getLogits().getType().getDimSize(0), getTargets(), getResult());
}

LogicalResult LinearScoreOp::verify() {
  RowsShape x = getRowsShape(getX().getType());
  MatrixShape weight = getMatrixShape(getWeight().getType());
  if (weight.cols != x.width)
    return emitOpError("multiplies rows of ")
           << x.width << " elements with " << weight.cols << " columns";
  if (isa<ActsType>(getX().getType()) && Format::get(weight.format).isFloat())
    return emitOpError("multiplies quantized activations with integer formats, not ")
           << Format::get(weight.format).name;
  return verifyScores(*this, x.tokens, getTargets(), getResult());
}
