//===- VerifyQuantized.cpp - What holds after quantize ---------------------===//
//
// From here on every function is in the module of a target, and the activations are the target's:
//  * i8: every layer with integer weights reads !llm.acts (and no other can: the op's verifier);
//  * f32: no value is quantized.
//
//===----------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_VERIFYQUANTIZED
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

LogicalResult verifyActivations(Operation *op, exec::Activations activations) {
  if (activations == exec::Activations::F32) {
    if (::llvm::any_of(op->getResultTypes(), [](Type type) { return isa<ActsType>(type); }))
      return op->emitOpError("quantizes activations; those of its target are f32");
    return success();
  }
  if (!isa<LinearOp, LinearScoreOp>(op) || isa<ActsType>(op->getOperand(0).getType()))
    return success();
  for (Value operand : op->getOperands())
    if (isa<WeightType, PackedType>(operand.getType()))
      if (const Format &format = Format::get(getMatrixShape(operand.getType()).format);
          !format.isFloat())
        return op->emitOpError("multiplies float activations with ")
               << format.name << " weights; its target's activations are i8";
  return success();
}

struct VerifyQuantizedPass : sinter::impl::VerifyQuantizedBase<VerifyQuantizedPass> {
  void runOnOperation() override {
    WalkResult walked = getOperation().walk([](func::FuncOp function) -> WalkResult {
      auto target = exec::getTargetModule(function)->getAttrOfType<exec::TargetAttr>(
          exec::ExecDialect::kTargetAttr);
      if (!target)
        return function.emitError("is in no target's module (one with the attribute exec.target)");
      return function.walk([&](Operation *op) -> WalkResult {
        return verifyActivations(op, target.getActivations());
      });
    });
    if (walked.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
