//===- LinearKernel.cpp - A linear layer, written once --------------------------------===//
//
//   tile.kernel @linear(%w.., %x, %residual.., %bias.., %table, %out) grid(%t, %n, %pos) tokens T {
//     scf.for %m = 0 to %n step T {
//       %p = products of row tile %t with tokens %m .. (Product.cpp), one for each weight
//       %v = epilogue(%p, residual rows, bias)          // llm.linear's region, on blocks instead of elements
//       store: float rows | int8 groups | keys | values }
//     scf.if a few tokens are left { the same once, in the smallest block that holds them } }
//
// Of a chunk of many tokens, where the schedule has a block for it, a tile's weights are unpacked once (StagedTile.h), and the
// activations' scales are turned into levels once for all tiles that a worker computes (ActLevels.h):
//
//     scf.if %n >= 24 { tile.once %first { levels of all tokens into scratch }
//                       unpack tile %t into scratch
//                       scf.for %m = 0 to %n step 8 { as above, out of the scratch; tile.prefetch some of tile %t + 1 } }
//     the rest as above
//
// Where a tile has some of a chunk's tokens only (LinearSpec::tileTokens), %t is the dispatch's tile modulo the row tiles, and 0 and
// %n are the first of its tokens and where they end.
//
// Where a schedule arranges activations, kernels take strips of tiles: what is arranged serves all of them.
//
//     scf.for %m = 0 to %n step T {
//       tile.arrange_acts %x[%m], %side
//       tile.for_tiles %t {
//         products into scratch
//         scf.for %i = 0 to T step 2 { epilogue and store, as above, of tokens %m + %i .. } } }
//
// With a block for it (Schedule::unpacked) a chunk's strip is unpacked before (UnpackedTile.h), and products read it there.
//
// Where a schedule has streams, one token's products are those of several tiles at once (Product.cpp):
//
//     products of all tiles of the strip into scratch
//     tile.for_tiles %t, %place { epilogue and store, as above }
//
// One token and a chunk are the same program with other register blocks; which of them the target has, and for how many
// tokens, says its schedule (codegen/Targets.h). A chunk of a few tokens (a short prompt, tokens to be checked) is nothing
// but what is left, and reads its weights once, as one token does.
//
//===----------------------------------------------------------------------===//
#include "dialects/llm/LLMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "passes/kernels/CacheAppend.h"
#include "passes/kernels/Kernels.h"
#include "passes/kernels/StagedProduct.h"
#include "passes/kernels/UnpackedTile.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

/// Of a block of arranged activations whose products are in scratch: how many tokens' 32 rows are in registers at a time, which
/// share loads and addresses.
constexpr int64_t kArrangedTogether = 2;

class LinearBuilder {
public:
  LinearBuilder(OpBuilder &b, Location loc, StringRef name, const LinearSpec &spec, const Schedule &schedule)
      : spec(spec), schedule(schedule), blocks(registerBlocks()), rows(spec.weights.front().rows),
        k(b, loc, name, bindingTypes(b.getContext()), largest().tokens, scratch(b.getContext())) {}

  void build();

private:
  /// Tokens `row` .. row + T - 1.
  void buildBlock(Value row, const RegisterBlock &block);
  /// Tokens 0 .. , staged; the result is how many they are.
  Value buildStaged(Value enough);
  /// The same, unpacked.
  Value buildUnpacked(Value enough);
  void buildChunk(Value enough);
  void buildStreams();
  void prefetchRows(Value rows, Value row);
  const ActLevels &levelsFor(const StagedTile &tile) {
    return *llvm::find_if(levels, [&](const ActLevels &acts) { return acts.fits(tile); });
  }
  /// Epilogue and store of tokens `row` .. of a block whose products are in scratch, a few at a time.
  void finishStored(ArrayRef<Value> stored, Value row, const RegisterBlock &block, int64_t together);
  void finishStaged(ArrayRef<Value> stored, Value row, const RegisterBlock &block);
  SmallVector<Value> loadStored(ArrayRef<Value> stored, Value first);
  /// `largest`: the largest magnitude of each token, if it is known.
  void store(Value v, Value row, Value largest = {});
  SmallVector<Type> bindingTypes(MLIRContext *context);
  Value epilogue(ArrayRef<Value> products, Value row);
  Value rotate(Value v, llm::RotateOp op, Value row);

