//===- special_tokens.cpp - Finding special tokens in text ----------------===//
//
// One walk through a trie at every byte gives the longest candidate there. Then candidates are
// settled by length, longest first: one that overlaps nothing settled holds; one whose first byte
// is taken is out; one whose last byte is taken is replaced by the next shorter at the same place.
//
// What is settled is never shorter than the candidate, so looking at its first and last byte is
// enough to see an overlap. Every length costs one pass over the candidates that are left.
//
//===----------------------------------------------------------------------===//

#include "runtime/text/special_tokens.h"

namespace sinter::text {
namespace {

class finder {
public:
  finder(const tables_view &tables, const uint8_t *text, uint32_t text_bytes, bool parse_control,
         special_hit *hits, uint32_t *bits)
      : tables(tables), text(text), text_bytes(text_bytes), parse_control(parse_control),
        hits(hits), bits(bits) {}

  size_t run() {
    uint32_t longest = collect();
    if (count == 0)
      return 0;
    std::memset(bits, 0, special_bit_bytes(text_bytes));
    while (longest != 0)
      longest = settle(longest);
    size_t kept = 0;
    for (size_t i = 0; i != count; ++i)
      if (hits[i].token & settled)
        hits[kept++] = {hits[i].offset, hits[i].token & ~settled};
    return kept;
  }

private:
  static constexpr uint32_t settled = 1u << 31;

  /// The longest special token at `offset` that is shorter than `limit`, or `none`.
  uint32_t match(uint32_t offset, uint32_t limit) const {
    uint32_t found = none;
    uint32_t node = 0;
    for (uint32_t i = 0; i + 1 < limit && offset + i != text_bytes; ++i) {
      node = tables.trie_child(node, text[offset + i]);
      if (node == 0)
        break;
      if (uint32_t token = tables.node(node).token; token != none && allowed(token))
        found = token;
    }
    return found;
  }

  bool allowed(uint32_t token) const {
    return parse_control || tables.type(token) == token_user_defined;
  }

  uint32_t length(uint32_t token) const { return uint32_t(tables.symbol(token).size()); }
  bool taken(uint32_t offset) const { return bits[offset / 32] >> (offset % 32) & 1; }

  /// Writes the candidates; returns the length of the longest.
  uint32_t collect() {
    uint32_t longest = 0;
    for (uint32_t offset = 0; offset != text_bytes; ++offset)
      if (uint32_t token = match(offset, none); token != none) {
        hits[count++] = {offset, token};
        longest = length(token) > longest ? length(token) : longest;
      }
    return longest;
  }

  /// Settles the candidates of this length; returns the next shorter length there is.
  uint32_t settle(uint32_t wanted) {
    uint32_t next = 0;
    size_t kept = 0;
    for (size_t i = 0; i != count; ++i) {
      special_hit hit = hits[i];
      if (!(hit.token & settled)) {
        if (length(hit.token) == wanted)
          hit.token = decide(hit, wanted);
        if (hit.token == none)
          continue;
        if (!(hit.token & settled) && length(hit.token) > next)
          next = length(hit.token);
      }
      hits[kept++] = hit;
    }
    count = kept;
    return next;
  }

  /// The candidate settled, a shorter one in its place, or `none`.
  uint32_t decide(const special_hit &hit, uint32_t bytes) {
    if (taken(hit.offset))
      return none;
    if (taken(hit.offset + bytes - 1))
      return match(hit.offset, bytes);
    for (uint32_t i = hit.offset; i != hit.offset + bytes; ++i)
      bits[i / 32] |= 1u << (i % 32);
    return hit.token | settled;
  }

  const tables_view &tables;
  const uint8_t *text;
  uint32_t text_bytes;
  bool parse_control;
  special_hit *hits;
  uint32_t *bits;
  size_t count = 0;
};

} // namespace

size_t find_special_tokens(const tables_view &tables, const uint8_t *text, uint32_t text_bytes,
                           bool parse_control, special_hit *hits, uint32_t *bits) {
  if (tables.header().trie_nodes.count <= 1)
    return 0;
  return finder(tables, text, text_bytes, parse_control, hits, bits).run();
}

} // namespace sinter::text
