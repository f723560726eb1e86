//===- TypesTest.cpp - Names and geometry of tensor types -----------------===//

#include "compiler/gguf/Types.h"
#include "compiler/gguf/Dequantize.h"

#include "gtest/gtest.h"

using namespace sinter::gguf;

namespace {

TEST(Types, NamesAndIdsGoBothWays) {
  int known = 0;
  for (uint32_t id = 0; id < 1000; ++id) {
    std::optional<TensorType> type = tensorTypeFromId(id);
    if (!type)
      continue;
    ++known;
    EXPECT_EQ(static_cast<uint32_t>(*type), id);
    EXPECT_EQ(tensorTypeFromName(tensorTypeName(*type)), type);
    EXPECT_TRUE(withdrawnTypeName(id).empty());
    EXPECT_GT(blockElements(*type), 0);
    EXPECT_GT(blockBytes(*type), 0);
  }
  // 43 ids up to q2_0, of which 8 are withdrawn.
  EXPECT_EQ(known, 35);
  EXPECT_EQ(tensorTypeFromName("Q4_K"), std::nullopt);
  EXPECT_EQ(withdrawnTypeName(33), "q4_0_8_8");
}

TEST(Types, BitsAWeight) {
  struct {
    const char *name;
    double bits;
  } cases[] = {{"f32", 32},       {"bf16", 16},        {"q8_0", 8.5},     {"q5_0", 5.5},
               {"q4_0", 4.5},     {"q2_k", 2.625},     {"q3_k", 3.4375},  {"q4_k", 4.5},
               {"q5_k", 5.5},     {"q6_k", 6.5625},    {"iq4_xs", 4.25},  {"iq4_nl", 4.5},
               {"iq3_s", 3.4375}, {"iq2_xxs", 2.0625}, {"iq1_s", 1.5625}, {"tq1_0", 1.6875},
               {"mxfp4", 4.25}};
  for (auto [name, bits] : cases) {
    std::optional<TensorType> type = tensorTypeFromName(name);
    ASSERT_TRUE(type) << name;
    EXPECT_EQ(8.0 * blockBytes(*type) / blockElements(*type), bits) << name;
  }
  EXPECT_EQ(rowBytes(TensorType::Q4_K, 2048), 1152);
}

TEST(Types, Computable) {
  int computable = 0;
  for (uint32_t id = 0; id < 100; ++id)
    if (std::optional<TensorType> type = tensorTypeFromId(id); type && isComputable(*type))
      ++computable;
  EXPECT_EQ(computable, 15);
  EXPECT_FALSE(isComputable(TensorType::IQ2_XXS));
  EXPECT_FALSE(isComputable(TensorType::I32));
}

} // namespace
