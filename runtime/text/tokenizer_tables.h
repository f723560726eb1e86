//===- tokenizer_tables.h - The tokenizer in a bundle, byte by byte -------===//
//
// The compiler (compiler/tokenizer) writes one blob of tables, the runtime (runtime/text) reads it
// where it lies: nothing is parsed, copied or built at start-up. Little endian, every section at a
// multiple of 4, all places relative to the blob's first byte, which itself is at a multiple of 4.
//
//   header
//   symbol_offsets   u32[symbols + 1]      where symbol s begins in symbol_bytes; ascending
//   symbol_bytes     u8[]                  what symbol s stands for in text, as it is printed
//   attributes       u8[tokens]            token_type | attribute_*
//   priorities       u32[tokens]           SentencePiece: 0 is the best score, equal scores are
//   equal lookup           u32[slots]            hash table: bytes -> token merges merge[] BPE: in
//   order of rank merge_lookup     u32[slots]            hash table: (left, right) -> rank
//   byte_symbols     u32[256]              the symbol of a single byte
//   trie_root        u32[256]              first byte of a special token -> node, 0: none
//   trie_nodes       trie_node[]           node 0 is the root
//   trie_edges       u32[]                 byte | child << 8, ascending by byte within a node
//   ascii_classes    u8[128]               character classes of U+0000 .. U+007F
//   class_ranges     u32[]                 first code point | classes << 24, ascending: up to the
//   next
//
// *Symbols.* Ids below `tokens` are the vocabulary; those from `tokens` on occur only between two
// merges and in the alphabet of a vocabulary that lacks a byte; they never leave the tokenizer.
// SentencePiece's U+2581 is stored as the space that it stands for, and GPT-2's printable alphabet
// as the bytes that it stands for; the text is never translated.
//
// *Hash tables.* Open addressing. A slot is 0 (empty) or `tag << 24 | index + 1`, where tag is the
// low byte of the key's hash. A key is looked for from slot `hash_slot(hash, slots)` on, wrapping
// around, up to an empty one, of which there is at least one.
//
// Written by: compiler/tokenizer/TokenizerTables.cpp. Read by: everything in this folder; checked
// before use by verify_tables (tables_verify.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_TOKENIZER_TABLES_H
#define SINTER_RUNTIME_TEXT_TOKENIZER_TABLES_H

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sinter::text {

inline constexpr uint32_t tables_magic = 0x4b544e53; // "SNTK"
inline constexpr uint32_t tables_version = 1;

/// Indices share a slot with an 8-bit tag; one value is taken by the empty slot.
inline constexpr uint32_t max_slot_index = (1u << 24) - 2;

/// No id, no node, no rank.
inline constexpr uint32_t none = UINT32_MAX;

enum tokenizer_kind : uint32_t {
  kind_sentencepiece = 1, ///< merges by score, byte tokens as fallback
  kind_byte_bpe = 2,      ///< pre-tokenizer, then merges by rank over bytes
};

/// Types of tokens, as numbered in GGUF files.
enum token_type : uint8_t {
  token_normal = 1,
  token_unknown = 2,
  token_control = 3,
  token_user_defined = 4,
  token_unused = 5,
  token_byte = 6,
};

inline constexpr uint8_t attribute_type_mask = 0x07;
/// The model says with this token that it has ended.
inline constexpr uint8_t attribute_end_of_generation = 0x08;
/// White space behind this special token is dropped (Phi-3).
inline constexpr uint8_t attribute_strip_right = 0x10;

enum header_flags : uint32_t {
  flag_add_bos = 1,
  flag_add_eos = 2,
  flag_add_space_prefix = 4, ///< SentencePiece: text begins with a space that is not printed
  flag_ignore_merges = 8,    ///< BPE: a whole word that is a token is not merged at all
  flags_known = 15,
};

/// A pre-tokenizer is up to four splitters, each cutting the pieces of the one before.
/// Patterns: pretokenize.cpp.
enum splitter : uint8_t {
  split_none = 0, ///< end of the list
  split_gpt2 = 1,
  split_llama3 = 2,
  split_qwen2 = 3,
  split_punctuation = 4,
  split_punctuation_falcon = 5,
  split_numbers = 6,
  split_number = 7,
  split_three_digits = 8,
  splitters_known = 9,
};
inline constexpr unsigned max_splitters = 4;

/// Classes of characters, as bits.
enum char_class : uint8_t {
  class_letter = 1,      ///< \p{L}
  class_number = 2,      ///< \p{N}
  class_space = 4,       ///< \s: White_Space
  class_punctuation = 8, ///< \p{P}
  classes_known = 15,
};

/// A section: where it begins and how many elements (of its own size) it has.
struct section {
  uint32_t offset;
  uint32_t count;
};

struct merge {
  uint32_t left, right, result; ///< symbols
};

struct trie_node {
  uint32_t first_edge;
  uint16_t edges;
  uint16_t depth; ///< bytes from the root
  uint32_t token; ///< whose text ends here, or `none`
};

struct tables_header {
  uint32_t magic, version;
  uint32_t bytes; ///< of the whole blob
  uint32_t kind;
  uint32_t flags;
  uint8_t splitters[max_splitters];
  uint32_t tokens;
  uint32_t symbols;
  int32_t bos, eos, unknown, end_of_turn, padding; ///< ids, -1: none
  uint32_t longest_piece;                          ///< bytes of the longest symbol
  uint32_t longest_key;                            ///< bytes of the longest string in `lookup`
  section symbol_offsets, symbol_bytes, attributes, priorities;
  section lookup, merges, merge_lookup, byte_symbols;
  section trie_root, trie_nodes, trie_edges;
  section ascii_classes, class_ranges;
  uint32_t reserved[3]; ///< 0
};

static_assert(sizeof(section) == 8 && sizeof(merge) == 12 && sizeof(trie_node) == 12);
static_assert(sizeof(tables_header) == 176 && alignof(tables_header) == 4);

//===----------------------------------------------------------------------===//
// The hash functions of both sides
//===----------------------------------------------------------------------===//

inline uint64_t hash_mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 32);
}

inline uint64_t hash_bytes(const uint8_t *bytes, size_t count) {
  uint64_t hash = count;
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    hash = hash_mix(hash, word);
  }
  uint64_t tail = 0;
  for (size_t i = 0; i != count; ++i)
    tail |= uint64_t(bytes[i]) << (8 * i);
  return hash_mix(hash_mix(hash, tail), 0);
}

inline uint64_t hash_pair(uint32_t left, uint32_t right) {
  return hash_mix(hash_mix(0, uint64_t(right) << 32 | left), 0);
}

inline uint32_t hash_slot(uint64_t hash, uint32_t slots) {
  return uint32_t(((hash >> 32) * slots) >> 32);
}

inline uint32_t make_slot(uint64_t hash, uint32_t index) {
  return uint32_t(hash & 0xff) << 24 | (index + 1);
}

inline bool slot_matches(uint32_t slot, uint64_t hash) { return slot >> 24 == (hash & 0xff); }
inline uint32_t slot_index(uint32_t slot) { return (slot & 0xffffff) - 1; }

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_TOKENIZER_TABLES_H
