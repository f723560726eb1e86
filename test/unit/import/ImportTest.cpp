//===- ImportTest.cpp - What is drawn for a model, and what is refused ----===//
//
// The meaning of imported modules is tested in test/unit/reference, against another implementation.
//
//===----------------------------------------------------------------------===//
#include "SmallModel.h"
#include "dialects/llm/ModelInfo.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace sinter;
using namespace sinter::test;
using gguf::TensorType;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

TEST(Import, DrawsALlamaLayer) {
  std::string text = SmallModel("llama").import();
  EXPECT_THAT(
      text, HasSubstr("llm.kv_cache @kv.0 {heads = 2, head_dim = 8, positions = 512, type = f16}"));
  EXPECT_THAT(text, HasSubstr("llm.weight \"blk.0.attn_v.weight\" : !llm.weight<16x32, q5_0>"));
  EXPECT_THAT(text,
              HasSubstr("llm.rope_frequencies {base = 10000.0, scale = 1.0} : tensor<4xf32>"));
  EXPECT_THAT(text,
              HasSubstr("{head_dim = 8, rotary_dim = 8, order = interleaved} : tensor<?x16xf32>"));
  EXPECT_THAT(
      text,
      HasSubstr("in @kv.0 {heads = 4, kv_heads = 2, head_dim = 8, scale = 0.353553390593273"));
  EXPECT_THAT(text, HasSubstr("{activation = silu} : tensor<?x64xf32>"));
  EXPECT_THAT(text, HasSubstr("-> tensor<1x40xf32>"));
  // Tied: the embedding is the output layer, in @head and in @score.
  EXPECT_THAT(text, Not(HasSubstr("\"output.weight\"")));
  EXPECT_THAT(text, Not(HasSubstr("llm.add_bias")));
}

TEST(Import, DrawsAQwen2Layer) {
  std::string text = SmallModel("qwen2").import();
  EXPECT_THAT(text, HasSubstr("order = halves"));
  EXPECT_THAT(text, Not(HasSubstr("order = interleaved")));
  EXPECT_THAT(text, HasSubstr("llm.parameter \"blk.0.attn_k.bias\" : tensor<16xf32>"));
  EXPECT_THAT(SmallModel("qwen2").without("blk.0.attn_k.bias").import(),
              HasSubstr("tensor 'blk.0.attn_k.bias' is missing"));
}

TEST(Import, TakesWhatLlamaModelsMayHave) {
  SmallModel model("llama");
  model.matrix("output.weight", 40, 32, TensorType::F16);
  model.vector("blk.0.attn_q.bias", 32, TensorType::F16)
      .vector("blk.0.attn_output.bias", 32)
      .vector("blk.0.ffn_up.bias", 64);
  model.vector("rope_freqs.weight", 4).vector("blk.0.attn_rot_embd.weight", 4);
  std::string text = model.import();
  EXPECT_THAT(text, HasSubstr("llm.weight \"output.weight\" : !llm.weight<40x32, f16>"));
  EXPECT_THAT(text, HasSubstr("llm.parameter \"blk.0.attn_q.bias\""));
  EXPECT_THAT(text, HasSubstr("llm.parameter \"blk.0.attn_output.bias\""));
  EXPECT_THAT(text, HasSubstr("llm.parameter \"blk.0.ffn_up.bias\""));
  EXPECT_THAT(text, HasSubstr("llm.div"));
}

TEST(Import, KeepsTheFactsOfTheModel) {
  gguf::test::Bytes bytes = SmallModel("llama").bytes();
  auto file = gguf::GGUFFile::parse(bytes, "some/dir/small.gguf");
  ASSERT_TRUE(static_cast<bool>(file));
  mlir::MLIRContext context;
  auto module = importModel(**file, context);
  ASSERT_TRUE(static_cast<bool>(module)) << llvm::toString(module.takeError());
  auto info = llm::ModelInfo::get(**module);
  ASSERT_TRUE(mlir::succeeded(info));
  EXPECT_EQ(info->architecture, "llama");
  EXPECT_EQ(info->name, "small");
  // Without the directory: the same file anywhere gives the same bundle.
  EXPECT_EQ(info->source, "small.gguf");
  EXPECT_EQ(info->context, 512);
  EXPECT_EQ(info->trainedContext, 512);
  EXPECT_EQ(info->chunk, 512);
  EXPECT_EQ(info->vocabulary, 40);
  EXPECT_EQ(info->layers, 1);
  EXPECT_EQ(info->embedding, 32);
  // Embedding, attention (q and output 32x32, k and v 16x32), feed-forward, three norms.
  EXPECT_EQ(info->parameters, 40 * 32 + 2 * 32 * 32 + 2 * 16 * 32 + 3 * 64 * 32 + 3 * 32);
  EXPECT_TRUE(info->kvType.isF16());
  EXPECT_EQ(llm::getPhase(**module), "import");
}

