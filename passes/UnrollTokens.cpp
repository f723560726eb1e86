//===- UnrollTokens.cpp - Take the token dimension apart ---------------------===//
//
// After it a kernel is in lane form: vector<TxR> has become T values vector<R>, vector<Tx1> T scalars, and
// rows of activations have become byte offsets. Each back end starts from here.
//
//   %x = tile.load_row %a[%m, %c] -> vector<2x32xf32>      %x0 = tile.load %a[%m * s + %c * 4] : vector<32xf32>
//   %y = arith.mulf %x, %x                            ==>  %x1 = tile.load %a[%m * s + s + %c * 4]
//   tile.store_row %y, %a[%m, %c] limit %n                 %y0 = arith.mulf %x0, %x0 ...
//                                                          tile.store %y0, ...
//                                                          scf.if %m + 1 < %n { tile.store %y1, ... }
//
// Token 0 of a block is always below the limit: the loops that make blocks stop there.
//
// Blocks of arranged activations have so many tokens that few registers are left beside their sums. Where their codes lie word
// by word all dots are under way (WordOrder.cpp). Elsewhere, behind their tile.load_arranged, the ops of two tokens (or of a
// pair) stand before those of the next, in turn: two dots are under way.
//
//   %x0, %x1, %x2, %x3 = loads          %x0 = tile.load_uniform ..
//   %i0 = tile.dot .., %x0              %x1 = tile.load_uniform ..
//   %i1 = tile.dot .., %x1              %i0 = tile.dot .., %x0
//   %i2 = tile.dot .., %x2              %i1 = tile.dot .., %x1
//   %i3 = tile.dot .., %x3         ==>  %f0 = arith.sitofp %i0
//   %f0 = arith.sitofp %i0              %f1 = arith.sitofp %i1
//   %f1 = arith.sitofp %i1              %x2 = tile.load_uniform ..
//   ...                                 ...
//
// All dots that go `in_turn` are under way (codegen/cpu/LowerDot.cpp takes them word by word), and what is done with them comes
// token after token behind them.
//
//===----------------------------------------------------------------------===//
#include "codegen/Targets.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/ArrangedActs.h"
#include "passes/Passes.h"
#include "passes/RowAccess.h"
#include "passes/WordOrder.h"
#include "llvm/ADT/SetVector.h"

namespace sinter {
#define GEN_PASS_DEF_UNROLLTOKENS
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

VectorType blockType(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getRank() == 2 ? vector : VectorType();
}

/// What one token of a block value is.
Type tokenType(Type type) {
  VectorType block = blockType(type);
  if (!block)
    return type;
  return block.getDimSize(1) == 1 ? block.getElementType()
                                  : VectorType::get({block.getDimSize(1)}, block.getElementType());
}

int64_t tokensOf(Type type) {
  VectorType block = blockType(type);
  return block ? block.getDimSize(0) : 1;
}

class Unroller {
public:
  LogicalResult run(Block &body) {
    if (failed(unrollBlock(body)))
      return failure();
    // An op of a loop's body may use the arguments of the loop that it was taken out of.
    for (Operation *op : dead) {
      op->dropAllReferences();
      op->dropAllUses();
    }
    for (Operation *op : dead)
      op->erase();
    for (size_t i = 0; i < loads.size(); ++i) {
      auto [first, together] = loads[i];
      Block *block = first->getBlock();
      auto end = block->mightHaveTerminator() ? block->getTerminator()->getIterator() : block->end();
      if (i + 1 < loads.size() && loads[i + 1].first->getBlock() == block)
        end = loads[i + 1].first->getIterator();
      if (together)
        orderByToken({first->getIterator(), end}, together);
      else
        orderByWord({first->getIterator(), end});
    }
    for (DotOp dot : inTurn) {
      Block *block = dot->getBlock();
      auto begin = std::next(dot->getIterator());
      auto stop = block->mightHaveTerminator() ? block->getTerminator()->getIterator() : block->end();
      auto end = std::find_if(begin, stop, llvm::IsaPred<DotOp>);
      if (begin != end)
        orderByToken({begin, end}, 1);
    }
    return success();
  }

private:
  LogicalResult unrollBlock(Block &block) {
    // Loops replaced on the way move their bodies, so the list is taken first.
    SmallVector<Operation *> ops;
    for (Operation &op : block)
      ops.push_back(&op);
    for (Operation *op : ops)
      if (failed(unroll(op)))
        return failure();
    return success();
  }

