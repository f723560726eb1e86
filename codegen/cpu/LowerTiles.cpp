//===- LowerTiles.cpp - The loops over a call's tiles ----------------------------===//
//
//   tile.kernel @k(...) { A }                                          scf.for %t = %args.tile_begin to .tile_end { A }
//
// A kernel with a tile.for_tiles takes its tiles in strips:
//
//   tile.kernel @k(...) strip 4 {                                      scf.for %s = %args.tile_begin to .tile_end step 4 {
//     A                                                        ==>       A
//     tile.for_tiles %t { B } }                                          scf.for %t = %s to min(%s + 4, .tile_end) { B } }
//
//   tile.kernel @k(...) strip 4 apart {                                %n = (.tile_end - .tile_begin + 3) / 4
//     ...                                                      ==>     scf.for %s = .tile_begin to .tile_begin + %n {
//                                                                        scf.for %t = %s to .tile_end step %n { B } }
//
//   tile.kernel @k(...) strip 4 within 16 {                            scf.for %r = .tile_begin / 16 to (.tile_end + 15) / 16 {
//     ...                                                      ==>       as the first, of tiles max(.tile_begin, 16 * %r) ..
//                                                                        min(.tile_end, 16 * (%r + 1)) }
//
// What is done once for a worker's tiles of a dispatch (`again` says that this call is not the first):
//
//   tile.once %key at 64 { A }                                         if !%args.again { %scratch[64] = -1 }
//                                                              ==>     ..  if %scratch[64] != %key { A;  %scratch[64] = %key }
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

class TilesLowering {
public:
  TilesLowering(OpBuilder &b, KernelOp kernel, const cpu::TileCall &call)
      : b(b), loc(kernel.getLoc()), kernel(kernel), call(call), begin(call.begin), end(call.end) {}

  Block *run();

private:
  void loopOverRuns();
  scf::ForOp loopOverStrips();
  void forTiles(ForTilesOp op, scf::ForOp strips);
  void once(OnceOp op);

  Value index(int64_t v) { return b.create<arith::ConstantIndexOp>(loc, v); }
  Value number(int64_t v) { return b.create<arith::ConstantIntOp>(loc, v, 32); }
  Value add(Value x, Value y) { return b.create<arith::AddIOp>(loc, x, y); }
  Value div(Value x, int64_t y) { return b.create<arith::DivUIOp>(loc, x, index(y)); }
  scf::IfOp when(arith::CmpIPredicate holds, Value x, Value y) {
    return b.create<scf::IfOp>(loc, b.create<arith::CmpIOp>(loc, holds, x, y), /*withElseRegion=*/false);
  }

  OpBuilder &b;
  Location loc;
  KernelOp kernel;
  const cpu::TileCall &call;
  /// Of the loop over strips.
  Value begin, end;
  /// Between the tiles of a strip that are apart.
  Value distance;
};

/// Tiles that have the same quotient.
void TilesLowering::loopOverRuns() {
  int64_t length = kernel.getWithin();
  auto runs = b.create<scf::ForOp>(loc, div(begin, length), div(add(end, index(length - 1)), length), index(1));
  b.setInsertionPointToStart(runs.getBody());
  Value from = b.create<arith::MulIOp>(loc, runs.getInductionVar(), index(length));
  begin = b.create<arith::MaxUIOp>(loc, begin, from);
  end = b.create<arith::MinUIOp>(loc, end, add(from, index(length)));
}

scf::ForOp TilesLowering::loopOverStrips() {
  int64_t strip = kernel.getStrip();
  if (!kernel.getApart())
    return b.create<scf::ForOp>(loc, begin, end, index(strip));
  distance = div(b.create<arith::SubIOp>(loc, add(end, index(strip - 1)), begin), strip);
  return b.create<scf::ForOp>(loc, begin, add(begin, distance), index(1));
}

/// A range's last strips may have fewer tiles.
void TilesLowering::forTiles(ForTilesOp op, scf::ForOp strips) {
  b.setInsertionPoint(op);
  Value first = strips.getInductionVar(), last = end;
  if (!distance)
    last = b.create<arith::MinUIOp>(loc, add(first, strips.getStep()), end);
  SmallVector<Value> place;
  if (op.hasPlace())
    place.push_back(index(0));
  auto loop = b.create<scf::ForOp>(loc, first, last, distance ? distance : index(1), place);
  op.getTile().replaceAllUsesWith(loop.getInductionVar());
  Block *body = loop.getBody();
  body->getOperations().splice(body->begin(), op.getBody().front().getOperations());
  if (op.hasPlace()) {
    op.getPlace().replaceAllUsesWith(loop.getRegionIterArg(0));
    b.setInsertionPointToEnd(body);
    b.create<scf::YieldOp>(loc, add(loop.getRegionIterArg(0), index(1)));
  }
  op.erase();
}

void TilesLowering::once(OnceOp op) {
  b.setInsertionPointAfterValue(call.again);
  Value place = b.create<LLVM::GEPOp>(loc, call.scratch.getType(), b.getI8Type(), call.scratch,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(op.getAt())});
  auto first = when(arith::CmpIPredicate::eq, call.again, number(0));
  b.setInsertionPointToStart(first.thenBlock());
  b.create<LLVM::StoreOp>(loc, number(-1), place);

  b.setInsertionPoint(op);
  Value key = b.create<arith::IndexCastUIOp>(loc, b.getI32Type(), op.getKey());
  auto other = when(arith::CmpIPredicate::ne, b.create<LLVM::LoadOp>(loc, b.getI32Type(), place), key);
  Block *body = other.thenBlock();
  body->getOperations().splice(body->begin(), op.getBody().front().getOperations());
  b.setInsertionPoint(body->getTerminator());
  b.create<LLVM::StoreOp>(loc, key, place);
  op.erase();
}

Block *TilesLowering::run() {
  OpBuilder::InsertionGuard guard(b);
  if (kernel.getWithin())
    loopOverRuns();
  scf::ForOp strips = loopOverStrips();
  kernel.getTileArg().replaceAllUsesWith(strips.getInductionVar());
  Block *body = strips.getBody();
  body->getOperations().splice(body->begin(), kernel.getBlock().getOperations());
  SmallVector<Operation *> ops;
  body->walk([&](Operation *op) {
    if (isa<ForTilesOp, OnceOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    if (auto tiles = dyn_cast<ForTilesOp>(op))
      forTiles(tiles, strips);
    else
      once(cast<OnceOp>(op));
  }
  return body;
}

} // namespace

Block *cpu::lowerTiles(OpBuilder &builder, KernelOp kernel, const TileCall &call) {
  return TilesLowering(builder, kernel, call).run();
}
