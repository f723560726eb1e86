//===- RobustnessTest.cpp - Any text, any length, any damage --------------===//

#include "TestTokenizer.h"

#include "runtime/text/special_tokens.h"

#include <chrono>
#include <map>
#include <set>

using namespace llvm;

namespace sinter::text {
namespace {

class Random {
public:
  uint32_t operator()(uint32_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return uint32_t((state >> 33) % bound);
  }

private:
  uint64_t state = 1;
};

const char *const vocabularies[] = {"llama-spm", "gpt-2", "mpt", "starcoder"};

std::string vocabularyPath(StringRef name) { return ("vocab/ggml-vocab-" + name + ".gguf").str(); }

/// A repetition of the same characters is where naive merging and matching become quadratic. Each
/// takes a fraction of a second; the limit leaves room for sanitizers and busy machines, but not
/// for a trillion steps.
TEST(RobustnessTest, LongRunsTakeBoundedTime) {
  for (const char *name : vocabularies) {
    TestTokenizer tokens = TestTokenizer::fromModel(vocabularyPath(name));
    ASSERT_TRUE(tokens);
    for (StringRef unit : {"a", " ", "\n", "ab", "1", "\xff", "<|", "<s>"}) {
      std::string text;
      while (text.size() < 1000000)
        text += unit;
      auto start = std::chrono::steady_clock::now();
      std::vector<int32_t> ids = tokens.encode(text, true);
      double seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      EXPECT_LT(seconds, 20) << name << ": '" << unit.str() << "'";
      EXPECT_FALSE(ids.empty());
    }
  }
}

/// Text of pieces that matter to some rule, mixed with bytes of all kinds.
std::string randomText(Random &random) {
  static const StringRef pieces[] = {" ",
                                     "  ",
                                     "\n",
                                     "\r\n",
                                     "\t",
                                     "'s",
                                     "'LL",
                                     "a",
                                     "Zebra",
                                     "12",
                                     "3",
                                     ".",
                                     "!?",
                                     "\xc2\xa0",
                                     "\xe2\x96\x81",
                                     "\xe6\x97\xa5",
                                     "\xcc\x81",
                                     "\xf0\x9f\x99\x82",
                                     "<s>",
                                     "</s>",
                                     "<|endoftext|>",
                                     "<0x0A>",
                                     "\xe2\x96",
                                     "\xed\xa0\x80"};
  std::string text;
  for (uint32_t left = random(40); left != 0; --left)
    if (random(4) == 0)
      text.push_back(char(random(256)));
    else
      text += pieces[random(std::size(pieces))];
  return text;
}

TEST(RobustnessTest, NoByteIsLost) {
  Random random;
  for (const char *name :
       {"llama-spm", "gpt-2"}) { // mpt's vocabulary lacks bytes that are not UTF-8
    TestTokenizer tokens = TestTokenizer::fromModel(vocabularyPath(name));
    ASSERT_TRUE(tokens);
    for (int i = 0; i != 2000; ++i) {
      std::string text = randomText(random);
      // SentencePiece cannot tell U+2581 from a space.
      std::string wanted = tokens->adds_space_prefix() ? decodeVisibleSpaces(text) : text;
      ASSERT_EQ(tokens.decode(tokens.encode(text, false)), wanted) << name;
    }
  }
}

/// The partition by special tokens, as its definition reads: for every length from the longest, the
/// leftmost free places.
std::vector<std::pair<uint32_t, uint32_t>> naiveSpecialTokens(const TestTokenizer &tokens,
                                                              StringRef text) {
  std::vector<bool> taken(text.size());
  std::map<uint32_t, uint32_t> found;
  for (size_t length = text.size(); length != 0; --length)
    for (size_t at = 0; at + length <= text.size(); ++at)
      for (uint32_t id = 0; id != tokens->tokens(); ++id) {
        if (tokens->type(id) != token_user_defined ||
            StringRef(tokens->piece(id)) != text.substr(at, length))
          continue;
        if (std::find(taken.begin() + at, taken.begin() + at + length, true) !=
            taken.begin() + at + length)
          continue;
        std::fill(taken.begin() + at, taken.begin() + at + length, true);
        found[uint32_t(at)] = id;
      }
  return {found.begin(), found.end()};
}

TEST(RobustnessTest, SpecialTokensLikeTheirDefinition) {
  Random random;
  for (int round = 0; round != 100; ++round) {
    SmallVocabulary small = SmallVocabulary::bytes("gpt-2");
    std::set<std::string> texts;
    while (texts.size() != 8) {
      std::string text;
      for (uint32_t left = 1 + random(5); left != 0; --left)
        text.push_back(char('a' + random(3)));
      texts.insert(text);
    }
    for (const std::string &text : texts)
      small.add(text, token_user_defined);
    TestTokenizer tokens = TestTokenizer::fromSource(small.source);
    for (int i = 0; i != 20; ++i) {
      std::string text;
      for (uint32_t left = random(20); left != 0; --left)
        text.push_back(char('a' + random(4)));
      std::vector<special_hit> hits(text.size());
      std::vector<uint32_t> bits(special_bit_bytes(text.size()) / 4);
      size_t count = find_special_tokens(tables_view(tokens.tables().data()),
                                         reinterpret_cast<const uint8_t *>(text.data()),
                                         uint32_t(text.size()), false, hits.data(), bits.data());
      std::vector<std::pair<uint32_t, uint32_t>> found;
      for (size_t j = 0; j != count; ++j)
        found.push_back({hits[j].offset, hits[j].token});
      ASSERT_EQ(found, naiveSpecialTokens(tokens, text)) << text;
    }
  }
}

/// Uses everything in tables that may be damaged but have passed verification.
void exercise(const std::vector<uint8_t> &blob, Random &random) {
  tokenizer tokens(blob.data());
  std::string text = randomText(random) + " the <|a|> <s>\xc3\xa4"
                                          "1234567 'S \xe2\x80\x83 there";
  std::vector<uint64_t> work((tokens.encode_work_bytes(text.size()) + 7) / 8);
  std::vector<int32_t> ids(tokenizer::most_tokens(text.size()));
  size_t count = 0;
  tokens.encode(text.data(), text.size(), {}, work.data(), work.size() * 8, ids.data(), ids.size(),
                count);
  ASSERT_LE(count, ids.size());
  ids.resize(count);
  detokenizer stream(tokens, {.print_special = true});
  std::vector<char> out(detokenizer::capacity(tokens));
  for (int32_t id : ids) {
    ASSERT_TRUE(tokens.is_token(id));
    ASSERT_LE(stream.push(tokens, id, out.data(), out.size()), out.size());
  }
}

/// Damaged tables are refused with the name of a field, or stay harmless.
void damage(const SmallVocabulary &small) {
  Expected<std::vector<uint8_t>> tables = buildTokenizerTables(small.source);
  ASSERT_TRUE(bool(tables)) << toString(tables.takeError());
  const std::vector<uint8_t> good = *tables;
  ASSERT_EQ(verify_tables(good.data(), good.size()), nullptr);
  Random random;
  size_t refused = 0, accepted = 0;
  auto check = [&](const std::vector<uint8_t> &blob) {
    const char *fault = verify_tables(blob.data(), blob.size());
    if (fault) {
      ++refused;
      ASSERT_TRUE(StringRef(fault).starts_with("tokenizer tables: ")) << fault;
    } else {
      ++accepted;
      exercise(blob, random);
    }
  };
  // Every byte of the header with several values, every other byte with one.
  for (size_t at = 0; at != good.size(); ++at)
    for (int i = 0; i != (at < sizeof(tables_header) ? 8 : 1); ++i) {
      std::vector<uint8_t> blob = good;
      blob[at] ^= uint8_t(1 + random(255));
      check(blob);
    }
  for (int i = 0; i != 2000; ++i) {
    std::vector<uint8_t> blob = good;
    for (uint32_t changes = 1 + random(4); changes != 0; --changes) {
      uint32_t values[] = {0, 1, 0x7fffffff, 0xffffffff, uint32_t(blob.size()), random(1u << 31)};
      memcpy(&blob[random(uint32_t(blob.size() / 4)) * 4], &values[random(6)], 4);
    }
    check(blob);
  }
  for (size_t size = 0; size < good.size(); size += 1 + random(97))
    check(std::vector<uint8_t>(good.begin(), good.begin() + ptrdiff_t(size)));
  EXPECT_GT(refused, good.size() / 8);
  EXPECT_GT(accepted, good.size() / 8);
}

TEST(RobustnessTest, DamagedTablesOfSentencePiece) {
  SmallVocabulary small = SmallVocabulary::sentencePiece();
  for (StringRef text : {"\xe2\x96\x81", "t", "h", "e", "th", "the", "\xe2\x96\x81the", "<|a|>"})
    small.add(text, token_normal, -float(small.source.tokens.size()));
  small.add("<|a|>", token_control).add("<|", token_user_defined);
  damage(small);
}

TEST(RobustnessTest, DamagedTablesOfBpe) {
  SmallVocabulary small = SmallVocabulary::bytes("llama-bpe");
  small.merge("th", "e").merge("\xc4\xa0", "the").merge("1", "2").merge("12", "3");
  small.add("<|a|>", token_control).add("<|", token_user_defined);
  small.source.bos = 0;
  damage(small);
}

/// Whatever a file says, it gives tables that verify and work, or a message of one line.
TEST(RobustnessTest, RandomMetadata) {
  Random random;
  size_t compiled = 0;
  for (int round = 0; round != 300; ++round) {
    SmallVocabulary small = random(2) ? SmallVocabulary::sentencePiece()
                                      : SmallVocabulary::bytes(random(2) ? "default" : "llama3");
    TokenizerSource &source = small.source;
    for (uint32_t left = random(20); left != 0; --left) {
      bool isByte = random(20) == 0;
      small.add(isByte ? "<0x0A>" : randomText(random),
                isByte ? token_byte : token_type(1 + random(5)), float(random(9)));
      source.merges.push_back(
          small.keep(randomText(random).append(" ").append(randomText(random))));
    }
    if (source.model == "gpt2" && random(4) != 0)
      source.merges.resize(1); // Most of the random ones are no merges.
    std::optional<uint32_t> *ids[] = {&source.bos, &source.eos, &source.unknown, &source.endOfTurn,
                                      &source.padding};
    for (std::optional<uint32_t> *id : ids)
      if (random(3) == 0)
        *id = random(uint32_t(source.tokens.size()) + random(2));
    source.addBos = random(2);
    source.name = random(2) ? "phi3" : "";
    if (random(10) == 0)
      source.types.resize(random(uint32_t(source.types.size())));
    if (random(10) == 0)
      source.tokens.resize(random(uint32_t(source.tokens.size())));
    Expected<std::vector<uint8_t>> tables = buildTokenizerTables(source);
    if (!tables) {
      std::string message = toString(tables.takeError());
      EXPECT_TRUE(StringRef(message).starts_with("small.gguf: tokenizer.ggml.")) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      continue;
    }
    ++compiled;
    const char *fault = verify_tables(tables->data(), tables->size());
    ASSERT_EQ(fault, nullptr) << fault;
    for (int i = 0; i != 5; ++i)
      exercise(*tables, random);
  }
  EXPECT_GT(compiled, 100u);
}

/// Faults that chance does not hit.
TEST(RobustnessTest, NamesTheDamagedField) {
  SmallVocabulary small = SmallVocabulary::bytes("llama-bpe");
  small.add("<|a|>", token_control).add("<|bcd|>", token_control); // 257, 258
  small.source.bos = 0;
  Expected<std::vector<uint8_t>> tables = buildTokenizerTables(small.source);
  ASSERT_TRUE(bool(tables)) << toString(tables.takeError());
  auto faultAfter = [&](auto change) {
    std::vector<uint8_t> blob = *tables;
    change(*reinterpret_cast<tables_header *>(blob.data()), blob.data());
    const char *fault = verify_tables(blob.data(), blob.size());
    return std::string(fault ? fault : "");
  };
  EXPECT_EQ(faultAfter([](tables_header &, uint8_t *) {}), "");
  EXPECT_EQ(faultAfter([](tables_header &header, uint8_t *) { header.longest_piece = 6; }),
            "tokenizer tables: symbol_offsets: not ascending, or a symbol is too long");
  EXPECT_EQ(faultAfter([](tables_header &header, uint8_t *) { header.version = 2; }),
            "tokenizer tables: version: made by another version; compile the model again");
  EXPECT_EQ(faultAfter([](tables_header &header, uint8_t *) { header.bos = 259; }),
            "tokenizer tables: bos, eos, unknown, end_of_turn or padding: not a token");
  EXPECT_EQ(faultAfter([](tables_header &header, uint8_t *) { header.bos = -1; }),
            "tokenizer tables: flags: add_bos without a bos token");
  EXPECT_EQ(faultAfter([](tables_header &header, uint8_t *) { header.merges.offset += 2; }),
            "tokenizer tables: merges: lies outside of the blob or is not aligned");
  // The longer token where the shorter one ends: a match would reach beyond the text.
  EXPECT_EQ(faultAfter([](tables_header &header, uint8_t *blob) {
              trie_node *nodes = reinterpret_cast<trie_node *>(blob + header.trie_nodes.offset);
              for (uint32_t i = 0; i != header.trie_nodes.count; ++i)
                if (nodes[i].token == 257)
                  nodes[i].token = 258;
            }),
            "tokenizer tables: trie_nodes: token is none, or of another length");
  // A hash table without an empty slot: a look-up of what is not there would never end.
  EXPECT_EQ(faultAfter([](tables_header &header, uint8_t *blob) {
              uint32_t *slots = reinterpret_cast<uint32_t *>(blob + header.merge_lookup.offset);
              std::fill(slots, slots + header.merge_lookup.count, 1u);
            }),
            "tokenizer tables: merge_lookup: a slot is no merge, or none is empty");
}

TEST(RobustnessTest, MisalignedOrMissingTables) {
  alignas(8) uint8_t bytes[256] = {};
  EXPECT_STREQ(verify_tables(nullptr, 0), "tokenizer tables: not at a multiple of 4");
  EXPECT_STREQ(verify_tables(bytes + 1, 255), "tokenizer tables: not at a multiple of 4");
  EXPECT_STREQ(verify_tables(bytes, 100), "tokenizer tables: truncated: shorter than their header");
  EXPECT_STREQ(verify_tables(bytes, 256), "tokenizer tables: magic: these are no tokenizer tables");
}

} // namespace
} // namespace sinter::text