  LogicalResult unroll(Operation *op);
  LogicalResult unrollFor(scf::ForOp loop);
  LogicalResult unrollIf(scf::IfOp branch);
  void unrollElementwise(Operation *op);
  void unrollBroadcast(BroadcastOp op);
  void unrollDot(DotOp op);
  /// The result's rows, one for each token (or pair of them), made by `create`.
  void replaceByToken(Operation *op, llvm::function_ref<Value(int64_t t, Type row)> create) {
    Type block = op->getResult(0).getType();
    SmallVector<Value> values;
    for (int64_t t = 0; t < tokensOf(block); ++t)
      values.push_back(create(t, tokenType(block)));
    replace(op, 0, std::move(values));
  }
  static void orderByToken(llvm::iterator_range<Block::iterator> ops, size_t together);

  /// Token t of a value; values that have no token dimension are the same for all.
  Value token(Value value, int64_t t) {
    auto found = parts.find(value);
    return found == parts.end() ? value : found->second[t];
  }
  void replace(Operation *op, unsigned result, SmallVector<Value> values) {
    parts[op->getResult(result)] = std::move(values);
  }
  void flatten(ValueRange values, SmallVectorImpl<Value> &flat) {
    for (Value value : values)
      for (int64_t t = 0, n = tokensOf(value.getType()); t < n; ++t)
        flat.push_back(token(value, t));
  }
  /// One of `step` lanes of a vector, from lane `first` on.
  static Value lanesFrom(OpBuilder &b, Location loc, Value v, int64_t first, int64_t step) {
    SmallVector<int64_t> mask;
    for (int64_t lane = first; lane < cast<VectorType>(v.getType()).getDimSize(0); lane += step)
      mask.push_back(lane);
    return b.create<vector::ShuffleOp>(loc, v, v, mask);
  }
  /// The six results of a load of activation groups.
  void replaceGroups(Operation *op, ArrayRef<ActGroup> groups) {
    unsigned result = 0;
    for (Value ActGroup::*member : {&ActGroup::codes, &ActGroup::scale, &ActGroup::start, &ActGroup::low, &ActGroup::high,
                                    &ActGroup::total}) {
      SmallVector<Value> values;
      for (const ActGroup &group : groups)
        values.push_back(group.*member);
      replace(op, result++, std::move(values));
    }
  }
  static Value plus(OpBuilder &b, Location loc, Value index, int64_t t) {
    return b.createOrFold<arith::AddIOp>(loc, index, b.create<arith::ConstantIndexOp>(loc, t));
  }
  /// Runs `store` for each token of a block that is below the limit.
  template <typename Fn>
  void forTokens(Operation *op, int64_t tokens, Value row, Value limit, Fn store) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    for (int64_t t = 0; t < tokens; ++t) {
      OpBuilder::InsertionGuard guard(b);
      Value current = plus(b, loc, row, t);
      if (limit && t > 0) {
        Value below = b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::ult, current, limit);
        auto branch = b.create<scf::IfOp>(loc, below, /*withElseRegion=*/false);
        b.setInsertionPointToStart(branch.thenBlock());
      }
      store(b, loc, t, current);
    }
  }

  DenseMap<Value, SmallVector<Value>> parts;
  SmallVector<Operation *> dead;
  /// The first op of each load of many tokens' groups, in their order, and how many of its rows (a token, or a pair) have
  /// their dots under way at a time; 0: all, word by word.
  SmallVector<std::pair<Operation *, int64_t>> loads;
  /// The last token's dot of each that goes in turn.
  SmallVector<DotOp> inTurn;
};

