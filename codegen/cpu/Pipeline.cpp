//===- Pipeline.cpp - From structured kernels to the LLVM dialect ----------------===//
#include "codegen/cpu/LowerKernel.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Pipelines.h"

using namespace mlir;
using namespace sinter;

namespace {

/// Kernels call nothing, so exp and its like become polynomials here.
struct ApproximateMathPass : PassWrapper<ApproximateMathPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApproximateMathPass)
  StringRef getArgument() const override { return "approximate-math"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    GreedyRewriteConfig config;
    config.strictMode = GreedyRewriteStrictness::ExistingAndNewOps;
    // Only what may match is visited: these functions are long, and few ops are of the math dialect.
    SmallVector<Operation *> functions;
    getOperation()->walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()))
        functions.push_back(op);
    });
    if (failed(applyOpPatternsAndFold(functions, std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace

void cpu::registerPasses() {
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
  pm.addPass(std::make_unique<ApproximateMathPass>());
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
