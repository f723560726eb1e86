//===- FusionMeaningTest.cpp - Passes do not change what a model computes --===//
//
// Real models go through the phases quantize and fuse, and are evaluated after every single pass:
// logits and scores must be those from before it. Activations are exact here, so that only
// reordered sums (1e-9) are allowed, and the rounding of RoPE's table to f32 where fuse-rope
// introduces it.
//
//===----------------------------------------------------------------------===//
#include "compiler/import/Importer.h"
#include "compiler/reference/Evaluator.h"
#include "dialects/llm/LLMDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Pipelines.h"
#include "test/unit/reference/Golden.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace sinter;
using namespace sinter::test;

namespace {

const char *const kModels[] = {
    "own/tiny-f16",                 // activations stay float
    "own/tiny-Q4_K_M",              // several formats in one layer
    "llama/stories260K-ff192-Q8_0", // grouped queries
    "llama/stories260K-tied-f32",   // tied embeddings
    "llama/stories260K-f32",        // a feed-forward width that is no multiple of 32
    "families/llama3-rand-f16",     // rope factors
    "families/qwen2-s260k-Q8_0",    // RoPE in halves, biases
    "families/qwen2-rand-f16",
};

/// Logits after a text and scores of its tokens, the caches filled by two steps.
std::vector<double> evaluate(mlir::ModuleOp module, const gguf::GGUFFile &file) {
  reference::Evaluator evaluator(module, file, {.exactActivations = true});
  const std::vector<int32_t> tokens = {1, 40, 7, 300, 22, 301, 9};
  auto logits = reference::referenceLogits(evaluator, tokens, 4);
  EXPECT_TRUE(static_cast<bool>(logits)) << llvm::toString(logits.takeError());
  evaluator.reset();
  auto scores = reference::referenceScores(evaluator, tokens, 4);
  EXPECT_TRUE(static_cast<bool>(scores)) << llvm::toString(scores.takeError());
  if (!logits || !scores)
    return {};
  std::vector<double> all = std::move(*logits);
  all.insert(all.end(), scores->begin(), scores->end());
  return all;
}

/// Compares what a module computes before and after each pass.
class MeaningKept : public mlir::PassInstrumentation {
public:
  MeaningKept(const gguf::GGUFFile &file, std::vector<double> before)
      : file(file), before(std::move(before)) {}

  void runAfterPass(mlir::Pass *pass, mlir::Operation *op) override {
    auto module = llvm::dyn_cast<mlir::ModuleOp>(op);
    if (!module || module->getParentOp())
      return;
    std::vector<double> after = evaluate(module, file);
    ASSERT_EQ(before.size(), after.size()) << "after " << pass->getArgument().str();
    double tolerance = pass->getArgument() == "fuse-rope" ? 1e-4 : 1e-9;
    double worst = 0;
    for (size_t i = 0; i < after.size(); ++i)
      worst = std::fmax(worst, std::fabs(after[i] - before[i]));
    EXPECT_LT(worst, tolerance) << "after " << pass->getArgument().str();
    before = std::move(after);
  }

private:
  const gguf::GGUFFile &file;
  std::vector<double> before;
};

class FusionMeaning : public testing::TestWithParam<const char *> {};

TEST_P(FusionMeaning, IsKeptByEveryPass) {
  std::string path = findModelFile(std::string(GetParam()) + ".gguf");
  if (path.empty())
    GTEST_SKIP() << GetParam() << " is not here; set SINTER_MODELS";
  auto file = gguf::GGUFFile::open(path);
  ASSERT_TRUE(static_cast<bool>(file)) << llvm::toString(file.takeError());
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto module = importModel(**file, context, {.context = 64});
  ASSERT_TRUE(static_cast<bool>(module)) << llvm::toString(module.takeError());

  mlir::PassManager passes(&context);
  for (Phase phase : {Phase::Import, Phase::Quantize, Phase::Fuse})
    buildPhase(passes, phase, {.target = "x86-64"});
  passes.addInstrumentation(std::make_unique<MeaningKept>(**file, evaluate(**module, **file)));
  ASSERT_TRUE(mlir::succeeded(passes.run(**module)));

  // The fusions have happened: of a plain decoder no op is left that stands alone but the last
  // token's row.
  (*module)->walk([](mlir::Operation *op) {
    EXPECT_FALSE((llvm::isa<llm::AddOp, llm::AddBiasOp, llm::RopeOp, llm::AppendOp>(op)))
        << op->getName().getStringRef().str();
  });
}

std::string modelName(const testing::TestParamInfo<const char *> &info) {
  std::string name = llvm::sys::path::filename(info.param).str();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, FusionMeaning, testing::ValuesIn(kModels), modelName);

} // namespace
