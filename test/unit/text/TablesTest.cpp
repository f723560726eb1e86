//===- TablesTest.cpp - From metadata to tables ---------------------------===//

#include "TestTokenizer.h"

#include <chrono>
#include <cmath>

using namespace llvm;

namespace sinter::text {
namespace {

/// The message of a source that cannot be compiled.
std::string faultOf(const TokenizerSource &source) {
  Expected<std::vector<uint8_t>> tables = buildTokenizerTables(source);
  if (tables)
    return "";
  return toString(tables.takeError());
}

using Ids = std::vector<int32_t>;

TEST(TablesTest, SentencePieceMergesByScore) {
  SmallVocabulary small = SmallVocabulary::sentencePiece();
  // 259 ' ', 260 a, 261 b, 262 ab (worse), 263 ' a' (better), 264 aa and 265 bb (equal).
  small.add("\xe2\x96\x81", token_normal, -9).add("a", token_normal, -9);
  small.add("b", token_normal, -9).add("ab", token_normal, -3);
  small.add("\xe2\x96\x81"
            "a",
            token_normal, -2);
  small.add("aa", token_normal, -4).add("bb", token_normal, -4);
  TestTokenizer tokens = TestTokenizer::fromSource(small.source);
  EXPECT_EQ(tokens.encode("ab", false), (Ids{263, 261}));
  EXPECT_EQ(tokens.encode("b ab", false), (Ids{259, 261, 263, 261}));
  // Equal scores merge from the left.
  EXPECT_EQ(tokens.encode("bbbaaa", false), (Ids{259, 265, 261, 264, 260}));
  // U+2581 in the text is a space; what has no token falls back to bytes, NUL too.
  EXPECT_EQ(tokens.encode("\xe2\x96\x81"
                          "b",
                          false),
            (Ids{259, 259, 261}));
  EXPECT_EQ(tokens.encode("\xc3\xa4", false), (Ids{259, 3 + 0xc3, 3 + 0xa4}));
  EXPECT_EQ(tokens.encode(StringRef("\0b\xff", 3), false), (Ids{259, 3, 261, 3 + 0xff}));
  EXPECT_EQ(tokens.encode("", false), Ids{});
  EXPECT_EQ(tokens.encode("", true), Ids{1});
}

TEST(TablesTest, WithoutByteTokensACharacterIsUnknown) {
  SmallVocabulary full = SmallVocabulary::sentencePiece();
  TokenizerSource source = full.source;
  source.tokens.resize(3);
  source.types.resize(3);
  source.scores.resize(3);
  source.addSpacePrefix = false;
  TestTokenizer tokens = TestTokenizer::fromSource(source);
  EXPECT_EQ(tokens.encode("\xe6\x97\xa5!", false), (Ids{0, 0}));
  EXPECT_EQ(tokens.encode("\xe6\x97\xa5</s>", true), (Ids{1, 0, 2}));
}

TEST(TablesTest, BpeMergesByRank) {
  SmallVocabulary small = SmallVocabulary::bytes("gpt-2"); // 256 th
  small.merge("th", "e").merge("\xc4\xa0", "the");         // 257 the, 258 ' the'
  small.merge("e", "s");                                   // 259 es: later than the
  TestTokenizer tokens = TestTokenizer::fromSource(small.source);
  EXPECT_EQ(tokens.encode("the theses", false), (Ids{257, 258, 's', 259}));
  EXPECT_EQ(tokens.encode(StringRef("t\0\xff", 3), false), (Ids{'t', 0, 0xff}));
}

TEST(TablesTest, BpeStepsThatAreNoTokens) {
  // "ab" is merged but no token: alone it becomes bytes again, before c it is a step to "abc".
  SmallVocabulary small = SmallVocabulary::bytes("gpt-2");
  small.source.merges = {small.keep("a b"), small.keep("ab c")};
  small.add("abc", token_normal); // 257
  TestTokenizer tokens = TestTokenizer::fromSource(small.source);
  EXPECT_EQ(tokens.encode("abc ab", false), (Ids{257, ' ', 'a', 'b'}));
}

TEST(TablesTest, WholeWordsOfLlama3AreNotMerged) {
  SmallVocabulary small = SmallVocabulary::bytes("llama-bpe"); // 256 th
  small.add("ther", token_normal);                             // 257: no merges lead there
  small.source.bos = 0;
  TestTokenizer tokens = TestTokenizer::fromSource(small.source);
  EXPECT_EQ(tokens.encode("ther", false), (Ids{257}));
  EXPECT_EQ(tokens.encode("there", false), (Ids{256, 'e', 'r', 'e'}));
  EXPECT_EQ(tokens.encode("", true), (Ids{0})); // llama-bpe begins with BOS unless told otherwise
}

TEST(TablesTest, SpecialTokens) {
  SmallVocabulary small = SmallVocabulary::bytes("gpt-2");
  small.add("<|a|>", token_control).add("xy", token_user_defined);      // 257, 258
  small.add("yzz", token_user_defined).add("<|im_end|>", token_normal); // 259, 260
  TestTokenizer tokens = TestTokenizer::fromSource(small.source);
  EXPECT_EQ(tokens.encode("q<|a|>r", true), (Ids{'q', 257, 'r'}));
  EXPECT_EQ(tokens.encode("<|a|>", false), (Ids{'<', '|', 'a', '|', '>'}));
  // User-defined ones are always matched: the longest first, then from the left.
  EXPECT_EQ(tokens.encode("xyzz xyxy", false), (Ids{'x', 259, ' ', 258, 258}));
  // Known ends of a turn are control tokens whatever the file says.
  EXPECT_EQ(tokens.encode("<|im_end|>", true), (Ids{260}));
  EXPECT_TRUE(tokens->is_end_of_generation(260));
  EXPECT_FALSE(tokens->is_end_of_generation(257));
  EXPECT_EQ(tokens->end_of_turn(), 260);
  EXPECT_EQ(tokens.decode({'q', 257, 258, 260}), "qxy");
  EXPECT_EQ(tokens.decode({'q', 257, 258, 260}, {.print_special = true}), "q<|a|>xy<|im_end|>");
}

TEST(TablesTest, ShorterSpecialTokenWhereTheLongerIsBlocked) {
  // In "abcde", "bcde" (longest) holds, so that "abc" cannot, but its beginning "a" can.
  SmallVocabulary small = SmallVocabulary::bytes("gpt-2");
  small.add("abc", token_user_defined).add("bcde", token_user_defined); // 257, 258
  small.add("a", token_user_defined);                                   // 259
  TestTokenizer tokens = TestTokenizer::fromSource(small.source);
  EXPECT_EQ(tokens.encode("abcde abc", false), (Ids{259, 258, ' ', 257}));
}

TEST(TablesTest, Phi3DropsWhiteSpaceBehindSpecialTokens) {
  SmallVocabulary small = SmallVocabulary::sentencePiece();
  small.add("<|user|>", token_control); // 259
  small.source.addSpacePrefix = false;
  small.source.name = "Phi-3 mini";
  TestTokenizer phi = TestTokenizer::fromSource(small.source);
  EXPECT_EQ(phi.encode("<|user|> \nx", true), (Ids{1, 259, 3 + 'x'}));
  EXPECT_EQ(phi.encode("<s> x", true), (Ids{1, 1, 3 + ' ', 3 + 'x'}));
  small.source.name = "other";
  TestTokenizer other = TestTokenizer::fromSource(small.source);
  EXPECT_EQ(other.encode("<|user|> x", true), (Ids{1, 259, 3 + ' ', 3 + 'x'}));
}

TEST(TablesTest, CountsWhatDoesNotFit) {
  TestTokenizer tokens = TestTokenizer::fromSource(SmallVocabulary::bytes("gpt-2").source);
  std::vector<uint64_t> work(tokens->encode_work_bytes(5) / 8);
  int32_t ids[2] = {-1, -1};
  size_t count = 0;
  EXPECT_EQ(tokens->encode("hello", 5, {}, work.data(), work.size() * 8, ids, 1, count),
            encode_status::capacity_too_small);
  EXPECT_EQ(count, 5u);
  EXPECT_EQ(ids[0], 'h');
  EXPECT_EQ(ids[1], -1);
  EXPECT_EQ(tokens->encode("hello", 5, {}, work.data(), work.size() * 8 - 1, ids, 1, count),
            encode_status::work_too_small);
  EXPECT_EQ(tokens->encode("", tokenizer::longest_text + 1, {}, work.data(), 0, ids, 1, count),
            encode_status::text_too_long);
  EXPECT_EQ(tokens->encode_work_bytes(tokenizer::longest_text + 1), 0u);
}

TEST(TablesTest, MessagesNameWhatIsWrong) {
  SmallVocabulary bpe = SmallVocabulary::bytes("gpt-2"), spm = SmallVocabulary::sentencePiece();
  auto bpeFault = [&](auto change) {
    TokenizerSource source = bpe.source;
    change(source);
    return faultOf(source);
  };
  auto spmFault = [&](auto change) {
    TokenizerSource source = spm.source;
    change(source);
    return faultOf(source);
  };
  EXPECT_EQ(
      bpeFault([](auto &s) { s.model = ""; }),
      "small.gguf: tokenizer.ggml.model is missing: the file says nothing about its tokenizer");
  EXPECT_EQ(bpeFault([](auto &s) { s.model = "bert\n"; }),
            "small.gguf: tokenizer.ggml.model: unknown kind of tokenizer 'bert\\n'; known: llama "
            "(SentencePiece), gpt2 (byte-level BPE)");
  EXPECT_TRUE(StringRef(bpeFault([](auto &s) { s.pre = "deepseek-llm"; }))
                  .starts_with("small.gguf: tokenizer.ggml.pre: unknown pre-tokenizer "
                               "'deepseek-llm'; known: codeshell, command-r, dbrx, "));
  EXPECT_EQ(bpeFault([](auto &s) { s.tokens.clear(); }),
            "small.gguf: tokenizer.ggml.tokens is missing or empty");
  EXPECT_EQ(bpeFault([](auto &s) { s.types.pop_back(); }),
            "small.gguf: tokenizer.ggml.token_type: 256 values for 257 tokens");
  EXPECT_EQ(
      bpeFault([](auto &s) { s.types[7] = 9; }),
      "small.gguf: tokenizer.ggml.token_type[7]: unknown type 9; known: 1 (normal) to 6 (byte)");
  EXPECT_EQ(bpeFault([](auto &s) { s.types['a'] = token_byte; }),
            "small.gguf: tokenizer.ggml.token_type[97]: token 'a' is of type 6 (byte) but does not "
            "look like <0x0A>");
  EXPECT_EQ(bpeFault([](auto &s) { s.bos = 257; }),
            "small.gguf: tokenizer.ggml.bos_token_id: 257 is no token; the vocabulary has 257");
  EXPECT_EQ(bpeFault([](auto &s) { s.addBos = true; }),
            "small.gguf: tokenizer.ggml.add_bos_token is true, but there is no bos_token_id");
  EXPECT_EQ(bpeFault([](auto &s) { s.addEos = true; }),
            "small.gguf: tokenizer.ggml.add_eos_token is true, but there is no eos_token_id");
  EXPECT_EQ(bpeFault([](auto &s) { s.merges.clear(); }),
            "small.gguf: tokenizer.ggml.merges is missing or empty: byte-level BPE needs them");
  for (StringRef bad : {"ab", " a", "a ", ""})
    EXPECT_EQ(bpeFault([&](auto &s) { s.merges[0] = bad; }),
              "small.gguf: tokenizer.ggml.merges[0]: '" + bad.str() +
                  "' is not two symbols with a space between");
  EXPECT_EQ(spmFault([](auto &s) { s.scores.clear(); }),
            "small.gguf: tokenizer.ggml.scores is missing: SentencePiece merges by score");
  EXPECT_EQ(spmFault([](auto &s) { s.scores.pop_back(); }),
            "small.gguf: tokenizer.ggml.scores: 258 values for 259 tokens");
  EXPECT_EQ(spmFault([](auto &s) { s.scores[5] = NAN; }),
            "small.gguf: tokenizer.ggml.scores[5]: is not a number");
}

TEST(TablesTest, TheSameSourceGivesTheSameBytes) {
  for (const char *name : {"vocab/ggml-vocab-llama-spm.gguf", "vocab/ggml-vocab-gpt-2.gguf"}) {
    TestTokenizer first = TestTokenizer::fromModel(name), second = TestTokenizer::fromModel(name);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first.tables() == second.tables()) << name;
  }
}

/// A vocabulary of the size of Llama 3's: 128256 tokens, 280147 merges.
TEST(TablesTest, LargeVocabulariesAreSmallAndQuick) {
  SmallVocabulary small = SmallVocabulary::bytes("llama-bpe");
  small.source.bos = 0;
  uint32_t state = 1;
  while (small.source.merges.size() < 280147) {
    state = state * 1664525 + 1013904223;
    StringRef left = small.source.tokens[(state >> 8) % small.source.tokens.size()];
    state = state * 1664525 + 1013904223;
    StringRef right = small.source.tokens[(state >> 8) % 256];
    if (small.source.tokens.size() < 128256)
      small.merge(left, right);
    else
      small.source.merges.push_back(small.keep((left + " " + right).str()));
  }
  auto start = std::chrono::steady_clock::now();
  Expected<std::vector<uint8_t>> tables = buildTokenizerTables(small.source);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ASSERT_TRUE(bool(tables)) << toString(tables.takeError());
  EXPECT_EQ(verify_tables(tables->data(), tables->size()), nullptr);
  EXPECT_LT(tables->size(), 16u << 20);
  RecordProperty("bytes", int(tables->size()));
  RecordProperty("milliseconds", int(seconds * 1e3));
  // Unoptimised and sanitized builds, and machines that do other things, take several times 0.3 s.
  EXPECT_LT(seconds, 10);
}

} // namespace
} // namespace sinter::text
