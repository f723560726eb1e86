//===- tables_verify.cpp - Checks the tokenizer's tables before use -------===//
//
// Everything that the look-ups of tables_view.h and the loops over them rely on: sections inside
// the blob, ids below their counts, ascending offsets, an empty slot in every hash table, a trie
// whose depths rise by one a step, so that it has no cycles, and are the lengths of the tokens that
// end in it. What tokens mean is not checked: wrong merges give wrong ids, never a bad access.
//
//===----------------------------------------------------------------------===//

#include "runtime/text/tokenizer.h"

namespace sinter::text {
namespace {

struct section_rule {
  section tables_header::*field;
  uint32_t element_bytes;
  const char *message;
};

#define SECTION(name, element)                                                                     \
  {&tables_header::name, element,                                                                  \
   "tokenizer tables: " #name ": lies outside of the blob or is "                                  \
   "not aligned"}
constexpr section_rule section_rules[] = {
    SECTION(symbol_offsets, 4), SECTION(symbol_bytes, 1), SECTION(attributes, 1),
    SECTION(priorities, 4),     SECTION(lookup, 4),       SECTION(merges, sizeof(merge)),
    SECTION(merge_lookup, 4),   SECTION(byte_symbols, 4), SECTION(trie_root, 4),
    SECTION(trie_nodes, 12),    SECTION(trie_edges, 4),   SECTION(ascii_classes, 1),
    SECTION(class_ranges, 4),
};
#undef SECTION

class verifier {
public:
  verifier(const void *blob, size_t size) : tables(blob), size(size), header(tables.header()) {}

  const char *run() {
    const char *(verifier::*const steps[])() = {&verifier::check_header,  &verifier::check_sections,
                                                &verifier::check_symbols, &verifier::check_ids,
                                                &verifier::check_lookup,  &verifier::check_merges,
                                                &verifier::check_trie,    &verifier::check_classes};
    for (auto step : steps)
      if (const char *fault = (this->*step)())
        return fault;
    return nullptr;
  }

private:
  template <typename T> const T *at(const section &place) const { return tables.at<T>(place); }

  const char *check_header() {
    if (header.magic != tables_magic)
      return "tokenizer tables: magic: these are no tokenizer tables";
    if (header.version != tables_version)
      return "tokenizer tables: version: made by another version; compile the model again";
    if (header.bytes != size)
      return "tokenizer tables: bytes: is not the size of the blob";
    if (header.kind != kind_sentencepiece && header.kind != kind_byte_bpe)
      return "tokenizer tables: kind: unknown";
    if (header.flags & ~uint32_t(flags_known))
      return "tokenizer tables: flags: unknown bits";
    for (uint8_t splitter : header.splitters)
      if (splitter >= splitters_known)
        return "tokenizer tables: splitters: unknown pre-tokenizer; the runtime is too old";
    if (header.reserved[0] | header.reserved[1] | header.reserved[2])
      return "tokenizer tables: reserved: not 0";
    return nullptr;
  }

  const char *check_sections() {
    for (const section_rule &rule : section_rules) {
      const section &place = header.*rule.field;
      if (place.offset % 4 != 0 || place.offset < sizeof(tables_header) ||
          uint64_t(place.offset) + uint64_t(place.count) * rule.element_bytes > size)
        return rule.message;
    }
    return nullptr;
  }

  const char *check_symbols() {
    if (header.tokens == 0 || header.tokens > max_slot_index)
      return "tokenizer tables: tokens: none or too many";
    if (header.symbols < header.tokens || header.symbols == none)
      return "tokenizer tables: symbols: fewer than tokens, or too many";
    if (header.symbol_offsets.count != header.symbols + 1)
      return "tokenizer tables: symbol_offsets: not one for each symbol and one";
    const uint32_t *offsets = at<uint32_t>(header.symbol_offsets);
    if (offsets[0] != 0 || offsets[header.symbols] != header.symbol_bytes.count)
      return "tokenizer tables: symbol_offsets: do not span symbol_bytes";
    for (uint32_t i = 0; i != header.symbols; ++i)
      if (offsets[i + 1] < offsets[i] || offsets[i + 1] - offsets[i] > header.longest_piece)
        return "tokenizer tables: symbol_offsets: not ascending, or a symbol is too long";
    if (header.longest_piece > size)
      return "tokenizer tables: longest_piece: exceeds the blob";
    if (header.attributes.count != header.tokens)
      return "tokenizer tables: attributes: not one for each token";
    const uint8_t *attributes = at<uint8_t>(header.attributes);
    for (uint32_t i = 0; i != header.tokens; ++i) {
      uint8_t type = attributes[i] & attribute_type_mask;
      if (type < token_normal || type > token_byte)
        return "tokenizer tables: attributes: unknown type of token";
    }
    uint32_t priorities = header.kind == kind_sentencepiece ? header.tokens : 0;
    if (header.priorities.count != priorities)
      return "tokenizer tables: priorities: not one for each token";
    for (uint32_t i = 0; i != priorities; ++i)
      if (at<uint32_t>(header.priorities)[i] == none)
        return "tokenizer tables: priorities: out of range";
    return nullptr;
  }

