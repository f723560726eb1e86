//===- CacheAppend.cpp - Rows of keys or values into a KV cache ----------------------===//
//
//   for each token of the block, if it is one of the step:
//     %line = tile.store | tile.scatter of 32 rows of the token, at its position (CacheShape has the layout)
//
// Values of a head lie side by side; keys are 32 positions apart, so their lanes are scattered. Where a head is no multiple
// of 32, a row tile holds parts of several heads and each lane finds its own.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/CacheAppend.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

struct Append {
  KernelBuilder &k;
  const CacheShape &cache;
  int64_t rows;
  bool keys;
  Value out;

  Value firstRow() { return k.mul(k.tile(), kTileRows); }
  Value laneNumbers() { return k.op<LanesOp>(k.lanes(kTileRows, k.b.getI32Type())); }
  void token(Value line, Value position);
};

void Append::token(Value line, Value position) {
  int64_t bytes = cache.elementBytes(), positions = cache.paddedPositions();
  int64_t headBytes = positions * (keys ? cache.headDim : cache.paddedHeadDim()) * bytes;
  // What depends on the position, and how far apart the elements of a head are.
  Value base = keys ? k.add(k.mul(k.div(position, kTileRows), cache.headDim * kTileRows * bytes),
                            k.mul(k.rem(position, kTileRows), bytes))
                    : k.mul(position, cache.paddedHeadDim() * bytes);
  int64_t elementStride = keys ? kTileRows * bytes : bytes;

  bool oneHead = cache.headDim % kTileRows == 0;
  VectorType numbers = k.lanes(kTileRows, k.b.getI32Type());
  Value offsets;
  if (oneHead) {
    base = k.add(base, k.mul(k.div(firstRow(), cache.headDim), headBytes));
    base = k.add(base, k.mul(k.rem(firstRow(), cache.headDim), elementStride));
    if (!keys) {
      k.op<StoreOp>(line, out, base);
      return;
    }
    offsets = k.make<arith::MulIOp>(laneNumbers(), k.splatInt(numbers, elementStride));
  } else {
    Value row = k.make<arith::AddIOp>(k.make<vector::BroadcastOp>(numbers, k.toI32(firstRow())), laneNumbers());
    Value head = k.make<arith::DivUIOp>(row, k.splatInt(numbers, cache.headDim));
    Value element = k.make<arith::RemUIOp>(row, k.splatInt(numbers, cache.headDim));
    offsets = k.make<arith::AddIOp>(k.make<arith::MulIOp>(head, k.splatInt(numbers, headBytes)),
                                    k.make<arith::MulIOp>(element, k.splatInt(numbers, elementStride)));
  }
  Value lanes = rows % kTileRows == 0 ? k.index(kTileRows)
                                      : k.min(k.index(kTileRows), k.sub(k.index(rows), firstRow()));
  k.op<ScatterOp>(line, out, base, offsets, lanes);
}

} // namespace

void sinter::buildAppend(KernelBuilder &k, Value block, Value row, int64_t rows, const CacheShape &cache, bool keys,
                         Value out) {
  Append append{k, cache, rows, keys, out};
  for (int64_t t = 0; t < k.T; ++t) {
    Value token = k.add(row, t);
    auto store = [&] {
      Value line = k.op<vector::ExtractOp>(block, ArrayRef<int64_t>{t});
      if (!cache.element.isF32())
        line = k.make<arith::TruncFOp>(k.lanes(kTileRows, cache.element), line);
      append.token(line, k.add(k.position(), token));
    };
    if (t == 0)
      store();
    else
      k.when(k.below(token, k.tokens()), store);
  }
}
