//===- PlanMemory.cpp - Give every buffer its place -----------------------===//
//
// States come first, one after the other. Behind them the arena, which all programs share, because
// only one runs at a time:
//
//          group 0    1    2    3                     offset
//   @a       ######                                   0     @a, then @c in its place (`over`)
//   @b       ###########                ==>           256   @b
//   @c            ###########                         512   @d: over @b's bytes only after its last
//   group
//   @d                      ######
//
// 1. A buffer that may take the place of an operand does: chains of such buffers become one slot,
// which lives from the
//    first one's first group to the last one's last.
// 2. Slots are placed one by one, each into the smallest gap between the placed ones that live at
// the same time. This is
//    done in three orders (bytes, bytes x groups, first group) and the smallest arena is kept;
//    largest first is mostly the best (Pisarchyk and Lee 2020, "Efficient memory management for
//    deep neural net inference"), and a few hundred slots cost nothing.
//
// Places are multiples of the kernel ABI's alignment, and its read margin ends the memory.
// Constants get their places in the weights segment here too, in the order in which they stand.
// Which remarks come: the arena and the most bytes that are alive at once, below which no plan can
// go.
//
//===----------------------------------------------------------------------===//
#include "mlir/IR/Builders.h"
#include "passes/Passes.h"
#include "sinter/kernel_abi.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/MathExtras.h"

namespace sinter {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::exec;

namespace {

/// Buffers that share one place, one after the other.
struct Slot {
  SmallVector<IntervalOp> members;
  StringAttr program;
  int64_t first, last, bytes;
  int64_t offset = 0;

