//===- PreTokenizers.h - Names of pre-tokenizers in GGUF files ------------===//
//
// `tokenizer.ggml.pre` names the regular expressions that cut text into words before merging; here
// they become lists of the runtime's matchers (runtime/text/pretokenize.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_COMPILER_TOKENIZER_PRETOKENIZERS_H
#define SINTER_COMPILER_TOKENIZER_PRETOKENIZERS_H

#include "runtime/text/tokenizer_tables.h"

#include "llvm/ADT/StringRef.h"

#include <array>
#include <string>

namespace sinter {

struct PreTokenizer {
  llvm::StringRef name;
  std::array<text::splitter, text::max_splitters> splitters;
  bool ignoresMerges; ///< a word that is a token is not merged
  bool addsBos;       ///< unless the file says otherwise
};

/// The pre-tokenizer of this name, or null. An empty name is "default".
const PreTokenizer *findPreTokenizer(llvm::StringRef name);

/// All names, for messages: "command-r, default, ...".
std::string knownPreTokenizers();

} // namespace sinter

#endif // SINTER_COMPILER_TOKENIZER_PRETOKENIZERS_H