  /// For tokens that are not staged: few, where others are.
  SmallVector<RegisterBlock> registerBlocks() {
    SmallVector<RegisterBlock> all = schedule.blocks(spec.actsInput);
    while ((stages() || unpacks()) && all.back().tokens > kFewTokens)
      all.pop_back();
    return all;
  }
  const RegisterBlock &largest() { return spec.tokens == TokenClass::One ? schedule.gemv() : blocks.back(); }
  int64_t scratch(MLIRContext *context) {
    int64_t bytes = 0;
    for (const RegisterBlock &block : spec.tokens == TokenClass::One ? ArrayRef(blocks).take_front() : blocks)
      bytes = std::max(bytes, productScratch(context, block, spec.weights));
    bytes *= std::max<int64_t>(1, streams());
    if (unpacks()) {
      bytes = std::max(bytes, productScratch(context, schedule.unpacked, spec.weights));
      for (const WeightShape &weight : spec.weights) {
        unpacked.emplace_back(weight, schedule.unpacked, llvm::alignTo(bytes, 64));
        bytes = llvm::alignTo(bytes, 64) + strip() * unpacked.back().bytes();
      }
    }
    if (!stages())
      return bytes;
    bytes = std::max(bytes, productScratch(context, schedule.staged, spec.weights));
    largestAt = bytes;
    levelsKeyAt = bytes + 4 * schedule.staged.tokens;
    bytes = levelsKeyAt + 4;
    for (const WeightShape &weight : spec.weights) {
      staged.emplace_back(weight, llvm::alignTo(bytes, 64), schedule);
      bytes = llvm::alignTo(bytes, 64) + staged.back().bytes();
    }
    for (const StagedTile &tile : staged)
      if (llvm::none_of(levels, [&](const ActLevels &acts) { return acts.fits(tile); })) {
        levels.emplace_back(tile, llvm::alignTo(bytes, 64), spec.tileTokens ? spec.tileTokens : spec.maxTokens);
        bytes = llvm::alignTo(bytes, 64) + levels.back().bytes();
      }
    return bytes;
  }
  bool isChunkOfIntegers() {
    return spec.tokens != TokenClass::One &&
           llvm::none_of(spec.weights, [](const WeightShape &weight) { return Format::get(weight.format).isFloat(); });
  }
  bool stages() { return isChunkOfIntegers() && schedule.staged.tokens; }
  bool unpacks() {
    if (!isChunkOfIntegers() || !schedule.unpacked.tokens)
      return false;
    // Of a simple format single tokens' dots hide what unpacking takes: a cortex-a510 has 84 cycles for a block, 93 if it is loaded.
    return schedule.unpacked.arrangement == Arrangement::pairs || llvm::any_of(spec.weights, [](const WeightShape &weight) {
             return Format::get(weight.format).superBlock > kActGroup;
           });
  }
  int64_t strip() {
    if (streams())
      return streams();
    if (largest().arrangement == Arrangement::rows)
      return 1;
    int64_t bytes = 0;
    for (const WeightShape &weight : spec.weights)
      bytes += unpacks() ? UnpackedTile(weight, schedule.unpacked, 0).bytes()
                         : PackedLayout(Format::get(weight.format), weight.rows, weight.cols).tileBytes();
    return std::max<int64_t>(1, schedule.stripBytes / bytes);
  }
  /// Tiles that are read at once for one token (Product.cpp), of each weight; 0: tile after tile, weight after weight.
  int64_t streams() {
    if (spec.tokens != TokenClass::One || !schedule.streamBytes)
      return 0;
    int64_t weights = static_cast<int64_t>(spec.weights.size()), bytes = 0;
    for (const WeightShape &weight : spec.weights)
      bytes += PackedLayout(Format::get(weight.format), weight.rows, weight.cols).superBytes();
    return std::max<int64_t>(schedule.streamBytes / bytes, llvm::divideCeil(2, weights));
  }
  bool hasEpilogue() { return spec.epilogue && !spec.epilogue->empty(); }
  VectorType block() { return k.block(k.T, kTileRows); }
  unsigned firstResidual() { return spec.weights.size() + 1; }
  unsigned firstBias() { return firstResidual() + spec.residuals; }
  Value table() { return k.binding(firstBias() + spec.biases); }
  Value out() { return k.binding(k.kernel.getNumBindings() - 1); }
  /// First row of this tile.
  Value firstRow() { return k.mul(k.tile(), kTileRows); }
  Value laneNumbers() { return k.op<LanesOp>(k.lanes(kTileRows, k.b.getI32Type())); }

