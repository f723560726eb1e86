//===- special_tokens.h - Finding special tokens in text ------------------===//
//
// Special tokens are matched before anything else: the longest first, wherever it stands, and of
// equally long ones the leftmost. What is left between them is ordinary text.
//
//   text      a <|im_start|> b            hits   (2, <|im_start|>)
//   longest first: with tokens "ab" and "bcd", "abcd" is a + bcd
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_SPECIAL_TOKENS_H
#define SINTER_RUNTIME_TEXT_SPECIAL_TOKENS_H

#include "runtime/text/tables_view.h"

namespace sinter::text {

struct special_hit {
  uint32_t offset;
  uint32_t token;
};

/// Work memory for a text of this many bytes: hits, and a bit a byte.
constexpr size_t special_hit_bytes(size_t text_bytes) { return text_bytes * sizeof(special_hit); }
constexpr size_t special_bit_bytes(size_t text_bytes) { return (text_bytes + 31) / 32 * 4; }

/// Finds the special tokens of a text.
///
/// \param parse_control  false: only user-defined tokens count, control tokens are read as text.
/// \param hits  room for one per byte of text; gets those that hold, from left to right.
/// \param bits  special_bit_bytes, cleared here.
/// \returns how many hold.
size_t find_special_tokens(const tables_view &tables, const uint8_t *text, uint32_t text_bytes,
                           bool parse_control, special_hit *hits, uint32_t *bits);

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_SPECIAL_TOKENS_H
