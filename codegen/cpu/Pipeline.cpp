//===- Pipeline.cpp - From structured kernels to the LLVM dialect ----------------===//
#include "codegen/cpu/LowerKernel.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Pipelines.h"

using namespace mlir;
using namespace sinter;

void cpu::registerPasses() {
  registerApproximateMathPass();
  registerFoldBroadcastsPass();
  registerHoldMasksPass();
  registerInPlaceConversionsPass();
  registerNarrowShiftsPass();
  registerPairBlocksPass();
}

void cpu::addPasses(OpPassManager &pm, const Variant &variant) {
  addLaneForm(pm);
  if (variant.dot == DotKind::sdot || variant.dot == DotKind::smull)
    pm.addPass(createNarrowShiftsPass());
  // The ABI and the target's dot; what was computed for all tiles moves out of the loop.
  pm.addPass(createLowerKernelsPass(variant));
  if (variant.isScalable())
    pm.addPass(createPairBlocksPass());
  if (variant.memoryFactors)
    pm.addPass(createFoldBroadcastsPass());
  pm.addPass(createApproximateMathPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  if (variant.isScalable()) {
    pm.addPass(createHoldMasksPass(variant));
    pm.addPass(createInPlaceConversionsPass(variant));
  }
  pm.addPass(createLoopInvariantCodeMotionPass());
  // Upstream's conversions.
  pm.addPass(createConvertSCFToCFPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}
