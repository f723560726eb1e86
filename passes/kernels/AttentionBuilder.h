//===- AttentionBuilder.h - What AttentionKernel.cpp and those beside it share -----------===//
#ifndef SINTER_PASSES_KERNELS_ATTENTIONBUILDER_H
#define SINTER_PASSES_KERNELS_ATTENTIONBUILDER_H

#include "passes/kernels/CacheAppend.h"
#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

namespace sinter {

/// Words of a row that a rounded group takes; of a smaller one the rest is not used. Dots of some targets take x by fours.
inline constexpr int64_t kGroupWords = kTileRows / 4;

/// Rows of queries with those that fill the last register block.
inline int64_t paddedRows(const AttentionSpec &spec, int64_t T) { return (spec.rows() + T - 1) / T * T; }

/// Where things lie in the scratch, all in rows of f32 or i32.
struct AttentionScratch {
  int64_t bytes = 0;
  int64_t take(int64_t rows, int64_t width) {
    int64_t offset = bytes;
    bytes += (rows * width * 4 + 63) / 64 * 64;
    return offset;
  }
  AttentionScratch(const AttentionSpec &spec, int64_t T, bool staged, bool halves) {
    int64_t width = spec.cache.paddedHeadDim(), rows = paddedRows(spec, T);
    q = take(rows, width);
    o = take(rows, width);
    largest = take(rows, 1);
    sum = take(rows, 1);
    last = take(rows, 1);
    p = take(T, kAttentionBlock);
    factor = take(T, 1);
    head = spec.slice ? take(1, 1) : 0;
    keys = staged ? take(kAttentionBlock / kTileRows * spec.cache.headDim, kTileRows) : 0;
    values = staged ? take(kAttentionBlock, width) : 0;
    const CacheShape &cache = spec.cache;
    if (halves) {
      qUnits = take(rows, 1);
      pUnits = take(T, 1);
    }
    if (halves && staged) {
      keyUnits = take(1, kAttentionBlock);
      valueUnits = take(1, width);
    } else if (halves) {
      mostKeys = take(1, kTileRows);
      mostValues = take(1, kTileRows);
      mostOf = take(1, 1);
    }
    if (cache.isInt8() && !staged) {
      int64_t groups = cache.scaleGroups(), parts = groups * (kAttentionBlock / kTileRows);
      qCodes = {take(rows, groups * kGroupWords), take(rows, groups), take(rows, groups)};
      pCodes = {take(T, parts * kGroupWords), take(T, parts)};
    }
  }
  /// Rows of groups rounded to int8: their codes, kGroupWords words a group, their scales and, where there are codes below 0, the
  /// starts of their dots.
  struct Codes {
    int64_t codes = 0, scales = 0, starts = 0;
  };
  int64_t q, o, largest, sum, last, p, factor, head, keys, values;
  int64_t qUnits = 0, pUnits = 0, keyUnits = 0, valueUnits = 0, mostKeys = 0, mostValues = 0, mostOf = 0;
  Codes qCodes, pCodes;
};

/// How many short slices of a sequence are one.
mlir::Value togetherOf(KernelBuilder &k, const AttentionSpec &spec, mlir::Value shortSlices);

/// With fewer rows what an f16 cache takes to become halves is no less than what they save.
inline constexpr int64_t kHalvesRows = 6;

class AttentionBuilder {
public:
  AttentionBuilder(mlir::OpBuilder &b, mlir::Location loc, llvm::StringRef name, const AttentionSpec &spec, int64_t T,
                   int64_t R, int64_t valueLanes, bool prefetch, bool halves)
      : spec(spec), cache(spec.cache), group(spec.group()), width(cache.paddedHeadDim()), R(R),
        valueLanes(valueLanes), prefetch(prefetch), staged(!cache.element.isF32() && spec.rows() > T),
        words(cache.isInt8() && !staged),
        direct(halves && cache.headDim % 16 == 0 && !staged && cache.element.isF16() && T >= kHalvesRows && R == kTileRows),
        halves(direct || (halves && cache.headDim % 16 == 0 && staged)),
        at(spec, T, staged, this->halves), k(b, loc, name, bindings(b.getContext(), spec), T, at.bytes) {}

