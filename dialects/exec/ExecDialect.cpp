//===- ExecDialect.cpp - Registration, module attributes, walking targets -===//
#include "dialects/exec/ExecDialect.h"
#include "mlir/IR/DialectImplementation.h"

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

IndirectAttr sinter::exec::lastTokenOf(MLIRContext *context, StringRef stepBuffer, int64_t stride, int64_t limit) {
  return IndirectAttr::get(context, FlatSymbolRefAttr::get(context, stepBuffer), kStepLastToken, stride, limit);
}