  const LinearSpec &spec;
  const Schedule &schedule;
  SmallVector<RegisterBlock> blocks;
  int64_t rows;
  /// In scratch, the largest magnitude of each staged token's 32 values.
  int64_t largestAt = 0;
  /// And whose levels are there.
  int64_t levelsKeyAt = 0;
  SmallVector<StagedTile> staged;
  SmallVector<ActLevels> levels;
  SmallVector<UnpackedTile> unpacked;
  KernelBuilder k;
};

SmallVector<Type> LinearBuilder::bindingTypes(MLIRContext *context) {
  SmallVector<Type> types;
  for (const WeightShape &weight : spec.weights)
    types.push_back(PackedType::get(context, weight.rows, weight.cols, weight.format));
  int64_t cols = spec.weights.front().cols;
  Type result = RowsType::getPadded(context, rows);
  types.push_back(spec.actsInput ? Type(spec.inputForm.type(context, cols)) : RowsType::getPadded(context, cols));
  types.append(spec.residuals + spec.biases, result);
  if (spec.ropeWidth)
    types.push_back(RowsType::get(context, spec.ropeWidth, spec.ropeWidth * 4));
  switch (spec.output) {
  case OutputKind::Rows:
    types.push_back(result);
    break;
  case OutputKind::Acts:
    types.push_back(spec.outputForm.type(context, rows));
    break;
  case OutputKind::Keys:
  case OutputKind::Values:
    types.push_back(BytesType::get(context));
    break;
  }
  return types;
}

void LinearBuilder::buildBlock(Value row, const RegisterBlock &block) {
  k.T = block.tokens;
  Value x = arrangeActivations(k, k.binding(spec.weights.size()), row, block, spec.weights);
  auto tile = [&] {
    SmallVector<Value> products;
    if (block.arrangement == Arrangement::rows) {
      for (size_t i = 0; i < spec.weights.size(); ++i)
        products.push_back(buildProduct(k, k.binding(i), k.tile(), x, row, block, schedule.prefetchBytes));
      return store(epilogue(products, row), row);
    }
    SmallVector<Value> stored;
    for (size_t i = 0; i < spec.weights.size(); ++i)
      stored.push_back(buildStoredProduct(k, k.binding(i), k.tile(), x, row, block, i));
    finishStored(stored, row, block, kArrangedTogether);
  };
  if (strip() == 1)
    tile();
  else
    k.forTiles(tile);
}

/// T rows of each weight's products, from row `first` of what they lie in on.
SmallVector<Value> LinearBuilder::loadStored(ArrayRef<Value> stored, Value first) {
  return llvm::map_to_vector(stored, [&](Value sums) { return k.loadRow(sums, first, k.index(0), k.T, kTileRows); });
}

void LinearBuilder::finishStored(ArrayRef<Value> stored, Value row, const RegisterBlock &block, int64_t together) {
  Value end = k.min(k.index(block.tokens), k.sub(k.tokens(), row));
  k.loop(k.index(0), end, together, [&](Value token) {
    k.T = together;
    store(epilogue(loadStored(stored, token), k.add(row, token)), k.add(row, token));
  });
  k.T = block.tokens;
}