LogicalResult Unroller::unroll(Operation *op) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return unrollFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return unrollIf(branch);
  if (auto tiles = dyn_cast<ForTilesOp>(op))
    return unrollBlock(tiles.getBody().front());
  if (auto once = dyn_cast<OnceOp>(op))
    return unrollBlock(once.getBody().front());
  // Rewritten with its loop.
  if (isa<scf::YieldOp>(op))
    return success();

  bool rows = isa<LoadRowOp, GatherRowOp, StoreRowOp, LoadActsOp, StoreActsOp, ArrangeActsOp, LoadArrangedOp, ViewOp>(op);
  auto isBlock = [](Value v) { return static_cast<bool>(blockType(v.getType())); };
  if (!rows && llvm::none_of(op->getOperands(), isBlock) && llvm::none_of(op->getResults(), isBlock))
    return success();

  if (isa<ViewOp>(op)) {
    // Read through by its users.
  } else if (auto load = dyn_cast<LoadRowOp>(op)) {
    auto type = cast<VectorType>(load.getResult().getType());
    SmallVector<Value> values;
    for (int64_t t = 0; t < type.getDimSize(0); ++t)
      values.push_back(loadRow(b, loc, load.getSource(), plus(b, loc, load.getRow(), t), load.getColumn(),
                               tokenType(type), load.getUniform()));
    replace(op, 0, std::move(values));
  } else if (auto gather = dyn_cast<GatherRowOp>(op)) {
    SmallVector<Value> values;
    for (int64_t t = 0; t < tokensOf(gather.getResult().getType()); ++t)
      values.push_back(
          gatherRow(b, loc, gather.getSource(), plus(b, loc, gather.getRow(), t), gather.getColumns()));
    replace(op, 0, std::move(values));
  } else if (auto store = dyn_cast<StoreRowOp>(op)) {
    forTokens(op, tokensOf(store.getValue().getType()), store.getRow(), store.getLimit(),
              [&](OpBuilder &b, Location loc, int64_t t, Value row) {
                storeRow(b, loc, token(store.getValue(), t), store.getTarget(), row, store.getColumn());
              });
  } else if (auto load = dyn_cast<LoadActsOp>(op)) {
    SmallVector<ActGroup> groups;
    for (int64_t t = 0; t < tokensOf(load.getScale().getType()); ++t)
      groups.push_back(loadActs(b, loc, load.getSource(), plus(b, loc, load.getRow(), t), load.getBlock(), load.getCrossed()));
    replaceGroups(op, groups);
  } else if (auto load = dyn_cast<LoadArrangedOp>(op)) {
    Operation *before = op->getPrevNode();
    replaceGroups(op, loadArranged(b, load));
    loads.push_back({before ? before->getNextNode() : &op->getBlock()->front(),
                     load.getSource().getType().byWord()             ? 0
                     : load.getSource().getType().getTogether() == 1 ? 2
                                                                     : 1});
  } else if (auto arrange = dyn_cast<ArrangeActsOp>(op)) {
    arrangeActs(b, arrange);
  } else if (auto store = dyn_cast<StoreActsOp>(op)) {
    forTokens(op, tokensOf(store.getValue().getType()), store.getRow(), store.getLimit(),
              [&](OpBuilder &b, Location loc, int64_t t, Value row) {
                Value values = token(store.getValue(), t);
                Value largest = store.getLargest() ? token(store.getLargest(), t) : largestMagnitude(b, loc, values);
                storeActs(b, loc, values, largest, store, row);
              });
  } else if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    unrollBroadcast(broadcast);
  } else if (auto scalar = dyn_cast<vector::BroadcastOp>(op); scalar && !isa<VectorType>(scalar.getSourceType())) {
    Type type = tokenType(scalar.getType());
    Value value = isa<VectorType>(type) ? b.create<vector::BroadcastOp>(loc, type, scalar.getSource()).getResult()
                                        : scalar.getSource();
    replace(op, 0, SmallVector<Value>(tokensOf(scalar.getType()), value));
  } else if (auto dot = dyn_cast<DotOp>(op)) {
    unrollDot(dot);
  } else if (auto dot = dyn_cast<DotPairsOp>(op)) {
    replaceByToken(op, [&](int64_t p, Type row) {
      return b.create<DotPairsOp>(loc, row, token(dot.getInit(), p), dot.getCodes(), token(dot.getX(), p), dot.getFirst());
    });
  } else if (auto sum = dyn_cast<AccumulateLevelsOp>(op)) {
    replaceByToken(op, [&](int64_t t, Type row) {
      return b.create<AccumulateLevelsOp>(loc, row, token(sum.getAcc(), t), token(sum.getLow(), t), token(sum.getHigh(), t),
                                          sum.getWeightLevels(), token(sum.getActLevels(), t), sum.getOffsets(), sum.getShift());
    });
  } else if (auto sum = dyn_cast<AccumulateShiftedOp>(op)) {
    replaceByToken(op, [&](int64_t t, Type row) {
      return b.create<AccumulateShiftedOp>(loc, row, token(sum.getAcc(), t), token(sum.getLow(), t), token(sum.getHigh(), t),
                                           token(sum.getLevels(), t), token(sum.getRight(), t), token(sum.getLeft(), t));
    });
  } else if (auto load = dyn_cast<LoadLevelsOp>(op)) {
    replaceByToken(op, [&](int64_t t, Type row) {
      return loadLevels(b, loc, row, load.getSource(), load.getOffset(), token(load.getLow(), t), token(load.getHigh(), t));
    });
  } else if (auto dot = dyn_cast<DotHalvesOp>(op)) {
    replaceByToken(op, [&](int64_t t, Type row) {
      return b.create<DotHalvesOp>(loc, row, token(dot.getAcc(), t), dot.getLine(), token(dot.getX(), t));
    });
  } else if (auto split = dyn_cast<SplitPairsOp>(op)) {
    int64_t pairs = tokensOf(split.getSource().getType());
    SmallVector<Value> values;
    for (int64_t t = 0; t < 2 * pairs; ++t)
      values.push_back(lanesFrom(b, loc, token(split.getSource(), t / 2), t % 2, 2));
    replace(op, 0, std::move(values));
  } else if (op->hasTrait<OpTrait::Elementwise>() || op->hasTrait<OpTrait::ConstantLike>() ||
             isa<ReduceOp, SwapPairsOp, ConcatOp>(op)) {
    unrollElementwise(op);
  } else if (auto extract = dyn_cast<vector::ExtractOp>(op)) {
    // One token's row, [t], or number, [t, 0].
    ArrayRef<int64_t> position = extract.getStaticPosition();
    Value part = token(extract.getVector(), position[0]);
    if (part.getType() != extract.getResult().getType())
      return op->emitOpError("takes one token's row or number out of a block");
    extract.getResult().replaceAllUsesWith(part);
  } else {
    return op->emitOpError("has no form without a token dimension");
  }
  dead.push_back(op);
  return success();
}

