//===- VerifyPlan.cpp - Check a memory plan against the programs ----------===//
//
// Shares no code with the passes that make the plan, and does not compare intervals as they do: it
// runs each program on a memory that remembers, for every byte, whose value lies there.
//
//   write @x    the bytes belong to @x from now on
//   read @x     every byte must still belong to @x: nobody may have written over it, and somebody
//   must have written it
//
// Inside a group dispatches run at the same time: no address that one writes may be touched by
// another. Inside a dispatch a result may lie on an operand only where the kernel allows it
// (`over`), and then at the same address. Before that: each buffer has one place, aligned, of its
// size, inside its part of the memory; states and constants do not overlap; lifetimes, totals and
// the scratch are right.
//
//===----------------------------------------------------------------------===//
#include "passes/Passes.h"
#include "sinter/kernel_abi.h"
#include "llvm/ADT/StringMap.h"
#include <map>

namespace sinter {
#define GEN_PASS_DEF_VERIFYPLAN
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::exec;

namespace {

struct Range {
  int64_t begin, end;
  bool meets(Range other) const { return begin < other.end && other.begin < end; }
};

/// Whose value lies in each byte of the session's memory.
class OwnedMemory {
public:
  void write(Range range, StringRef owner) {
    split(range.begin);
    split(range.end);
    pieces.erase(pieces.lower_bound(range.begin), pieces.lower_bound(range.end));
    pieces[range.begin] = {range.end, owner};
  }

  /// The owner of the first byte of the range that does not belong to `reader`; "" if nobody wrote
  /// it; nothing if all do.
  std::optional<StringRef> stranger(Range range, StringRef reader) {
    split(range.begin);
    int64_t at = range.begin;
    for (auto piece = pieces.lower_bound(range.begin); at < range.end; ++piece) {
      if (piece == pieces.end() || piece->first != at)
        return StringRef();
      if (piece->second.owner != reader)
        return piece->second.owner;
      at = piece->second.end;
    }
    return std::nullopt;
  }

private:
  struct Piece {
    int64_t end;
    StringRef owner;
  };

  void split(int64_t at) {
    auto piece = pieces.upper_bound(at);
    if (piece == pieces.begin())
      return;
    --piece;
    if (piece->first < at && at < piece->second.end) {
      Piece rest = piece->second;
      piece->second.end = at;
      pieces[at] = rest;
    }
  }

  std::map<int64_t, Piece> pieces;
};

class Checker {
public:
  Checker(ModuleOp target, MemoryPlanOp plan) : target(target), plan(plan) {}
  LogicalResult run();

private:
  LogicalResult checkPlaces();
  LogicalResult checkConstants();
  LogicalResult checkScratch();
  LogicalResult runProgram(ProgramOp program);
  LogicalResult checkRace(DispatchOp one, DispatchOp other);
  LogicalResult checkInPlace(DispatchOp dispatch);
  LogicalResult checkLifetimes(ProgramOp program);
  LogicalResult read(DispatchOp dispatch, StringRef buffer, Range range, OwnedMemory &memory);

  /// Addresses that a binding may touch; empty for constants.
  std::optional<Range> addresses(BindingAttr binding);
  std::optional<Range> indexAddresses(BindingAttr binding);