  void build();

private:
  static llvm::SmallVector<mlir::Type> bindings(mlir::MLIRContext *context, const AttentionSpec &spec) {
    int64_t columns = spec.heads * spec.cache.headDim;
    mlir::Type rows = tile::RowsType::getPadded(context, columns), bytes = tile::BytesType::get(context);
    mlir::Type out = spec.slice        ? spec.partialType(context)
                     : spec.actsOutput ? mlir::Type(spec.outputForm.type(context, columns))
                                       : rows;
    return {rows, bytes, bytes, out};
  }
  /// Token and head (within the group) of a row of the tile.
  std::pair<mlir::Value, mlir::Value> query(mlir::Value row) {
    return {k.add(firstToken, k.div(row, group)), k.rem(row, group)};
  }
  /// Elements of a head that are moved at a time: its neighbours must stay as they are.
  int64_t headStep() { return cache.headDim % kTileRows == 0 ? kTileRows : cache.headDim % 8 == 0 ? 8 : 1; }
  mlir::Value column(mlir::Value head) { return k.mul(k.add(k.mul(kvHead, group), head), cache.headDim); }
  /// A number each of `n` rows.
  mlir::Value loadNumber(mlir::Value rows, mlir::Value row, int64_t n = 1) { return k.loadRow(rows, row, k.index(0), n, 1); }
  void storeNumber(mlir::Value v, mlir::Value rows, mlir::Value row) { k.storeRow(v, rows, row, k.index(0)); }

  /// `lanes` elements at byte `offset` of the cache; with `prefetch`, those `ahead` bytes behind them soon come into the second
  /// cache.
  mlir::Value loadElements(unsigned binding, mlir::Value offset, int64_t lanes, mlir::Type element, mlir::Value ahead = {}) {
    if (prefetch && ahead)
      for (int64_t line = 0; line < lanes * element.getIntOrFloatBitWidth() / 8; line += 64)
        k.op<tile::PrefetchOp>(k.binding(binding), k.add(k.add(offset, ahead), line), 2);
    return k.op<tile::LoadOp>(k.lanes(lanes, element), k.binding(binding), offset);
  }
  /// From the block to the `n`th behind it.
  mlir::Value blocksAhead(unsigned binding, int64_t n = 1) {
    auto offset = [&](mlir::Value first) { return cacheBlockOffset(k, cache, /*keys=*/binding == 1, kvHead, first); };
    return k.sub(offset(k.add(first, n * kAttentionBlock)), offset(first));
  }
  mlir::Value loadWords(unsigned binding, mlir::Value offset, int64_t lanes, mlir::Value ahead = {}) {
    return loadElements(binding, offset, lanes, k.b.getI32Type(), ahead);
  }
  /// As f32, of a cache that is not int8.
  mlir::Value loadCache(unsigned binding, mlir::Value offset, int64_t lanes, mlir::Value ahead = {}) {
    return k.toF32(loadElements(binding, offset, lanes, cache.element, ahead));
  }
  /// The codes of `lanes` words as f32, one vector for each of a word's.
  llvm::SmallVector<mlir::Value> loadCodes(unsigned binding, mlir::Value offset, int64_t lanes);
  /// An int8 cache's scales of group `group`: those of positions `j` .. of the block.
  mlir::Value scaleOffset(unsigned binding, mlir::Value group, mlir::Value j) {
    return k.add(cacheScaleOffset(k, cache, /*keys=*/binding == 1, kvHead, group, first), k.mul(j, 4));
  }
  mlir::Value loadScales(unsigned binding, mlir::Value group, mlir::Value j, int64_t lanes) {
    return loadElements(binding, scaleOffset(binding, group, j), lanes, k.b.getF32Type(), blocksAhead(binding));
  }
  /// Where element d of 32 positions is: line d of key tile `tile` of the block. Of words d is their first element.
  mlir::Value keysOffset(mlir::Value tile, mlir::Value d, mlir::Value lane);
  /// Where elements `lane` .. of position j of the block are. Of words j is their first position.
  mlir::Value valuesOffset(mlir::Value j, mlir::Value lane);

