//===- TokenizerTables.cpp - The tokenizer's tables for the bundle --------===//
//
//   source -> types and attributes of tokens -> symbols (what each token stands for in text)
//          -> SentencePiece: priorities, lookup          byte BPE: merges, symbols between merges
//          -> special trie, character classes -> blob
//
// Facts of the formats that no specification states are llama.cpp's: which defaults hold where a
// key is missing, which control tokens end a turn, that of equal tokens the last counts and of
// equal merges the first.
//
//===----------------------------------------------------------------------===//

#include "compiler/tokenizer/TokenizerTables.h"

#include "compiler/tokenizer/ByteAlphabet.h"
#include "compiler/tokenizer/CharacterClasses.h"
#include "compiler/tokenizer/PreTokenizers.h"
#include "compiler/tokenizer/SpecialTrie.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"

#include <bit>
#include <cmath>

using namespace llvm;
using namespace sinter::text;

static_assert(std::endian::native == std::endian::little, "the tables are written as they are");

namespace sinter {
namespace {

/// Control tokens that end the model's turn, whatever the file says about them; the first of them
/// that a vocabulary has is its end-of-turn token.
constexpr StringLiteral endOfGenerationTexts[] = {
    "<|eot_id|>",      "<|im_end|>",
    "<|end|>",         "<end_of_turn>",
    "<|endoftext|>",   "<EOT>",
    "_<EOT>",          "<|eom_id|>",
    "<|end_of_text|>", "<end_of_utterance>",
    "<|return|>",      "<|call|>",
    "[EOT]",           "</s>",
};

/// A section of the blob under construction, and the header's fields for it.
class BlobWriter {
public:
  BlobWriter() { bytes.resize(sizeof(tables_header)); }

  template <typename T> section add(ArrayRef<T> elements) {
    bytes.resize((bytes.size() + 3) & ~size_t(3));
    section place = {uint32_t(bytes.size()), uint32_t(elements.size())};
    const uint8_t *data = reinterpret_cast<const uint8_t *>(elements.data());
    bytes.insert(bytes.end(), data, data + elements.size() * sizeof(T));
    return place;
  }

  std::vector<uint8_t> finish(tables_header header) {
    header.bytes = uint32_t(bytes.size());
    memcpy(bytes.data(), &header, sizeof(header));
    return std::move(bytes);
  }

private:
  std::vector<uint8_t> bytes;
};

/// An open-addressing table as the runtime reads it; five slots of eight are used.
class SlotTable {
public:
  explicit SlotTable(size_t entries) : slots(entries == 0 ? 0 : entries * 8 / 5 + 1) {}

  void insert(uint64_t hash, uint32_t index) {
    uint32_t slot = hash_slot(hash, uint32_t(slots.size()));
    while (slots[slot] != 0)
      slot = slot + 1 == slots.size() ? 0 : slot + 1;
    slots[slot] = make_slot(hash, index);
  }

  std::vector<uint32_t> slots;
};

class TablesBuilder {
public:
  explicit TablesBuilder(const TokenizerSource &source) : source(source) {}

  Expected<std::vector<uint8_t>> build() {
    if (Error error = readKind())
      return error;
    if (Error error = readTypes())
      return error;
    if (Error error = readIds())
      return error;
    markEndOfGeneration();
    markStrippedTokens();
    spellSymbols();
    if (Error error = isSentencePiece() ? buildScores() : buildMerges())
      return error;
    buildLookup();
    if (Error error = buildTrie())
      return error;
    return write();
  }

private:
  bool isSentencePiece() const { return header.kind == kind_sentencepiece; }

  Error fail(StringRef key, const Twine &what) const {
    return make_error<StringError>(source.origin + ": tokenizer.ggml." + key + what,
                                   inconvertibleErrorCode());
  }

