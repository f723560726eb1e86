//===- tokenizer.cpp - Text to ids ----------------------------------------===//
//
//   text -> special tokens and the text between them (special_tokens.h)
//        -> SentencePiece: one sequence of characters          byte BPE: words (pretokenize.h)
//        -> merged (merge_queue.h)
//        -> ids; symbols that are no token fall back to bytes, or to the unknown token
//
// Work memory: hits of special tokens, then either their bits or the queue's and the text with
// U+2581 folded into spaces. The bits are not needed any more when merging begins.
//
//===----------------------------------------------------------------------===//

#include "runtime/text/tokenizer.h"

#include "runtime/text/merge_queue.h"
#include "runtime/text/pretokenize.h"
#include "runtime/text/special_tokens.h"
#include "runtime/text/utf8.h"

namespace sinter::text {
namespace {

constexpr size_t round_up_8(size_t bytes) { return (bytes + 7) & ~size_t(7); }

/// SentencePiece: neighbours merge if together they are a token, the best score first.
struct score_policy {
  const tables_view *tables;
  const uint8_t *text;

  uint32_t key(const merge_queue<score_policy> &queue, uint32_t left, uint32_t right) const {
    uint32_t token = tables->find_token(text + left, queue[right].next - left);
    return token == none ? none : tables->priority(token);
  }
  uint32_t merged(const merge_queue<score_policy> &queue, uint32_t left) const { return none; }
};

/// BPE: neighbours merge by the rank of their pair of ids.
struct rank_policy {
  const tables_view *tables;

  uint32_t key(const merge_queue<rank_policy> &queue, uint32_t left, uint32_t right) const {
    return tables->find_merge(queue[left].id, queue[right].id);
  }
  uint32_t merged(const merge_queue<rank_policy> &queue, uint32_t left) const {
    return tables->merge_of_rank(queue[left].key).result;
  }
};

constexpr size_t queue_bytes = merge_queue<score_policy>::bytes_per_text_byte;

class encoder {
public:
  encoder(const tables_view &tables, int32_t *out, size_t capacity)
      : tables(tables), out(out), capacity(capacity) {}

  /// Where the queue may work: for a text of `text_bytes` and a space in front.
  void set_work(uint8_t *work, uint32_t text_bytes) {
    queue_work = work;
    folded = work + queue_bytes * (size_t(text_bytes) + 1);
  }

  void emit(uint32_t token) {
    if (count < capacity)
      out[count] = int32_t(token);
    ++count;
  }

  void encode_text(const uint8_t *text, uint32_t bytes, bool space_prefix) {
    if (tables.header().kind == kind_sentencepiece)
      encode_sentencepiece(text, bytes, space_prefix);
    else
      split_words(tables, text, 0, bytes, [&](size_t begin, size_t end) {
        encode_word(text + begin, uint32_t(end - begin));
      });
  }

  size_t tokens_written() const { return count; }

private:
  void encode_sentencepiece(const uint8_t *text, uint32_t bytes, bool space_prefix) {
    uint32_t length = 0;
    if (space_prefix)
      folded[length++] = ' ';
    length += fold_spaces(text, bytes, folded + length);
    merge_queue<score_policy> queue({&tables, folded}, queue_work, length);
    for (uint32_t at = 0; at != length; at += decode_utf8(folded + at, length - at).bytes)
      queue.append(at, none);
    queue.run();
    for (uint32_t at = 0; at != length; at = queue[at].next)
      emit_characters(folded + at, queue[at].next - at);
  }

  /// Copies text with U+2581, SentencePiece's visible space, as a space.
  static uint32_t fold_spaces(const uint8_t *text, uint32_t bytes, uint8_t *to) {
    uint32_t length = 0;
    for (uint32_t at = 0; at != bytes; ++at) {
      bool visible_space =
          text[at] == 0xe2 && bytes - at >= 3 && text[at + 1] == 0x96 && text[at + 2] == 0x81;
      to[length++] = visible_space ? ' ' : text[at];
      at += visible_space ? 2 : 0;
    }
    return length;
  }

