//===- Pipelines.cpp - The phases and what runs in each -------------------===//
//
// The one place that says which pass runs when. A comment stands where moving a pass would break something.
//
//===----------------------------------------------------------------------===//
#include "passes/Pipelines.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sinter;

static constexpr struct {
  Phase phase;
  llvm::StringLiteral name, summary;
} kPhases[] = {
    {Phase::Import, "import", "the model as a person would draw it"},
    {Phase::Quantize, "quantize", "a module for each target, with its activation types"},
    {Phase::Fuse, "fuse", "few ops with filled epilogues, weights packed"},
    {Phase::Tile, "tile", "unique kernels and programs of dispatches"},
    {Phase::Plan, "plan", "a place for every buffer"},
    {Phase::Codegen, "codegen", "kernels in the LLVM dialect"},
    {Phase::Pack, "pack", "the bundle"},
};

llvm::ArrayRef<Phase> sinter::allPhases() {
  static constexpr Phase phases[] = {Phase::Import, Phase::Quantize, Phase::Fuse, Phase::Tile,
                                     Phase::Plan,   Phase::Codegen,  Phase::Pack};
  return phases;
}

llvm::StringRef sinter::phaseName(Phase phase) { return kPhases[static_cast<size_t>(phase)].name; }

std::optional<Phase> sinter::findPhase(llvm::StringRef name) {
  for (const auto &row : kPhases)
    if (row.name == name)
      return row.phase;
  return std::nullopt;
}

static void buildImport(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  // One value for each weight and parameter, whoever names it.
  passes.addPass(createCSEPass());
  passes.addPass(createVerifyImported());
}

static void buildQuantize(OpPassManager &passes, const PipelineOptions &options) {
  // First: activation types are the target's business.
  passes.addPass(createForkTargets({options.target}));
  // Before values are quantized: it looks through float rows only.
  passes.addPass(createHoistLastToken({options.remarks}));
  passes.addPass(createQuantizeActivations({options.remarks}));
  passes.addPass(createVerifyQuantized());
}

static void buildFuse(OpPassManager &passes, const PipelineOptions &options) {
  // On plain linear layers, whose rows are still in the weight's order.
  passes.addPass(createCanonicalizeRope({options.remarks}));
  // Afterwards keys have a reader that only writes, and fuse-rope one kind of chain.
  passes.addPass(createSplitKvAppend({options.remarks}));
  // Each fuses with what the linear layer yields by then, so they stand in the order in which a model computes:
  // product, bias, scale, then rotation, residual or gate.
  passes.addPass(createFuseBias({options.remarks}));
  passes.addPass(createFuseScale({options.remarks}));
  passes.addPass(createFuseRope({options.remarks}));
  passes.addPass(createFuseResidual({options.remarks}));
  passes.addPass(createFuseGlu({options.remarks}));
  // They change what a linear layer gives, after which nothing can be added to its epilogue.
  passes.addPass(createFuseKvAppend({options.remarks}));
  passes.addPass(createFuseScore({options.remarks}));
  passes.addPass(createFuseEpilogueQuantize({options.remarks}));
  passes.addPass(createFuseNormQuantize({options.remarks}));
  passes.addPass(createFuseAttentionQuantize({options.remarks}));
  // Last, because permuting rows works on weights that are not packed.
  passes.addPass(createPackWeights());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createVerifyFused());
}

static void buildTile(OpPassManager &passes) {
  passes.addPass(createOutlineKernels());
  // Kernels are written block by block; what their loops repeat is shared here.
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createVerifyTiled());
}

static void buildPlan(OpPassManager &passes) {
  // Lifetimes are read off the programs, which no later phase changes.
  passes.addPass(createBuildMemoryPlan());
  passes.addPass(createPlanMemory());
  passes.addPass(createVerifyPlan());
}

void sinter::buildPhase(OpPassManager &passes, Phase phase, const PipelineOptions &options) {
  switch (phase) {
  case Phase::Import:
    return buildImport(passes);
  case Phase::Quantize:
    return buildQuantize(passes, options);
  case Phase::Fuse:
    return buildFuse(passes, options);
  case Phase::Tile:
    return buildTile(passes);
  case Phase::Plan:
    return buildPlan(passes);
  case Phase::Codegen:
  case Phase::Pack:
    return;
  }
}

void sinter::addLaneForm(OpPassManager &passes) {
  OpPassManager &kernels = passes.nest<tile::KernelOp>();
  kernels.addPass(createExpandFormats());
  kernels.addPass(createUnrollTokens());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
}

void sinter::registerDialects(DialectRegistry &registry) {
  registry.insert<llm::LLMDialect, exec::ExecDialect, tile::TileDialect, arith::ArithDialect, func::FuncDialect,
                  LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
}

void sinter::registerAllPasses() {
  registerSinterPasses();
  registerCanonicalizerPass();
  registerCSEPass();
  registerSymbolDCEPass();
  for (const auto &row : kPhases) {
    if (row.phase == Phase::Codegen || row.phase == Phase::Pack)
      continue;
    registerPassPipeline(
        ("phase-" + row.name).str(), row.summary,
        [phase = row.phase](OpPassManager &passes, llvm::StringRef, function_ref<LogicalResult(const Twine &)>) {
          buildPhase(passes, phase);
          return success();
        },
        [](function_ref<void(const detail::PassOptions &)>) {});
  }
}
