//===- ModelFilesTest.cpp - Real files and their quantizations ------------===//
//
// Every model file at hand opens. Quantized files are compared with the float file that they were
// made from: the rms distance of the values over the rms of the weights is what the format costs
// and so shows at once a nibble, a scale or a sign out of place.
//
//===----------------------------------------------------------------------===//

#include "compiler/gguf/Dequantize.h"
#include "compiler/gguf/Reader.h"
#include "test/unit/Models.h"

#include "gtest/gtest.h"

#include <cmath>
#include <filesystem>
#include <map>
#include <vector>

using namespace sinter::gguf;
namespace fs = std::filesystem;

namespace {

class ModelFiles : public testing::Test {
protected:
  void SetUp() override {
    SINTER_NEEDS_MODELS();
    root = sinter::test::modelsDirectory();
    ASSERT_TRUE(fs::is_directory(root / "llama")) << root << " has no folder 'llama'";
  }

  std::unique_ptr<GGUFFile> open(const fs::path &path) {
    auto file = GGUFFile::open(path.string());
    if (file)
      return std::move(*file);
    ADD_FAILURE() << llvm::toString(file.takeError());
    return nullptr;
  }

  fs::path root;
};

std::vector<float> dequantized(const Tensor &tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  for (int64_t i = 0; i < tensor.rows(); ++i)
    dequantizeRow(tensor.type, tensor.row(i), tensor.ne[0], values.data() + i * tensor.ne[0]);
  return values;
}

TEST_F(ModelFiles, AllOpen) {
  int count = 0;
  for (const auto &entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".gguf")
      continue;
    std::unique_ptr<GGUFFile> file = open(entry.path());
    if (!file)
      continue;
    ++count;
    EXPECT_TRUE(file->has("general.architecture")) << entry.path();
    auto tokens = file->getStrings("tokenizer.ggml.tokens");
    ASSERT_TRUE(static_cast<bool>(tokens)) << llvm::toString(tokens.takeError());
    EXPECT_GT(tokens->size(), 100u) << entry.path();
    for (const Tensor &tensor : file->tensors())
      EXPECT_TRUE(isComputable(tensor.type)) << tensorTypeName(tensor.type).str();
  }
  EXPECT_GT(count, 50);
}

/// Largest relative distance of a tensor, by its type. A little above what is measured on these
/// models; one wrong bit in a layout gives tens of percent.
const std::map<TensorType, double> bounds = {
    {TensorType::F32, 1e-9},    {TensorType::F16, 4e-4},   {TensorType::BF16, 3e-3},
    {TensorType::Q8_0, 8e-3},   {TensorType::Q6_K, 0.025}, {TensorType::Q5_K, 0.045},
    {TensorType::Q5_0, 0.055},  {TensorType::Q5_1, 0.05},  {TensorType::Q4_K, 0.09},
    {TensorType::Q4_0, 0.11},   {TensorType::Q4_1, 0.10},  {TensorType::IQ4_NL, 0.09},
    {TensorType::IQ4_XS, 0.09}, {TensorType::Q3_K, 0.18},  {TensorType::Q2_K, 0.35},
};

TEST_F(ModelFiles, QuantizedWeightsAreCloseToTheirSource) {
  const std::pair<const char *, std::vector<const char *>> families[] = {
      {"llama/stories260K-ff192-f32",
       {"F16", "BF16", "Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1", "IQ4_NL"}},
      {"llama/stories260K-rot256-F16",
       {"Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_K_S", "Q4_0", "IQ4_XS", "Q3_K_M", "Q2_K"}},
      {"own/tiny-f16", {"Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "IQ4_XS", "Q3_K_M"}},
  };
  std::map<TensorType, double> worst;
  for (const auto &[sourceName, quantizations] : families) {
    std::string stem = llvm::StringRef(sourceName).rsplit('-').first.str();
    std::unique_ptr<GGUFFile> source = open(root / (std::string(sourceName) + ".gguf"));
    ASSERT_TRUE(source);
    for (const char *quantization : quantizations) {
      std::unique_ptr<GGUFFile> file = open(root / (stem + "-" + quantization + ".gguf"));
      ASSERT_TRUE(file);
      ASSERT_EQ(file->tensors().size(), source->tensors().size());
      for (const Tensor &tensor : file->tensors()) {
        const Tensor *original = source->findTensor(tensor.name);
        ASSERT_TRUE(original) << tensor.name.str();
        ASSERT_EQ(original->ne, tensor.ne) << tensor.name.str();
        std::vector<float> expected = dequantized(*original), actual = dequantized(tensor);
        double distance = 0, norm = 0;
        for (size_t i = 0; i < expected.size(); ++i) {
          distance += std::pow(double(actual[i]) - expected[i], 2);
          norm += std::pow(double(expected[i]), 2);
        }
        double relative = std::sqrt(distance / norm);
        EXPECT_LT(relative, bounds.at(tensor.type))
            << file->path().str() << ' ' << tensor.name.str();
        worst[tensor.type] = std::max(worst[tensor.type], relative);
      }
    }
  }
  // All computable formats have been seen, and each really loses something.
  EXPECT_EQ(worst.size(), bounds.size());
  for (auto [type, relative] : worst) {
    RecordProperty(tensorTypeName(type).str(), std::to_string(relative));
    if (type != TensorType::F32) {
      EXPECT_GT(relative, 0) << tensorTypeName(type).str();
    }
  }
}

} // namespace