  /// A token, or a single character that is none.
  void emit_characters(const uint8_t *text, uint32_t bytes) {
    if (uint32_t token = tables.find_token(text, bytes); token != none) {
      emit(token);
      return;
    }
    for (uint32_t i = 0; i != bytes; ++i)
      if (tables.byte_symbol(text[i]) == none) {
        emit_unknown();
        return;
      }
    for (uint32_t i = 0; i != bytes; ++i)
      emit(tables.byte_symbol(text[i]));
  }

  void encode_word(const uint8_t *text, uint32_t bytes) {
    if (tables.header().flags & flag_ignore_merges)
      if (uint32_t token = tables.find_token(text, bytes); token != none) {
        emit(token);
        return;
      }
    merge_queue<rank_policy> queue({&tables}, queue_work, bytes);
    for (uint32_t at = 0; at != bytes; ++at)
      queue.append(at, tables.byte_symbol(text[at]));
    queue.run();
    for (uint32_t at = 0; at != bytes; at = queue[at].next)
      emit_symbol(queue[at].id);
  }

  /// A symbol that is no token, a step between two merges, is taken apart again into bytes.
  void emit_symbol(uint32_t symbol) {
    if (symbol < tables.header().tokens) {
      emit(symbol);
      return;
    }
    for (char byte : tables.symbol(symbol)) {
      uint32_t single = tables.byte_symbol(uint8_t(byte));
      if (single < tables.header().tokens)
        emit(single);
      else
        emit_unknown();
    }
  }

  void emit_unknown() {
    if (tables.header().unknown >= 0)
      emit(uint32_t(tables.header().unknown));
  }

  const tables_view &tables;
  int32_t *out;
  size_t capacity;
  size_t count = 0;
  uint8_t *queue_work = nullptr;
  uint8_t *folded = nullptr;
};

/// isspace of the C locale.
bool is_ascii_space(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

} // namespace

size_t tokenizer::encode_work_bytes(size_t text_bytes) const {
  if (text_bytes > longest_text)
    return 0;
  size_t queue = queue_bytes * (text_bytes + 1) + text_bytes + 1;
  size_t bits = special_bit_bytes(text_bytes);
  return special_hit_bytes(text_bytes) + round_up_8(queue > bits ? queue : bits);
}

encode_status tokenizer::encode(const char *text, size_t text_bytes, const encode_options &options,
                                void *work, size_t work_bytes, int32_t *out, size_t capacity,
                                size_t &count) const {
  count = 0;
  if (text_bytes > longest_text)
    return encode_status::text_too_long;
  if (work_bytes < encode_work_bytes(text_bytes))
    return encode_status::work_too_small;

  const uint8_t *bytes = reinterpret_cast<const uint8_t *>(text);
  uint32_t end = uint32_t(text_bytes);
  special_hit *hits = static_cast<special_hit *>(work);
  uint8_t *rest = static_cast<uint8_t *>(work) + special_hit_bytes(text_bytes);
  size_t hit_count = find_special_tokens(tables, bytes, end, options.parse_special, hits,
                                         reinterpret_cast<uint32_t *>(rest));

  encoder to(tables, out, capacity);
  to.set_work(rest, end);
  const tables_header &header = tables.header();
  if (options.add_bos && (header.flags & flag_add_bos))
    to.emit(uint32_t(header.bos));

  // SentencePiece: text at the beginning and behind a special token gets the space prefix.
  uint32_t at = 0;
  for (size_t i = 0; i <= hit_count; ++i) {
    uint32_t stop = i == hit_count ? end : hits[i].offset;
    if (at < stop)
      to.encode_text(bytes + at, stop - at, adds_space_prefix());
    if (i == hit_count)
      break;
    to.emit(hits[i].token);
    at = stop + uint32_t(tables.symbol(hits[i].token).size());
    if (tables.attributes(hits[i].token) & attribute_strip_right)
      while (at < end && is_ascii_space(bytes[at]) &&
             (i + 1 == hit_count || at < hits[i + 1].offset))
        ++at;
  }

  if (options.add_eos && (header.flags & flag_add_eos))
    to.emit(uint32_t(header.eos));
  count = to.tokens_written();
  return count > capacity ? encode_status::capacity_too_small : encode_status::ok;
}

} // namespace sinter::text
