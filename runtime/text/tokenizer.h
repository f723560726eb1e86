//===- tokenizer.h - Text to ids and back ---------------------------------===//
//
// The tokenizer of a bundle, used in place: a tokenizer is a pointer to the tables and copies
// freely. No call allocates; encode works in memory that its caller gives, as much as
// encode_work_bytes says. Any bytes are text: what is not UTF-8 is kept byte by byte.
//
// Ids agree with those of llama.cpp for valid UTF-8. Thread-safe: nothing is ever written but what
// the caller gives for it.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_TOKENIZER_H
#define SINTER_RUNTIME_TEXT_TOKENIZER_H

#include "runtime/text/tables_view.h"

namespace sinter::text {

/// Checks tables from a file: every size, offset, id and link, so that nothing a tokenizer does
/// with them can leave them or run forever.
///
/// \param blob  at a multiple of 4.
/// \returns nullptr if all is well, else a constant string that names the field and its fault.
const char *verify_tables(const void *blob, size_t size);

struct encode_options {
  bool parse_special = true; ///< "<s>" in the text is the token, not four characters
  bool add_bos = true;       ///< where the model wants it
  bool add_eos = true;       ///< where the model wants it
};

enum class encode_status {
  ok,
  text_too_long,     ///< above tokenizer::longest_text
  work_too_small,    ///< below encode_work_bytes
  capacity_too_small ///< `count` ids are needed; the first `capacity` are written
};

class tokenizer {
public:
  /// Bytes of text; its work memory fits into a size_t.
  static constexpr size_t longest_text = size_t(1) << (sizeof(size_t) > 4 ? 30 : 26);

  tokenizer() = default;
  /// `blob` has passed verify_tables and outlives the tokenizer.
  explicit tokenizer(const void *blob) : tables(blob) {}

  uint32_t tokens() const { return tables.header().tokens; }
  /// Ids, -1 where the model has none.
  int32_t bos() const { return tables.header().bos; }
  int32_t eos() const { return tables.header().eos; }
  int32_t end_of_turn() const { return tables.header().end_of_turn; }
  bool adds_bos() const { return tables.header().flags & flag_add_bos; }

  /// Work memory that a text of this many bytes takes, at a multiple of 8; 0 above longest_text.
  size_t encode_work_bytes(size_t text_bytes) const;
  /// Ids that a text of this many bytes can become at most.
  static size_t most_tokens(size_t text_bytes) { return 2 * text_bytes + 3; }

  /// Turns text into ids.
  ///
  /// \param work   encode_work_bytes(text_bytes), overwritten.
  /// \param out    room for `capacity` ids.
  /// \param count  out: how many ids the text has, also where they did not fit.
  encode_status encode(const char *text, size_t text_bytes, const encode_options &options,
                       void *work, size_t work_bytes, int32_t *out, size_t capacity,
                       size_t &count) const;

  bool is_token(int64_t id) const { return id >= 0 && id < int64_t(tokens()); }
  /// What a token stands for: perhaps half a character, "<s>" for a control token. `id` is a token.
  std::string_view piece(int32_t id) const { return tables.symbol(uint32_t(id)); }
  token_type type(int32_t id) const { return tables.type(uint32_t(id)); }
  /// Whether a token is no text: control, unknown or unused.
  bool is_silent(int32_t id) const {
    token_type kind = type(id);
    return kind == token_control || kind == token_unknown || kind == token_unused;
  }
  bool is_end_of_generation(int32_t id) const {
    return tables.attributes(uint32_t(id)) & attribute_end_of_generation;
  }
  uint32_t longest_piece() const { return tables.header().longest_piece; }
  /// Whether text begins with a space that is not printed.
  bool adds_space_prefix() const { return tables.header().flags & flag_add_space_prefix; }

private:
  tables_view tables;
};

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_TOKENIZER_H
