//===- detokenizer.cpp - A stream of ids to a stream of characters --------===//

#include "runtime/text/detokenizer.h"

#include "runtime/text/utf8.h"

namespace sinter::text {

size_t detokenizer::finish(char *out, size_t capacity) {
  if (capacity < held_count)
    return too_small;
  size_t count = held_count;
  std::memcpy(out, held, count);
  held_count = 0;
  return count;
}

size_t detokenizer::push(const tokenizer &tokens, int32_t id, char *out, size_t capacity) {
  if (tokens.is_silent(id) && !print_special)
    return 0;
  std::string_view piece = tokens.piece(id);
  // The space prefix belongs to the first token that is text.
  if (strip_space && !tokens.is_silent(id) && !piece.empty() && piece.front() == ' ')
    piece.remove_prefix(1);
  if (held_count + piece.size() > capacity)
    return too_small;
  strip_space = strip_space && tokens.is_silent(id);

  size_t count = 0;
  for (char letter : piece) {
    uint8_t byte = uint8_t(letter);
    if (held_count != 0) {
      if (utf8_continues(held[0], held_count, byte)) {
        if (held_count + 1u == utf8_length(held[0])) {
          count += finish(out + count, held_count);
          out[count++] = letter;
        } else {
          held[held_count++] = byte;
        }
        continue;
      }
      count += finish(out + count, held_count);
    }
    if (utf8_length(byte) <= 1)
      out[count++] = letter;
    else
      held[held_count++] = byte;
  }
  return count;
}

} // namespace sinter::text
