//===- RecipeTest.cpp - What each recipe op makes of a GGUF ---------------===//
#include "RecipeFixture.h"
#include "compiler/gguf/Dequantize.h"
#include "compiler/weights/Pack.h"
#include <cmath>

using namespace sinter;
using RecipeTest = RecipeFixture;

// 16 rows of 32 q8_0 weights: one tile of 32 rows, 32 x (32 codes + 2 bytes of scale).
static const char *const kPackedW =
    "%p = llm.pack %x : !llm.weight<16x32, q8_0> -> !llm.packed<16x32, q8_0>\n"
    "exec.constant_yield %p : !llm.packed<16x32, q8_0>";

TEST_F(RecipeTest, PacksRowsInTheirOrder) {
  auto recipe =
      read(1088, std::string("%x = llm.weight \"w\" : !llm.weight<16x32, q8_0>\n") + kPackedW);
  ASSERT_TRUE(succeeded(recipe)) << message;
  PackedLayout layout(Format::get(FormatId::q8_0), 16, 32);
  std::vector<const uint8_t *> rows;
  for (int r = 0; r < 16; ++r)
    rows.push_back(file->findTensor("w")->row(r));
  std::vector<uint8_t> expected(layout.tileBytes());
  packTile(layout, rows, expected.data());
  EXPECT_EQ(expected, evaluate(*recipe));
}

TEST_F(RecipeTest, PermutesRowsOfEachHead) {
  auto recipe = read(1088, std::string("%0 = llm.weight \"w\" : !llm.weight<16x32, q8_0>\n"
                                       "%x = llm.permute_rows %0 {head_dim = 8, rotary_dim = 6} "
                                       ": !llm.weight<16x32, q8_0>\n") +
                               kPackedW);
  ASSERT_TRUE(succeeded(recipe)) << message;
  PackedLayout layout(Format::get(FormatId::q8_0), 16, 32);
  // Rows 0-2 and 3-5 of a head become neighbours, 6 and 7 stay.
  std::vector<const uint8_t *> rows;
  for (int r : {0, 3, 1, 4, 2, 5, 6, 7, 8, 11, 9, 12, 10, 13, 14, 15})
    rows.push_back(file->findTensor("w")->row(r));
  std::vector<uint8_t> expected(layout.tileBytes());
  packTile(layout, rows, expected.data());
  EXPECT_EQ(expected, evaluate(*recipe));
}

TEST_F(RecipeTest, ScalesColumnsOfFloatWeights) {
  // A line of 32 f16 values for each of 8 columns.
  auto recipe = read(512, "%0 = llm.weight \"f\" : !llm.weight<4x8, f16>\n"
                          "%f = llm.rope_frequencies {base = 0.0625, scale = 2.0} : tensor<8xf32>\n"
                          "%x = llm.scale_columns %0, %f : !llm.weight<4x8, f16>, tensor<8xf32>\n"
                          "%p = llm.pack %x : !llm.weight<4x8, f16> -> !llm.packed<4x8, f16>\n"
                          "exec.constant_yield %p : !llm.packed<4x8, f16>");
  ASSERT_TRUE(succeeded(recipe)) << message;
  std::vector<uint8_t> tile = evaluate(*recipe);
  for (int row = 0; row < 4; ++row)
    for (int column : {0, 4}) { // factors 2 and 2 * 0.0625^(-1/2) = 8, exact in f16
      uint16_t before, after;
      std::memcpy(&before, file->findTensor("f")->row(row) + 2 * column, 2);
      std::memcpy(&after, tile.data() + column * 64 + 2 * row, 2);
      EXPECT_EQ(gguf::halfToFloat(after), gguf::halfToFloat(before) * (column ? 8 : 2))
          << row << ", " << column;
    }
}

TEST_F(RecipeTest, VectorsArePaddedWithZeros) {
  gguf::test::FileBuilder builder;
  bytes = builder.tensor("short", {5}, 0, 20).build();
  file = llvm::cantFail(gguf::GGUFFile::parse(bytes, "test.gguf"));
  auto recipe = read(
      128, "%0 = llm.parameter \"short\" : tensor<5xf32>\nexec.constant_yield %0 : tensor<5xf32>");
  ASSERT_TRUE(succeeded(recipe)) << message;
  std::vector<float> values = floats(evaluate(*recipe)), expected = tensorFloats("short");
  expected.resize(32);
  EXPECT_EQ(values, expected);
}