TEST(Import, ChoosesTheContext) {
  ImportOptions options;
  options.context = 100;
  options.kvType = ImportOptions::KvType::f32;
  std::string text = SmallModel("llama").import(options);
  EXPECT_THAT(text, AllOf(HasSubstr("positions = 100, type = f32"), HasSubstr("llm.chunk = 100 ")));
  options.kvType = ImportOptions::KvType::i8;
  EXPECT_THAT(SmallModel("llama").import(options), HasSubstr("head_dim = 8, positions = 100, type = i8"));
  EXPECT_THAT(SmallModel("llama").set("attention.key_length", 12u).set("attention.value_length", 12u).import(options),
              HasSubstr("has heads of 12 elements, which an int8 KV cache cannot take"));
  // A model trained for a long context gets 4096 positions unless more are asked for.
  SmallModel lengthy = SmallModel("llama").set("context_length", 131072u);
  EXPECT_THAT(lengthy.import(),
              AllOf(HasSubstr("llm.context = 4096 "), HasSubstr("llm.trained_context = 131072 ")));
  options.context = 8192;
  options.chunk = 32;
  EXPECT_THAT(lengthy.import(options),
              AllOf(HasSubstr("llm.context = 8192 "), HasSubstr("llm.chunk = 32 ")));
  options.context = -1;
  EXPECT_THAT(lengthy.import(options), HasSubstr("a context of -1 tokens is out of range"));
  options.context = 0;
  options.chunk = int64_t(1) << 40;
  EXPECT_THAT(lengthy.import(options),
              HasSubstr("a prefill chunk of 1099511627776 tokens is out of range"));
}

TEST(Import, ListsTheFamiliesItKnows) {
  EXPECT_THAT(SmallModel("perceptron").import(),
              AllOf(HasSubstr("dir/small.gguf"),
                    HasSubstr("'perceptron' is not supported yet; supported: llama, qwen2")));
}

TEST(Import, RefusesTensorsThatDoNotFit) {
  auto llama = [] { return SmallModel("llama"); };
  EXPECT_THAT(llama().without("blk.0.ffn_down.weight").import(),
              HasSubstr("tensor 'blk.0.ffn_down.weight' is missing"));
  EXPECT_THAT(
      llama().matrix("blk.0.attn_q.weight", 64, 32, TensorType::F32).import(),
      HasSubstr("tensor 'blk.0.attn_q.weight': has shape 32x64, the metadata asks for 32x32"));
  EXPECT_THAT(llama().vector("blk.0.attn_q.weight", 32).import(),
              HasSubstr("has shape 32, the metadata asks for 32x32"));
  EXPECT_THAT(llama().vector("output_norm.weight", 16).import(),
              HasSubstr("tensor 'output_norm.weight': has shape 16"));
  EXPECT_THAT(llama().vector("output_norm.weight", 32, TensorType::I32).import(),
              HasSubstr("has type i32; a vector must be f32, f16 or bf16"));
  EXPECT_THAT(llama().matrix("blk.0.attn_q.weight", 32, 32, TensorType::Q8_1).import(),
              HasSubstr("tensor 'blk.0.attn_q.weight': has type q8_1, which is not supported yet; "
                        "supported: f32, f16"));
  EXPECT_THAT(llama().matrix("output.weight", 39, 32, TensorType::F16).import(),
              HasSubstr("tensor 'output.weight'"));
  EXPECT_THAT(llama().vector("rope_freqs.weight", 8).import(),
              HasSubstr("tensor 'rope_freqs.weight': has shape 8"));
}

TEST(Import, RefusesTensorsThatNobodyReads) {
  EXPECT_THAT(
      SmallModel("llama").vector("blk.0.attn_q_norm.weight", 8).import(),
      HasSubstr("tensor 'blk.0.attn_q_norm.weight': is no part of a llama model of 1 layers"));
  EXPECT_THAT(SmallModel("llama").vector("blk.1.attn_norm.weight", 32).import(),
              HasSubstr("blk.1.attn_norm.weight"));
  EXPECT_THAT(SmallModel("qwen2").vector("rope_freqs.weight", 4).import(),
              HasSubstr("rope_freqs.weight"));
}

// A changed byte gives another model or a message of one line, never a crash. Names, shapes and numbers lie in the
// first part of the file, so all changes are there.
TEST(Import, SurvivesAnyByte) {
  mlir::MLIRContext context;
  for (const char *architecture : {"llama", "qwen2"}) {
    const gguf::test::Bytes good = SmallModel(architecture).bytes();
    const size_t head = 2200;
    ASSERT_LT(head, good.size());
    uint32_t random = 1;
    auto next = [&] { return random = random * 1664525 + 1013904223; };
    for (int round = 0; round < 1500; ++round) {
      gguf::test::Bytes bytes = good;
      for (int change = 0; change <= round % 3; ++change)
        bytes[(next() >> 8) % head] = static_cast<uint8_t>(next() >> 16);
      auto file = gguf::GGUFFile::parse(bytes, "changed.gguf");
      if (!file) {
        llvm::consumeError(file.takeError());
        continue;
      }
      auto module = importModel(**file, context);
      if (module)
        continue;
      std::string message = llvm::toString(module.takeError());
      EXPECT_THAT(message, testing::StartsWith("changed.gguf: "));
      EXPECT_THAT(message, Not(HasSubstr("\n")));
    }
  }
}

} // namespace
