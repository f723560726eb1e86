//===- detokenizer.h - A stream of ids to a stream of characters ----------===//
//
// Tokens end in the middle of characters. The detokenizer gives out whole UTF-8 characters only and
// holds back up to three bytes of an unfinished one until it is finished, or until it is clear that
// it never will be: then its bytes come as they are. Nothing is lost: the output is the pieces, one
// behind the other.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_DETOKENIZER_H
#define SINTER_RUNTIME_TEXT_DETOKENIZER_H

#include "runtime/text/tokenizer.h"

namespace sinter::text {

struct detokenizer_options {
  bool print_special = false; ///< control tokens too
  bool continuation = false;  ///< the text goes on behind a prompt: a leading space is part of it
};

class detokenizer {
public:
  static constexpr size_t most_held_back = 3;
  /// Returned where the output does not fit.
  static constexpr size_t too_small = SIZE_MAX;

  detokenizer() = default;
  detokenizer(const tokenizer &tokens, const detokenizer_options &options)
      : strip_space(tokens.adds_space_prefix() && !options.continuation),
        print_special(options.print_special) {}

  /// Bytes that one push can write at most.
  static size_t capacity(const tokenizer &tokens) {
    return tokens.longest_piece() + most_held_back;
  }

  /// Adds a token and writes what is complete.
  ///
  /// \param id   a token of `tokens`.
  /// \returns bytes written; too_small if `capacity` is less than what may be written: nothing has
  ///          changed then.
  size_t push(const tokenizer &tokens, int32_t id, char *out, size_t capacity);

  /// Ends the stream: writes the bytes held back, as they are. Returns as push.
  size_t finish(char *out, size_t capacity);

private:
  uint8_t held[most_held_back] = {};
  uint8_t held_count = 0;
  bool strip_space = false;
  bool print_special = false;
};

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_DETOKENIZER_H
