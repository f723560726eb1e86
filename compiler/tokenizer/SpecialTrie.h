//===- SpecialTrie.h - A trie of special tokens ---------------------------===//

#ifndef SINTER_COMPILER_TOKENIZER_SPECIALTRIE_H
#define SINTER_COMPILER_TOKENIZER_SPECIALTRIE_H

#include "runtime/text/tokenizer_tables.h"

#include "llvm/ADT/StringRef.h"

#include <array>
#include <map>
#include <vector>

namespace sinter {

/// Sections trie_root, trie_nodes and trie_edges of the tokenizer tables.
struct SpecialTrie {
  /// From text to token; texts are not empty and shorter than 65536.
  explicit SpecialTrie(const std::map<llvm::StringRef, uint32_t> &tokens);

  std::array<uint32_t, 256> root{};
  std::vector<text::trie_node> nodes;
  std::vector<uint32_t> edges;
};

} // namespace sinter

#endif // SINTER_COMPILER_TOKENIZER_SPECIALTRIE_H
