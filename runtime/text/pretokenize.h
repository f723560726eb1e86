//===- pretokenize.h - Cutting text into words for byte-level BPE ---------===//
//
// Merges never cross a word. What a word is, each family says with regular expressions; here each
// of those is a matcher written by hand, which looks at every character once or twice: no
// backtracking, no table but that of character classes. A piece that an expression does not match
// is a word too, from the end of one match to the beginning of the next.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_PRETOKENIZE_H
#define SINTER_RUNTIME_TEXT_PRETOKENIZE_H

#include "runtime/text/tables_view.h"

namespace sinter::text {

/// Where the first piece of the non-empty text[begin, end) ends. What lies outside is not seen:
/// look-ahead ends at `end`.
size_t piece_end(const tables_view &tables, splitter kind, const uint8_t *text, size_t begin,
                 size_t end);

/// Calls `word(begin, end)` for every word of text[begin, end), in order; every byte is in one.
template <typename Word>
void split_words(const tables_view &tables, const uint8_t *text, size_t begin, size_t end,
                 const Word &word, unsigned level = 0) {
  uint8_t kind = level < max_splitters ? tables.header().splitters[level] : uint8_t(split_none);
  if (kind == split_none) {
    word(begin, end);
    return;
  }
  while (begin != end) {
    size_t next = piece_end(tables, splitter(kind), text, begin, end);
    split_words(tables, text, begin, next, word, level + 1);
    begin = next;
  }
}

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_PRETOKENIZE_H