void Unroller::unrollElementwise(Operation *op) {
  OpBuilder b(op);
  int64_t tokens = tokensOf(op->getResult(0).getType());
  Type type = tokenType(op->getResult(0).getType());
  SmallVector<Value> values;
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    // A block constant is a splat: one constant serves all tokens.
    Attribute splat = cast<DenseElementsAttr>(constant.getValue()).getSplatValue<Attribute>();
    TypedAttr value = isa<VectorType>(type) ? TypedAttr(DenseElementsAttr::get(cast<VectorType>(type), splat))
                                            : cast<TypedAttr>(splat);
    values.assign(tokens, b.create<arith::ConstantOp>(op->getLoc(), value));
    return replace(op, 0, std::move(values));
  }
  for (int64_t t = 0; t < tokens; ++t) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(token(operand, t));
    OperationState state(op->getLoc(), op->getName(), operands, {type}, op->getAttrs());
    values.push_back(b.create(state)->getResult(0));
  }
  replace(op, 0, std::move(values));
}

void Unroller::unrollBroadcast(BroadcastOp op) {
  OpBuilder b(op);
  auto type = cast<VectorType>(op.getResult().getType());
  Type lane = tokenType(type);
  SmallVector<Value> values;
  bool oneToken = tokensOf(op.getSource().getType()) == 1;
  for (int64_t t = 0; t < type.getDimSize(0); ++t) {
    Value source = token(op.getSource(), oneToken ? 0 : t);
    auto from = dyn_cast<VectorType>(source.getType());
    if (from && from != lane && from.getDimSize(0) > 1) {
      // The four numbers of a pair of tokens, again and again.
      SmallVector<int64_t> mask;
      for (int64_t i = 0; i < cast<VectorType>(lane).getDimSize(0); ++i)
        mask.push_back(i % from.getDimSize(0));
      source = b.create<vector::ShuffleOp>(op.getLoc(), source, source, mask);
    } else if (from && from != lane)
      // vector<1> of a single row.
      source = b.create<vector::ExtractOp>(op.getLoc(), source, ArrayRef<int64_t>{0});
    else if (source.getType() != lane)
      source = b.create<vector::BroadcastOp>(op.getLoc(), lane, source);
    values.push_back(source);
  }
  replace(op, 0, std::move(values));
}

void Unroller::unrollDot(DotOp op) {
  OpBuilder b(op);
  SmallVector<Value> values;
  for (int64_t t = 0; t < tokensOf(op.getResult().getType()); ++t)
    values.push_back(b.create<DotOp>(op.getLoc(), tokenType(op.getResult().getType()), token(op.getInit(), t),
                                     op.getCodes(), token(op.getX(), t),
                                     op.getStart() ? token(op.getStart(), t) : Value(), op.getBits(), op.getFirst(),
                                     op.getUnsignedCodes(), op.getInTurn(), op.getCrossed(), op.getPositive()));
  if (op.getInTurn())
    inTurn.push_back(values.back().getDefiningOp<DotOp>());
  replace(op, 0, std::move(values));
}