  bool livesWith(const Slot &other) const {
    return program == other.program && first <= other.last && other.first <= last;
  }
};

int64_t aligned(int64_t bytes) { return llvm::alignTo(bytes, SINTER_KERNEL_ALIGNMENT); }

/// Step 1. Intervals come in the order of their first group, so that an operand's slot exists
/// before its taker's. A slot is taken over at most once at a time: its last member must be the
/// operand.
std::vector<Slot> makeSlots(MemoryPlanOp plan, int64_t &inPlace) {
  std::vector<Slot> slots;
  for (IntervalOp interval : plan.getOps<IntervalOp>()) {
    if (!interval.getProgram())
      continue;
    Slot *place = nullptr;
    if (ArrayAttr over = interval.getOverAttr())
      for (Slot &slot : slots)
        if (llvm::is_contained(over, Attribute(slot.members.back().getBufferAttr())) &&
            slot.bytes >= aligned(interval.getBytes()) && (!place || slot.bytes < place->bytes))
          place = &slot;
    if (!place) {
      slots.push_back({{},
                       interval.getProgramAttr().getAttr(),
                       static_cast<int64_t>(*interval.getFirst()),
                       0,
                       aligned(interval.getBytes())});
      place = &slots.back();
    } else {
      ++inPlace;
    }
    place->members.push_back(interval);
    place->last = *interval.getLast();
  }
  return slots;
}

/// The smallest gap that holds `slot` between the placed slots that live with it; the end of the
/// highest if there is none.
int64_t bestFit(const Slot &slot, ArrayRef<const Slot *> placed) {
  SmallVector<const Slot *> neighbours;
  for (const Slot *other : placed)
    if (slot.livesWith(*other))
      neighbours.push_back(other);
  llvm::stable_sort(neighbours, [](const Slot *a, const Slot *b) { return a->offset < b->offset; });
  int64_t end = 0, best = -1, bestGap = 0;
  for (const Slot *other : neighbours) {
    int64_t gap = other->offset - end;
    if (gap >= slot.bytes && (best < 0 || gap < bestGap)) {
      best = end;
      bestGap = gap;
    }
    end = std::max(end, other->offset + other->bytes);
  }
  return best < 0 ? end : best;
}

/// Step 2 in one order; returns the arena's bytes.
int64_t place(std::vector<Slot> &slots, function_ref<bool(const Slot &, const Slot &)> before) {
  SmallVector<Slot *> order;
  for (Slot &slot : slots)
    order.push_back(&slot);
  llvm::stable_sort(order, [&](Slot *a, Slot *b) { return before(*a, *b); });
  SmallVector<const Slot *> placed;
  int64_t end = 0;
  for (Slot *slot : order) {
    slot->offset = bestFit(*slot, placed);
    placed.push_back(slot);
    end = std::max(end, slot->offset + slot->bytes);
  }
  return end;
}

int64_t placeBest(std::vector<Slot> &slots) {
  using Order = bool (*)(const Slot &, const Slot &);
  const Order orders[] = {
      [](const Slot &a, const Slot &b) { return a.bytes > b.bytes; },
      [](const Slot &a, const Slot &b) {
        return static_cast<double>(a.bytes) * (a.last - a.first + 1) >
               static_cast<double>(b.bytes) * (b.last - b.first + 1);
      },
      [](const Slot &a, const Slot &b) { return a.first < b.first; },
  };
  std::vector<Slot> best;
  int64_t bestBytes = -1;
  for (Order order : orders) {
    std::vector<Slot> attempt = slots;
    int64_t bytes = place(attempt, order);
    if (bestBytes < 0 || bytes < bestBytes) {
      bestBytes = bytes;
      best = std::move(attempt);
    }
  }
  slots = std::move(best);
  return bestBytes;
}

/// The most bytes alive in one group of one program.
int64_t mostAlive(ArrayRef<Slot> slots) {
  int64_t most = 0;
  for (const Slot &at : slots) {
    int64_t alive = 0;
    for (const Slot &other : slots)
      if (other.program == at.program && other.first <= at.first && at.first <= other.last)
        alive += other.bytes;
    most = std::max(most, alive);
  }
  return most;
}

int64_t placeConstants(ModuleOp target) {
  OpBuilder builder(target.getContext());
  int64_t end = 0;
  for (BufferOp buffer : target.getOps<BufferOp>())
    if (buffer.isConstant()) {
      int64_t offset = llvm::alignTo(end, kConstantAlignment);
      buffer.setOffsetAttr(builder.getI64IntegerAttr(offset));
      end = offset + static_cast<int64_t>(buffer.getBytes());
    }
  return end;
}

/// The largest scratch of a kernel of any variant.
int64_t largestScratch(ModuleOp target) {
  int64_t most = 0;
  for (ModuleOp variant : getVariantModules(target))
    for (Operation &kernel : *variant.getBody())
      most = std::max(most, getKernelFacts(&kernel).scratchBytes);
  return aligned(most);
}

struct PlanMemory : sinter::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    for (ModuleOp target : getTargetModules(getOperation())) {
      placeConstants(target);
      for (MemoryPlanOp plan : target.getOps<MemoryPlanOp>())
        planOne(target, plan);
    }
  }

  void planOne(ModuleOp target, MemoryPlanOp plan) {
    OpBuilder builder(plan);
    SymbolTable symbols(target);
    int64_t state = 0, kv = 0, reused = 0;
    for (IntervalOp interval : plan.getOps<IntervalOp>()) {
      if (interval.getProgram())
        continue;
      interval.setOffset(state);
      int64_t bytes = aligned(interval.getBytes());
      state += bytes;
      auto buffer = symbols.lookup<BufferOp>(interval.getBuffer());
      if (buffer && buffer.getRole() == BufferRole::KVCache)
        kv += bytes;
    }
    std::vector<Slot> slots = makeSlots(plan, reused);
    int64_t arena = slots.empty() ? 0 : placeBest(slots);
    for (Slot &slot : slots)
      for (IntervalOp interval : slot.members)
        interval.setOffset(state + slot.offset);
    plan.setStateBytesAttr(builder.getI64IntegerAttr(state));
    plan.setKvBytesAttr(builder.getI64IntegerAttr(kv));
    plan.setFixedBytesAttr(
        builder.getI64IntegerAttr(state + arena + aligned(SINTER_KERNEL_READ_MARGIN)));
    plan.setScratchBytesAttr(builder.getI64IntegerAttr(largestScratch(target)));
    inPlace += reused;
    arenaBytes += arena;
    emitRemark(plan.getLoc()) << "arena of " << arena << " bytes; " << mostAlive(slots)
                              << " are alive at once, " << reused
                              << " buffers take the place of an operand";
  }
};

} // namespace
