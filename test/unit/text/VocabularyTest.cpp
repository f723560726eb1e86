//===- VocabularyTest.cpp - Real vocabularies against llama.cpp's ids -----===//
//
// X.gguf.inp holds cases of text, parted by a line, X.gguf.out a line of ids for each: without BOS
// and with control tokens read as text.
//
//===----------------------------------------------------------------------===//

#include "TestTokenizer.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace sinter::text {
namespace {

class VocabularyTest : public testing::TestWithParam<const char *> {};

TEST_P(VocabularyTest, GivesTheIdsOfLlamaCpp) {
  SINTER_NEEDS_MODELS();
  std::string path = std::string("vocab/ggml-vocab-") + GetParam() + ".gguf";
  std::string input = readFile(modelPath(path + ".inp")),
              output = readFile(modelPath(path + ".out"));
  TestTokenizer tokens = TestTokenizer::fromModel(path);
  ASSERT_TRUE(tokens);
  SmallVector<StringRef> cases, lines;
  StringRef(input).split(cases, "\n__ggml_vocab_test__\n");
  StringRef(output).split(lines, '\n');
  // Both files end with an end of line, which leaves an empty last element.
  ASSERT_EQ(cases.size(), lines.size());
  ASSERT_GE(cases.size(), 47u);
  for (size_t i = 0; i + 1 < cases.size(); ++i) {
    SmallVector<StringRef> words;
    SplitString(lines[i], words);
    std::vector<int32_t> wanted;
    for (StringRef word : words)
      wanted.push_back(std::stoi(word.str()));
    std::vector<int32_t> ids = tokens.encode(cases[i], /*special=*/false);
    EXPECT_EQ(ids, wanted) << "case " << i << ": '" << cases[i].str() << "'";
    EXPECT_EQ(tokens.decode(ids), cases[i].str()) << "case " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, VocabularyTest,
                         testing::Values("llama-spm", "phi-3", "gpt-2", "mpt", "falcon", "refact",
                                         "starcoder"),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
} // namespace sinter::text
