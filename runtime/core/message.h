//===- message.h - Error texts without libc ---------------------------------===//
//
// One line into the fixed text of a sinter_error. Names that come out of a file are printed as they
// are, except that control characters become '?': a message stays one line whatever the file holds.
//
//===----------------------------------------------------------------------===//
#ifndef RUNTIME_CORE_MESSAGE_H
#define RUNTIME_CORE_MESSAGE_H

#include "sinter/sinter.h"

#include <concepts>
#include <cstring>
#include <string_view>

namespace sinter::core {

/// An integer to be printed as 0x….
struct hex {
  uint64_t value;
};

class message {
public:
  /// `error` may be null: then nothing is written.
  message(sinter_error *error, sinter_status status) : error(error) {
    if (error) {
      error->status = status;
      error->text[0] = 0;
    }
  }

  message &operator<<(std::string_view text) {
    for (char c : text)
      put(c);
    return *this;
  }
  message &operator<<(const char *text) {
    while (*text)
      put(*text++);
    return *this;
  }
  template <std::unsigned_integral T> message &operator<<(T value) { return digits(value, 10); }
  template <std::signed_integral T> message &operator<<(T value) {
    if (value < 0)
      put('-');
    return digits(
        value < 0 ? uint64_t(0) - static_cast<uint64_t>(value) : static_cast<uint64_t>(value), 10);
  }
  message &operator<<(hex value) {
    put('0');
    put('x');
    return digits(value.value, 16);
  }

private:
  void put(char c) {
    if (!error || used + 1 >= sizeof(error->text))
      return;
    error->text[used++] = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    error->text[used] = 0;
  }
  message &digits(uint64_t value, unsigned base) {
    char reversed[20];
    unsigned count = 0;
    do {
      reversed[count++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value);
    while (count)
      put(reversed[--count]);
    return *this;
  }

  sinter_error *error;
  size_t used = 0;
};

/// Writes a message made of all parts and returns the status, so that `return fail(error, STATUS,
/// "x is ", x);` reads as a sentence.
template <typename... Parts>
sinter_status fail(sinter_error *error, sinter_status status, const Parts &...parts) {
  message text(error, status);
  (text << ... << parts);
  return status;
}

/// Puts `name: ` in front of the text of an error.
inline void prefix(sinter_error *error, std::string_view name) {
  if (!error)
    return;
  char rest[sizeof(error->text)];
  memcpy(rest, error->text, sizeof(rest));
  message(error, error->status) << name << ": " << static_cast<const char *>(rest);
}

} // namespace sinter::core

#endif
