//===- BuildMemoryPlan.cpp - Write down how long each buffer lives --------===//
//
// A transient lives from the first group of its program that touches it to the last one; a state
// lives always. Constants are no part of the session's memory.
//
//   exec.program @decode {                              exec.memory_plan {
//     exec.group { @a(read @in, write @x) }               exec.interval @in bytes 64
//     exec.group { @b(read @x, write @y over [0]) }  ==>  exec.interval @x bytes 256 in @decode
//     live[0, 1] exec.group { @c(read @y, write @in) }               exec.interval @y bytes 256 in
//     @decode live[1, 2] over [@x]
//   }                                                   }
//
// @y may take the place of @x: its kernel allows it (`over`), and nothing reads @x in or after that
// group but this binding. Buffers that no program touches get no interval.
//
//===----------------------------------------------------------------------===//
#include "mlir/IR/Builders.h"
#include "passes/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace sinter {
#define GEN_PASS_DEF_BUILDMEMORYPLAN
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::exec;

namespace {

struct Lifetime {
  int64_t first, last;
  SmallVector<Attribute> over;
};

/// Lifetimes of one program's transients, in the order in which they appear.
using Lifetimes = llvm::MapVector<StringRef, Lifetime>;

class Builder {
public:
  explicit Builder(ModuleOp target) : target(target), symbols(target) {}
  LogicalResult run();

private:
  bool isTransient(StringRef buffer) { return symbols.lookup<BufferOp>(buffer).isTransient(); }
  LogicalResult measure(ProgramOp program, Lifetimes &lifetimes);
  void findPlacesToTake(ProgramOp program, Lifetimes &lifetimes);
  bool isLastUse(DispatchOp dispatch, BindingAttr result, BindingAttr operand,
                 const Lifetime &operandLife, int64_t group);
  void emit(OpBuilder &builder, BufferOp buffer, ProgramOp program, const Lifetime *life);

  ModuleOp target;
  SymbolTable symbols;
};

/// All buffers that a dispatch touches, indices of indirect bindings included.
void forEachUse(DispatchOp dispatch, function_ref<void(StringRef buffer, Access access)> use) {
  for (BindingAttr binding : dispatch.getBindingList()) {
    use(binding.getBuffer().getValue(), binding.getAccess());
    if (IndirectAttr indirect = binding.getIndirect())
      use(indirect.getIndex().getValue(), Access::Read);
  }
}

LogicalResult Builder::measure(ProgramOp program, Lifetimes &lifetimes) {
  for (auto [number, group] : llvm::enumerate(program.getOps<GroupOp>())) {
    auto at = static_cast<int64_t>(number);
    for (DispatchOp dispatch : group.getOps<DispatchOp>()) {
      LogicalResult result = success();
      forEachUse(dispatch, [&](StringRef buffer, Access access) {
        if (!isTransient(buffer))
          return;
        auto [life, isNew] = lifetimes.insert({buffer, {at, at, {}}});
        life->second.last = at;
        if (isNew && access != Access::Write)
          result = dispatch.emitOpError() << "reads @" << buffer << ", which nothing has written";
      });
      if (failed(result))
        return failure();
    }
  }
  return success();
}

/// True if after `result` is written over `operand` by `dispatch`, nobody misses the operand.
bool Builder::isLastUse(DispatchOp dispatch, BindingAttr result, BindingAttr operand,
                        const Lifetime &operandLife, int64_t group) {
  if (operandLife.last != group || operand.getOffset() || operand.getSize() >= 0 ||
      operand.getIndirect())
    return false;
  // Other dispatches of the group run at the same time, in any order.
  for (DispatchOp other : dispatch->getParentOfType<GroupOp>().getOps<DispatchOp>()) {
    bool reads = false;
    forEachUse(other, [&](StringRef buffer, Access) {
      reads |= buffer == operand.getBuffer().getValue();
    });
    if (other != dispatch && reads)
      return false;
  }
  // Another binding of the same buffer must be one that the kernel allows as well.
  for (auto [number, binding] : llvm::enumerate(dispatch.getBindingList()))
    if (binding.getBuffer() == operand.getBuffer() &&
        !llvm::is_contained(result.getOver(), static_cast<int64_t>(number)))
      return false;
  return true;
}

void Builder::findPlacesToTake(ProgramOp program, Lifetimes &lifetimes) {
  for (auto [number, group] : llvm::enumerate(program.getOps<GroupOp>()))
    for (DispatchOp dispatch : group.getOps<DispatchOp>())
      for (BindingAttr result : dispatch.getBindingList()) {
        auto at = static_cast<int64_t>(number);
        auto life = lifetimes.find(result.getBuffer().getValue());
        if (result.getOver().empty() || life == lifetimes.end() || life->second.first != at)
          continue;
        for (int64_t index : result.getOver()) {
          BindingAttr operand = dispatch.getBinding(index);
          auto operandLife = lifetimes.find(operand.getBuffer().getValue());
          if (operandLife != lifetimes.end() &&
              isLastUse(dispatch, result, operand, operandLife->second, at) &&
              !llvm::is_contained(life->second.over, operand.getBuffer()))
            life->second.over.push_back(operand.getBuffer());
        }
      }
}

void Builder::emit(OpBuilder &builder, BufferOp buffer, ProgramOp program, const Lifetime *life) {
  auto number = [&](int64_t value) {
    return life ? builder.getI64IntegerAttr(value) : IntegerAttr();
  };
  builder.create<IntervalOp>(
      buffer.getLoc(), FlatSymbolRefAttr::get(buffer.getSymNameAttr()),
      builder.getI64IntegerAttr(buffer.getBytes()),
      life ? FlatSymbolRefAttr::get(program.getSymNameAttr()) : FlatSymbolRefAttr(),
      number(life ? life->first : 0), number(life ? life->last : 0),
      life && !life->over.empty() ? builder.getArrayAttr(life->over) : ArrayAttr(), IntegerAttr());
}

LogicalResult Builder::run() {
  for (MemoryPlanOp old : llvm::make_early_inc_range(target.getOps<MemoryPlanOp>()))
    old.erase();
  auto builder = OpBuilder::atBlockEnd(target.getBody());
  auto plan = builder.create<MemoryPlanOp>(target.getLoc());
  builder.setInsertionPointToEnd(&plan.getBody().front());
  for (BufferOp buffer : target.getOps<BufferOp>())
    if (buffer.isState())
      emit(builder, buffer, {}, nullptr);
  for (ProgramOp program : target.getOps<ProgramOp>()) {
    Lifetimes lifetimes;
    if (failed(measure(program, lifetimes)))
      return failure();
    findPlacesToTake(program, lifetimes);
    for (auto &[name, life] : lifetimes)
      emit(builder, symbols.lookup<BufferOp>(name), program, &life);
  }
  return success();
}

struct BuildMemoryPlan : sinter::impl::BuildMemoryPlanBase<BuildMemoryPlan> {
  void runOnOperation() override {
    for (ModuleOp target : getTargetModules(getOperation()))
      if (failed(Builder(target).run()))
        return signalPassFailure();
  }
};

} // namespace
