//===- ByteAlphabet.h - How vocabularies spell bytes ----------------------===//
//
// Byte-level BPE vocabularies (GPT-2 and its heirs) spell bytes as printable characters: those that
// are printable in Latin-1 as themselves, the other 68, in order, as U+0100 and up. " the" is
// spelled "\u0120the". SentencePiece spells a space U+2581 and single bytes "<0x0A>".
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_COMPILER_TOKENIZER_BYTEALPHABET_H
#define SINTER_COMPILER_TOKENIZER_BYTEALPHABET_H

#include "llvm/ADT/StringRef.h"

#include <array>
#include <optional>
#include <string>

namespace sinter {

class ByteAlphabet {
public:
  ByteAlphabet();
  /// The character for a byte, in UTF-8.
  llvm::StringRef spelling(uint8_t byte) const { return spellings[byte]; }
  /// The bytes that a text spells; nothing if it has characters outside of the alphabet.
  std::optional<std::string> decode(llvm::StringRef text) const;

private:
  std::array<std::string, 256> spellings;
  std::array<int, 0x144> bytes; ///< of a code point; -1: outside of the alphabet
};

/// SentencePiece: the text with U+2581 as spaces.
std::string decodeVisibleSpaces(llvm::StringRef text);

/// SentencePiece: "<0x0A>" for byte 10.
std::string spellByteToken(uint8_t byte);

/// SentencePiece: the byte that "<0x0A>" spells.
std::optional<uint8_t> parseByteToken(llvm::StringRef text);

} // namespace sinter

#endif // SINTER_COMPILER_TOKENIZER_BYTEALPHABET_H