  Error readKind() {
    header.magic = tables_magic;
    header.version = tables_version;
    if (source.model.empty())
      return fail("model", " is missing: the file says nothing about its tokenizer");
    if (source.model == "llama") {
      header.kind = kind_sentencepiece;
      header.flags = flag_add_bos | flag_add_space_prefix;
    } else if (source.model == "gpt2") {
      header.kind = kind_byte_bpe;
      const PreTokenizer *pre = findPreTokenizer(source.pre);
      if (!pre)
        return fail("pre", ": unknown pre-tokenizer '" + printable(source.pre) +
                               "'; known: " + knownPreTokenizers());
      for (auto [index, splitter] : enumerate(pre->splitters))
        header.splitters[index] = splitter;
      setFlag(flag_add_bos, pre->addsBos);
      setFlag(flag_ignore_merges, pre->ignoresMerges);
    } else {
      return fail("model", ": unknown kind of tokenizer '" + printable(source.model) +
                               "'; known: llama (SentencePiece), gpt2 (byte-level BPE)");
    }
    if (source.tokens.empty())
      return fail("tokens", " is missing or empty");
    if (source.tokens.size() > max_slot_index / 2)
      return fail("tokens", ": " + Twine(source.tokens.size()) + " tokens; at most " +
                                Twine(max_slot_index / 2) + " are possible");
    header.tokens = uint32_t(source.tokens.size());
    for (auto [index, text] : enumerate(source.tokens))
      if (!text.empty())
        ids[text] = uint32_t(index);
    return Error::success();
  }

  Error readTypes() {
    attributes.assign(header.tokens, token_normal);
    if (source.types.empty())
      return Error::success();
    if (source.types.size() != header.tokens)
      return fail("token_type", ": " + Twine(source.types.size()) + " values for " +
                                    Twine(header.tokens) + " tokens");
    for (auto [index, type] : enumerate(source.types)) {
      if (type < token_normal || type > token_byte)
        return fail("token_type", "[" + Twine(index) + "]: unknown type " + Twine(type) +
                                      "; known: 1 (normal) to 6 (byte)");
      if (type == token_byte && !parseByteToken(source.tokens[index]))
        return fail("token_type", "[" + Twine(index) + "]: token '" +
                                      printable(source.tokens[index]) +
                                      "' is of type 6 (byte) but does not look like <0x0A>");
      attributes[index] = uint8_t(type);
    }
    return Error::success();
  }

  Error readId(StringRef key, std::optional<uint32_t> value, int32_t &field) {
    field = value ? int32_t(*value) : -1;
    if (value && *value >= header.tokens)
      return fail(key, ": " + Twine(*value) + " is no token; the vocabulary has " +
                           Twine(header.tokens));
    return Error::success();
  }

  /// SentencePiece models that name no special tokens mean these.
  std::optional<uint32_t> orDefault(std::optional<uint32_t> value, uint32_t usual) const {
    bool applies = !value && isSentencePiece() && usual < header.tokens;
    return applies ? std::optional<uint32_t>(usual) : value;
  }

  Error readIds() {
    if (Error error = readId("unknown_token_id", orDefault(source.unknown, 0), header.unknown))
      return error;
    if (Error error = readId("bos_token_id", orDefault(source.bos, 1), header.bos))
      return error;
    if (Error error = readId("eos_token_id", orDefault(source.eos, 2), header.eos))
      return error;
    if (Error error = readId("eot_token_id", source.endOfTurn, header.end_of_turn))
      return error;
    if (Error error = readId("padding_token_id", source.padding, header.padding))
      return error;
    int32_t endOfMessage;
    if (Error error = readId("eom_token_id", source.endOfMessage, endOfMessage))
      return error;
    for (int32_t id : {header.eos, header.end_of_turn, endOfMessage})
      if (id >= 0)
        attributes[id] |= attribute_end_of_generation;

    setFlag(flag_add_bos, source.addBos);
    setFlag(flag_add_eos, source.addEos);
    if (isSentencePiece())
      setFlag(flag_add_space_prefix, source.addSpacePrefix);
    if ((header.flags & flag_add_bos) && header.bos < 0) {
      if (source.addBos)
        return fail("add_bos_token", " is true, but there is no bos_token_id");
      header.flags &= ~uint32_t(flag_add_bos);
    }
    if ((header.flags & flag_add_eos) && header.eos < 0)
      return fail("add_eos_token", " is true, but there is no eos_token_id");
    return Error::success();
  }

  void setFlag(uint32_t flag, std::optional<bool> value) {
    if (value)
      header.flags = *value ? header.flags | flag : header.flags & ~flag;
  }

  token_type typeOf(uint32_t token) const {
    return token_type(attributes[token] & attribute_type_mask);
  }

