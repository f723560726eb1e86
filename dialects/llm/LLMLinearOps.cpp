//===- LLMLinearOps.cpp - Syntax and verification of llm.linear -----------===//
#include "dialects/llm/LLMDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

//===----------------------------------------------------------------------===//
// Building and access
//===----------------------------------------------------------------------===//

void LinearOp::build(OpBuilder &builder, OperationState &state, Value x, Value weight) {
  build(builder, state,
        getRowsType(builder.getContext(), getRowsShape(x.getType()).tokens,
                    getMatrixShape(weight.getType()).rows),
        x, weight);
}

void LinearOp::build(OpBuilder &builder, OperationState &state, Type result, Value x,
                     ValueRange weights, ValueRange residuals, ValueRange biases, Value rope) {
  state.addOperands(x);
  state.addOperands(weights);
  state.addOperands(residuals);
  state.addOperands(biases);
  if (rope)
    state.addOperands(rope);
  llvm::copy(ArrayRef<int32_t>{1, static_cast<int32_t>(weights.size()),
                               static_cast<int32_t>(residuals.size()),
                               static_cast<int32_t>(biases.size()), rope ? 1 : 0},
             state.getOrAddProperties<Properties>().operandSegmentSizes.begin());
  state.addRegion();
  state.addTypes(result);
}

int64_t LinearOp::getRows() { return getMatrixShape(getWeights().front().getType()).rows; }
int64_t LinearOp::getCols() { return getMatrixShape(getWeights().front().getType()).cols; }
int64_t LinearOp::getTokens() { return getRowsShape(getX().getType()).tokens; }

Block &LinearOp::createEpilogue() {
  Block &block = getEpilogue().emplaceBlock();
  size_t count = getWeights().size() + getResiduals().size() + getBiases().size();
  Type f32 = Float32Type::get(getContext());
  for (size_t i = 0; i < count; ++i)
    block.addArgument(f32, getLoc());
  return block;
}

MutableArrayRef<BlockArgument> LinearOp::getProducts() {
  return hasEpilogue() ? getEpilogue().getArguments().take_front(getWeights().size())
                       : MutableArrayRef<BlockArgument>();
}

MutableArrayRef<BlockArgument> LinearOp::getResidualArguments() {
  return hasEpilogue()
             ? getEpilogue().getArguments().slice(getWeights().size(), getResiduals().size())
             : MutableArrayRef<BlockArgument>();
}

MutableArrayRef<BlockArgument> LinearOp::getBiasArguments() {
  return hasEpilogue() ? getEpilogue().getArguments().take_back(getBiases().size())
                       : MutableArrayRef<BlockArgument>();
}

RotateOp LinearOp::getRotation() {
  if (hasEpilogue())
    for (auto rotate : getEpilogue().getOps<RotateOp>())
      return rotate;
  return {};
}

void LinearOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  if (getAppendAttr())
    effects.emplace_back(MemoryEffects::Write::get());
}

//===----------------------------------------------------------------------===//
// Syntax
//
//   llm.linear %x, [%w, ...] residual(%r, ...) bias(%b, ...) rope(%t : table type)
//     append keys to @kv.0 epilogue(%args, ...) { ... } attributes {...} : x, weights... -> result
//===----------------------------------------------------------------------===//

