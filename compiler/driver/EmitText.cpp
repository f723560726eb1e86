//===- EmitText.cpp - Kernels as text or object ---------------------------===//
#include "compiler/driver/EmitText.h"
#include "codegen/cpu/CodeBlob.h"
#include "codegen/hexagon/PrintHVX.h"
#include "codegen/spirv/PrintGLSL.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace sinter;

FailureOr<TargetChoice> sinter::chosenTarget(ModuleOp target) {
  auto attribute = target->getAttrOfType<exec::TargetAttr>(exec::ExecDialect::kTargetAttr);
  if (!attribute)
    return target.emitError() << "has no attribute " << exec::ExecDialect::kTargetAttr;
  TargetChoice choice{findTarget(attribute.getName().getValue()), {}};
  if (!choice.target)
    return target.emitError() << "is for the unknown target " << attribute.getName();
  SmallVector<ModuleOp> modules = exec::getVariantModules(target);
  for (ModuleOp module : modules) {
    const Variant *variant = choice.target->findVariant(module.getSymName().value_or(""));
    if (!variant)
      return module.emitError() << "is for no variant of " << attribute.getName();
    choice.variants.push_back(variant);
  }
  if (modules.size() != attribute.getVariants().size())
    return target.emitError() << "has " << modules.size() << " modules of kernels for "
                              << attribute.getVariants().size() << " variants";
  return choice;
}

/// Kernels in lane form, the one that text is printed from.
static OwningOpRef<ModuleOp> laneForm(ModuleOp variant) {
  OwningOpRef<ModuleOp> module = cast<ModuleOp>(variant->clone());
  PassManager passes(variant.getContext());
  addLaneForm(passes);
  return succeeded(passes.run(*module)) ? std::move(module) : nullptr;
}

static LogicalResult printSource(ModuleOp variant, Emit kind, llvm::raw_ostream &out) {
  OwningOpRef<ModuleOp> module = laneForm(variant);
  if (!module)
    return failure();
  for (tile::KernelOp kernel : module->getOps<tile::KernelOp>()) {
    std::string problem;
    ScopedDiagnosticHandler collect(variant.getContext(), [&](Diagnostic &diagnostic) {
      if (problem.empty())
        problem = diagnostic.str();
      return success();
    });
    FailureOr<KernelText> text = kind == Emit::GLSL ? printGLSL(kernel) : printHVX(kernel);
    if (succeeded(text))
      out << "// ---- " << kernel.getSymName() << "\n" << text->text << "\n";
    else
      out << "// ---- " << kernel.getSymName() << ": not printed: " << problem << "\n\n";
  }
  return success();
}

FailureOr<std::string> sinter::kernelText(ModuleOp top, Emit kind) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  for (ModuleOp target : exec::getTargetModules(top)) {
    FailureOr<TargetChoice> choice = chosenTarget(target);
    if (failed(choice))
      return failure();
    for (auto [module, variant] :
         llvm::zip_equal(exec::getVariantModules(target), choice->variants)) {
      if (kind == Emit::GLSL || kind == Emit::HVX) {
        if (failed(printSource(module, kind, out)))
          return failure();
        break;
      }
      auto cpuKind = kind == Emit::LLVM       ? cpu::EmitKind::LLVM
                     : kind == Emit::Assembly ? cpu::EmitKind::Assembly
                                              : cpu::EmitKind::Object;
      if (failed(cpu::emitKernels(module, *choice->target, *variant, cpuKind, out)))
        return failure();
    }
  }
  return std::string(text);
}
