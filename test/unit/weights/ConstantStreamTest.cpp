//===- ConstantStreamTest.cpp - The weights segment as one stream ---------===//
#include "compiler/weights/ConstantStream.h"
#include "RecipeFixture.h"

using namespace sinter;

class ConstantStreamTest : public RecipeFixture {
protected:
  /// A matrix, a gap, and a table of several strips.
  std::vector<PlacedRecipe> constants() {
    auto table = read(int64_t(20000) * 256,
                      "%f = llm.rope_frequencies {base = 10000.0, scale = 1.0} : tensor<32xf32>\n"
                      "%t = llm.rope_table %f : tensor<32xf32> -> tensor<20000x64xf32>\n"
                      "exec.constant_yield %t : tensor<20000x64xf32>");
    auto vector = read(
        128, "%0 = llm.parameter \"v\" : tensor<32xf32>\nexec.constant_yield %0 : tensor<32xf32>");
    EXPECT_TRUE(succeeded(table) && succeeded(vector)) << message;
    EXPECT_GT(table->strips(), 3);
    return {{std::move(*vector), 0}, {std::move(*table), 256}};
  }

  std::vector<uint8_t> stream(llvm::ArrayRef<PlacedRecipe> list, int64_t total, unsigned threads) {
    std::vector<uint8_t> all;
    llvm::Error error =
        streamConstants(list, total, *file, threads, [&](llvm::ArrayRef<uint8_t> piece) {
          all.insert(all.end(), piece.begin(), piece.end());
          return llvm::Error::success();
        });
    EXPECT_FALSE(static_cast<bool>(error));
    return all;
  }
};

TEST_F(ConstantStreamTest, EachConstantIsAtItsPlaceAndZerosBetween) {
  std::vector<PlacedRecipe> list = constants();
  int64_t end = 256 + list[1].recipe.bytes(), total = end + 256;
  std::vector<uint8_t> all = stream(list, total, 2);
  ASSERT_EQ(static_cast<int64_t>(all.size()), total);
  std::vector<uint8_t> vector = evaluate(list[0].recipe), table = evaluate(list[1].recipe);
  EXPECT_TRUE(std::equal(vector.begin(), vector.end(), all.begin()));
  EXPECT_TRUE(std::equal(table.begin(), table.end(), all.begin() + 256));
  for (int64_t i : {int64_t(128), int64_t(255), end, total - 1})
    EXPECT_EQ(all[i], 0) << i;
}

TEST_F(ConstantStreamTest, ThreadsDoNotChangeTheBytes) {
  std::vector<PlacedRecipe> list = constants();
  int64_t total = 256 + list[1].recipe.bytes();
  std::vector<uint8_t> one = stream(list, total, 1);
  for (unsigned threads : {2u, 7u})
    EXPECT_EQ(one, stream(list, total, threads)) << threads;
}

TEST_F(ConstantStreamTest, AnErrorOfTheSinkEndsTheStream) {
  std::vector<PlacedRecipe> list = constants();
  int pieces = 0;
  llvm::Error error =
      streamConstants(list, 256 + list[1].recipe.bytes(), *file, 3, [&](llvm::ArrayRef<uint8_t>) {
        return ++pieces == 2 ? llvm::createStringError("full") : llvm::Error::success();
      });
  EXPECT_EQ(llvm::toString(std::move(error)), "full");
  EXPECT_EQ(pieces, 2);
}
