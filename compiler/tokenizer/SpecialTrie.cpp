//===- SpecialTrie.cpp - A trie of special tokens -------------------------===//
//
// Nodes are numbered level by level, so that children follow their parents. A node under
// construction is the range of sorted texts that share its path.
//
//===----------------------------------------------------------------------===//

#include "compiler/tokenizer/SpecialTrie.h"

using namespace llvm;

namespace sinter {

SpecialTrie::SpecialTrie(const std::map<StringRef, uint32_t> &tokens) {
  using Iterator = std::map<StringRef, uint32_t>::const_iterator;
  std::vector<std::pair<Iterator, Iterator>> ranges = {{tokens.begin(), tokens.end()}};
  nodes.push_back({0, 0, 0, text::none});

  for (size_t parent = 0; parent != ranges.size(); ++parent) {
    auto [first, last] = ranges[parent];
    unsigned depth = nodes[parent].depth;
    if (first != last && first->first.size() == depth) // The shortest text sorts first.
      nodes[parent].token = (first++)->second;
    nodes[parent].first_edge = uint32_t(edges.size());
    while (first != last) {
      uint8_t byte = uint8_t(first->first[depth]);
      Iterator begin = first;
      while (first != last && uint8_t(first->first[depth]) == byte)
        ++first;
      uint32_t child = uint32_t(nodes.size());
      if (parent == 0)
        root[byte] = child;
      edges.push_back(byte | child << 8);
      ++nodes[parent].edges;
      ranges.push_back({begin, first});
      nodes.push_back({0, 0, uint16_t(depth + 1), text::none});
    }
  }
}

} // namespace sinter
