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
      parser.parseInteger(tokens))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("strip"))) {
    int64_t strip;
    if (parser.parseInteger(strip))
      return failure();
    result.addAttribute("strip", b.getI64IntegerAttr(strip));
    if (succeeded(parser.parseOptionalKeyword("apart")))
      result.addAttribute("apart", b.getUnitAttr());
    int64_t within;
    if (succeeded(parser.parseOptionalKeyword("within"))) {
      if (parser.parseInteger(within))
        return failure();
      result.addAttribute("within", b.getI64IntegerAttr(within));
    }
  }
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
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
  if (getStrip() != 1)
    p << " strip " << getStrip() << (getApart() ? " apart" : "");
  if (getWithin())
    p << " within " << getWithin();
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"sym_name", "tokens", "scratch", "strip", "apart", "within"});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

void KernelOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  unsigned bindings = getNumBindings();
  for (unsigned i = 0; i < bindings; ++i) {
    Type type = getBinding(i).getType();
    setName(getBinding(i), i + 1 == bindings         ? "out"
                           : isa<PackedType>(type) ? "weight"
                           : isa<ActsType>(type)   ? "acts"
                           : isa<RowsType>(type)   ? "rows"
                                                   : "bytes");
  }
  setName(getScratchArg(), "scratch");
  setName(getTileArg(), "tile");
  setName(getTokensArg(), "tokens");
  setName(getPositionArg(), "position");
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
  if (static_cast<int64_t>(getStrip()) < 1)
    return emitOpError("takes at least one tile at a time");
  // Both would be the tile: which, of a strip?
  bool loops = getBody().walk([](ForTilesOp) { return WalkResult::interrupt(); }).wasInterrupted();
  if (loops && !getWithin() && !getTileArg().use_empty())
    return emitOpError("has a tile.for_tiles and uses its tile elsewhere");
  if (!loops && getStrip() != 1)
    return emitOpError("takes ") << getStrip() << " tiles at a time without a tile.for_tiles";
  if (getApart() && getStrip() == 1)
    return emitOpError("takes one tile at a time, which is not apart from others");
  if (static_cast<int64_t>(getWithin()) < 0 || (getWithin() && (getApart() || getStrip() == 1)))
    return emitOpError("has no strip of neighbours to keep within ") << static_cast<int64_t>(getWithin()) << " tiles";
  return success();
}

// tile.for_tiles %t { ... }
// tile.for_tiles %t, %place { ... }
ParseResult ForTilesOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> args;
  if (parser.parseArgumentList(args))
    return failure();
  for (OpAsmParser::Argument &arg : args)
    arg.type = parser.getBuilder().getIndexType();
  if (parser.parseRegion(*result.addRegion(), args) || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  return success();
}

void ForTilesOp::print(OpAsmPrinter &p) {
  p << ' ' << getBody().getArguments() << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  p.printOptionalAttrDict((*this)->getAttrs());
}

LogicalResult ForTilesOp::verify() {
  unsigned count = getBody().getNumArguments();
  if (count < 1 || count > 2 || llvm::any_of(getBody().getArgumentTypes(), [](Type type) { return !type.isIndex(); }))
    return emitOpError("has one argument, the tile, or two, the tile and its place");
  if (!(*this)->getParentOfType<KernelOp>() || (*this)->getParentOfType<ForTilesOp>())
    return emitOpError("stands in a kernel, and in no other tile.for_tiles");
  return success();
}

