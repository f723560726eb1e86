//===- ForkTargets.cpp - One nested module a target -----------------------===//
//
//   module attributes {llm...} {                   module attributes {llm...} {
//     func @body ...                       ==>       module @"x86-64" attributes {exec.target =
//     #exec.target<"x86-64", func @head ...                                     activations = i8,
//     variants = [<"avx2" needs [...]>]>} {
//   }                                                  func @body ...
//                                                      func @head ... } }
//
// From here on targets go their own ways: activation types, kernels, plans. The facts of the model
// stay outside. A module that is forked already (a dump that somebody goes on from) is left alone.
//
//===----------------------------------------------------------------------===//
#include "codegen/Targets.h"
#include "mlir/IR/Builders.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FORKTARGETS
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;

namespace {

exec::TargetAttr describe(MLIRContext *context, const TargetChoice &choice) {
  SmallVector<exec::VariantAttr> variants;
  for (const Variant *variant : choice.variants) {
    SmallVector<StringAttr> features;
    for (StringRef feature : variant->features)
      features.push_back(StringAttr::get(context, feature));
    variants.push_back(
        exec::VariantAttr::get(context, StringAttr::get(context, variant->name), features));
  }
  return exec::TargetAttr::get(context, StringAttr::get(context, choice.target->name),
                               exec::Activations::I8, variants);
}

struct ForkTargets : sinter::impl::ForkTargetsBase<ForkTargets> {
  using ForkTargetsBase::ForkTargetsBase;

  void runOnOperation() override {
    ModuleOp top = getOperation();
    for (ModuleOp nested : top.getOps<ModuleOp>())
      if (nested->hasAttr(exec::ExecDialect::kTargetAttr))
        return;
    llvm::Expected<TargetChoice> choice = parseTarget(target);
    if (!choice) {
      emitError(UnknownLoc::get(&getContext())) << llvm::toString(choice.takeError());
      return signalPassFailure();
    }
    auto nested = ModuleOp::create(top.getLoc(), choice->target->name);
    nested->setAttr(exec::ExecDialect::kTargetAttr, describe(&getContext(), *choice));
    nested.getBody()->getOperations().splice(nested.getBody()->end(),
                                             top.getBody()->getOperations());
    top.push_back(nested);
  }
};

} // namespace
