//===- TileOps.cpp - What tile ops refuse -------------------------------------===//
#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.cpp.inc"

//===----------------------------------------------------------------------===//
// kernel
//===----------------------------------------------------------------------===//

// tile.kernel @name(%w: !tile.packed<..>, ...) tile(%t, %tokens, %position) scratch(%s : 256) tokens 8 {
ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> args;
  OpAsmParser::Argument scratch;
  SmallVector<OpAsmParser::Argument> grid(3);
  Builder &b = parser.getBuilder();
  int64_t tokens, scratchBytes;
  if (parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(), result.attributes) ||
      parser.parseArgumentList(args, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
      parser.parseKeyword("grid") || parser.parseLParen() || parser.parseArgument(grid[0]) ||
      parser.parseComma() || parser.parseArgument(grid[1]) || parser.parseComma() ||
      parser.parseArgument(grid[2]) || parser.parseRParen() || parser.parseKeyword("scratch") ||
      parser.parseLParen() || parser.parseArgument(scratch) || parser.parseColon() ||
      parser.parseInteger(scratchBytes) || parser.parseRParen() || parser.parseKeyword("tokens") ||
      parser.parseInteger(tokens) || parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  result.addAttribute("tokens", b.getI64IntegerAttr(tokens));
  result.addAttribute("scratch", b.getI64IntegerAttr(scratchBytes));
  scratch.type = BytesType::get(b.getContext());
  args.push_back(scratch);
  for (OpAsmParser::Argument &g : grid) {
    g.type = b.getIndexType();
    args.push_back(g);
  }
  return parser.parseRegion(*result.addRegion(), args);
}

void KernelOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printSymbolName(getSymName());
  p << '(';
  llvm::interleaveComma(getBlock().getArguments().take_front(getNumBindings()), p,
                        [&](BlockArgument arg) { p.printRegionArgument(arg); });
  p << ") grid(" << getTileArg() << ", " << getTokensArg() << ", " << getPositionArg() << ") scratch("
    << getScratchArg() << " : " << getScratch() << ") tokens " << getTokens();
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"sym_name", "tokens", "scratch"});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verify() {
  SmallVector<Type> list(getBlock().getArgumentTypes());
  ArrayRef<Type> types(list);
  if (types.size() < 4)
    return emitOpError("needs scratch, tile, tokens and position after its bindings");
  for (auto [i, type] : llvm::enumerate(types.drop_back(4)))
    if (!isa<PackedType, RowsType, ActsType, BytesType>(type))
      return emitOpError("binding ") << i << " has type " << type << ", which is no binding type";
  if (!isa<BytesType>(getScratchArg().getType()))
    return emitOpError("the scratch argument must be !tile.bytes");
  for (Type type : types.take_back(3))
    if (!type.isIndex())
      return emitOpError("tile, tokens and position must be of type index");
  if (static_cast<int64_t>(getTokens()) < 1 || static_cast<int64_t>(getScratch()) < 0)
    return emitOpError("needs at least one token and no negative scratch");
  return success();
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  auto from = cast<VectorType>(getSource().getType()), to = cast<VectorType>(getResult().getType());
  if (from.getElementType() != to.getElementType())
    return emitOpError("changes the element type");
  bool row = from.getShape().back() == to.getDimSize(1) && (from.getRank() == 1 || from.getDimSize(0) == 1);
  bool token = from.getRank() == 2 && from.getDimSize(1) == 1 && from.getDimSize(0) == to.getDimSize(0);
  if (!row && !token)
    return emitOpError("takes one number a row or one a token of ") << to << ", not " << from;
  return success();
}

LogicalResult ReduceOp::verify() {
  auto from = cast<VectorType>(getSource().getType());
  int64_t width = from.getShape().back();
  Type expected = from.getElementType();
  if (from.getRank() == 2)
    expected = VectorType::get({from.getDimSize(0), 1}, expected);
  if (getResult().getType() != expected)
    return emitOpError("of ") << from << " gives " << expected;
  if (getLanes() && (static_cast<int64_t>(*getLanes()) < 1 || static_cast<int64_t>(*getLanes()) > width))
    return emitOpError("joins 1 .. ") << width << " lanes";
  return success();
}

LogicalResult ConcatOp::verify() {
  auto to = cast<VectorType>(getResult().getType());
  int64_t lanes = 0;
  for (Type part : getParts().getTypes()) {
    auto from = cast<VectorType>(part);
    if (from.getRank() != to.getRank() || from.getElementType() != to.getElementType() ||
        from.getShape().drop_back() != to.getShape().drop_back())
      return emitOpError("joins rows of the same tokens and element type");
    lanes += from.getShape().back();
  }
  if (lanes != to.getShape().back())
    return emitOpError("has ") << lanes << " lanes in its parts and " << to.getShape().back()
                               << " in its result";
  return success();
}

//===----------------------------------------------------------------------===//
// Linear
//===----------------------------------------------------------------------===//

LogicalResult LoadPackedOp::verify() {
  BlockType block = getResult().getType();
  if (block.getFormat() != getSource().getType().getFormat())
    return emitOpError("gives a block of another format");
  if (block.getRows() < 1 || block.getRows() > kTileRows || kTileRows % block.getRows())
    return emitOpError("reads a power of two of rows, at most 32, not ") << block.getRows();
  return success();
}

LogicalResult UnpackOp::verify() {
  BlockType block = getBlock().getType();
  const Format &format = Format::get(block.getFormat());
  if (getCodes().size() != 8)
    return emitOpError("gives 8 words, not ") << getCodes().size();
  Type element = format.isFloat() ? Type(Float32Type::get(getContext()))
                                  : Type(IntegerType::get(getContext(), 32));
  for (Type type : getCodes().getTypes())
    if (type != VectorType::get({block.getRows()}, element))
      return emitOpError("of ") << block << " gives vector<" << block.getRows() << "x" << element << ">";
  return success();
}

LogicalResult DotOp::verify() {
  if (getInit().getType() != getResult().getType())
    return emitOpError("adds to its init: both have one type");
  auto result = cast<VectorType>(getResult().getType());
  auto x = cast<VectorType>(getX().getType());
  int64_t first = getFirst(), words = getCodes().size();
  if (words == 0 || first < 0 || words > x.getShape().back() - first)
    return emitOpError("takes words ") << first << " .. " << first + words - 1 << " of " << x.getShape().back();
  for (Type type : getCodes().getTypes())
    if (cast<VectorType>(type).getDimSize(0) != result.getShape().back() ||
        cast<VectorType>(type).getElementType() != result.getElementType())
      return emitOpError("has weights of other rows or elements than its result");
  if (x.getRank() != result.getRank() || (x.getRank() == 2 && x.getDimSize(0) != result.getDimSize(0)))
    return emitOpError("has activations of other tokens than its result");
  if (result.getElementType().isInteger() && (getBits() < 1 || getBits() > 8))
    return emitOpError("has codes of 1 to 8 bits, not ") << getBits();
  if (result.getElementType().isInteger() && getBits() == 8 && !getSum())
    return emitOpError("of 8-bit codes needs the sum of its activations");
  return success();
}
