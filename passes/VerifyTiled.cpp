//===- VerifyTiled.cpp - What holds after the tile phase ------------------------------===//
//
// Refused: an op of the llm dialect outside of a constant's recipe; a kernel that no dispatch runs; variants whose kernels
// differ in name or bindings. That dispatches name kernels and buffers that exist, the exec dialect verifies itself.
//
//===----------------------------------------------------------------------===//
#include "dialects/llm/LLMDialect.h"
#include "passes/Passes.h"
#include "llvm/ADT/StringSet.h"

namespace sinter {
#define GEN_PASS_DEF_VERIFYTILED
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;

namespace {

LogicalResult verifyNoModelIsLeft(ModuleOp module) {
  WalkResult result = module.walk([](Operation *op) -> WalkResult {
    if (isa<llm::LLMDialect>(op->getDialect()) && !op->getParentOfType<exec::BufferOp>())
      return op->emitOpError("is left after the tile phase: no kernel computes it");
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult verifyKernelsAreRun(ModuleOp target) {
  llvm::StringSet<> run;
  target.walk([&](exec::DispatchOp dispatch) { run.insert(dispatch.getKernel()); });
  for (ModuleOp variant : exec::getVariantModules(target))
    for (auto kernel : variant.getOps<tile::KernelOp>())
      if (!run.contains(kernel.getSymName()))
        return kernel.emitOpError("is run by no dispatch");
  return success();
}

LogicalResult verifyVariantsAgree(ModuleOp target) {
  SmallVector<ModuleOp> variants = exec::getVariantModules(target);
  if (variants.empty())
    return success();
  for (ModuleOp variant : llvm::drop_begin(variants))
    for (auto kernel : variants.front().getOps<tile::KernelOp>()) {
      auto other = variant.lookupSymbol<tile::KernelOp>(kernel.getSymName());
      if (!other)
        return variant.emitError("variant has no kernel @") << kernel.getSymName();
      if (!llvm::equal(kernel.getBlock().getArgumentTypes(), other.getBlock().getArgumentTypes()))
        return other.emitOpError("has other bindings than the kernel of the first variant");
    }
  return success();
}

struct VerifyTiledPass : sinter::impl::VerifyTiledBase<VerifyTiledPass> {
  void runOnOperation() override {
    if (failed(verifyNoModelIsLeft(getOperation())))
      return signalPassFailure();
    for (ModuleOp target : exec::getTargetModules(getOperation()))
      if (failed(verifyKernelsAreRun(target)) || failed(verifyVariantsAgree(target)))
        return signalPassFailure();
  }
};

} // namespace
