//===- DetokenizerTest.cpp - Streams of ids as streams of characters ------===//

#include "TestTokenizer.h"

#include "runtime/text/utf8.h"

namespace sinter::text {
namespace {

/// What each push gives, parted by |, and behind the last one what finish gives.
std::string chunks(const TestTokenizer &tokens, llvm::ArrayRef<int32_t> ids,
                   const detokenizer_options &options = {}) {
  detokenizer stream(*tokens, options);
  std::string result;
  std::vector<char> out(detokenizer::capacity(*tokens));
  for (int32_t id : ids)
    result.append(out.data(), stream.push(*tokens, id, out.data(), out.size())).append("|");
  return result.append(out.data(), stream.finish(out.data(), out.size()));
}

TEST(DetokenizerTest, NeverGivesHalfACharacter) {
  TestTokenizer tokens = TestTokenizer::fromSource(SmallVocabulary::bytes("gpt-2").source);
  // U+1F642 byte by byte, then a letter.
  EXPECT_EQ(chunks(tokens, {0xf0, 0x9f, 0x99, 0x82, 'a'}), "|||\xf0\x9f\x99\x82|a|");
  // A character that never ends comes as it is as soon as that is clear, or at the end.
  EXPECT_EQ(chunks(tokens, {0xf0, 0x9f, 'a'}), "||\xf0\x9f"
                                               "a|");
  EXPECT_EQ(chunks(tokens, {0xe2, 0x96}), "||\xe2\x96");
  EXPECT_EQ(chunks(tokens, {0xe2, 0xe2, 0x96, 0x81}), "|\xe2||\xe2\x96\x81|");
  // Bytes that no character contains, and a surrogate, are not held back.
  EXPECT_EQ(chunks(tokens, {0xff, 0x80, 0xc0}), "\xff|\x80|\xc0|");
  EXPECT_EQ(chunks(tokens, {0xed, 0xa0, 0x80}), "|\xed\xa0|\x80|");
}

TEST(DetokenizerTest, KeepsEveryByteInOrder) {
  TestTokenizer tokens = TestTokenizer::fromSource(SmallVocabulary::bytes("gpt-2").source);
  uint32_t state = 1;
  std::vector<int32_t> ids;
  std::string wanted;
  for (int i = 0; i != 20000; ++i) {
    state = state * 1664525 + 1013904223;
    // Half of the bytes are leads and continuations of long characters.
    int32_t id = state >> 31 ? 0x80 + (state >> 8 & 0x7f) : state >> 8 & 0xff;
    ids.push_back(id);
    wanted.push_back(char(id));
  }
  EXPECT_EQ(tokens.decode(ids), wanted);
}

TEST(DetokenizerTest, LeadingSpaceOfSentencePiece) {
  SmallVocabulary small = SmallVocabulary::sentencePiece();
  small
      .add("\xe2\x96\x81"
           "a",
           token_normal)
      .add("\xe2\x96\x81", token_normal);
  TestTokenizer tokens = TestTokenizer::fromSource(small.source);
  int32_t bos = 1, a = 259, space = 260;
  // It belongs to the first token of text, whatever control tokens come before.
  EXPECT_EQ(chunks(tokens, {bos, a, a}), "|a| a|");
  EXPECT_EQ(chunks(tokens, {space, a}), "| a|");
  EXPECT_EQ(chunks(tokens, {a}, {.print_special = false, .continuation = true}), " a|");
  EXPECT_EQ(chunks(tokens, {bos, a}, {.print_special = true, .continuation = false}), "<s>|a|");
}

TEST(DetokenizerTest, SmallBuffersChangeNothing) {
  TestTokenizer tokens = TestTokenizer::fromSource(SmallVocabulary::bytes("gpt-2").source);
  detokenizer stream(*tokens, {});
  char out[4];
  EXPECT_EQ(stream.push(*tokens, 0xe2, out, 4), 0u);
  EXPECT_EQ(stream.push(*tokens, 'a', out, 1), detokenizer::too_small);
  EXPECT_EQ(stream.finish(out, 0), detokenizer::too_small);
  EXPECT_EQ(stream.push(*tokens, 'a', out, 2), 2u);
  EXPECT_EQ(std::string(out, 2), "\xe2"
                                 "a");
}

TEST(Utf8Test, DecodesStrictly) {
  auto decode = [](llvm::StringRef text) {
    character found = decode_utf8(text.bytes_begin(), text.size());
    return std::pair(found.code_point, found.bytes);
  };
  EXPECT_EQ(decode("a"), std::pair(uint32_t('a'), 1u));
  EXPECT_EQ(decode("\xc3\xa4"), std::pair(0xe4u, 2u));
  EXPECT_EQ(decode("\xe2\x96\x81"), std::pair(0x2581u, 3u));
  EXPECT_EQ(decode("\xf4\x8f\xbf\xbf"), std::pair(0x10ffffu, 4u));
  // Overlong, surrogate, beyond the last code point, cut off, a lone continuation.
  for (llvm::StringRef bad : {"\xc0\x80", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
                              "\xf4\x90\x80\x80", "\xe2\x96", "\x80"})
    EXPECT_EQ(decode(bad), std::pair(replacement_character, 1u));
}

} // namespace
} // namespace sinter::text