LogicalResult OnceOp::verify() {
  auto kernel = (*this)->getParentOfType<KernelOp>();
  if (!kernel)
    return emitOpError("stands in a kernel");
  int64_t at = getAt();
  if (at < 0 || at % 4 || at > static_cast<int64_t>(kernel.getScratch()) - 4)
    return emitOpError("has no room for its key at ") << at << " of a scratch of " << kernel.getScratch();
  WalkResult others = kernel.getBody().walk([&](OnceOp op) { return op == *this ? WalkResult::advance() : WalkResult::interrupt(); });
  if (others.wasInterrupted())
    return emitOpError("is not the only one of its kernel");
  return success();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static VectorType vectorOf(Value value) { return cast<VectorType>(value.getType()); }

LogicalResult ViewOp::verify() {
  auto arranged = dyn_cast<ArrangedType>(getResult().getType());
  int64_t offset = getOffset(), row = arranged ? arranged.getBytes() : cast<RowsType>(getResult().getType()).getWidth() * 4;
  if (offset < 0 || offset % 4)
    return emitOpError("starts at a multiple of 4 bytes, not at ") << offset;
  auto kernel = (*this)->getParentOfType<KernelOp>();
  if (kernel && getSource() == kernel.getScratchArg() && offset > static_cast<int64_t>(kernel.getScratch()) - row)
    return emitOpError("needs ") << offset << " + " << row << " bytes of a scratch of " << kernel.getScratch();
  return success();
}

/// What is loaded or stored at once lies within a row and its padding.
static LogicalResult verifyRow(Operation *op, RowsType rows, VectorType block) {
  if (block.getDimSize(1) > rows.getStride() / 4)
    return op->emitOpError("of ") << block.getDimSize(1) << " elements passes the end of " << rows;
  return success();
}

LogicalResult LoadRowOp::verify() { return verifyRow(*this, getSource().getType(), vectorOf(getResult())); }

LogicalResult StoreRowOp::verify() { return verifyRow(*this, getTarget().getType(), vectorOf(getValue())); }

LogicalResult GatherRowOp::verify() {
  if (vectorOf(getResult()).getDimSize(1) != vectorOf(getColumns()).getDimSize(0))
    return emitOpError("reads one element for each of its columns");
  return success();
}

LogicalResult GatherOp::verify() {
  if (vectorOf(getResult()).getShape() != vectorOf(getOffsets()).getShape())
    return emitOpError("reads one element for each of its offsets");
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
  bool repeated = from.getRank() == 2 && from.getDimSize(0) == to.getDimSize(0) && from.getDimSize(1) == 4 &&
                  to.getDimSize(1) % 4 == 0;
  if (!row && !token && !repeated)
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
  int64_t joined = getLanes() ? static_cast<int64_t>(*getLanes()) : width;
  if (!llvm::isPowerOf2_64(joined))
    return emitOpError("halves its lanes until one is left: ") << joined << " is no power of two";
  return success();
}

LogicalResult SwapPairsOp::verify() {
  if (vectorOf(getSource()).getShape().back() % 2)
    return emitOpError("needs an even number of lanes");
  return success();
}

LogicalResult SpreadOp::verify() {
  VectorType to = vectorOf(getResult());
  if (getWords().empty())
    return emitOpError("needs words");
  for (Type type : getWords().getTypes())
    if (type != VectorType::get({1}, to.getElementType()))
      return emitOpError("takes words of one row, vector<1x") << to.getElementType() << ">, not " << type;
  bool bytes = to.getElementType().isInteger();
  int64_t lanes = getWords().size() * (bytes ? 4 : 1);
  if (to.getDimSize(0) != lanes)
    return emitOpError("of ") << getWords().size() << " words gives " << lanes << " lanes, not " << to.getDimSize(0);
  if (!bytes && getSignedCodes())
    return emitOpError("has signed codes of integer words only");
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
  int64_t words = getPairs() ? 4 : 8, lanes = getPairs() ? 2 * block.getRows() : block.getRows();
  if (getPairs() && format.isFloat())
    return emitOpError("has pairs of words of integer formats only, not of ") << format.name;
  if (static_cast<int64_t>(getCodes().size()) != words)
    return emitOpError("gives ") << words << " words, not " << getCodes().size();
  Type element = format.isFloat() ? Type(Float32Type::get(getContext()))
                                  : Type(IntegerType::get(getContext(), 32));
  for (Type type : getCodes().getTypes())
    if (type != VectorType::get({lanes}, element))
      return emitOpError("of ") << block << " gives vector<" << lanes << "x" << element << ">";
  return success();
}

LogicalResult LookupOp::verify() {
  if (getTable().size() != 16)
    return emitOpError("takes a table of 16 bytes, not ") << getTable().size();
  return success();
}

/// A number a row for scale group `group` of a block.
static LogicalResult verifyLevel(Operation *op, BlockType block, int64_t group, Value result) {
  const Format &format = Format::get(block.getFormat());
  if (format.isFloat())
    return op->emitOpError("has no meaning for ") << format.name << ", a float format";
  int64_t groups = format.scaleGroup && format.scaleGroup < kActGroup ? kActGroup / format.scaleGroup : 1;
  if (group < 0 || group >= groups)
    return op->emitOpError("has groups 0 .. ") << groups - 1 << " in a block of " << format.name << ", not " << group;
  auto expected = VectorType::get({block.getRows()}, Float32Type::get(op->getContext()));
  if (result.getType() != expected)
    return op->emitOpError("of ") << block << " gives " << expected;
  return success();
}

LogicalResult ScaleOp::verify() { return verifyLevel(*this, getBlock().getType(), getGroup(), getResult()); }

LogicalResult MinimumOp::verify() {
  if (!Format::get(getBlock().getType().getFormat()).minima)
    return emitOpError("reads ") << getBlock().getType() << ", whose format has no minima";
  return verifyLevel(*this, getBlock().getType(), getGroup(), getResult());
}

LogicalResult LoadActsOp::verify() {
  int64_t tokens = vectorOf(getCodes()).getDimSize(0);
  if (vectorOf(getCodes()).getDimSize(1) != kActGroup / 4)
    return emitOpError("gives 8 words of codes a token");
  if (getCrossed() && !getSource().getType().getCrossed())
    return emitOpError("for crossed dots reads crossed rows, not ") << getSource().getType();
  for (Value number : {getScale(), getStart(), getLow(), getHigh(), getTotal()})
    if (vectorOf(number).getShape() != ArrayRef<int64_t>{tokens, 1})
      return emitOpError("gives one scale, three starts and one total for each of ") << tokens << " tokens";
  return success();
}

LogicalResult ArrangeActsOp::verify() {
  if (getSource().getType().getCrossed())
    return emitOpError("copies codes as they are, not those of ") << getSource().getType();
  if (getSource().getType().getWidth() != getTarget().getType().getWidth())
    return emitOpError("has ") << getTarget().getType() << " for rows of " << getSource().getType();
  if (!getTarget().getDefiningOp<ViewOp>())
    return emitOpError("writes to a view");
  return success();
}

LogicalResult LoadArrangedOp::verify() {
  ArrangedType type = getSource().getType();
  bool pairs = type.getTogether() == 2;
  int64_t count = type.getTokens() / type.getTogether(), words = pairs ? 16 : 8;
  if (vectorOf(getCodes()).getShape() != ArrayRef<int64_t>{count, words})
    return emitOpError("of ") << type << " gives " << words << " words of codes for each of " << count;
  for (Value number : {getScale(), getTotal()})
    if (vectorOf(number).getShape() != ArrayRef<int64_t>{count, pairs ? 4 : 1})
      return emitOpError("of ") << type << " gives " << (pairs ? 4 : 1) << " scales and totals for each of " << count;
  for (Value number : {getStart(), getLow(), getHigh()})
    if (vectorOf(number).getShape() != ArrayRef<int64_t>{count, 4})
      return emitOpError("of ") << type << " gives 4 starts for each of " << count;
  if (!getSource().getDefiningOp<ViewOp>())
    return emitOpError("reads a view");
  auto used = [&](Value number, ArrangedType::Part part) { return !type.has(part) && !number.use_empty(); };
  if (used(getStart(), ArrangedType::Starts) || used(getLow(), ArrangedType::LowStarts) ||
      used(getHigh(), ArrangedType::HighStarts) || used(getTotal(), ArrangedType::Totals))
    return emitOpError("gives numbers that ") << type << " does not have";
  return success();
}

LogicalResult DotPairsOp::verify() {
  VectorType result = vectorOf(getResult()), x = vectorOf(getX());
  int64_t lanes = result.getShape().back(), first = getFirst(), words = 2 * static_cast<int64_t>(getCodes().size());
  if (lanes % 4)
    return emitOpError("takes rows by two, not ") << lanes / 2;
  if (words == 0 || first < 0 || first % 2 || x.getShape().back() != 16 || first + words > 8)
    return emitOpError("takes words ") << first << " .. " << first + words - 1 << " of 8, by two";
  for (Type type : getCodes().getTypes())
    if (cast<VectorType>(type).getDimSize(0) != lanes)
      return emitOpError("has weights of other rows than its result");
  if (x.getRank() != result.getRank() || (x.getRank() == 2 && x.getDimSize(0) != result.getDimSize(0)))
    return emitOpError("has activations of other tokens than its result");
  return success();
}

LogicalResult SplitPairsOp::verify() {
  VectorType from = vectorOf(getSource()), to = vectorOf(getResult());
  if (to.getDimSize(0) != 2 * from.getDimSize(0) || 2 * to.getDimSize(1) != from.getDimSize(1))
    return emitOpError("makes two tokens of each pair, not ") << to << " of " << from;
  return success();
}

LogicalResult StoreActsOp::verify() {
  if (vectorOf(getValue()).getDimSize(1) != kActGroup)
    return emitOpError("stores whole groups of ") << kActGroup << " values, not " << vectorOf(getValue()).getDimSize(1);
  if (getLargest() && vectorOf(getLargest()).getShape() != ArrayRef<int64_t>({vectorOf(getValue()).getDimSize(0), 1}))
    return emitOpError("takes the largest magnitude of each token");
  return success();
}

/// Whether `words` is one word a token of a block, or one word beside a row.
static bool isOnePerToken(Value words, VectorType block) {
  auto type = dyn_cast<VectorType>(words.getType());
  if (block.getRank() == 1)
    return !type;
  return type && type.getShape() == ArrayRef<int64_t>({block.getDimSize(0), 1});
}

LogicalResult DotHalvesOp::verify() {
  auto result = cast<VectorType>(getResult().getType());
  if (vectorOf(getLine()).getDimSize(0) != result.getShape().back())
    return emitOpError("takes one word of its line a lane");
  if (!isOnePerToken(getX(), result))
    return emitOpError("takes one word of x a token");
  return success();
}

LogicalResult AccumulateLevelsOp::verify() {
  auto result = cast<VectorType>(getResult().getType());
  if (vectorOf(getWeightLevels()).getDimSize(0) != result.getShape().back())
    return emitOpError("takes one word of weights' levels a row");
  if (getOffsets() && getOffsets().getType() != getWeightLevels().getType())
    return emitOpError("takes one word of offsets a row");
  if (!isOnePerToken(getActLevels(), result))
    return emitOpError("takes one word of activations' levels a token");
  if (int64_t shift = getShift(); shift < 0 || shift > 16)
    return emitOpError("shifts dots by up to 16 bits, not ") << shift;
  return success();
}

LogicalResult LoadLevelsOp::verify() {
  if (!isOnePerToken(getLow(), vectorOf(getResult())))
    return emitOpError("takes one offset a token");
  return success();
}

LogicalResult AccumulateShiftedOp::verify() {
  auto result = cast<VectorType>(getResult().getType());
  if (!isOnePerToken(getRight(), result) || !isOnePerToken(getLeft(), result))
    return emitOpError("takes one shift a token for each dot");
  return success();
}

LogicalResult ScaleAccumulateOp::verify() {
  VectorType acc = vectorOf(getAcc());
  if (vectorOf(getDot()).getShape() != acc.getShape())
    return emitOpError("has a dot of other tokens or rows than its sum");
  if (vectorOf(getWeightScale()).getDimSize(0) != acc.getDimSize(1))
    return emitOpError("takes one weight scale a row");
  VectorType scale = vectorOf(getActScale());
  if (scale.getDimSize(0) != acc.getDimSize(0) || (scale.getDimSize(1) != 1 && scale.getDimSize(1) != 4))
    return emitOpError("takes one activation scale a token, or four a pair of tokens");
  return success();
}

LogicalResult DotOp::verify() {
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
  if (x.getElementType() != result.getElementType())
    return emitOpError("has activations of other elements than its result");
  if (result.getElementType().isInteger() && (getBits() < 1 || getBits() > 8))
    return emitOpError("has codes of 1 to 8 bits, not ") << getBits();
  if (getUnsignedCodes() && (!result.getElementType().isInteger() || getBits() != 8))
    return emitOpError("says 'unsigned' of codes that have no sign");
  if (getCrossed() && (!result.getElementType().isInteger() || words % 2 || first % 2 || getBits() != 8 || getUnsignedCodes()))
    return emitOpError("says 'crossed' of what are no pairs of words of 8 bits");
  if (getPositive() && (!result.getElementType().isInteger() || getBits() != 8 || getUnsignedCodes() || getCrossed() || getStart()))
    return emitOpError("says 'positive' of what is no dot of signed codes alone");
  Type i32 = IntegerType::get(getContext(), 32);
  Type start = result.getRank() == 2 ? Type(VectorType::get({result.getDimSize(0), 1}, i32)) : i32;
  if (getStart() && getStart().getType() != start)
    return emitOpError("takes one start a token, ") << start << ", not " << getStart().getType();
  return success();
}
