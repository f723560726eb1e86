//===- tables_view.h - Typed access to the tokenizer's tables -------------===//
//
// Pointers into a blob that verify_tables has accepted; look-ups in its hash tables and its special
// tokens. Nothing here checks anything again, except that no input of any kind leads out of the
// blob.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_TABLES_VIEW_H
#define SINTER_RUNTIME_TEXT_TABLES_VIEW_H

#include "runtime/text/tokenizer_tables.h"

#include <string_view>

namespace sinter::text {

class tables_view {
public:
  tables_view() = default;
  explicit tables_view(const void *blob) : base(static_cast<const uint8_t *>(blob)) {}

  const tables_header &header() const { return *reinterpret_cast<const tables_header *>(base); }

  template <typename T> const T *at(const section &place) const {
    return reinterpret_cast<const T *>(base + place.offset);
  }

  /// The bytes of a symbol, token or not.
  std::string_view symbol(uint32_t id) const {
    const uint32_t *offsets = at<uint32_t>(header().symbol_offsets);
    return {at<char>(header().symbol_bytes) + offsets[id], offsets[id + 1] - offsets[id]};
  }

  uint8_t attributes(uint32_t token) const { return at<uint8_t>(header().attributes)[token]; }
  token_type type(uint32_t token) const {
    return token_type(attributes(token) & attribute_type_mask);
  }

  uint32_t priority(uint32_t token) const { return at<uint32_t>(header().priorities)[token]; }
  uint32_t byte_symbol(uint8_t byte) const { return at<uint32_t>(header().byte_symbols)[byte]; }
  const merge &merge_of_rank(uint32_t rank) const { return at<merge>(header().merges)[rank]; }

  /// The token with these bytes, or `none`.
  uint32_t find_token(const uint8_t *bytes, size_t count) const {
    if (count > header().longest_key)
      return none;
    uint64_t hash = hash_bytes(bytes, count);
    return probe(header().lookup, hash, [&](uint32_t token) {
      std::string_view text = symbol(token);
      return text.size() == count && std::memcmp(text.data(), bytes, count) == 0;
    });
  }

  /// The rank of the merge of two symbols, or `none`.
  uint32_t find_merge(uint32_t left, uint32_t right) const {
    return probe(header().merge_lookup, hash_pair(left, right), [&](uint32_t rank) {
      const merge &entry = merge_of_rank(rank);
      return entry.left == left && entry.right == right;
    });
  }

  /// The child of a trie node along a byte; 0 if there is none.
  uint32_t trie_child(uint32_t node, uint8_t byte) const {
    if (node == 0)
      return at<uint32_t>(header().trie_root)[byte];
    const trie_node &parent = at<trie_node>(header().trie_nodes)[node];
    const uint32_t *edges = at<uint32_t>(header().trie_edges) + parent.first_edge;
    for (uint32_t i = 0; i != parent.edges; ++i)
      if ((edges[i] & 0xff) == byte)
        return edges[i] >> 8;
    return 0;
  }

  const trie_node &node(uint32_t index) const { return at<trie_node>(header().trie_nodes)[index]; }

  /// Classes of a code point; 0 for those that have none of ours.
  uint8_t classes(uint32_t code_point) const {
    if (code_point < 128)
      return at<uint8_t>(header().ascii_classes)[code_point];
    const uint32_t *ranges = at<uint32_t>(header().class_ranges);
    uint32_t low = 0,
             high = header().class_ranges.count; // ranges[low] <= code_point < ranges[high]
    while (high - low > 1) {
      uint32_t middle = low + (high - low) / 2;
      if ((ranges[middle] & 0xffffff) <= code_point)
        low = middle;
      else
        high = middle;
    }
    return uint8_t(ranges[low] >> 24);
  }

private:
  template <typename Equal> uint32_t probe(const section &place, uint64_t hash, Equal equal) const {
    const uint32_t *slots = at<uint32_t>(place);
    if (place.count == 0)
      return none;
    for (uint32_t slot = hash_slot(hash, place.count); slots[slot] != 0;) {
      if (slot_matches(slots[slot], hash) && equal(slot_index(slots[slot])))
        return slot_index(slots[slot]);
      slot = slot + 1 == place.count ? 0 : slot + 1;
    }
    return none;
  }

  const uint8_t *base = nullptr;
};

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_TABLES_VIEW_H
