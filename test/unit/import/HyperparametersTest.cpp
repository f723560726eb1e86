//===- HyperparametersTest.cpp - Defaults, and every value that is refused ===//
#include "compiler/import/Hyperparameters.h"
#include "SmallModel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace sinter;
using namespace sinter::test;
using testing::AllOf;
using testing::HasSubstr;

namespace {

Hyperparameters read(const SmallModel &model) {
  gguf::test::Bytes bytes = model.bytes();
  auto file = gguf::GGUFFile::parse(bytes, "small.gguf");
  EXPECT_TRUE(static_cast<bool>(file));
  auto result = readHyperparameters(**file, model.architecture);
  if (!result) {
    ADD_FAILURE() << llvm::toString(result.takeError());
    return {};
  }
  return *result;
}

TEST(Hyperparameters, AreReadOrDefault) {
  Hyperparameters h = read(SmallModel("llama"));
  EXPECT_EQ(h.headDim, 8);
  EXPECT_EQ(h.rotaryDim, 8);
  EXPECT_EQ(h.ropeBase, 10000);
  EXPECT_EQ(h.ropeScale, 1);
  // As a person would write it, though the file holds the nearest float.
  EXPECT_EQ(h.eps, 1e-5);
  EXPECT_EQ(read(SmallModel("llama").without("attention.head_count_kv")).kvHeads, 4);
  // Without a tokenizer and vocab_size, the embedding tells.
  EXPECT_EQ(read(SmallModel("llama").without("vocab_size")).vocabulary, 40);

  SmallModel model("llama");
  model.set("attention.key_length", 16u)
      .set("attention.value_length", 16u)
      .set("rope.dimension_count", 4u);
  model.set("rope.freq_base", 500000.0f)
      .set("rope.scaling.type", "linear")
      .set("rope.scaling.factor", 4.0f);
  h = read(model);
  EXPECT_EQ(h.headDim, 16);
  EXPECT_EQ(h.rotaryDim, 4);
  EXPECT_EQ(h.queryWidth(), 64);
  EXPECT_EQ(h.kvWidth(), 32);
  EXPECT_EQ(h.ropeBase, 500000);
  EXPECT_EQ(h.ropeScale, 0.25);
}

TEST(Hyperparameters, RopeScalingHasAnOldNameAndCanBeOff) {
  EXPECT_EQ(read(SmallModel("llama").set("rope.scale_linear", 8.0f)).ropeScale, 0.125);
  EXPECT_EQ(read(SmallModel("llama").set("rope.scaling.factor", 8.0f)).ropeScale, 0.125);
  EXPECT_EQ(
      read(SmallModel("llama").set("rope.scaling.type", "none").set("rope.scaling.factor", 8.0f))
          .ropeScale,
      1);
}

TEST(Hyperparameters, OfLayersMustBeEqual) {
  auto model = [](std::initializer_list<uint32_t> heads) {
    SmallModel small("llama");
    small.without("attention.head_count_kv");
    gguf::test::Bytes bytes = small.bytes();
    // An array in place of the number: rebuild the file with it.
    gguf::test::FileBuilder file;
    file.string("general.architecture", "llama");
    for (const auto &[key, value] : small.keys)
      if (auto *number = std::get_if<uint32_t>(&value))
        file.u32("llama." + key, *number);
    file.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    file.array<uint32_t>("llama.attention.head_count_kv", gguf::ValueType::U32, heads);
    return file.build();
  };
  auto readBytes = [](const gguf::test::Bytes &bytes) {
    auto file = gguf::GGUFFile::parse(bytes, "small.gguf");
    EXPECT_TRUE(static_cast<bool>(file));
    auto result = readHyperparameters(**file, "llama");
    return result ? std::to_string(result->kvHeads) : llvm::toString(result.takeError());
  };
  EXPECT_EQ(readBytes(model({2, 2, 2})), "2");
  EXPECT_THAT(readBytes(model({2, 4})),
              HasSubstr("layers of different sizes are not supported yet"));
  EXPECT_THAT(readBytes(model({})), HasSubstr("'llama.attention.head_count_kv'"));
}

struct Refused {
  const char *key;
  SmallModel::Value value;
  const char *message;
};

/// How GoogleTest names the case in its output.
void PrintTo(const Refused &refused, std::ostream *out) { *out << refused.key; }

class RefusedValue : public testing::TestWithParam<Refused> {};

TEST_P(RefusedValue, IsNamed) {
  const Refused &refused = GetParam();
  SmallModel model("llama");
  model.set(refused.key, refused.value);
  EXPECT_THAT(model.import(),
              AllOf(HasSubstr("error: dir/small.gguf: "), HasSubstr(refused.message)));
}

const float kNaN = std::numeric_limits<float>::quiet_NaN(),
            kInfinity = std::numeric_limits<float>::infinity();

INSTANTIATE_TEST_SUITE_P(
    Keys, RefusedValue,
    testing::Values(
        Refused{"block_count", 0u, "'llama.block_count' at byte"},
        Refused{"block_count", 5000u, "must be 1 .. 4096, is 5000"},
        Refused{"block_count", "five", "'llama.block_count'"},
        Refused{"block_count", 2u, "'blk.1.attn_norm.weight' is missing"},
        Refused{"context_length", 0u, "'llama.context_length'"},
        Refused{"embedding_length", 0u, "'llama.embedding_length'"},
        Refused{"embedding_length", 1u << 31, "'llama.embedding_length'"},
        Refused{"embedding_length", 64u,
                "'token_embd.weight': has shape 32x40, the metadata asks for 64x40"},
        Refused{"feed_forward_length", 0u, "'llama.feed_forward_length'"},
        Refused{"attention.head_count", 0u, "'llama.attention.head_count'"},
        Refused{"attention.head_count", 6u, "32 elements cannot be divided among 6 heads"},
        Refused{"attention.head_count", 8u,
                "gives heads of 4 elements; supported are even sizes of 8 .. 256"},
        Refused{"attention.head_count_kv", 0u, "'llama.attention.head_count_kv'"},
        Refused{"attention.head_count_kv", 3u, "4 heads cannot be shared by 3 key-value heads"},
        Refused{"attention.head_count_kv", 8u, "4 heads cannot be shared by 8 key-value heads"},
        Refused{"attention.key_length", 9u, "gives heads of 9 elements"},
        Refused{"attention.key_length", 512u, "'llama.attention.key_length'"},
        Refused{"attention.value_length", 16u,
                "values of 16 elements beside keys of 8 are not supported yet"},
        Refused{"attention.layer_norm_rms_epsilon", 0.0f,
                "'llama.attention.layer_norm_rms_epsilon'"},
        Refused{"attention.layer_norm_rms_epsilon", -1e-5f,
                "must be above 0 and at most 0.1, is -1e-05"},
        Refused{"attention.layer_norm_rms_epsilon", kNaN,
                "'llama.attention.layer_norm_rms_epsilon'"},
        Refused{"attention.layer_norm_rms_epsilon", kInfinity,
                "'llama.attention.layer_norm_rms_epsilon'"},
        Refused{"rope.freq_base", 0.0f, "'llama.rope.freq_base'"},
        Refused{"rope.freq_base", kNaN, "'llama.rope.freq_base'"},
        Refused{"rope.dimension_count", 7u, "must be even and at most the head size (8), is 7"},
        Refused{"rope.dimension_count", 16u, "must be even and at most the head size (8), is 16"},
        Refused{"rope.scaling.type", "yarn",
                "'yarn' is not supported yet; supported are linear and none"},
        Refused{"rope.scaling.type", "longrope", "'longrope' is not supported yet"},
        Refused{"rope.scaling.type", "banana", "unknown scaling 'banana'; known: linear, none"},
        Refused{"rope.scaling.factor", 0.0f, "'llama.rope.scaling.factor'"},
        Refused{"rope.scaling.factor", -2.0f, "'llama.rope.scaling.factor'"},
        Refused{"rope.scale_linear", kNaN, "'llama.rope.scale_linear'"},
        Refused{"rope.scaling.attn_factor", 2.0f,
                "a factor on rotated values (2) is not supported yet"},
        Refused{"vocab_size", 0u, "'llama.vocab_size'"},
        Refused{"vocab_size", 41u, "'token_embd.weight'"},
        Refused{"expert_count", 8u, "'llama.expert_count' at byte"}));

TEST(Hyperparameters, AreNeeded) {
  for (const char *key :
       {"block_count", "context_length", "embedding_length", "feed_forward_length",
        "attention.head_count", "attention.layer_norm_rms_epsilon"})
    EXPECT_THAT(SmallModel("llama").without(key).import(),
                HasSubstr("metadata 'llama." + std::string(key) + "' is missing"));
}

TEST(ShortestDecimal, RoundsBackToTheFloat) {
  EXPECT_EQ(shortestDecimal(1e-5f), 1e-5);
  EXPECT_EQ(shortestDecimal(0.1f), 0.1);
  EXPECT_EQ(shortestDecimal(500000.0f), 500000.0);
  for (float value : {1.0f / 3, 1.17549435e-38f, 3.40282347e38f, 0.0f})
    EXPECT_EQ(static_cast<float>(shortestDecimal(value)), value);
}

} // namespace
