//===- CharacterClasses.h - Unicode classes for the pre-tokenizers --------===//

#ifndef SINTER_COMPILER_TOKENIZER_CHARACTERCLASSES_H
#define SINTER_COMPILER_TOKENIZER_CHARACTERCLASSES_H

#include <array>
#include <cstdint>
#include <vector>

namespace sinter {

/// Sections ascii_classes and class_ranges of the tokenizer tables, from ICU's Unicode data.
struct CharacterClasses {
  std::array<uint8_t, 128> ascii;
  std::vector<uint32_t> ranges; ///< first code point | classes << 24
};

CharacterClasses characterClasses();

} // namespace sinter

#endif // SINTER_COMPILER_TOKENIZER_CHARACTERCLASSES_H