  bool isSpecial(uint32_t token) const {
    token_type type = typeOf(token);
    return type == token_control || type == token_user_defined || type == token_unknown;
  }

  void markEndOfGeneration() {
    for (StringRef text : endOfGenerationTexts) {
      auto found = ids.find(text);
      if (found == ids.end())
        continue;
      uint8_t &attribute = attributes[found->second];
      // Some converters write these as normal tokens.
      attribute = (attribute & ~attribute_type_mask) | token_control | attribute_end_of_generation;
      if (header.end_of_turn < 0)
        header.end_of_turn = int32_t(found->second);
    }
  }

  /// Phi-3 was trained without the white space behind special tokens; only its name says so.
  void markStrippedTokens() {
    std::string name = source.name.lower();
    if (!StringRef(name).contains("phi-3") && !StringRef(name).contains("phi3"))
      return;
    for (uint32_t token = 0; token != header.tokens; ++token) {
      StringRef text = source.tokens[token];
      if (isSpecial(token) && text != "<unk>" && text != "<s>" && text != "<|endoftext|>")
        attributes[token] |= attribute_strip_right;
    }
  }

  std::string spellText(StringRef text) const {
    if (isSentencePiece())
      return decodeVisibleSpaces(text);
    return alphabet.decode(text).value_or(text.str());
  }

  void spellSymbols() {
    for (uint32_t token = 0; token != header.tokens; ++token) {
      StringRef text = source.tokens[token];
      if (isSpecial(token))
        symbols.push_back(text.str());
      else if (typeOf(token) == token_byte)
        symbols.push_back(std::string(1, char(*parseByteToken(text))));
      else
        symbols.push_back(spellText(text));
    }
  }

  Error buildScores() {
    if (source.scores.size() != header.tokens)
      return fail("scores", source.scores.empty()
                                ? Twine(" is missing: SentencePiece merges by score")
                                : ": " + Twine(source.scores.size()) + " values for " +
                                      Twine(header.tokens) + " tokens");
    for (auto [index, score] : enumerate(source.scores))
      if (std::isnan(score))
        return fail("scores", "[" + Twine(index) + "]: is not a number");

    std::vector<float> ranking = source.scores;
    sort(ranking, std::greater<float>());
    ranking.erase(std::unique(ranking.begin(), ranking.end()), ranking.end());
    for (float score : source.scores)
      priorities.push_back(
          uint32_t(std::lower_bound(ranking.begin(), ranking.end(), score, std::greater<float>()) -
                   ranking.begin()));

    for (unsigned byte = 0; byte != 256; ++byte) {
      auto found = ids.find(spellByteToken(uint8_t(byte)));
      byteSymbols[byte] = found == ids.end() ? none : found->second;
    }
    return Error::success();
  }

  /// The symbol of a text that may be no token.
  uint32_t symbolOf(StringRef text) {
    auto [found, isNew] = ids.try_emplace(text, uint32_t(symbols.size()));
    if (isNew)
      symbols.push_back(spellText(text));
    return found->second;
  }

  Error buildMerges() {
    for (unsigned byte = 0; byte != 256; ++byte)
      byteSymbols[byte] = symbolOf(alphabet.spelling(uint8_t(byte)));
    if (source.merges.empty())
      return fail("merges", " is missing or empty: byte-level BPE needs them");
    if (source.merges.size() > max_slot_index / 4)
      return fail("merges", ": " + Twine(source.merges.size()) + " merges; at most " +
                                Twine(max_slot_index / 4) + " are possible");
    DenseSet<std::pair<uint32_t, uint32_t>> seen;
    for (auto [index, text] : enumerate(source.merges)) {
      size_t space = text.find(' ', 1);
      if (space == StringRef::npos || space + 1 == text.size())
        return fail("merges", "[" + Twine(index) + "]: '" + printable(text) +
                                  "' is not two symbols with a space between");
      StringRef left = text.take_front(space), right = text.drop_front(space + 1);
      merge entry = {symbolOf(left), symbolOf(right), symbolOf((left + right).str())};
      if (seen.insert({entry.left, entry.right}).second)
        merges.push_back(entry);
    }
    return Error::success();
  }

