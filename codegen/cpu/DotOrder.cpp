//===- DotOrder.cpp - Where the operands of dots are made ---------------------------===//
//
//   %x0, %x1, .. = loads                                  %l = load
//   %l = load                                             %x0 = load
//   %q = arith.andi %l, 0x0f0f0f0f                        %q = arith.andi %l, 0x0f0f0f0f
//   %a0 = dot %s0, %q, %x0                         ==>    %x1 = load
//   %a1 = dot %s1, %q, %x0                                %a0 = dot %s0, %q, %x0
//   ..                                                    %a1 = dot %s1, %q, %x0
//   %a8 = dot %s8, %q, %x1                                ..
//   ..                                                    %x2 = load
//                                                         %a8 = dot %s8, %q, %x1 ..
//
// A core that runs instructions in order waits for an operand that is not there yet, so what makes it stands `ahead` dots in
// front of its use: made later it would be waited for, made earlier it would take registers, of which a block of many
// tokens has none left. LLVM is told to leave them there (Ordering, codegen/Targets.h); ScheduleLoops.cpp moves on from this
// order where there are registers.
//
// makeLanes() takes unpacking apart by registers, so that each can stand by its dot:
//
//   %l = load : vector<32xi32>                            %l0 = load : vector<4xi32>, ..
//   %q = arith.andi %l, 0x0f0f0f0f                 ==>    %q0 = arith.andi %l0, 0x0f0f0f0f, ..
//   lanes 0 .. 3 of %q                                    %q0
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/DotOrder.h"
#include "codegen/cpu/Registers.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sinter;

namespace {

/// Up to which distance other ops stand between single dots.
constexpr int64_t kFewAhead = 4;
/// Starts of sums are loaded between the first dots: one of these and one load a cycle.
constexpr int64_t kInitAhead = 2;

/// Of the tile program's those that are not lowered yet, because they stand behind the dots.
bool isLoad(Operation *op) { return isa<LLVM::LoadOp, tile::LoadOp, tile::LoadUniformOp>(op); }

/// A copy that LLVM must not merge with another has effects for it alone.
bool makesOnly(Operation *op) { return isMemoryEffectFree(op) || isa<LLVM::InlineAsmOp>(op); }

/// Takes no instruction: names registers, or becomes part of the dot.
bool isFree(Operation *op) {
  if (auto shuffle = dyn_cast<vector::ShuffleOp>(op); shuffle && shuffle.getV1() != shuffle.getV2())
    return false;
  return isa<vector::BitCastOp, arith::BitcastOp, vector::ExtractOp, vector::ExtractStridedSliceOp, vector::FromElementsOp,
             vector::InsertStridedSliceOp, vector::ShuffleOp>(op);
}

class Placement {
public:
  Placement(ArrayRef<cpu::DotStep> steps, int64_t ahead)
      : steps(steps), block(steps.front().first->getBlock()), ahead(ahead), group(ahead > kFewAhead ? ahead : 0) {}

