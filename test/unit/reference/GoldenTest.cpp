//===- GoldenTest.cpp - Imported models against another implementation ----===//
//
// Import and evaluator together must give the logits that llama.cpp computed for the same file:
// every family, tied and untied output, biases, rope factors, every format. What is allowed is
// llama.cpp's own distance from exact arithmetic, which is that of float (1e-5 was seen): quantized
// and F16 files are compared with the "dequantized" goldens, for which llama.cpp had their weights
// as F32 and did not round activations.
//
//===----------------------------------------------------------------------===//
#include "Golden.h"
#include "compiler/import/Importer.h"
#include "compiler/reference/Evaluator.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace sinter;
using namespace sinter::test;

namespace {

struct Case {
  const char *model;
  const char *logits;
  double tolerance;
};

/// How GoogleTest names the case in its output.
void PrintTo(const Case &golden, std::ostream *out) { *out << golden.model; }

const Case kCases[] = {
    {"llama/stories260K-f32", "logits", 1e-4},
    {"llama/stories260K-tied-f32", "logits", 1e-4},
    {"llama/stories260K-ff192-f32", "logits", 1e-4},
    {"llama/TinyStories-656K-f32", "logits", 1e-4},
    {"families/llama3-s260k-f32", "logits", 1e-4},
    {"families/qwen2-s260k-f32", "logits", 1e-4},
    {"llama/stories260K-F16", "dequantized.logits", 1e-4},
    {"llama/stories260K-rot256-F16", "dequantized.logits", 1e-4},
    {"llama/stories260K-ff192-BF16", "dequantized.logits", 1e-4},
    {"llama/TinyStories-656K-F16", "dequantized.logits", 1e-4},
    {"own/tiny-f16", "dequantized.logits", 1e-4},
    {"own/tiny-outlier-16-f16", "dequantized.logits", 1e-4},
    {"own/tiny-outlier-64-f16", "dequantized.logits", 1e-4},
    {"families/llama3-rand-f16", "dequantized.logits", 1e-4},
    {"families/qwen2-rand-f16", "dequantized.logits", 1e-4},
    {"families/llama3-s260k-f16", "dequantized.logits", 1e-4},
    {"families/qwen2-s260k-f16", "dequantized.logits", 1e-4},
    {"llama/stories260K-ff192-Q8_0", "dequantized.logits", 1e-4},
    {"llama/stories260K-ff192-Q4_0", "dequantized.logits", 1e-4},
    {"llama/stories260K-ff192-Q5_0", "dequantized.logits", 1e-4},
    {"llama/stories260K-rot256-Q4_K_M", "dequantized.logits", 1e-4},
    {"llama/stories260K-rot256-Q6_K", "dequantized.logits", 1e-4},
    {"llama/TinyStories-656K-Q8_0", "dequantized.logits", 1e-4},
    {"own/tiny-Q4_0", "dequantized.logits", 1e-4},
    {"own/tiny-Q4_K_M", "dequantized.logits", 1e-4},
    {"own/tiny-Q6_K", "dequantized.logits", 1e-4},
    {"own/tiny-Q8_0", "dequantized.logits", 1e-4},
    {"families/llama3-s260k-Q8_0", "dequantized.logits", 1e-4},
    {"families/qwen2-s260k-Q8_0", "dequantized.logits", 1e-4},
};

std::string caseName(const testing::TestParamInfo<Case> &info) {
  std::string name = llvm::sys::path::filename(info.param.model).str();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class GoldenLogits : public testing::TestWithParam<Case> {};

TEST_P(GoldenLogits, AreThoseOfTheImportedModel) {
  std::string path = findModelFile(std::string(GetParam().model) + ".gguf");
  Golden golden = Golden::load(GetParam().model, GetParam().logits);
  if (path.empty() || golden.prompts.empty())
    GTEST_SKIP() << GetParam().model << " is not here; set SINTER_MODELS";
  auto file = gguf::GGUFFile::open(path);
  ASSERT_TRUE(static_cast<bool>(file)) << llvm::toString(file.takeError());
  mlir::MLIRContext context;
  auto module = importModel(**file, context);
  ASSERT_TRUE(static_cast<bool>(module)) << llvm::toString(module.takeError());

  reference::Evaluator evaluator(**module, **file);
  double worst = 0;
  for (auto [prompt, ids] : llvm::enumerate(golden.prompts)) {
    // Chunks of 8: the later ones attend to what the caches hold.
    auto logits = reference::referenceLogits(evaluator, ids, 8);
    ASSERT_TRUE(static_cast<bool>(logits)) << llvm::toString(logits.takeError());
    ASSERT_EQ(static_cast<int64_t>(logits->size()), golden.vocabulary);
    for (int64_t v = 0; v < golden.vocabulary; ++v)
      worst = std::max(worst, std::fabs((*logits)[v] - golden.logitsOf(prompt)[v]));
  }
  RecordProperty("largest_difference", std::to_string(worst));
  std::printf("  largest difference %.6f\n", worst);
  EXPECT_LT(worst, GetParam().tolerance);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenLogits, testing::ValuesIn(kCases), caseName);

// @score gives each token the probability that @head's logits give it, whatever the chunks are.
TEST(ReferenceScores, AreThoseOfTheLogits) {
  std::string path = findModelFile("own/tiny-f16.gguf");
  ASSERT_FALSE(path.empty());
  auto file = gguf::GGUFFile::open(path);
  ASSERT_TRUE(static_cast<bool>(file)) << llvm::toString(file.takeError());
  mlir::MLIRContext context;
  auto module = importModel(**file, context);
  ASSERT_TRUE(static_cast<bool>(module)) << llvm::toString(module.takeError());
  reference::Evaluator evaluator(**module, **file);
  const std::vector<int32_t> tokens = {1023, 40, 300, 7, 512, 99};
  auto scores = reference::referenceScores(evaluator, tokens, 2);
  ASSERT_TRUE(static_cast<bool>(scores)) << llvm::toString(scores.takeError());
  ASSERT_EQ(scores->size(), tokens.size() - 1);
  for (size_t i = 1; i < tokens.size(); ++i) {
    auto logits = reference::referenceLogits(evaluator, llvm::ArrayRef(tokens).take_front(i));
    ASSERT_TRUE(static_cast<bool>(logits)) << llvm::toString(logits.takeError());
    double sum = 0;
    for (double logit : *logits)
      sum += std::exp(logit);
    EXPECT_NEAR((*scores)[i - 1], (*logits)[tokens[i]] - std::log(sum), 1e-9);
  }
}

} // namespace