  /// Whether text can be looked up as this token: whether the runtime, which sees text as it is,
  /// can meet what the vocabulary spells.
  bool isFindable(uint32_t token) const {
    StringRef text = source.tokens[token];
    if (text.empty() || ids.lookup(text) != token || typeOf(token) == token_byte)
      return false;
    if (isSentencePiece())
      return !text.contains(' ') && symbols[token] == decodeVisibleSpaces(text);
    std::optional<std::string> bytes = alphabet.decode(text);
    return bytes && *bytes == symbols[token];
  }

  void buildLookup() {
    if (!isSentencePiece() && !(header.flags & flag_ignore_merges))
      return; // Merges alone lead to tokens.
    for (uint32_t token = 0; token != header.tokens; ++token)
      if (isFindable(token)) {
        findable.push_back(token);
        header.longest_key = std::max(header.longest_key, uint32_t(symbols[token].size()));
      }
  }

  Error buildTrie() {
    std::map<StringRef, uint32_t> special;
    size_t bytes = 0;
    for (uint32_t token = 0; token != header.tokens; ++token) {
      StringRef text = source.tokens[token];
      if (!isSpecial(token) || text.empty())
        continue;
      bytes += text.size();
      if (text.size() > UINT16_MAX || bytes > max_slot_index)
        return fail("tokens", "[" + Twine(token) +
                                  "]: special tokens are too long: " + Twine(text.size()) +
                                  " bytes here, " + Twine(bytes) + " up to here");
      special[text] = token;
    }
    trie = std::make_unique<SpecialTrie>(special);
    return Error::success();
  }

  Expected<std::vector<uint8_t>> write() {
    header.symbols = uint32_t(symbols.size());
    std::vector<uint32_t> offsets = {0};
    std::string bytes;
    for (const std::string &symbol : symbols) {
      bytes += symbol;
      if (bytes.size() > INT32_MAX / 2)
        return fail("tokens", ": more than 1 GiB of text");
      offsets.push_back(uint32_t(bytes.size()));
      header.longest_piece = std::max(header.longest_piece, uint32_t(symbol.size()));
    }

    SlotTable lookup(findable.size()), mergeLookup(merges.size());
    for (uint32_t token : findable)
      lookup.insert(hash_bytes(reinterpret_cast<const uint8_t *>(symbols[token].data()),
                               symbols[token].size()),
                    token);
    for (auto [rank, entry] : enumerate(merges))
      mergeLookup.insert(hash_pair(entry.left, entry.right), uint32_t(rank));
    CharacterClasses classes = characterClasses();

    BlobWriter blob;
    header.symbol_offsets = blob.add(ArrayRef(offsets));
    header.symbol_bytes = blob.add(ArrayRef(bytes.data(), bytes.size()));
    header.attributes = blob.add(ArrayRef(attributes));
    header.priorities = blob.add(ArrayRef(priorities));
    header.lookup = blob.add(ArrayRef(lookup.slots));
    header.merges = blob.add(ArrayRef(merges));
    header.merge_lookup = blob.add(ArrayRef(mergeLookup.slots));
    header.byte_symbols = blob.add(ArrayRef(byteSymbols));
    header.trie_root = blob.add(ArrayRef(trie->root));
    header.trie_nodes = blob.add(ArrayRef(trie->nodes));
    header.trie_edges = blob.add(ArrayRef(trie->edges));
    header.ascii_classes = blob.add(ArrayRef(classes.ascii));
    header.class_ranges = blob.add(ArrayRef(classes.ranges));
    return blob.finish(header);
  }

  /// Text from the file, fit for one line of a message.
  static std::string printable(StringRef text) {
    std::string result;
    raw_string_ostream(result).write_escaped(text.take_front(80));
    return result;
  }

  const TokenizerSource &source;
  const ByteAlphabet alphabet;
  tables_header header = {};
  StringMap<uint32_t> ids; ///< from spelling to symbol
  std::vector<uint8_t> attributes;
  std::vector<std::string> symbols;
  std::vector<uint32_t> priorities, findable;
  std::vector<merge> merges;
  std::array<uint32_t, 256> byteSymbols{};
  std::unique_ptr<SpecialTrie> trie;
};

} // namespace

Expected<std::vector<uint8_t>> buildTokenizerTables(const TokenizerSource &source) {
  return TablesBuilder(source).build();
}

} // namespace sinter