/// One token after another, and what becomes int8 in three loops: what a region computes, its largest magnitude, and what rounding
/// and sums take are chains of 40 to 80 cycles each, together longer than a core looks ahead (Zen 4, a token: the region beside the
/// rest 100 cycles, in front of it 77; the largest magnitude beside the rounding 35, in front of it 26).
void LinearBuilder::finishStaged(ArrayRef<Value> stored, Value row, const RegisterBlock &block) {
  if (spec.output != OutputKind::Acts || !hasEpilogue())
    return finishStored(stored, row, block, /*together=*/1);
  Value end = k.min(k.index(block.tokens), k.sub(k.tokens(), row));
  k.T = 1;
  k.loop(k.index(0), end, 1, [&](Value token) {
    k.storeRow(epilogue(loadStored(stored, token), k.add(row, token)), stored.front(), token, k.index(0));
  });
  auto values = [&](Value token) { return k.loadRow(stored.front(), token, k.index(0), 1, kTileRows); };
  Value largest = k.scratchRows(largestAt, 1);
  k.loop(k.index(0), end, 1, [&](Value token) {
    k.storeRow(k.reduce(ReduceKind::Max, k.make<math::AbsFOp>(values(token))), largest, token, k.index(0));
  });
  k.loop(k.index(0), end, 1, [&](Value token) {
    store(values(token), k.add(row, token), k.loadRow(largest, token, k.index(0), 1, 1));
  });
  k.T = block.tokens;
}

void LinearBuilder::store(Value v, Value row, Value largest) {
  if (spec.output == OutputKind::Rows)
    k.storeRow(v, out(), row, firstRow(), k.tokens());
  else if (spec.output == OutputKind::Acts)
    k.op<StoreActsOp>(v, out(), row, k.tile(), k.tokens(), largest, spec.sums.halves, spec.sums.totals);
  else
    buildAppend(k, v, row, rows, spec.cache, spec.output == OutputKind::Keys, out());
}

/// This tile's columns of rows `row` .. row + T - 1: other tiles' products have flowed through the caches since they were read. Rows
/// that are only written are waited for too: stores leave a core in order (Zen 4, queries of a 1B: 1 to 2 % of their layer).
void LinearBuilder::prefetchRows(Value rows, Value row) {
  int64_t stride = cast<RowsType>(rows.getType()).getStride();
  for (int64_t i = 0; i < k.T; ++i)
    for (int64_t line = 0; line < 4 * kTileRows; line += 64)
      k.op<PrefetchOp>(rows, k.add(k.add(k.mul(k.add(row, i), stride), k.mul(firstRow(), 4)), line), /*locality=*/3);
}

Value LinearBuilder::buildStaged(Value enough) {
  const RegisterBlock &block = schedule.staged;
  // Tokens that are left fill the next block but for one, or leave it to smaller ones: the padding holds one more.
  Value first = k.firstToken(), left = k.rem(k.sub(k.tokens(), first), block.tokens), whole = k.sub(k.tokens(), left);
  Value end = k.make<arith::SelectOp>(k.below(left, k.index(block.tokens - 1)), whole, k.tokens());
  end = k.make<arith::SelectOp>(enough, end, first);
  k.when(enough, [&] {
    SmallVector<StagedTile::Ahead> ahead;
    for (auto [i, tile] : llvm::enumerate(staged)) {
      tile.fill(k, k.binding(i), k.tile());
      Value steps = k.mul(k.div(k.add(k.sub(end, first), block.tokens - 1), block.tokens), stagedSteps(tile, block));
      ahead.push_back(tile.ahead(k, k.binding(i), k.tile(), steps));
    }
    k.T = block.tokens;
    k.loop(first, end, block.tokens, [&](Value row) {
      SmallVector<Value> stored;
      for (unsigned i = 0; i < spec.residuals; ++i)
        prefetchRows(k.binding(firstResidual() + i), row);
      // With a residual, that is where the rows mostly go.
      if (spec.output == OutputKind::Rows && !spec.residuals)
        prefetchRows(out(), row);
      for (auto [i, tile] : llvm::enumerate(staged))
        stored.push_back(
            buildStagedProduct(k, tile, k.binding(spec.weights.size()), levelsFor(tile), row, block, i, ahead[i]));
      finishStaged(stored, row, block);
    });
  });
  return end;
}

