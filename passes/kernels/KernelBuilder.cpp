//===- KernelBuilder.cpp - Words for writing tile programs ---------------------------===//
#include "passes/kernels/KernelBuilder.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

KernelBuilder::KernelBuilder(OpBuilder &builder, Location loc, StringRef name, ArrayRef<Type> bindings,
                             int64_t tokens, int64_t scratchBytes)
    : b(builder), loc(loc), T(tokens) {
  OperationState state(loc, KernelOp::getOperationName());
  state.addAttribute(SymbolTable::getSymbolAttrName(), b.getStringAttr(name));
  state.addAttribute("tokens", b.getI64IntegerAttr(tokens));
  state.addAttribute("scratch", b.getI64IntegerAttr(scratchBytes));
  Block &body = state.addRegion()->emplaceBlock();
  for (Type type : bindings)
    body.addArgument(type, loc);
  body.addArgument(BytesType::get(b.getContext()), loc);
  for (int i = 0; i < 3; ++i)
    body.addArgument(b.getIndexType(), loc);
  kernel = cast<KernelOp>(b.create(state));
  b.setInsertionPointToStart(&kernel.getBlock());
}

void KernelBuilder::shareTokens(int64_t count, int64_t together) {
  Value number = div(kernel.getTileArg(), count);
  firstTile = mul(number, count);
  first = mul(number, together);
  end = min(tokens(), add(first, together));
}

Value KernelBuilder::tile() {
  Value number = current ? current : kernel.getTileArg();
  return firstTile ? sub(number, firstTile) : number;
}

Value KernelBuilder::scratchRows(int64_t offset, int64_t width) {
  auto type = RowsType::get(b.getContext(), width, width * 4);
  return b.create<ViewOp>(loc, type, kernel.getScratchArg(), b.getI64IntegerAttr(offset));
}

VectorType KernelBuilder::block(int64_t tokens, int64_t rows, Type element) {
  return VectorType::get({tokens, rows}, element ? element : b.getF32Type());
}

VectorType KernelBuilder::lanes(int64_t rows, Type element) {
  return VectorType::get({rows}, element ? element : b.getF32Type());
}

Value KernelBuilder::splat(VectorType type, double v) {
  return b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(type, b.getF32FloatAttr(v)));
}

Value KernelBuilder::splatInt(VectorType type, int64_t v) {
  return b.create<arith::ConstantOp>(
      loc, DenseElementsAttr::get(type, b.getIntegerAttr(type.getElementType(), v)));
}

Value KernelBuilder::broadcast(Value v, VectorType type) {
  auto from = cast<VectorType>(v.getType());
  auto to = VectorType::get(type.getShape(), from.getElementType());
  return from == to ? v : b.create<BroadcastOp>(loc, to, v).getResult();
}

Value KernelBuilder::maxf(Value x, Value y) {
  Value greater = make<arith::CmpFOp>(arith::CmpFPredicate::OGT, x, y);
  return make<arith::SelectOp>(greater, x, y);
}

Value KernelBuilder::roundToHalves(Value low, Value high, Value factor) {
  auto type = cast<VectorType>(low.getType());
  VectorType words = type.clone(b.getI32Type());
  // Added to 1.5 * 2^23, a float's last bits are the integer.
  auto integer = [&](Value v) { return make<arith::BitcastOp>(words, fma(v, factor, splat(type, 0x1.8p23))); };
  Value lower = make<arith::AndIOp>(integer(low), splatInt(words, 0xffff));
  Value upper = make<arith::ShLIOp>(integer(high), splatInt(words, 16));
  return make<arith::OrIOp>(lower, upper);
}

Value KernelBuilder::reduce(ReduceKind kind, Value v) {
  auto from = cast<VectorType>(v.getType());
  return b.create<ReduceOp>(loc, block(from.getDimSize(0), 1, from.getElementType()), kind, v, IntegerAttr());
}

Value KernelBuilder::toF32(Value line) {
  auto type = cast<VectorType>(line.getType());
  return type.getElementType().isF32() ? line : make<arith::ExtFOp>(lanes(type.getDimSize(0)), line);
}

Value KernelBuilder::loadRow(Value source, Value row, Value column, int64_t tokens, int64_t rows, bool uniform) {
  return b.create<LoadRowOp>(loc, block(tokens, rows), source, row, column, uniform);
}

void KernelBuilder::storeRow(Value v, Value target, Value row, Value column, Value limit) {
  b.create<StoreRowOp>(loc, v, target, row, column, limit);
}

void KernelBuilder::zeroPadding(Value target, Value row, int64_t width) {
  int64_t step = width % 8 ? 1 : 8;
  for (int64_t column = width; column < paddedWidth(width); column += step)
    storeRow(splat(block(1, step), 0.0), target, row, index(column));
}

SmallVector<Value> KernelBuilder::loop(Value from, Value to, int64_t step, ValueRange inits, LoopBody body) {
  auto loop = b.create<scf::ForOp>(loc, from, to, index(step), inits);
  OpBuilder::InsertionGuard guard(b);
  Block *block = loop.getBody();
  if (!block->empty())
    block->back().erase();
  b.setInsertionPointToEnd(block);
  SmallVector<Value> yielded = body(loop.getInductionVar(), loop.getRegionIterArgs());
  b.create<scf::YieldOp>(loc, yielded);
  return SmallVector<Value>(loop.getResults());
}

void KernelBuilder::loop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  loop(from, to, step, ValueRange(), [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

void KernelBuilder::when(Value condition, function_ref<void()> body) {
  auto branch = b.create<scf::IfOp>(loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

void KernelBuilder::once(Value key, int64_t at, function_ref<void()> body) {
  auto once = b.create<OnceOp>(loc, key, at);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&once.getBody().emplaceBlock());
  body();
}

void KernelBuilder::forTiles(function_ref<void()> body) {
  forPlaces([&](Value) { body(); }, /*hasPlace=*/false);
}

void KernelBuilder::forPlaces(function_ref<void(Value)> body, bool hasPlace) {
  OperationState state(loc, ForTilesOp::getOperationName());
  Block &block = state.addRegion()->emplaceBlock();
  current = block.addArgument(b.getIndexType(), loc);
  Value place = hasPlace ? block.addArgument(b.getIndexType(), loc) : Value();
  b.create(state);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&block);
  body(place);
  current = Value();
}
