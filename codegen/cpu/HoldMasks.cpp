//===- HoldMasks.cpp - Masks of codes in a register, for SVE -------------------------===//
//
// SVE's `and` with an immediate overwrites its operand: where the word is needed again, for the codes in its other bits,
// it is copied first. `and` of three registers does not, so the mask is made once a kernel and hidden from LLVM, which
// would write it into the instruction:
//
//   func.func @k(..) {                                   func.func @k(..) {
//     scf.for .. {                                         %m = llvm.inline_asm "", "=w,0" dense<0x0f0f0f0f>
//       %low = arith.andi %w, dense<0x0f0f0f0f>    ==>     scf.for .. {
//       %high = .. %w .. } }                                 %low = arith.andi %w, %m
//                                                            %high = .. %w .. } }
//
// One instruction less for every two words of a 4-bit format. A word that nothing else reads keeps its immediate.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerKernel.h"
#include "codegen/cpu/Registers.h"
#include "codegen/cpu/Scalable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace sinter;

namespace {

/// `mask` in all lanes of `type`, out of one register of `lanes`.
Value holdMask(OpBuilder &b, Location loc, VectorType type, const APInt &mask, int64_t lanes) {
  auto scalable = VectorType::get({4}, type.getElementType(), {true});
  Value held = b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(scalable, mask));
  held = cpu::hideInRegister(b, loc, held, "w");
  held = cpu::fromScalable(b, loc, VectorType::get({lanes}, type.getElementType()), held);
  return cpu::joinLanes(b, loc, SmallVector<Value>(type.getDimSize(0) / lanes, held));
}

struct HoldMasksPass : PassWrapper<HoldMasksPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(HoldMasksPass)
  HoldMasksPass() = default;
  HoldMasksPass(const HoldMasksPass &other) : PassWrapper(other) {}
  explicit HoldMasksPass(const Variant &variant) { lanes = variant.vectorBits / 32; }
  StringRef getArgument() const override { return "hold-masks"; }
  StringRef getDescription() const override { return "masks of codes in a register, for SVE"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
      OpBuilder b = OpBuilder::atBlockBegin(&function.front());
      DenseMap<std::pair<Type, uint64_t>, Value> masks;
      function.walk([&](arith::AndIOp op) {
        auto type = dyn_cast<VectorType>(op.getType());
        DenseElementsAttr constant;
        if (!type || !type.getElementType().isInteger(32) || type.getDimSize(0) % lanes || op.getLhs().hasOneUse() ||
            !matchPattern(op.getRhs(), m_Constant(&constant)) || !constant.isSplat())
          return;
        APInt mask = constant.getSplatValue<APInt>();
        Value &held = masks[{type, mask.getZExtValue()}];
        if (!held)
          held = holdMask(b, function.getLoc(), type, mask, lanes);
        op.getRhsMutable().assign(held);
      });
    }
  }
  Option<int64_t> lanes{*this, "lanes", llvm::cl::desc("words of 32 bits in a register"), llvm::cl::init(8)};
};

} // namespace

void cpu::registerHoldMasksPass() { PassRegistration<HoldMasksPass>(); }
std::unique_ptr<Pass> cpu::createHoldMasksPass(const Variant &variant) {
  return std::make_unique<HoldMasksPass>(variant);
}
