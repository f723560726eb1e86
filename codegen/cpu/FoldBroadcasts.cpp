//===- FoldBroadcasts.cpp - Numbers that are multiplied as memory operands ------------===//
//
// A number in all lanes that multiplies several registers is loaded once for each of them, so that LLVM makes it an operand of
// each multiply-add instead of a register:
//
//   %x = llvm.load %p : f32                            %x = llvm.load %p : f32
//   %b = vector.broadcast %x : vector<32xf32>          %q = %p, from a base that is hidden in a register of its own
//   %f = math.fma %w, %b, %acc                    ==>  %y = llvm.load %q : f32
//                                                      %f0 = math.fma (lanes 0 .. 15 of %w), (%x in all lanes), ..
//                                                      %f1 = math.fma (lanes 16 .. 31 of %w), (%y in all lanes), ..
//                                                      %f = %f0 | %f1
//
// Without a base of its own the second load would be the first one again. On Zen 4 eight multiply-adds of 512 bits beside the
// conversions of two registers of halves, which attention of one token does for each line of the cache, take 7.9 cycles so, and 9.9
// with four broadcasts in registers (loops of these instructions alone; without conversions it is 7.9 both ways).
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerKernel.h"
#include "codegen/cpu/Registers.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace sinter;

namespace {

constexpr int64_t kLanes = 16;

/// A number that is loaded where it is broadcast, and used nowhere else.
LLVM::LoadOp loadOf(Value v) {
  auto broadcast = v.getDefiningOp<vector::BroadcastOp>();
  if (!broadcast || !broadcast->hasOneUse())
    return {};
  auto load = broadcast.getSource().getDefiningOp<LLVM::LoadOp>();
  return load && load->hasOneUse() && load->getBlock() == broadcast->getBlock() ? load : LLVM::LoadOp();
}

class Folder {
public:
  void fold(math::FmaOp fma) {
    auto type = dyn_cast<VectorType>(fma.getType());
    if (!type || type.getRank() != 1 || !type.getElementType().isF32() || type.getDimSize(0) <= kLanes ||
        type.getDimSize(0) % kLanes)
      return;
    bool first = static_cast<bool>(loadOf(fma.getA()));
    LLVM::LoadOp load = loadOf(first ? fma.getA() : fma.getB());
    if (!load || load->getBlock() != fma->getBlock())
      return;
    OpBuilder b(fma);
    Location loc = fma.getLoc();
    Value factor = first ? fma.getB() : fma.getA();
    auto line = VectorType::get({kLanes}, type.getElementType());
    SmallVector<Value> parts;
    for (int64_t lane = 0; lane < type.getDimSize(0); lane += kLanes) {
      Value number = lane ? loadAgain(load, lane / kLanes - 1) : load.getResult();
      Value all = b.create<vector::BroadcastOp>(loc, line, number);
      Value some = cpu::lanesOf(b, loc, factor, lane, kLanes), acc = cpu::lanesOf(b, loc, fma.getC(), lane, kLanes);
      parts.push_back(b.create<math::FmaOp>(loc, some, all, acc));
    }
    Operation *broadcast = (first ? fma.getA() : fma.getB()).getDefiningOp();
    fma.replaceAllUsesWith(cpu::joinLanes(b, loc, parts));
    fma.erase();
    broadcast->erase();
  }

private:
  /// The same load from copy `number` of its base.
  Value loadAgain(LLVM::LoadOp load, size_t number) {
    SmallVector<LLVM::GEPOp> steps;
    Value base = load.getAddr();
    while (auto step = base.getDefiningOp<LLVM::GEPOp>()) {
      steps.push_back(step);
      base = step.getBase();
    }
    OpBuilder b(load.getContext());
    SmallVector<Value> &copies = bases[base];
    while (copies.size() <= number) {
      // A copy of the copy: two pieces of assembly with the same operand are one to LLVM.
      Value last = copies.empty() ? base : copies.back();
      b.setInsertionPointAfterValue(last);
      copies.push_back(cpu::hideInRegister(b, load.getLoc(), last, "r"));
    }
    b.setInsertionPointAfter(load);
    Value address = copies[number];
    for (LLVM::GEPOp step : llvm::reverse(steps)) {
      IRMapping map;
      map.map(step.getBase(), address);
      address = b.clone(*step, map)->getResult(0);
    }
    return b.create<LLVM::LoadOp>(load.getLoc(), load.getType(), address);
  }

  DenseMap<Value, SmallVector<Value>> bases;
};

struct FoldBroadcastsPass : PassWrapper<FoldBroadcastsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FoldBroadcastsPass)
  StringRef getArgument() const override { return "fold-broadcasts"; }
  StringRef getDescription() const override { return "numbers that multiply several registers as memory operands"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    getOperation()->walk([](func::FuncOp function) {
      SmallVector<math::FmaOp> all;
      function.walk([&](math::FmaOp fma) { all.push_back(fma); });
      Folder folder;
      for (math::FmaOp fma : all)
        folder.fold(fma);
    });
  }
};

} // namespace

void cpu::registerFoldBroadcastsPass() { PassRegistration<FoldBroadcastsPass>(); }
std::unique_ptr<Pass> cpu::createFoldBroadcastsPass() { return std::make_unique<FoldBroadcastsPass>(); }
