//===- pretokenize.cpp - Matchers for the patterns of pre-tokenizers ------===//
//
// Classes: L letter, N number, S white space; "other" is none of them. ? and + are greedy.
//
//   gpt2         's|'t|'re|'ve|'m|'ll|'d | _?L+ | _?N+ | _?other+ | S+(?!not S) | S+   (_ is a
//   space) llama3       the same contractions in any case | [^\r\n L N]?L+ | N{1,3} |
//   _?other+[\r\n]*
//                | S*[\r\n]+ | S+(?!not S) | S+
//   qwen2        llama3 with single numbers
//   punctuation  [\p{P}$+<=>^~|]+, falcon's with ` too
//   numbers      N+        number  N        three_digits  [0-9][0-9][0-9]
//
// S+(?!not S) leaves the last white space of a run to the word behind it, unless it is all there
// is.
//
//===----------------------------------------------------------------------===//

#include "runtime/text/pretokenize.h"

#include "runtime/text/utf8.h"

namespace sinter::text {
namespace {

constexpr uint8_t class_any_of_three = class_letter | class_number | class_space;

/// Reads characters with their classes; behind the end stands a character of no class and no code.
class reader {
public:
  reader(const tables_view &tables, const uint8_t *text, size_t end)
      : tables(tables), text(text), end(end) {}

  struct item {
    uint32_t code_point;
    uint8_t classes;
    size_t next; ///< where the character after it begins; `end` stays `end`

    bool is(uint8_t wanted) const { return classes & wanted; }
    bool is_newline() const { return code_point == '\r' || code_point == '\n'; }
  };

  item read(size_t at) const {
    if (at == end)
      return {none, 0, end};
    character found = decode_utf8(text + at, end - at);
    return {found.code_point, tables.classes(found.code_point), at + found.bytes};
  }

  /// Other than letter, number and space, and not the end.
  static bool is_other(const item &found) {
    return found.code_point != none && !found.is(class_any_of_three);
  }

  /// The first place from `at` on whose character does not satisfy `wanted`.
  template <typename Wanted> size_t skip_while(size_t at, const Wanted &wanted) const {
    for (item found = read(at); at != end && wanted(found); found = read(at))
      at = found.next;
    return at;
  }

  size_t skip_class(size_t at, uint8_t wanted) const {
    return skip_while(at, [=](const item &found) { return found.is(wanted); });
  }

  /// End of 's, 't, 'm, 'd, 're, 've, 'll at `at`, or `at`.
  size_t contraction(size_t at, bool any_case) const {
    if (text[at] != '\'')
      return at;
    auto letter = [&](size_t index) -> uint8_t {
      if (index >= end)
        return 0;
      uint8_t byte = text[index];
      return any_case && byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
    };
    uint8_t first = letter(at + 1), second = letter(at + 2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd')
      return at + 2;
    bool two = (first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
               (first == 'l' && second == 'l');
    return two ? at + 3 : at;
  }

  /// `S+(?!not S) | S+` at `at`, where there is white space.
  size_t spaces(size_t at) const {
    size_t last = at, stop = at;
    for (item found = read(at); found.is(class_space); found = read(stop)) {
      last = stop;
      stop = found.next;
    }
    return stop == end || last == at ? stop : last;
  }

  /// `S*[\r\n]+` at `at`: the end of the last line end in this run of white space, or `at`.
  size_t line_ends(size_t at) const {
    size_t stop = at;
    for (item found = read(at); found.is(class_space); found = read(found.next))
      if (found.is_newline())
        stop = found.next;
    return stop;
  }

private:
  const tables_view &tables;
  const uint8_t *text;
  size_t end;
};

size_t gpt2_end(const reader &in, size_t at) {
  if (size_t stop = in.contraction(at, false); stop != at)
    return stop;
  reader::item first = in.read(at);
  size_t start = first.code_point == ' ' ? first.next : at;
  reader::item head = in.read(start);
  if (head.is(class_letter))
    return in.skip_class(head.next, class_letter);
  if (head.is(class_number))
    return in.skip_class(head.next, class_number);
  if (reader::is_other(head))
    return in.skip_while(head.next, reader::is_other);
  return in.spaces(at);
}

size_t llama3_end(const reader &in, size_t at, unsigned most_numbers) {
  if (size_t stop = in.contraction(at, true); stop != at)
    return stop;
  reader::item first = in.read(at);
  if (!first.is_newline() && !first.is(class_number) &&
      (first.is(class_letter) || in.read(first.next).is(class_letter)))
    return in.skip_class(first.next, class_letter);
  if (first.is(class_number)) {
    size_t stop = first.next;
    for (unsigned i = 1; i != most_numbers; ++i)
      if (reader::item next = in.read(stop); next.is(class_number))
        stop = next.next;
      else
        break;
    return stop;
  }
  reader::item head = first.code_point == ' ' ? in.read(first.next) : first;
  if (reader::is_other(head)) {
    size_t stop = in.skip_while(head.next, reader::is_other);
    return in.skip_while(stop, [](const reader::item &found) { return found.is_newline(); });
  }
  if (size_t stop = in.line_ends(at); stop != at)
    return stop;
  return in.spaces(at);
}

/// A run of what is wanted, or one of what is not.
template <typename Wanted> size_t run_end(const reader &in, size_t at, const Wanted &wanted) {
  bool matches = wanted(in.read(at));
  return in.skip_while(at, [&](const reader::item &found) { return wanted(found) == matches; });
}

size_t punctuation_end(const reader &in, size_t at, std::string_view symbols) {
  return run_end(in, at, [=](const reader::item &found) {
    return found.is(class_punctuation) ||
           (found.code_point < 128 && symbols.find(char(found.code_point)) != symbols.npos);
  });
}

size_t number_end(const reader &in, size_t at) {
  reader::item first = in.read(at);
  if (first.is(class_number))
    return first.next;
  return in.skip_while(at, [](const reader::item &found) { return !found.is(class_number); });
}

size_t three_digits_end(const uint8_t *text, size_t begin, size_t end) {
  auto digit = [&](size_t at) { return at < end && text[at] >= '0' && text[at] <= '9'; };
  auto three = [&](size_t at) { return digit(at) && digit(at + 1) && digit(at + 2); };
  if (three(begin))
    return begin + 3;
  size_t stop = begin + 1;
  while (stop != end && !three(stop))
    ++stop;
  return stop;
}

} // namespace

size_t piece_end(const tables_view &tables, splitter kind, const uint8_t *text, size_t begin,
                 size_t end) {
  reader in(tables, text, end);
  switch (kind) {
  case split_gpt2:
    return gpt2_end(in, begin);
  case split_llama3:
    return llama3_end(in, begin, 3);
  case split_qwen2:
    return llama3_end(in, begin, 1);
  case split_punctuation:
    return punctuation_end(in, begin, "$+<=>^~|");
  case split_punctuation_falcon:
    return punctuation_end(in, begin, "$+<=>^~|`");
  case split_numbers:
    return run_end(in, begin, [](const reader::item &found) { return found.is(class_number); });
  case split_number:
    return number_end(in, begin);
  case split_three_digits:
    return three_digits_end(text, begin, end);
  case split_none:
  case splitters_known:
    break;
  }
  return end;
}

} // namespace sinter::text