LogicalResult Unroller::unrollFor(scf::ForOp loop) {
  OpBuilder b(loop);
  SmallVector<Value> inits;
  flatten(loop.getInitArgs(), inits);
  auto flat = b.create<scf::ForOp>(loop.getLoc(), loop.getLowerBound(), loop.getUpperBound(), loop.getStep(),
                                   inits);
  flat->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  Block &from = *loop.getBody(), &to = *flat.getBody();
  if (!to.empty())
    to.getTerminator()->erase();
  from.getArgument(0).replaceAllUsesWith(to.getArgument(0));
  unsigned next = 1;
  auto takeParts = [&](Value value, auto &&part) {
    VectorType block = blockType(value.getType());
    if (!block)
      return value.replaceAllUsesWith(part());
    SmallVector<Value> values;
    for (int64_t t = 0; t < block.getDimSize(0); ++t)
      values.push_back(part());
    parts[value] = std::move(values);
  };
  for (BlockArgument arg : from.getArguments().drop_front())
    takeParts(arg, [&] { return to.getArgument(next++); });
  to.getOperations().splice(to.end(), from.getOperations());
  if (failed(unrollBlock(to)))
    return failure();

  Operation *yield = to.getTerminator();
  SmallVector<Value> yielded;
  flatten(yield->getOperands(), yielded);
  OpBuilder(yield).create<scf::YieldOp>(yield->getLoc(), yielded);
  dead.push_back(yield);
  unsigned result = 0;
  for (Value value : loop.getResults())
    takeParts(value, [&] { return flat.getResult(result++); });
  dead.push_back(loop);
  return success();
}

/// In front of each result that others than these ops read, what it is made of and was not there yet; of `together`
/// results in turn. Results are in the order of tokens, because each op was unrolled so, and made in the same steps.
void Unroller::orderByToken(llvm::iterator_range<Block::iterator> range, size_t together) {
  llvm::SetVector<Operation *> left;
  for (Operation &op : range) {
    if (op.getNumRegions() || (!isMemoryEffectFree(&op) && !isa<LoadOp, LoadUniformOp>(op)))
      return;
    left.insert(&op);
  }
  Block *block = (*left.begin())->getBlock();
  SmallVector<Operation *> results;
  for (Operation *op : left)
    if (llvm::any_of(op->getUsers(), [&](Operation *user) { return !left.contains(user); }))
      results.push_back(op);
  // Up to a dot, from there up to the next one, .., behind the last.
  using Steps = SmallVector<SmallVector<Operation *>>;
  auto take = [&](auto &&self, Operation *op, Steps &steps) -> void {
    if (!left.remove(op))
      return;
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        self(self, source, steps);
    steps.back().push_back(op);
    if (isa<DotOp, DotPairsOp>(op))
      steps.emplace_back();
  };
  for (ArrayRef<Operation *> rest = results; !rest.empty(); rest = rest.drop_front(std::min(together, rest.size()))) {
    SmallVector<Steps> tokens;
    for (Operation *result : rest.take_front(together)) {
      tokens.emplace_back().emplace_back();
      take(take, result, tokens.back());
    }
    auto most = [&](auto &&size) {
      size_t n = 0;
      for (Steps &steps : tokens)
        n = std::max(n, size(steps));
      return n;
    };
    // What several need, the first has taken: it has more steps in front.
    for (size_t part = 0, parts = most([](Steps &steps) { return steps.size(); }); part < parts; ++part)
      for (size_t i = most([&](Steps &steps) { return part < steps.size() ? steps[part].size() : 0; }); i > 0; --i)
        for (Steps &steps : tokens)
          if (part < steps.size() && i <= steps[part].size())
            steps[part][steps[part].size() - i]->moveBefore(block, range.end());
  }
  // Read by nobody.
  for (Operation *op : left)
    op->moveBefore(block, range.end());
}

LogicalResult Unroller::unrollIf(scf::IfOp branch) {
  for (Value result : branch.getResults())
    if (blockType(result.getType()))
      return branch.emitOpError("with a block of tokens as its result has no form without a token dimension");
  for (Region &region : branch->getRegions())
    for (Block &block : region)
      if (failed(unrollBlock(block)))
        return failure();
  return success();
}

struct UnrollTokensPass : sinter::impl::UnrollTokensBase<UnrollTokensPass> {
  void runOnOperation() override {
    if (failed(Unroller().run(getOperation().getBlock())))
      signalPassFailure();
  }
};

} // namespace