  void fillQueries();
  void fillRows();
  void stage();
  void stageInt8();
  /// Rows of groups rounded to int8, in the scratch; without starts no code is below 0.
  struct Codes {
    mlir::Value codes, scales, starts;
  };
  Codes codesAt(const AttentionScratch::Codes &at, int64_t groups);
  void storeGroup(mlir::Value codes, mlir::Value scale, const Codes &to, mlir::Value row, mlir::Value group);
  mlir::Value dotWords(llvm::ArrayRef<mlir::Value> lines, const Codes &x, mlir::Value row, mlir::Value group,
                       mlir::Value weightScale, mlir::Value acc);
  void roundQueries();
  void roundWeights();
  mlir::Value addWordScores(mlir::Value sum, mlir::Value row, mlir::Value tile, mlir::Value lane, mlir::Value g);
  void addWordValues(mlir::Value row, mlir::Value g, mlir::Value lane, int64_t lanes);
  /// As halves, with units: see AttentionHalves.cpp.
  mlir::Value inverseOf(mlir::Value largest);
  mlir::Value unitOf(mlir::Value largest);
  mlir::Value loadHalves(int64_t offset, mlir::Value row, int64_t width, mlir::Value lane, int64_t lanes);
  void packQueries();
  void stageHalves();
  /// An f16 cache of T rows at most is read as it is: numbers of a block are halves of one unit.
  struct HalfScale {
    mlir::Value shift, unit;
  };
  HalfScale halfScale(int64_t most, int64_t bits);
  int64_t keyBits() const;
  void setLargestOf(mlir::Value position);
  void findHalfScales();
  mlir::Value larger(mlir::Value most, unsigned binding, mlir::Value offset, mlir::Value mask);
  mlir::Value largerOfNext(mlir::Value most, unsigned binding, llvm::function_ref<mlir::Value()> offset);
  void keepLargest(mlir::Value most, int64_t at);
  mlir::Value toHalves(unsigned binding, mlir::Value low, mlir::Value high, int64_t lanes, const HalfScale &scale);
  void packWeights(mlir::Value i, int64_t n, mlir::Value total);
  mlir::Value addHalfScores(mlir::Value row, mlir::Value tile, mlir::Value lane);
  void addHalfValues(mlir::Value row, mlir::Value lane, int64_t lanes);
  void scores(mlir::Value row);
  mlir::Value addScores(mlir::Value sum, mlir::Value row, mlir::Value tile, mlir::Value lane);
  void softmax(mlir::Value row, mlir::Value i, int64_t n);
  void softmax(mlir::Value row);
  void addValues(mlir::Value row);
  void addValues(mlir::Value row, mlir::Value lane, int64_t lanes);
  void addToOutput(mlir::Value row, mlir::Value lane, int64_t lanes, mlir::Value steps,
                   llvm::function_ref<mlir::Value(mlir::Value step, mlir::Value sum)> add);
  void storeOutputs();
  void attend(mlir::Value begin, mlir::Value end);

  const AttentionSpec &spec;
  const CacheShape &cache;
  int64_t group, width, R;
  /// Elements of a value that go together, of a cache that is not int8: R at least, more of them with fewer rows.
  int64_t valueLanes;
  bool prefetch, staged;
  /// Dots of the cache's words; of halves, and if they are made of an f16 cache as it is.
  bool words, direct, halves;
  AttentionScratch at;
  KernelBuilder k;
  mlir::Value kvHead, firstToken, slice, rows;
  /// The block: its first position, its key tiles and its positions.
  mlir::Value first, tiles, count;
  mlir::Value q, o, p, largest, sums, factors, last, stagedKeys, stagedValues;
  mlir::Value qUnits, pUnits, keyUnits, valueUnits;
  HalfScale keyHalves, valueHalves;
  /// First position of the block behind this one, or of this one where it is the last.
  mlir::Value next;
  Codes qCodes, pCodes;
};

} // namespace sinter

#endif