ParseResult LinearOp::parse(OpAsmParser &parser, OperationState &state) {
  using Operand = OpAsmParser::UnresolvedOperand;
  Operand x, rope;
  SmallVector<Operand> weights, residuals, biases;
  Type ropeType;
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseOperand(x) || parser.parseComma() ||
      parser.parseOperandList(weights, OpAsmParser::Delimiter::Square))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("residual")) &&
      parser.parseOperandList(residuals, OpAsmParser::Delimiter::Paren))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("bias")) &&
      parser.parseOperandList(biases, OpAsmParser::Delimiter::Paren))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("rope")) &&
      (parser.parseLParen() || parser.parseOperand(rope) || parser.parseColonType(ropeType) ||
       parser.parseRParen()))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("append"))) {
    StringRef word;
    FlatSymbolRefAttr cache;
    SMLoc wordAt = parser.getCurrentLocation();
    if (parser.parseKeyword(&word) || parser.parseKeyword("to") || parser.parseAttribute(cache))
      return failure();
    std::optional<KvPart> part = symbolizeKvPart(word);
    if (!part)
      return parser.emitError(wordAt) << "unknown kv_part '" << word << "'";
    state.addAttribute("append", cache);
    state.addAttribute("part", KvPartAttr::get(parser.getContext(), *part));
  }
  Region *region = state.addRegion();
  if (succeeded(parser.parseOptionalKeyword("epilogue"))) {
    SmallVector<OpAsmParser::Argument> arguments;
    if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren))
      return failure();
    for (OpAsmParser::Argument &argument : arguments)
      argument.type = parser.getBuilder().getF32Type();
    if (parser.parseRegion(*region, arguments))
      return failure();
  }
  SmallVector<Type> types;
  Type result;
  if (parser.parseOptionalAttrDictWithKeyword(state.attributes) ||
      parser.parseColonTypeList(types) || parser.parseArrow() || parser.parseType(result))
    return failure();
  if (types.size() != weights.size() + 1)
    return parser.emitError(where) << "expected a type for x and one for each of " << weights.size()
                                   << " weights, got " << types.size();
  if (weights.empty() || !isa<WeightType, PackedType>(types[1]))
    return parser.emitError(where) << "needs at least one weight";
  auto tensor = dyn_cast<RankedTensorType>(types[0]);
  if (!isa<ActsType>(types[0]) && !(tensor && tensor.getRank() == 2))
    return parser.emitError(where) << "multiplies tokens x width activations, not " << types[0];

  int64_t tokens = getRowsShape(types[0]).tokens, rows = getMatrixShape(types[1]).rows;
  Type residualType = getRowsType(parser.getContext(), tokens, rows);
  Type biasType = getVectorType(parser.getContext(), rows);
  if (parser.resolveOperand(x, types[0], state.operands) ||
      parser.resolveOperands(weights, ArrayRef(types).drop_front(), where, state.operands) ||
      parser.resolveOperands(residuals, residualType, state.operands) ||
      parser.resolveOperands(biases, biasType, state.operands) ||
      (ropeType && parser.resolveOperand(rope, ropeType, state.operands)))
    return failure();
  llvm::copy(ArrayRef<int32_t>{1, static_cast<int32_t>(weights.size()),
                               static_cast<int32_t>(residuals.size()),
                               static_cast<int32_t>(biases.size()), ropeType ? 1 : 0},
             state.getOrAddProperties<Properties>().operandSegmentSizes.begin());
  state.addTypes(result);
  return success();
}

void LinearOp::print(OpAsmPrinter &p) {
  p << ' ' << getX() << ", [" << getWeights() << ']';
  if (!getResiduals().empty())
    p << " residual(" << getResiduals() << ')';
  if (!getBiases().empty())
    p << " bias(" << getBiases() << ')';
  if (Value rope = getRope())
    p << " rope(" << rope << " : " << rope.getType() << ')';
  if (getAppendAttr() && getPartAttr())
    p << " append " << stringifyKvPart(*getPart()) << " to " << getAppendAttr();
  if (hasEpilogue()) {
    p << " epilogue(" << getEpilogue().getArguments() << ") ";
    p.printRegion(getEpilogue(), /*printEntryBlockArgs=*/false);
  }
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                     {"append", "part", "operandSegmentSizes"});
  p << " : " << getX().getType() << ", " << getWeights().getTypes() << " -> "
    << getResult().getType();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static LogicalResult verifyWeights(LinearOp op) {
  if (op.getWeights().empty())
    return op.emitOpError("needs at least one weight");
  int64_t width = getRowsShape(op.getX().getType()).width;
  for (Value value : op.getWeights()) {
    MatrixShape weight = getMatrixShape(value.getType());
    const Format &format = Format::get(weight.format);
    if (weight.cols != width)
      return op.emitOpError("multiplies rows of ")
             << width << " elements with " << weight.cols << " columns";
    if (weight.rows != op.getRows())
      return op.emitOpError("has weights of ")
             << op.getRows() << " and of " << weight.rows << " rows";
    if (isa<ActsType>(op.getX().getType()) && format.isFloat())
      return op.emitOpError("multiplies quantized activations with integer formats, not ")
             << format.name;
  }
  return success();
}

