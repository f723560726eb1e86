//===- EmitObject.cpp - Kernels through LLVM -----------------------------------------===//
//
// structured kernels -> (Pipeline.cpp) LLVM dialect -> LLVM IR -> optimised -> object -> (LinkBlob.cpp) blob
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/AllocationOrder.h"
#include "codegen/cpu/Annotate.h"
#include "codegen/cpu/CodeBlob.h"
#include "codegen/cpu/LinkBlob.h"
#include "codegen/cpu/LowerKernel.h"
#include "codegen/cpu/ScheduleLoops.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <mutex>

using namespace mlir;
using namespace sinter;
using namespace sinter::cpu;

namespace {

/// SVE's registers have at most this many times 128 bits.
constexpr unsigned kLongestScale = 16;

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    // LowerDot.cpp writes copies as instructions.
    LLVMInitializeAArch64AsmParser();
  });
}

/// The LLVM module of the kernels, before optimisation.
std::unique_ptr<llvm::Module> translate(ModuleOp source, const Variant &variant, llvm::LLVMContext &context) {
  OwningOpRef<ModuleOp> module = cast<ModuleOp>(source->clone());
  module->setSymName(std::nullopt);
  PassManager pm(source.getContext());
  addPasses(pm, variant);
  if (failed(pm.run(*module)))
    return nullptr;
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  source.getContext()->appendDialectRegistry(registry);
  return translateModuleToLLVMIR(*module, context, "kernels");
}

std::unique_ptr<llvm::TargetMachine> createMachine(const Target &target, const Variant &variant) {
  initializeTargets();
  std::string error;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(target.triple.str(), error);
  if (!backend)
    return nullptr;
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(
      target.triple, target.cpu, variant.llvmFeatures, llvm::TargetOptions(), llvm::Reloc::PIC_,
      target.tinyCodeModel ? llvm::CodeModel::Tiny : llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive));
}

/// Scalar clean-up and addressing only: the tile program has already said how the loops are cut and vectorised. More than
/// O1 gives the same loops and takes longer.
void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O1).run(module, modules);
}

/// As TargetMachine::addPassesToEmitFile, which leaves nothing to choose.
LogicalResult writeCode(llvm::Module &module, llvm::TargetMachine &machine, const Variant &variant,
                        llvm::CodeGenFileType type, llvm::raw_pwrite_stream &out) {
  auto &codegen = static_cast<llvm::LLVMTargetMachine &>(machine);
  llvm::legacy::PassManager pm;
  llvm::TargetPassConfig *config = codegen.createPassConfig(pm);
  if (variant.ordering != Ordering::llvm)
    config->disablePass(&llvm::MachineSchedulerID);
  if (variant.ordering == Ordering::program) {
    config->insertPass(&llvm::DetectDeadLanesID, createScheduleLoopsPass());
    config->disablePass(&llvm::PostRASchedulerID);
  }
  auto *info = new llvm::MachineModuleInfoWrapperPass(&codegen);
  pm.add(config);
  pm.add(info);
  if (config->addISelPasses())
    return failure();
  allocateFromTheLast();
  config->addMachinePasses();
  config->setInitialized();
  if (codegen.addAsmPrinter(pm, out, nullptr, type, info->getMMI().getContext()))
    return failure();
  pm.add(llvm::createFreeMachineFunctionPass());
  pm.run(module);
  return success();
}

} // namespace

LogicalResult cpu::emitKernels(ModuleOp source, const Target &target, const Variant &variant, EmitKind kind,
                               llvm::raw_pwrite_stream &out) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translate(source, variant, context);
  if (!module)
    return failure();
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target, variant);
  if (!machine)
    return source.emitError("this build of LLVM has no back end for ") << target.triple;
  module->setTargetTriple(target.triple);
  module->setDataLayout(machine->createDataLayout());
  if (variant.isScalable())
    for (llvm::Function &function : *module)
      if (!function.isDeclaration())
        function.addFnAttr(llvm::Attribute::getWithVScaleRangeArgs(context, variant.vectorBits / 128, kLongestScale));
  optimise(*module, *machine);
  if (kind == EmitKind::LLVM) {
    module->print(out, nullptr);
    return success();
  }
  auto write = [&](llvm::raw_pwrite_stream &to, llvm::CodeGenFileType type) -> LogicalResult {
    if (failed(writeCode(*module, *machine, variant, type, to)))
      return source.emitError("LLVM cannot write this kind of file for ") << target.triple;
    return success();
  };
  if (kind == EmitKind::Object)
    return write(out, llvm::CodeGenFileType::ObjectFile);
  // For people: loops say how deep they are, kernels what their operands look like.
  machine->Options.MCOptions.AsmVerbose = true;
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream assembly(text);
  if (failed(write(assembly, llvm::CodeGenFileType::AssemblyFile)))
    return failure();
  llvm::SmallVector<std::pair<std::string, std::string>> contracts;
  for (const llvm::Function &function : *module)
    if (function.hasFnAttribute(kLayoutAttribute))
      contracts.push_back({function.getName().str(), function.getFnAttribute(kLayoutAttribute).getValueAsString().str()});
  out << annotateAssembly({text.data(), text.size()}, contracts, machine->getMCAsmInfo()->getCommentString());
  return success();
}

FailureOr<CodeBlob> cpu::compileKernels(ModuleOp source, const Target &target, const Variant &variant) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream out(object);
  if (failed(emitKernels(source, target, variant, EmitKind::Object, out)))
    return failure();
  llvm::Expected<CodeBlob> blob = linkBlob({object.data(), object.size()}, target);
  if (!blob) {
    source.emitError("variant ") << variant.name << ": " << llvm::toString(blob.takeError());
    return failure();
  }
  return std::move(*blob);
}