  void run() {
    for (auto [i, step] : llvm::enumerate(steps)) {
      auto place = static_cast<int64_t>(i);
      for (Value operand : step.operands)
        visit(operand, place, ahead, group);
      if (step.init)
        visit(step.init, place, group ? place - place / 2 + kInitAhead : kInitAhead, 1);
    }
    visitLater();
    // What stays keeps what it reads.
    for (bool changed = true; changed;) {
      size_t before = places.size();
      places.remove_if([&](auto &item) { return !isMovable(item.first); });
      changed = places.size() != before;
    }
    SmallVector<std::pair<Operation *, int64_t>> makers(places.begin(), places.end());
    llvm::sort(makers, [](auto &a, auto &b) { return a.first->isBeforeInBlock(b.first); });
    llvm::stable_sort(makers, llvm::less_second());
    for (auto [op, place] : makers)
      op->moveBefore(steps[std::clamp<int64_t>(place, 0, static_cast<int64_t>(steps.size()) - 1)].first);
  }

private:
  /// Of a value that is read at `use`.
  void visit(Value value, int64_t use, int64_t ahead, int64_t group) {
    Operation *op = value.getDefiningOp();
    bool load = op && isLoad(op);
    if (!op || op->getBlock() != block || !op->isBeforeInBlock(steps.front().first) ||
        (!load && (!makesOnly(op) || op->getNumRegions() || !op->getNumOperands())))
      return;
    // A bit cast of arithmetic stands with it: LLVM takes it through to the operands.
    Operation *source = isa<vector::BitCastOp>(op) ? op->getOperand(0).getDefiningOp() : nullptr;
    bool cast = source && !isLoad(source) && !isFree(source);
    int64_t place = isFree(op) && !cast ? use : use - ahead;
    // Neighbouring loads become one instruction; and a cycle in which no dot begins has room for what two or three dots need.
    if (place < use && group > 1)
      place = llvm::divideFloorSigned(place, group) * group;
    auto [item, isNew] = places.insert({op, place});
    if (!isNew && item->second <= place)
      return;
    item->second = place;
    // Addresses stay where they are.
    for (Value operand : load ? ValueRange() : ValueRange(op->getOperands())) {
      // All arithmetic of a word stands together: in between it would take registers.
      Operation *maker = operand.getDefiningOp();
      bool together = cast || (!isFree(op) && maker && !isLoad(maker) && !isFree(maker));
      visit(operand, together ? use : place, ahead, group);
    }
  }

  /// What was loaded in front of the dots for the ops behind them.
  void visitLater() {
    Operation *first = steps.front().first, *last = steps.back().first;
    for (Operation *op = first->getPrevNode(); op; op = op->getPrevNode())
      if (isLoaded(op) && !op->use_empty() && llvm::all_of(op->getUsers(), [&](Operation *user) {
            Operation *here = block->findAncestorOpInBlock(*user);
            return here && last->isBeforeInBlock(here) && !isa<tile::DotOp, tile::DotPairsOp>(here);
          }))
        visit(op->getResult(0), static_cast<int64_t>(steps.size()), ahead, group);
  }

  /// A vector that is loaded, or made of one that is, or a number of it.
  bool isLoaded(Operation *op) {
    if (op->getBlock() != block || op->getNumResults() != 1 ||
        !(isa<VectorType>(op->getResult(0).getType()) || isa<vector::ExtractOp>(op)))
      return false;
    if (isLoad(op))
      return true;
    return makesOnly(op) && op->getNumOperands() && llvm::all_of(op->getOperands(), [&](Value v) {
             return v == op->getOperand(0) && v.getDefiningOp() && isLoaded(v.getDefiningOp());
           });
  }

  /// Whether all that reads it moves too, or stands behind, and nothing is stored in between.
  bool isMovable(Operation *op) {
    Operation *first = steps.front().first;
    for (Operation *user : op->getUsers()) {
      Operation *here = block->findAncestorOpInBlock(*user);
      if (!here || (here->isBeforeInBlock(first) && !places.contains(here)))
        return false;
    }
    if (isLoad(op))
      for (Operation *next = op->getNextNode(); next != first; next = next->getNextNode())
        if (!makesOnly(next) && !isLoad(next) && !isa<LLVM::Prefetch>(next))
          return false;
    return true;
  }

  ArrayRef<cpu::DotStep> steps;
  Block *block;
  int64_t ahead, group;
  llvm::MapVector<Operation *, int64_t> places;
};

} // namespace

SmallVector<size_t> cpu::orderByLine(ValueRange codes) {
  llvm::MapVector<Operation *, SmallVector<size_t>> lines;
  for (auto [q, code] : llvm::enumerate(codes)) {
    Operation *op = code.getDefiningOp();
    while (op && !isa<LLVM::LoadOp>(op))
      op = op->getNumOperands() ? op->getOperand(0).getDefiningOp() : nullptr;
    lines[op].push_back(q);
  }
  SmallVector<size_t> order;
  for (auto &[line, words] : lines)
    llvm::append_range(order, words);
  return order;
}