Value LinearBuilder::buildUnpacked(Value enough) {
  const RegisterBlock &block = schedule.unpacked;
  Value first = k.firstToken(), end = k.sub(k.tokens(), k.rem(k.sub(k.tokens(), first), block.tokens));
  end = k.make<arith::SelectOp>(enough, end, first);
  auto forPlaces = [&](llvm::function_ref<void(Value)> body) { strip() == 1 ? body(k.index(0)) : k.forPlaces(body); };
  k.when(enough, [&] {
    forPlaces([&](Value place) {
      for (auto [i, tile] : llvm::enumerate(unpacked))
        tile.fill(k, k.binding(i), k.tile(), place);
    });
    k.T = block.tokens;
    k.loop(first, end, block.tokens, [&](Value row) {
      Value x = arrangeActivations(k, k.binding(spec.weights.size()), row, block, spec.weights);
      forPlaces([&](Value place) {
        SmallVector<Value> stored;
        for (auto [i, tile] : llvm::enumerate(unpacked))
          stored.push_back(buildStoredProduct(k, k.binding(i), k.tile(), x, row, block, i, &tile, place));
        finishStored(stored, row, block, kArrangedTogether);
      });
    });
  });
  return end;
}

void LinearBuilder::build() {
  if (strip() > 1)
    k.kernel.setStrip(strip());
  if (spec.tokens == TokenClass::One)
    return streams() ? buildStreams() : buildBlock(k.index(0), schedule.gemv());
  if (spec.tileTokens) {
    k.shareTokens(spec.rowTiles(), spec.tileTokens);
    if (strip() > 1)
      k.kernel.setWithin(spec.rowTiles());
  }
  if (!stages() && !unpacks())
    return buildChunk(Value());
  Value enough = k.below(k.index(kStagedTokens - 1), k.sub(k.tokens(), k.firstToken()));
  if (unpacks())
    return buildChunk(enough);
  k.when(enough, [&] {
    k.once(k.firstToken(), levelsKeyAt, [&] {
      for (const ActLevels &acts : levels)
        acts.fill(k, k.binding(spec.weights.size()));
    });
  });
  buildChunk(enough);
}

/// One token, of several tiles at once.
void LinearBuilder::buildStreams() {
  Value row = k.index(0);
  k.kernel.setApart(streams() > 1);
  SmallVector<Value> weights;
  for (size_t i = 0; i < spec.weights.size(); ++i)
    weights.push_back(k.binding(i));
  // Of several streams each is prefetched half as far.
  SmallVector<Value> stored = buildStreamedProducts(k, weights, k.binding(spec.weights.size()), row, schedule.gemv(),
                                                   schedule.prefetchBytes / 2, streams());
  k.forPlaces([&](Value place) { store(epilogue(loadStored(stored, place), row), row); });
}

void LinearBuilder::buildChunk(Value enough) {
  const RegisterBlock &large = blocks.back();
  // No block may read behind the padding. The last one ends less than 4 rows behind the tokens: where blocks are multiples of
  // 4, that is the next multiple of 4, which the padding reaches.
  assert(kTokenPadding % large.tokens == 0 ||
         (large.tokens % 4 == 0 && large.tokens - blocks[blocks.size() - 2].tokens <= 4));
  // The first block is for kernels of one token alone: two tokens cost no more reading.
  ArrayRef<RegisterBlock> small = ArrayRef(blocks).drop_back().drop_front();
  Value begin = stages() ? buildStaged(enough) : unpacks() ? buildUnpacked(enough) : k.firstToken();
  Value rest = k.rem(k.sub(k.tokens(), begin), large.tokens), whole = k.sub(k.tokens(), rest);
  Value end = k.tokens();
  if (!small.empty()) {
    Value many = k.below(k.index(small.back().tokens), rest);
    end = k.make<arith::SelectOp>(many, k.tokens(), whole);
  }
  k.loop(begin, end, large.tokens, [&](Value row) { buildBlock(row, large); });
  int64_t fewer = 0;
  for (const RegisterBlock &block : small) {
    Value fits = k.make<arith::AndIOp>(k.below(k.index(fewer), rest), k.below(rest, k.index(block.tokens + 1)));
    k.when(fits, [&] { buildBlock(whole, block); });
    fewer = block.tokens;
  }
}