  ModuleOp target;
  MemoryPlanOp plan;
  llvm::StringMap<BufferOp> buffers;
  llvm::StringMap<IntervalOp> intervals;
};

LogicalResult Checker::checkPlaces() {
  int64_t state = *plan.getStateBytes(), fixed = *plan.getFixedBytes(), kv = 0;
  std::map<int64_t, IntervalOp> states;
  for (IntervalOp interval : plan.getOps<IntervalOp>()) {
    auto known = buffers.find(interval.getBuffer());
    if (known == buffers.end())
      return interval.emitOpError() << "is of no buffer";
    BufferOp buffer = known->second;
    if (buffer.getBytes() != interval.getBytes())
      return interval.emitOpError()
             << "has " << interval.getBytes() << " bytes, its buffer " << buffer.getBytes();
    if (buffer.isConstant() || buffer.getProgramAttr() != interval.getProgramAttr())
      return interval.emitOpError() << "does not live as its buffer does";
    Range range{static_cast<int64_t>(*interval.getOffset()),
                static_cast<int64_t>(*interval.getOffset() + interval.getBytes())};
    if (range.begin % SINTER_KERNEL_ALIGNMENT)
      return interval.emitOpError() << "is at " << range.begin << ", which is not a multiple of "
                                    << SINTER_KERNEL_ALIGNMENT;
    Range part = buffer.isState() ? Range{0, state}
                                  : Range{state, fixed - int64_t(SINTER_KERNEL_READ_MARGIN)};
    if (range.begin < part.begin || range.end > part.end)
      return interval.emitOpError()
             << "is at [" << range.begin << ", " << range.end << "), outside its part ["
             << part.begin << ", " << part.end << ") of the memory";
    if (buffer.isState() && !states.insert({range.begin, interval}).second)
      return interval.emitOpError() << "is a state at the place of another one";
    if (buffer.getRole() == BufferRole::KVCache)
      kv += (range.end - range.begin + SINTER_KERNEL_ALIGNMENT - 1) / SINTER_KERNEL_ALIGNMENT *
            SINTER_KERNEL_ALIGNMENT;
    intervals[interval.getBuffer()] = interval;
  }
  int64_t end = 0;
  for (auto [begin, interval] : states) {
    if (begin < end)
      return interval.emitOpError() << "is a state that overlaps another one";
    end = begin + static_cast<int64_t>(interval.getBytes());
  }
  if (fixed % SINTER_KERNEL_ALIGNMENT || state % SINTER_KERNEL_ALIGNMENT ||
      static_cast<int64_t>(*plan.getKvBytes()) != kv)
    return plan.emitOpError() << "has state " << state << ", kv " << *plan.getKvBytes()
                              << ", fixed " << fixed << "; multiples of " << SINTER_KERNEL_ALIGNMENT
                              << " are wanted, and kv " << kv;
  return success();
}

LogicalResult Checker::checkConstants() {
  std::map<int64_t, BufferOp> places;
  for (BufferOp buffer : target.getOps<BufferOp>()) {
    if (!buffer.isConstant())
      continue;
    if (!buffer.getOffset())
      return buffer.emitOpError() << "has no place in the weights";
    if (!places.insert({static_cast<int64_t>(*buffer.getOffset()), buffer}).second)
      return buffer.emitOpError() << "is at the place of another constant";
  }
  int64_t end = 0;
  for (auto [begin, buffer] : places) {
    if (begin < end)
      return buffer.emitOpError() << "overlaps the constant before it";
    end = begin + static_cast<int64_t>(buffer.getBytes());
  }
  return success();
}

LogicalResult Checker::checkScratch() {
  for (Operation &nested : *target.getBody())
    if (auto variant = dyn_cast<ModuleOp>(nested))
      for (Operation &kernel : *variant.getBody())
        if (int64_t scratch = getKernelFacts(&kernel).scratchBytes;
            scratch > static_cast<int64_t>(*plan.getScratchBytes()))
          return kernel.emitOpError() << "wants " << scratch << " bytes of scratch, the plan has "
                                      << *plan.getScratchBytes();
  return success();
}

std::optional<Range> Checker::addresses(BindingAttr binding) {
  auto interval = intervals.find(binding.getBuffer().getValue());
  if (interval == intervals.end())
    return std::nullopt;
  int64_t place = *interval->second.getOffset(), bytes = interval->second.getBytes();
  int64_t size = binding.getSize() < 0 ? bytes - binding.getOffset() : binding.getSize();
  if (IndirectAttr indirect = binding.getIndirect())
    size += (indirect.getLimit() - 1) * indirect.getStride();
  return Range{place + binding.getOffset(), place + binding.getOffset() + size};
}

std::optional<Range> Checker::indexAddresses(BindingAttr binding) {
  IndirectAttr indirect = binding.getIndirect();
  if (!indirect)
    return std::nullopt;
  auto interval = intervals.find(indirect.getIndex().getValue());
  if (interval == intervals.end())
    return std::nullopt;
  int64_t at = static_cast<int64_t>(*interval->second.getOffset()) + 4 * indirect.getElement();
  return Range{at, at + 4};
}

LogicalResult Checker::read(DispatchOp dispatch, StringRef buffer, Range range,
                            OwnedMemory &memory) {
  std::optional<StringRef> stranger = memory.stranger(range, buffer);
  if (!stranger)
    return success();
  InFlightDiagnostic error = dispatch.emitOpError() << "reads @" << buffer << ", ";
  if (stranger->empty())
    return error << "which nothing has written";
  return error << "but @" << *stranger << " lies there by then";
}

LogicalResult Checker::checkRace(DispatchOp one, DispatchOp other) {
  for (BindingAttr written : one.getBindingList()) {
    std::optional<Range> range = addresses(written);
    if (!written.isWritten() || !range)
      continue;
    for (BindingAttr touched : other.getBindingList())
      for (std::optional<Range> others : {addresses(touched), indexAddresses(touched)})
        if (others && others->meets(*range))
          return other.emitOpError()
                 << "touches " << touched.getBuffer() << " at the place of " << written.getBuffer()
                 << ", which " << one.getKernelAttr() << " writes in the same group";
  }
  return success();
}

LogicalResult Checker::checkInPlace(DispatchOp dispatch) {
  for (auto [i, result] : llvm::enumerate(dispatch.getBindingList())) {
    std::optional<Range> range = addresses(result);
    if (!result.isWritten() || !range)
      continue;
    for (auto [j, operand] : llvm::enumerate(dispatch.getBindingList())) {
      std::optional<Range> others = addresses(operand);
      if (i == j || !others || !others->meets(*range))
        continue;
      bool allowed = llvm::is_contained(result.getOver(), static_cast<int64_t>(j)) &&
                     others->begin == range->begin;
      if (!allowed)
        return dispatch.emitOpError() << "writes " << result.getBuffer() << " over its operand "
                                      << operand.getBuffer() << ", which its kernel does not allow";
    }
  }
  return success();
}

LogicalResult Checker::checkLifetimes(ProgramOp program) {
  llvm::StringMap<Range> seen;
  int64_t number = 0;
  for (GroupOp group : program.getOps<GroupOp>()) {
    group.walk([&](DispatchOp dispatch) {
      for (BindingAttr binding : dispatch.getBindingList()) {
        seen.insert({binding.getBuffer().getValue(), {number, number}}).first->second.end = number;
        if (IndirectAttr indirect = binding.getIndirect())
          seen.insert({indirect.getIndex().getValue(), {number, number}}).first->second.end =
              number;
      }
    });
    ++number;
  }
  for (auto &[name, life] : seen) {
    BufferOp buffer = buffers.lookup(name);
    IntervalOp interval = intervals.lookup(name);
    if (buffer.isConstant())
      continue;
    if (!interval)
      return program.emitOpError() << "uses @" << name << ", which has no place";
    if (buffer.isTransient() && (life.begin != static_cast<int64_t>(*interval.getFirst()) ||
                                 life.end != static_cast<int64_t>(*interval.getLast())))
      return interval.emitOpError()
             << "lives in [" << *interval.getFirst() << ", " << *interval.getLast()
             << "], its buffer in [" << life.begin << ", " << life.end << "]";
  }
  return success();
}

LogicalResult Checker::runProgram(ProgramOp program) {
  OwnedMemory memory;
  for (IntervalOp interval : plan.getOps<IntervalOp>())
    if (!interval.getProgram()) {
      int64_t at = *interval.getOffset();
      memory.write({at, at + static_cast<int64_t>(interval.getBytes())}, interval.getBuffer());
    }
  for (GroupOp group : program.getOps<GroupOp>()) {
    auto dispatches = llvm::to_vector(group.getOps<DispatchOp>());
    for (DispatchOp one : dispatches) {
      if (failed(checkInPlace(one)))
        return failure();
      for (DispatchOp other : dispatches)
        if (one != other && failed(checkRace(one, other)))
          return failure();
      for (BindingAttr binding : one.getBindingList()) {
        std::optional<Range> index = indexAddresses(binding);
        if (index && failed(read(one, binding.getIndirect().getIndex().getValue(), *index, memory)))
          return failure();
        std::optional<Range> range = addresses(binding);
        if (range && binding.isRead() &&
            failed(read(one, binding.getBuffer().getValue(), *range, memory)))
          return failure();
      }
    }
    for (DispatchOp dispatch : dispatches)
      for (BindingAttr binding : dispatch.getBindingList())
        if (std::optional<Range> range = addresses(binding); range && binding.isWritten())
          memory.write(*range, binding.getBuffer().getValue());
  }
  return success();
}

LogicalResult Checker::run() {
  if (!plan.isPlanned())
    return plan.emitOpError() << "is not made: run plan-memory before";
  for (BufferOp buffer : target.getOps<BufferOp>())
    buffers[buffer.getSymName()] = buffer;
  if (failed(checkPlaces()) || failed(checkConstants()) || failed(checkScratch()))
    return failure();
  for (ProgramOp program : target.getOps<ProgramOp>())
    if (failed(checkLifetimes(program)) || failed(runProgram(program)))
      return failure();
  return success();
}

struct VerifyPlan : sinter::impl::VerifyPlanBase<VerifyPlan> {
  void runOnOperation() override {
    for (ModuleOp target : getTargetModules(getOperation())) {
      auto plans = llvm::to_vector(target.getOps<MemoryPlanOp>());
      if (plans.size() != 1) {
        target.emitError() << "has " << plans.size() << " memory plans; one is wanted";
        return signalPassFailure();
      }
      if (failed(Checker(target, plans.front()).run()))
        return signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};

} // namespace
