//===- WordOrder.cpp - The order of ops around dots of arranged tokens -------------===//
//
// With the sums of all tokens under way no register is left for anything else that is read behind the dots, and where a result
// is made of several steps a core that runs instructions in order waits for each of them.
//
//   %x0 .. = codes of all tokens                  %x0 .. = codes of all tokens
//   %d = scales of all tokens                     %s, %d0 = the first loads of scales
//   %i0 = tile.dot .., %x0                        %i0 = tile.dot .., %x0
//   %i1 = tile.dot .., %x1                        %i1 = tile.dot .., %x1
//   ..                                     ==>    ..
//   %s = scales of rows                           %f0 = arith.sitofp %i0, %p0 = arith.mulf %s, %d0[0]
//   %f0 = arith.sitofp %i0                        %f1 = arith.sitofp %i1, ..        up to kTokensAhead
//   %f1 = arith.sitofp %i1                        %y0 = math.fma %f0, %p0, ..
//   ..                                            %f4 = arith.sitofp %i4, ..
//   %p0 = arith.mulf %s, %d[0]                    %y1 = math.fma %f1, %p1, ..
//   ..
//
// The dots stay together: the back end takes them word by word, and places between them what stands in front
// (codegen/cpu/DotOrder.cpp).
//
//===----------------------------------------------------------------------===//
#include "passes/WordOrder.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

using Ops = llvm::iterator_range<Block::iterator>;

/// A result a cycle: what it is made of, which takes 4 cycles, stands so many results in front of it.
constexpr size_t kTokensAhead = 4;
/// So many loads of numbers are done before the dots are: as registers of activations become free.
constexpr size_t kEarlyLoads = 2;

bool isLoad(Operation *op) { return isa<LoadOp, LoadUniformOp>(op); }
bool isDot(Operation *op) { return isa<DotOp, DotPairsOp>(op); }

/// What is read behind a row of dots comes behind it: in front there is no register for it.
void sinkBehindDots(Ops range) {
  SmallVector<Operation *> ops;
  DenseMap<Operation *, size_t> places;
  // Of each op the dot that its row of dots begins with, and the last one in front of it.
  SmallVector<size_t> rowStart, lastDot;
  for (Operation &op : range) {
    bool inRow = isDot(&op) && !ops.empty() && isDot(ops.back());
    lastDot.push_back(ops.empty() ? 0 : isDot(ops.back()) ? ops.size() - 1 : lastDot.back());
    rowStart.push_back(inRow ? rowStart.back() : ops.size());
    places[&op] = ops.size();
    ops.push_back(&op);
  }
  // Places as they are read; of what sinks, that of the dot it sinks behind.
  SmallVector<size_t> sunk(ops.size());
  for (size_t i = ops.size(); i-- > 0;) {
    sunk[i] = i;
    if (isDot(ops[i]) || ops[i]->use_empty())
      continue;
    size_t use = ops.size();
    for (Operation *user : ops[i]->getUsers()) {
      auto found = places.find(user);
      if (found != places.end())
        use = std::min(use, found->second == sunk[found->second] ? rowStart[found->second] : sunk[found->second] + 1);
    }
    if (use < ops.size() && lastDot[use] > i)
      sunk[i] = lastDot[use];
  }
  for (size_t i = ops.size(); i-- > 0;)
    if (sunk[i] != i)
      ops[i]->moveAfter(ops[sunk[i]]);
}

/// The ops behind the row of dots that begins with `row`.
class Results {
public:
  Results(Ops ops, Operation *row) : block(row->getBlock()), row(row), end(ops.end()) {
    for (Operation &op : ops)
      left.insert(&op);
    for (Operation *op : left)
      if (llvm::any_of(op->getUsers(), [&](Operation *user) { return !left.contains(user); }))
        results.push_back(op);
  }

  void order() {
    for (Operation *result : results)
      takeEarly(result);
    size_t loaded = 0, made = 0;
    for (auto [i, result] : llvm::enumerate(results)) {
      for (; loaded < results.size() && loaded < i + kTokensAhead + kTokensAhead / 2; ++loaded)
        takeLoads(results[loaded]);
      for (; made < results.size() && made < i + kTokensAhead; ++made)
        for (Value operand : results[made]->getOperands())
          if (Operation *source = operand.getDefiningOp())
            take(source);
      take(result);
    }
    // Read by nobody.
    for (Operation *op : left)
      op->moveBefore(block, end);
  }

private:
  /// An op and what it is made of.
  void take(Operation *op) {
    if (!left.remove(op))
      return;
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        take(source);
    op->moveBefore(block, end);
  }
  /// What is loaded for an op.
  void takeLoads(Operation *op) {
    if (!left.contains(op))
      return;
    if (isLoad(op))
      return take(op);
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        takeLoads(source);
  }
  /// In front of the dots: the first loads, and what is made of one load alone. Says whether the op is there.
  bool takeEarly(Operation *op) {
    if (!left.contains(op))
      return op->getBlock() != block || op->isBeforeInBlock(row);
    bool load = isLoad(op), ready = true;
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        ready &= takeEarly(source);
    auto vectors = llvm::count_if(op->getOperands(), [](Value v) { return isa<VectorType>(v.getType()); });
    if (!ready || !(load || vectors <= 1 || llvm::all_equal(op->getOperands())) || (load && early == 0))
      return false;
    early -= load;
    left.remove(op);
    op->moveBefore(row);
    return true;
  }

  Block *block;
  Operation *row;
  Block::iterator end;
  llvm::SetVector<Operation *> left;
  /// In the order of tokens, because each op was unrolled so.
  SmallVector<Operation *> results;
  size_t early = kEarlyLoads;
};

} // namespace

void sinter::orderByWord(Ops ops) {
  if (llvm::any_of(ops, [](Operation &op) { return op.getNumRegions() || !(isMemoryEffectFree(&op) || isLoad(&op)); }))
    return;
  Operation *before = ops.begin()->getPrevNode();
  Block *block = ops.begin()->getBlock();
  sinkBehindDots(ops);
  Operation *row = nullptr;
  for (auto op = before ? std::next(before->getIterator()) : block->begin(); op != ops.end();) {
    Operation *dot = &*op++;
    if (!isDot(dot))
      continue;
    if (!row)
      row = dot;
    auto end = std::find_if(op, ops.end(), [](Operation &next) { return isDot(&next); });
    if (op != end) {
      Results({op, end}, row).order();
      row = nullptr;
    }
    op = end;
  }
}
