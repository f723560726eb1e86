//===- CacheAppend.cpp - Rows of keys or values into a KV cache ----------------------===//
//
//   for each token of the block, if it is one of the step:
//     %line = tile.store | tile.scatter of 32 rows of the token, at its position (CacheShape has the layout)
//
// Values of a head lie side by side; keys are 32 positions apart, so their lanes are scattered. Where a head is no multiple
// of 32, a row tile holds parts of several heads and each lane finds its own.
//
// Of an int8 cache a tile's rows are whole groups, each rounded with a scale of its own, and its codes are scattered as bytes:
// of keys four lie together, of values they are four bytes apart. Groups of fewer than 32 elements are lanes that no op takes
// apart: they go through the scratch.
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/CacheAppend.h"
#include "passes/RowAccess.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

/// How many blocks of each head lie together where a position is.
static Value cacheHeadBlocks(KernelBuilder &k, const CacheShape &cache, Value position) {
  int64_t blocks = cache.blocks(), span = cache.span;
  if (blocks <= span || blocks % span == 0)
    return k.index(std::min(blocks, span));
  return k.min(k.index(span), k.sub(k.index(blocks), k.mul(k.div(position, kAttentionBlock * span), span)));
}

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
  void group(Value values, Value row, Value position);
  void groups(Value block, int64_t t, Value position);
};

void Append::token(Value line, Value position) {
  int64_t bytes = cache.elementBytes();
  // What depends on the position, and how far apart the elements of a head are.
  Value within = k.rem(position, kAttentionBlock);
  Value base = keys ? k.add(k.mul(k.div(within, kTileRows), cache.headDim * kTileRows * bytes),
                            k.mul(k.rem(position, kTileRows), bytes))
                    : k.mul(within, cache.paddedHeadDim() * bytes);
  int64_t elementStride = keys ? kTileRows * bytes : bytes;

  bool oneHead = cache.headDim % kTileRows == 0;
  VectorType numbers = k.lanes(kTileRows, k.b.getI32Type());
  Value offsets;
  if (oneHead) {
    base = k.add(base, k.mul(k.rem(firstRow(), cache.headDim), elementStride));
    base = k.add(base, cacheBlockOffset(k, cache, keys, k.div(firstRow(), cache.headDim), position));
    if (!keys) {
      k.op<StoreOp>(line, out, base);
      return;
    }
    offsets = k.make<arith::MulIOp>(laneNumbers(), k.splatInt(numbers, elementStride));
  } else {
    Value row = k.make<arith::AddIOp>(k.make<vector::BroadcastOp>(numbers, k.toI32(firstRow())), laneNumbers());
    Value head = k.make<arith::DivUIOp>(row, k.splatInt(numbers, cache.headDim));
    Value element = k.make<arith::RemUIOp>(row, k.splatInt(numbers, cache.headDim));
    base = k.add(base, cacheBlockOffset(k, cache, keys, k.index(0), position));
    Value headBytes = k.toI32(k.mul(cacheHeadBlocks(k, cache, position), cache.blockBytes(keys)));
    offsets = k.make<arith::AddIOp>(k.make<arith::MulIOp>(head, k.make<vector::BroadcastOp>(numbers, headBytes)),
                                    k.make<arith::MulIOp>(element, k.splatInt(numbers, elementStride)));
  }
  Value lanes = rows % kTileRows == 0 ? k.index(kTileRows)
                                      : k.min(k.index(kTileRows), k.sub(k.index(rows), firstRow()));
  k.op<ScatterOp>(line, out, base, offsets, lanes);
}

/// One group, whose first element is row `row` of the layer.
void Append::group(Value values, Value row, Value position) {
  int64_t size = cache.scaleGroup();
  Value head = k.div(row, cache.headDim), element = k.rem(row, cache.headDim);
  RoundedLanes rounded = roundToInt8(k.b, k.loc, values, largestMagnitude(k.b, k.loc, values));
  Value codes = k.make<arith::TruncIOp>(k.lanes(size, cache.element), rounded.codes);
  Value base = cacheBlockOffset(k, cache, keys, head, position), within = k.rem(position, kAttentionBlock);
  int64_t word = cache.wordCodes();
  VectorType numbers = k.lanes(size, k.b.getI32Type());
  Value lane = k.op<LanesOp>(numbers), offsets;
  if (keys) {
    base = k.add(base, k.mul(k.div(within, kTileRows), cache.headDim * kTileRows));
    base = k.add(k.add(base, k.mul(element, kTileRows)), k.mul(k.rem(position, kTileRows), word));
    // Word n / 4 is a line of 32 words behind the first.
    Value words = k.make<arith::DivUIOp>(lane, k.splatInt(numbers, word));
    offsets = k.make<arith::AddIOp>(k.make<arith::MulIOp>(words, k.splatInt(numbers, word * kTileRows)),
                                    k.make<arith::RemUIOp>(lane, k.splatInt(numbers, word)));
  } else {
    base = k.add(base, k.mul(k.div(within, word), cache.headDim * word));
    base = k.add(k.add(base, k.mul(element, word)), k.rem(position, word));
    offsets = k.make<arith::MulIOp>(lane, k.splatInt(numbers, word));
  }
  k.op<ScatterOp>(codes, out, base, offsets, k.index(size));
  k.op<StoreUniformOp>(rounded.scale, out, cacheScaleOffset(k, cache, keys, head, k.div(element, size), position));
}

/// The groups of token t of the block.
void Append::groups(Value block, int64_t t, Value position) {
  int64_t size = cache.scaleGroup();
  if (size == kTileRows)
    return group(k.op<vector::ExtractOp>(block, ArrayRef<int64_t>{t}), firstRow(), position);
  k.loop(k.index(0), k.index(kTileRows), size, [&](Value lane) {
    Value row = k.add(firstRow(), lane);
    auto store = [&] {
      Value offset = k.add(k.mul(lane, 4), t * kTileRows * 4);
      group(k.op<LoadOp>(k.lanes(size), k.kernel.getScratchArg(), offset), row, position);
    };
    if (rows % kTileRows == 0)
      store();
    else
      k.when(k.below(row, k.index(rows)), store);
  });
}

} // namespace

Value sinter::cacheBlockOffset(KernelBuilder &k, const CacheShape &cache, bool keys, Value head, Value position) {
  Value block = k.div(position, kAttentionBlock), within = k.rem(block, cache.span);
  Value start = k.add(k.mul(k.sub(block, within), cache.heads), k.make<arith::MulIOp>(head, cacheHeadBlocks(k, cache, position)));
  return k.mul(k.add(start, within), cache.blockBytes(keys));
}

Value sinter::cacheScaleOffset(KernelBuilder &k, const CacheShape &cache, bool keys, Value head, Value group,
                               Value position) {
  Value number = k.add(k.mul(group, kAttentionBlock), k.rem(position, kAttentionBlock));
  return k.add(k.add(cacheBlockOffset(k, cache, keys, head, position), cache.codeBytes(keys)), k.mul(number, 4));
}

void sinter::buildAppend(KernelBuilder &k, Value block, Value row, int64_t rows, const CacheShape &cache, bool keys,
                         Value out) {
  Append append{k, cache, rows, keys, out};
  if (cache.isInt8() && cache.scaleGroup() < kTileRows)
    k.storeRow(block, k.scratchRows(0, kTileRows), k.index(0), k.index(0));
  for (int64_t t = 0; t < k.T; ++t) {
    Value token = k.add(row, t);
    auto store = [&] {
      if (cache.isInt8())
        return append.groups(block, t, k.add(k.position(), token));
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
