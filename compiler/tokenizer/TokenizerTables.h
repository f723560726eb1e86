//===- TokenizerTables.h - The tokenizer's tables for the bundle ----------===//
//
// Compiles what a model says about its tokenizer into the blob that the runtime uses in place; its
// layout is described in runtime/text/tokenizer_tables.h.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_COMPILER_TOKENIZER_TOKENIZERTABLES_H
#define SINTER_COMPILER_TOKENIZER_TOKENIZERTABLES_H

#include "compiler/tokenizer/TokenizerSource.h"

namespace sinter {

/// The tables; the same source gives the same bytes. What cannot be compiled (another kind of
/// tokenizer, an unknown pre-tokenizer, arrays of different lengths, ids that are no tokens) is an
/// error of one line that names file, key, index and value. The blob passes text::verify_tables.
llvm::Expected<std::vector<uint8_t>> buildTokenizerTables(const TokenizerSource &source);

} // namespace sinter

#endif // SINTER_COMPILER_TOKENIZER_TOKENIZERTABLES_H
