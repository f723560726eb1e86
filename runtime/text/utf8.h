//===- utf8.h - Decoding UTF-8 of any quality -----------------------------===//
//
// Strict: overlong forms, surrogates and code points beyond U+10FFFF are invalid. An invalid byte
// is a character of its own, so that no text is lost and none is read twice.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_UTF8_H
#define SINTER_RUNTIME_TEXT_UTF8_H

#include <cstddef>
#include <cstdint>

namespace sinter::text {

/// Stands for a byte that is not part of a character.
inline constexpr uint32_t replacement_character = 0xfffd;

struct character {
  uint32_t code_point;
  uint32_t bytes; ///< 1 .. 4
};

/// Bytes of the character that `lead` begins; 0 if it begins none.
inline uint32_t utf8_length(uint8_t lead) {
  if (lead < 0x80)
    return 1;
  if (lead < 0xc2 || lead > 0xf4)
    return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/// Whether `byte` may follow as byte `index` (1 .. 3) of a character begun by `lead`.
inline bool utf8_continues(uint8_t lead, uint32_t index, uint8_t byte) {
  uint8_t lowest = 0x80, highest = 0xbf;
  if (index == 1) {
    if (lead == 0xe0)
      lowest = 0xa0; // shorter forms exist
    else if (lead == 0xed)
      highest = 0x9f; // surrogates
    else if (lead == 0xf0)
      lowest = 0x90; // shorter forms exist
    else if (lead == 0xf4)
      highest = 0x8f; // beyond U+10FFFF
  }
  return byte >= lowest && byte <= highest;
}

/// The character at `text[0]`; `count` is at least 1.
inline character decode_utf8(const uint8_t *text, size_t count) {
  uint8_t lead = text[0];
  uint32_t bytes = utf8_length(lead);
  if (bytes == 1)
    return {lead, 1};
  if (bytes == 0 || bytes > count)
    return {replacement_character, 1};
  uint32_t code_point = lead & (0x7fu >> bytes);
  for (uint32_t i = 1; i != bytes; ++i) {
    if (!utf8_continues(lead, i, text[i]))
      return {replacement_character, 1};
    code_point = code_point << 6 | (text[i] & 0x3f);
  }
  return {code_point, bytes};
}

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_UTF8_H
