//===- ByteAlphabet.cpp - How vocabularies spell bytes --------------------===//

#include "compiler/tokenizer/ByteAlphabet.h"

#include "runtime/text/utf8.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace sinter {

static bool isPrintableLatin1(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

ByteAlphabet::ByteAlphabet() {
  bytes.fill(-1);
  unsigned next = 0x100;
  for (unsigned byte = 0; byte != 256; ++byte) {
    unsigned codePoint = isPrintableLatin1(byte) ? byte : next++;
    bytes[codePoint] = int(byte);
    if (codePoint < 0x80)
      spellings[byte] = std::string(1, char(codePoint));
    else
      spellings[byte] = {char(0xc0 | codePoint >> 6), char(0x80 | (codePoint & 0x3f))};
  }
}

std::optional<std::string> ByteAlphabet::decode(StringRef text) const {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    text::character next = text::decode_utf8(text.bytes_begin(), text.size());
    if (next.code_point >= bytes.size() || bytes[next.code_point] < 0)
      return std::nullopt;
    result.push_back(char(bytes[next.code_point]));
    text = text.drop_front(next.bytes);
  }
  return result;
}

std::string decodeVisibleSpaces(StringRef text) {
  constexpr StringLiteral visibleSpace("\xe2\x96\x81");
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    bool space = text.consume_front(visibleSpace);
    result.push_back(space ? ' ' : text.front());
    text = text.drop_front(space ? 0 : 1);
  }
  return result;
}

std::string spellByteToken(uint8_t byte) {
  return {'<', '0', 'x', hexdigit(byte >> 4), hexdigit(byte & 15), '>'};
}

std::optional<uint8_t> parseByteToken(StringRef text) {
  if (text.size() != 6 || !text.consume_front("<0x") || !text.consume_back(">"))
    return std::nullopt;
  unsigned high = hexDigitValue(text[0]), low = hexDigitValue(text[1]);
  if (high > 15 || low > 15)
    return std::nullopt;
  return uint8_t(high << 4 | low);
}

} // namespace sinter