static LogicalResult verifyResult(LinearOp op) {
  Type result = op.getResult().getType();
  bool appends = isa<AppendedType>(result);
  if (appends != static_cast<bool>(op.getAppendAttr()) ||
      appends != static_cast<bool>(op.getPartAttr()))
    return op.emitOpError("gives !llm.appended where, and only where, it appends to a cache");
  if (appends)
    return success();
  RowsShape rows = getRowsShape(result);
  if (rows.width != op.getRows() || rows.tokens != op.getTokens())
    return op.emitOpError("gives ")
           << op.getRows() << " elements for each token of x, not " << result;
  return success();
}

LogicalResult LinearOp::verify() {
  if (failed(verifyWeights(*this)) || failed(verifyResult(*this)))
    return failure();
  for (Value residual : getResiduals())
    if (residual.getType() != getRowsType(getContext(), getTokens(), getRows()))
      return emitOpError("has a residual of another shape than its result: ") << residual.getType();
  for (Value bias : getBiases())
    if (cast<RankedTensorType>(bias.getType()).getDimSize(0) != getRows())
      return emitOpError("has ") << getRows() << " rows and a bias of " << bias.getType();
  if (!hasEpilogue() &&
      (getWeights().size() != 1 || !getResiduals().empty() || !getBiases().empty() || getRope()))
    return emitOpError("without an epilogue has one weight and nothing else");
  return success();
}

LogicalResult LinearOp::verifyRegions() {
  if (!hasEpilogue())
    return success();
  Block &block = getEpilogue().front();
  size_t expected = getWeights().size() + getResiduals().size() + getBiases().size();
  if (block.getNumArguments() != expected)
    return emitOpError("has an epilogue of ") << block.getNumArguments() << " arguments for "
                                              << expected << " weights, residuals and biases";
  for (Type type : block.getArgumentTypes())
    if (!type.isF32())
      return emitOpError("has an epilogue argument of type ") << type << "; all are f32";
  if (!isa<YieldOp>(block.getTerminator()))
    return emitOpError("has an epilogue that does not end in llm.yield");
  RotateOp rotation = getRotation();
  for (Operation &op : block.without_terminator()) {
    if (auto rotate = dyn_cast<RotateOp>(op)) {
      if (rotate != rotation)
        return rotate.emitOpError("is the second of its epilogue; one is allowed");
    } else if (!isa<arith::ArithDialect, math::MathDialect>(op.getDialect())) {
      return op.emitOpError("cannot be in an epilogue: arith, math and llm.rotate can");
    } else if (llvm::any_of(op.getResultTypes(), [](Type type) { return isa<ShapedType>(type); })) {
      return op.emitOpError("works on whole tensors or vectors; an epilogue computes one element");
    }
  }
  if (static_cast<bool>(rotation) != static_cast<bool>(getRope()))
    return emitOpError("has a rope table where, and only where, its epilogue rotates");
  if (!rotation)
    return success();
  if (getRows() % rotation.getHeadDim())
    return emitOpError("has ") << getRows() << " rows, no multiple of head_dim ("
                               << rotation.getHeadDim() << ")";
  int64_t width = cast<RankedTensorType>(getRope().getType()).getDimSize(1);
  if (width != rotation.getRotaryDim())
    return emitOpError("has a rope table ")
           << width << " wide for a rotary_dim of " << rotation.getRotaryDim();
  return success();
}

LogicalResult RotateOp::verify() {
  int64_t headDim = getHeadDim(), rotary = getRotaryDim();
  if (rotary % 2 || rotary > headDim)
    return emitOpError("needs an even rotary_dim of at most head_dim (")
           << headDim << "), not " << rotary;
  return success();
}
