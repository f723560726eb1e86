//===- ExecDialect.cpp - Registration, module attributes, walking targets -===//
#include "dialects/exec/ExecDialect.h"
#include "dialects/llm/LLMDialect.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "sinter/kernel_abi.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sinter::exec;

#include "dialects/exec/ExecDialect.cpp.inc"
#include "dialects/exec/ExecEnums.cpp.inc"

void ExecDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/exec/ExecOps.cpp.inc"
      >();
}

LogicalResult ExecDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kTargetAttr) {
    if (!isa<ModuleOp>(op))
      return op->emitError() << "'" << kTargetAttr << "' stands on modules only";
    if (!isa<TargetAttr>(attribute.getValue()))
      return op->emitError() << "'" << kTargetAttr << "' must be an #exec.target";
    return success();
  }
  if (attribute.getName() == kKernelBindings || attribute.getName() == kKernelScratch) {
    auto value = dyn_cast<IntegerAttr>(attribute.getValue());
    if (!value || value.getValue().isNegative())
      return op->emitError() << "'" << attribute.getName().getValue()
                             << "' must be an integer that is not negative";
    return success();
  }
  return op->emitError() << "unknown attribute '" << attribute.getName().getValue() << "'";
}

std::optional<int64_t> sinter::exec::getConstantBytes(Type type) {
  if (auto packed = dyn_cast<llm::PackedType>(type))
    return PackedLayout(packed.getFormat(), packed.getRows(), packed.getCols()).bytes();
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isF32())
    return std::nullopt;
  if (tensor.getRank() == 1)
    return 4 * llvm::alignTo(tensor.getNumElements(), kVectorPadding);
  if (tensor.getRank() == 2)
    return llvm::alignTo(4 * tensor.getNumElements(), SINTER_KERNEL_ALIGNMENT);
  return std::nullopt;
}

KernelFacts sinter::exec::getKernelFacts(Operation *kernel) {
  if (auto tileKernel = dyn_cast<tile::KernelOp>(kernel))
    return {tileKernel.getNumBindings(), static_cast<int64_t>(tileKernel.getScratch())};
  KernelFacts facts;
  if (auto bindings = kernel->getAttrOfType<IntegerAttr>(kKernelBindings))
    facts.bindings = bindings.getInt();
  if (auto scratch = kernel->getAttrOfType<IntegerAttr>(kKernelScratch))
    facts.scratchBytes = scratch.getInt();
  return facts;
}

ModuleOp sinter::exec::getTargetModule(Operation *op) {
  ModuleOp nearest;
  for (Operation *at = op; at; at = at->getParentOp()) {
    auto module = dyn_cast<ModuleOp>(at);
    if (!module)
      continue;
    if (module->hasAttr(ExecDialect::kTargetAttr))
      return module;
    if (!nearest)
      nearest = module;
  }
  return nearest;
}

SmallVector<ModuleOp> sinter::exec::getVariantModules(ModuleOp target) {
  return llvm::to_vector(target.getOps<ModuleOp>());
}

SmallVector<ModuleOp> sinter::exec::getTargetModules(ModuleOp top) {
  SmallVector<ModuleOp> targets;
  for (ModuleOp nested : top.getOps<ModuleOp>())
    if (nested->hasAttr(ExecDialect::kTargetAttr))
      targets.push_back(nested);
  if (targets.empty())
    targets.push_back(top);
  return targets;
}

IndirectAttr sinter::exec::lastTokenOf(MLIRContext *context, StringRef stepBuffer, int64_t stride,
                                       int64_t limit) {
  return IndirectAttr::get(context, FlatSymbolRefAttr::get(context, stepBuffer), kStepLastToken,
                           stride, limit);
}