TEST_F(RecipeTest, DividesAndPermutesVectors) {
  auto recipe =
      read(128, "%v = llm.parameter \"v\" : tensor<32xf32>\n"
                "%p = llm.permute_rows %v {head_dim = 32, rotary_dim = 32} : tensor<32xf32>\n"
                "%q = llm.div %p, %v : tensor<32xf32>\n"
                "exec.constant_yield %q : tensor<32xf32>");
  ASSERT_TRUE(succeeded(recipe)) << message;
  std::vector<float> values = floats(evaluate(*recipe)), v = tensorFloats("v");
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(values[i], static_cast<float>(double(v[i / 2 + i % 2 * 16]) / double(v[i]))) << i;
}

TEST_F(RecipeTest, RopeTableIsCosineAndSineOfEveryPosition) {
  auto recipe =
      read(1024, "%f = llm.rope_frequencies {base = 10000.0, scale = 0.5} : tensor<4xf32>\n"
                 "%t = llm.rope_table %f : tensor<4xf32> -> tensor<31x8xf32>\n"
                 "exec.constant_yield %t : tensor<31x8xf32>");
  ASSERT_TRUE(succeeded(recipe)) << message;
  std::vector<float> table = floats(evaluate(*recipe));
  for (int p = 0; p < 31; ++p)
    for (int i = 0; i < 4; ++i) {
      double angle = p * 0.5 * std::pow(10000.0, -2.0 * i / 8);
      EXPECT_FLOAT_EQ(table[p * 8 + 2 * i], std::cos(angle)) << p << ", " << i;
      EXPECT_FLOAT_EQ(table[p * 8 + 2 * i + 1], std::sin(angle)) << p << ", " << i;
    }
  for (size_t i = 31 * 8; i < table.size(); ++i) // 992 bytes are padded to 1024
    EXPECT_EQ(table[i], 0);
}

TEST_F(RecipeTest, RefusesWhatTheFileDoesNotHave) {
  EXPECT_TRUE(failed(read(
      128,
      "%0 = llm.parameter \"nil\" : tensor<32xf32>\nexec.constant_yield %0 : tensor<32xf32>")));
  EXPECT_NE(message.find("test.gguf has no tensor 'nil'"), std::string::npos) << message;
}

TEST_F(RecipeTest, RefusesAnotherShape) {
  EXPECT_TRUE(failed(read(
      128, "%0 = llm.parameter \"v\" : tensor<31xf32>\nexec.constant_yield %0 : tensor<31xf32>")));
  EXPECT_NE(message.find("tensor 'v' is 32 in test.gguf and 31 here"), std::string::npos)
      << message;
}

TEST_F(RecipeTest, RefusesAnotherFormat) {
  EXPECT_TRUE(
      failed(read(576, "%x = llm.weight \"w\" : !llm.weight<16x32, q4_0>\n"
                       "%p = llm.pack %x : !llm.weight<16x32, q4_0> -> !llm.packed<16x32, q4_0>\n"
                       "exec.constant_yield %p : !llm.packed<16x32, q4_0>")));
  EXPECT_NE(message.find("tensor 'w' is q8_0 in test.gguf and q4_0 here"), std::string::npos)
      << message;
}

TEST_F(RecipeTest, RefusesVectorsThatAreNoFloats) {
  EXPECT_TRUE(failed(read(
      128,
      "%0 = llm.parameter \"ints\" : tensor<32xf32>\nexec.constant_yield %0 : tensor<32xf32>")));
  EXPECT_NE(message.find("a vector must be f32, f16 or bf16"), std::string::npos) << message;
}

TEST_F(RecipeTest, RefusesOpsThatAreNoRecipe) {
  context.allowUnregisteredDialects();
  EXPECT_TRUE(failed(read(
      128, "%0 = \"my.op\"() : () -> tensor<32xf32>\nexec.constant_yield %0 : tensor<32xf32>")));
  EXPECT_NE(message.find("'my.op' is no recipe op"), std::string::npos) << message;
}