SmallVector<size_t> cpu::orderOfWords(ValueRange codes) {
  SmallVector<size_t> order = orderByLine(codes);
  size_t half = order.size() / 2;
  if (order.size() % 4 == 0 && llvm::is_sorted(order))
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = i % 2 * half + i / 2;
  return order;
}

void cpu::copyStarts(OpBuilder &b, Value init, MutableArrayRef<Value> sums) {
  bool isZero = matchPattern(init, m_Zero());
  Operation *maker = init.getDefiningOp();
  if (!isZero && (sums.size() == 1 || !isa_and_nonnull<vector::BroadcastOp, vector::ShuffleOp>(maker)))
    return;
  // The last copy would be in place of the original.
  for (Value &sum : sums.drop_back(isZero ? 0 : 1))
    sum = b.create<LLVM::InlineAsmOp>(init.getLoc(), sum.getType(), isZero ? ValueRange() : ValueRange(sum),
                                      isZero ? "movi $0.2d, #0" : "mov $0.16b, $1.16b", isZero ? "=w" : "=w,w",
                                      /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::AsmDialectAttr(),
                                      ArrayAttr())
              .getRes();
}

void cpu::placeOperands(ArrayRef<DotStep> steps, int64_t ahead) { Placement(steps, ahead).run(); }

Value cpu::makeLanes(OpBuilder &b, Value v, int64_t first, int64_t count, MadeLanes &made) {
  auto type = cast<VectorType>(v.getType());
  if (type.getDimSize(0) == count)
    return v;
  Value &known = made[{v, first}];
  if (known)
    return known;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(v);
  Location loc = v.getLoc();
  Operation *op = v.getDefiningOp();
  auto part = VectorType::get({count}, type.getElementType());
  Value result;
  if (auto load = dyn_cast_or_null<LLVM::LoadOp>(op)) {
    auto bytes = static_cast<int32_t>(first * type.getElementTypeBitWidth() / 8);
    Value address = load.getAddr();
    address = b.create<LLVM::GEPOp>(loc, address.getType(), b.getI8Type(), address, ArrayRef<LLVM::GEPArg>{bytes});
    result = b.create<LLVM::LoadOp>(loc, part, address, load.getAlignment().value_or(0));
  } else if (auto zip = dyn_cast_or_null<vector::InterleaveOp>(op)) {
    SmallVector<int64_t> mask;
    for (int64_t lane = first; lane < first + count; ++lane)
      mask.push_back(lane / 2 + lane % 2 * (type.getDimSize(0) / 2));
    result = b.create<vector::ShuffleOp>(loc, zip.getLhs(), zip.getRhs(), mask);
  } else if (auto cast = dyn_cast_or_null<vector::BitCastOp>(op)) {
    int64_t lanes = cast.getSourceVectorType().getDimSize(0), all = type.getDimSize(0);
    Value source = makeLanes(b, cast.getSource(), first * lanes / all, count * lanes / all, made);
    b.setInsertionPointAfterValue(v);
    result = b.create<vector::BitCastOp>(loc, part, source);
  } else if (DenseElementsAttr splat; matchPattern(v, m_Constant(&splat)) && splat.isSplat()) {
    result = b.create<arith::ConstantOp>(loc, splat.resizeSplat(part));
  } else if (op && op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(makeLanes(b, operand, first, count, made));
    b.setInsertionPointAfterValue(v);
    OperationState state(loc, op->getName(), operands, {part}, op->getAttrs());
    result = b.create(state)->getResult(0);
  } else {
    result = lanesOf(b, loc, v, first, count);
  }
  return made[{v, first}] = result;
}
