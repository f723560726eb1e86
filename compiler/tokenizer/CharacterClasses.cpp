//===- CharacterClasses.cpp - Unicode classes for the pre-tokenizers ------===//
//
// The only user of ICU: the runtime gets ranges of code points and needs no Unicode data of its
// own.
//
//===----------------------------------------------------------------------===//

#include "compiler/tokenizer/CharacterClasses.h"

#include "runtime/text/tokenizer_tables.h"

#include <unicode/uchar.h>

namespace sinter {

static uint8_t classesOf(UChar32 codePoint) {
  uint32_t category = U_MASK(u_charType(codePoint));
  uint8_t classes = 0;
  if (category & U_GC_L_MASK)
    classes |= text::class_letter;
  if (category & U_GC_N_MASK)
    classes |= text::class_number;
  if (category & U_GC_P_MASK)
    classes |= text::class_punctuation;
  if (u_hasBinaryProperty(codePoint, UCHAR_WHITE_SPACE))
    classes |= text::class_space;
  return classes;
}

CharacterClasses characterClasses() {
  CharacterClasses result;
  uint8_t last = 0;
  for (UChar32 codePoint = 0; codePoint <= UCHAR_MAX_VALUE; ++codePoint) {
    uint8_t classes = classesOf(codePoint);
    if (codePoint < 128)
      result.ascii[codePoint] = classes;
    if (codePoint == 0 || classes != last)
      result.ranges.push_back(uint32_t(codePoint) | uint32_t(classes) << 24);
    last = classes;
  }
  return result;
}

} // namespace sinter