  const char *check_ids() {
    const int32_t ids[] = {header.bos, header.eos, header.unknown, header.end_of_turn,
                           header.padding};
    for (int32_t id : ids)
      if (id < -1 || id >= int64_t(header.tokens))
        return "tokenizer tables: bos, eos, unknown, end_of_turn or padding: not a token";
    if ((header.flags & flag_add_bos) && header.bos < 0)
      return "tokenizer tables: flags: add_bos without a bos token";
    if ((header.flags & flag_add_eos) && header.eos < 0)
      return "tokenizer tables: flags: add_eos without an eos token";
    if (header.byte_symbols.count != 256)
      return "tokenizer tables: byte_symbols: not 256";
    // A byte without a symbol is possible only where symbols are not made of bytes.
    bool bpe = header.kind == kind_byte_bpe;
    for (uint32_t i = 0; i != 256; ++i) {
      uint32_t symbol = at<uint32_t>(header.byte_symbols)[i];
      if (bpe ? symbol >= header.symbols : symbol != none && symbol >= header.tokens)
        return "tokenizer tables: byte_symbols: not a symbol";
    }
    return nullptr;
  }

  /// Slots below `count`, at least one empty; an empty table is fine too.
  bool check_slots(const section &place, uint32_t count) {
    const uint32_t *slots = at<uint32_t>(place);
    bool has_empty = place.count == 0;
    for (uint32_t i = 0; i != place.count; ++i) {
      if (slots[i] == 0)
        has_empty = true;
      else if (slot_index(slots[i]) >= count)
        return false;
    }
    return has_empty;
  }

  const char *check_lookup() {
    if (!check_slots(header.lookup, header.tokens))
      return "tokenizer tables: lookup: a slot is no token, or none is empty";
    if (header.longest_key > header.longest_piece)
      return "tokenizer tables: longest_key: exceeds longest_piece";
    return nullptr;
  }

  const char *check_merges() {
    if (header.merges.count > max_slot_index)
      return "tokenizer tables: merges: too many";
    if (!check_slots(header.merge_lookup, header.merges.count))
      return "tokenizer tables: merge_lookup: a slot is no merge, or none is empty";
    const merge *merges = at<merge>(header.merges);
    for (uint32_t i = 0; i != header.merges.count; ++i)
      if (merges[i].left >= header.symbols || merges[i].right >= header.symbols ||
          merges[i].result >= header.symbols)
        return "tokenizer tables: merges: not a symbol";
    return nullptr;
  }

  const char *check_trie() {
    if (header.trie_root.count != 256)
      return "tokenizer tables: trie_root: not 256";
    const trie_node *nodes = at<trie_node>(header.trie_nodes);
    const uint32_t *edges = at<uint32_t>(header.trie_edges);
    uint32_t count = header.trie_nodes.count;
    if (count == 0 || nodes[0].depth != 0 || nodes[0].token != none)
      return "tokenizer tables: trie_nodes: no root";
    for (uint32_t byte = 0; byte != 256; ++byte)
      if (uint32_t child = at<uint32_t>(header.trie_root)[byte];
          child != 0 && (child >= count || nodes[child].depth != 1))
        return "tokenizer tables: trie_root: not a node of depth 1";
    for (uint32_t i = 0; i != count; ++i) {
      const trie_node &node = nodes[i];
      if (uint64_t(node.first_edge) + node.edges > header.trie_edges.count)
        return "tokenizer tables: trie_nodes: edges outside of trie_edges";
      for (uint32_t edge = node.first_edge; edge != node.first_edge + node.edges; ++edge) {
        uint32_t child = edges[edge] >> 8;
        if (child >= count || nodes[child].depth != node.depth + 1)
          return "tokenizer tables: trie_edges: not a node one deeper";
      }
      if (node.token != none &&
          (node.token >= header.tokens || tables.symbol(node.token).size() != node.depth))
        return "tokenizer tables: trie_nodes: token is none, or of another length";
    }
    return nullptr;
  }

  const char *check_classes() {
    if (header.ascii_classes.count != 128)
      return "tokenizer tables: ascii_classes: not 128";
    for (uint32_t i = 0; i != 128; ++i)
      if (at<uint8_t>(header.ascii_classes)[i] & ~classes_known)
        return "tokenizer tables: ascii_classes: unknown bits";
    const uint32_t *ranges = at<uint32_t>(header.class_ranges);
    uint32_t count = header.class_ranges.count;
    if (count == 0 || (ranges[0] & 0xffffff) != 0)
      return "tokenizer tables: class_ranges: do not begin with U+0000";
    for (uint32_t i = 0; i != count; ++i)
      if (ranges[i] >> 24 & ~uint32_t(classes_known) ||
          (i != 0 && (ranges[i] & 0xffffff) <= (ranges[i - 1] & 0xffffff)))
        return "tokenizer tables: class_ranges: not ascending, or unknown bits";
    return nullptr;
  }

  tables_view tables;
  size_t size;
  const tables_header &header;
};

} // namespace

const char *verify_tables(const void *blob, size_t size) {
  if (blob == nullptr || reinterpret_cast<uintptr_t>(blob) % alignof(tables_header) != 0)
    return "tokenizer tables: not at a multiple of 4";
  if (size < sizeof(tables_header))
    return "tokenizer tables: truncated: shorter than their header";
  return verifier(blob, size).run();
}

} // namespace sinter::text
