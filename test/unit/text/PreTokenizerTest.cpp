//===- PreTokenizerTest.cpp - Where words end -----------------------------===//
//
// Each expectation is what the pattern in pretokenize.cpp gives when applied by hand; words are
// written with | between them.
//
//===----------------------------------------------------------------------===//

#include "TestTokenizer.h"

#include "runtime/text/pretokenize.h"

namespace sinter::text {
namespace {

class Words {
public:
  explicit Words(llvm::StringRef pre)
      : tokens(TestTokenizer::fromSource(SmallVocabulary::bytes(pre).source)) {}

  std::string operator()(llvm::StringRef text) const {
    tables_view tables(tokens.tables().data());
    std::string result;
    size_t expected = 0;
    split_words(tables, text.bytes_begin(), 0, text.size(), [&](size_t begin, size_t end) {
      EXPECT_EQ(begin, expected);
      EXPECT_LT(begin, end);
      expected = end;
      result.append(begin == 0 ? "" : "|").append(text.slice(begin, end));
    });
    EXPECT_EQ(expected, text.size());
    return result;
  }

private:
  TestTokenizer tokens;
};

TEST(PreTokenizerTest, Gpt2) {
  Words words("gpt-2");
  EXPECT_EQ(words("Hello world"), "Hello| world");
  EXPECT_EQ(words("don't DON'T we'll they're"), "don|'t| DON|'|T| we|'ll| they|'re");
  // The last of several spaces belongs to the word; trailing ones stay together.
  EXPECT_EQ(words("a   b  "), "a|  | b|  ");
  // A line end cannot be part of a word as a space can.
  EXPECT_EQ(words("a \n b\nc"), "a| \n| b|\n|c");
  EXPECT_EQ(words("x1234 5!?"), "x|1234| 5|!?");
  EXPECT_EQ(words("\xc3\xa4\xc3\xb6 \xe6\x97\xa5\xe6\x9c\xac"),
            "\xc3\xa4\xc3\xb6| \xe6\x97\xa5\xe6\x9c\xac");
  // U+00A0 is white space, but not the space that a word may begin with.
  EXPECT_EQ(words("a\xc2\xa0\xc2\xa0"
                  "b"),
            "a|\xc2\xa0|\xc2\xa0|b");
  // U+0301, a combining mark, is other; so is what is not UTF-8.
  EXPECT_EQ(words("e\xcc\x81t\xff\xfe!"), "e|\xcc\x81|t|\xff\xfe!");
  EXPECT_EQ(words("'"), "'");
  EXPECT_EQ(words("''s"), "''|s");
  EXPECT_EQ(words(" "), " ");
  EXPECT_EQ(words(""), "");
}

TEST(PreTokenizerTest, Llama3) {
  Words words("llama-bpe");
  EXPECT_EQ(words("Hello world"), "Hello| world");
  EXPECT_EQ(words("I'M DON'T he'S"), "I|'M| DON|'T| he|'S");
  EXPECT_EQ(words("1234567 890"), "123|456|7| |890");
  // Any single character but a line end or number may lead letters.
  EXPECT_EQ(words("(apple\tpie\nx"), "(apple|\tpie|\n|x");
  // Line ends belong to the symbols before them.
  EXPECT_EQ(words("end.\n\nNew"), "end|.\n\n|New");
  // White space up to the last line end is one word.
  EXPECT_EQ(words("a \n \n  b"), "a| \n \n| | b");
  EXPECT_EQ(words("a   b  "), "a|  | b|  ");
  EXPECT_EQ(words(" !x"), " !|x");
  EXPECT_EQ(words("\xff"
                  "a\xff"),
            "\xff"
            "a|\xff");
}

TEST(PreTokenizerTest, Qwen2) {
  Words words("qwen2");
  EXPECT_EQ(words("I'M 1234"), "I|'M| |1|2|3|4");
  EXPECT_EQ(words("a \n b"), "a| \n| b");
}

TEST(PreTokenizerTest, Lists) {
  // Every splitter cuts the pieces of the one before: punctuation, words, numbers, three digits.
  EXPECT_EQ(Words("default")("a.b  12345 x"), "a|.|b| | |123|45| x");
  EXPECT_EQ(Words("falcon")("a`b 12345"), "a|`|b| |123|45");
  EXPECT_EQ(Words("starcoder")("a 123"), "a| |1|2|3");
  // Without a name it is the default.
  EXPECT_EQ(Words("")("a.b"), "a|.|b");
}

} // namespace
} // namespace sinter::text
