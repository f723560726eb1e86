//===- TokenizerSource.h - What a model says about its tokenizer ----------===//
//
// The tokenizer.* metadata of a GGUF file as plain data, as they stand there: nothing is
// interpreted and no default filled in; that is buildTokenizerTables' work.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_COMPILER_TOKENIZER_TOKENIZERSOURCE_H
#define SINTER_COMPILER_TOKENIZER_TOKENIZERSOURCE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinter::gguf {
class GGUFFile;
}

namespace sinter {

/// Strings point into the file. Keys that the file lacks are empty.
struct TokenizerSource {
  std::string origin;   ///< begins every message: the path of the file
  llvm::StringRef name; ///< general.name
  llvm::StringRef model, pre;
  std::vector<llvm::StringRef> tokens;
  std::vector<float> scores;
  std::vector<int32_t> types;
  std::vector<llvm::StringRef> merges;
  /// Ids; -1 in the file (as signed or unsigned) is no id.
  std::optional<uint32_t> bos, eos, unknown, endOfTurn, endOfMessage, padding;
  std::optional<bool> addBos, addEos, addSpacePrefix;
};

/// Reads the metadata; an error names file, key and value.
llvm::Expected<TokenizerSource> readTokenizerSource(const gguf::GGUFFile &file);

} // namespace sinter

#endif // SINTER_COMPILER_TOKENIZER_TOKENIZERSOURCE_H