/// The region's scalar ops on blocks: an element-wise op means the same on both.
Value LinearBuilder::epilogue(ArrayRef<Value> products, Value row) {
  if (!hasEpilogue())
    return products.front();
  Block &region = spec.epilogue->front();
  IRMapping map;
  SmallVector<Value> inputs(products);
  for (unsigned i = 0; i < spec.residuals; ++i)
    inputs.push_back(k.loadRow(k.binding(firstResidual() + i), row, firstRow(), k.T, kTileRows));
  for (unsigned i = 0; i < spec.biases; ++i)
    inputs.push_back(
        k.broadcast(k.loadRow(k.binding(firstBias() + i), k.index(0), firstRow(), 1, kTileRows), block()));
  for (auto [argument, value] : llvm::zip_equal(region.getArguments(), inputs))
    map.map(argument, value);
  for (Operation &op : region.without_terminator()) {
    if (auto rotation = dyn_cast<llm::RotateOp>(op)) {
      map.map(rotation.getResult(), rotate(map.lookup(rotation.getValue()), rotation, row));
      continue;
    }
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto splat = DenseElementsAttr::get(block(), cast<FloatAttr>(constant.getValue()).getValue());
      map.map(constant.getResult(), k.op<arith::ConstantOp>(splat).getResult());
      continue;
    }
    SmallVector<Value> operands;
    for (Value operand : op.getOperands())
      operands.push_back(map.lookup(operand));
    SmallVector<Type> types;
    for (Type type : op.getResultTypes())
      types.push_back(VectorType::get(block().getShape(), type));
    OperationState state(op.getLoc(), op.getName().getStringRef(), operands, types, op.getAttrs());
    Operation *wide = k.b.create(state);
    for (auto [from, to] : llvm::zip_equal(op.getResults(), wide->getResults()))
      map.map(from, to);
  }
  return map.lookup(region.getTerminator()->getOperand(0));
}

/// Pairs are neighbouring lanes: y = v * c + swap(v) * s, with the table's (cos, sin) pairs spread to c = (cos, cos) and
/// s = (-sin, sin).
Value LinearBuilder::rotate(Value v, llm::RotateOp op, Value row) {
  int64_t headDim = op.getHeadDim(), rotaryDim = op.getRotaryDim();
  Type i32 = k.b.getI32Type();
  VectorType line = k.lanes(kTileRows, i32);
  Value position = k.add(k.position(), row);
  Value lane = laneNumbers(), numbers, rotated;
  if (headDim % kTileRows == 0 && rotaryDim == headDim) {
    numbers = k.loadRow(table(), position, k.rem(firstRow(), headDim), k.T, kTileRows);
  } else {
    // A tile holds parts of several heads, or rows that do not turn: each lane finds its own pair.
    Value first = k.make<vector::BroadcastOp>(line, k.toI32(firstRow()));
    Value element = k.make<arith::RemUIOp>(k.make<arith::AddIOp>(first, lane), k.splatInt(line, headDim));
    rotated = k.make<arith::CmpIOp>(arith::CmpIPredicate::ult, element, k.splatInt(line, rotaryDim));
    Value column = k.make<arith::MinUIOp>(element, k.splatInt(line, rotaryDim - 1));
    numbers = k.op<GatherRowOp>(block(), table(), position, column);
  }
  Value even = k.make<arith::CmpIOp>(arith::CmpIPredicate::eq,
                                     k.make<arith::AndIOp>(lane, k.splatInt(line, 1)), k.splatInt(line, 0));
  even = k.broadcast(even, block());
  Value neighbours = k.op<SwapPairsOp>(block(), numbers);
  Value cosines = k.make<arith::SelectOp>(even, numbers, neighbours);
  Value sines = k.make<arith::SelectOp>(even, k.make<arith::NegFOp>(neighbours), numbers);
  Value turned = k.fma(k.op<SwapPairsOp>(block(), v), sines, k.mulf(v, cosines));
  return rotated ? k.make<arith::SelectOp>(k.broadcast(rotated, block()), turned, v) : turned;
}

} // namespace

void sinter::buildLinear(OpBuilder &b, Location loc, StringRef name, const LinearSpec &spec,
                         const Schedule &schedule) {
  LinearBuilder(b, loc, name, spec, schedule).build();
}
