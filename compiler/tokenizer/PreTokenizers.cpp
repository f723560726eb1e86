//===- PreTokenizers.cpp - Names of pre-tokenizers in GGUF files ----------===//

#include "compiler/tokenizer/PreTokenizers.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace sinter::text;

namespace sinter {

// Facts from llama.cpp's table of pre-tokenizers, by name. Compared with its ids on real
// vocabularies: default (gpt-neox), falcon, gpt-2, mpt, refact, starcoder; on small ones:
// llama-bpe, qwen2. The others share the pattern of one of these.
static constexpr PreTokenizer preTokenizers[] = {
    {"codeshell", {split_number, split_gpt2}, false, false},
    {"command-r", {split_number, split_gpt2}, false, false},
    {"dbrx", {split_llama3}, false, false},
    {"deepseek-r1-qwen", {split_qwen2}, false, false},
    {"default", {split_punctuation, split_gpt2, split_numbers, split_three_digits}, false, false},
    {"falcon", {split_punctuation_falcon, split_gpt2, split_three_digits}, false, false},
    {"falcon3", {split_llama3}, true, true},
    {"gpt-2", {split_gpt2}, false, false},
    {"llama-bpe", {split_llama3}, true, true},
    {"llama-v3", {split_llama3}, true, true},
    {"llama3", {split_llama3}, true, true},
    {"mpt", {split_gpt2}, false, false},
    {"olmo", {split_gpt2}, false, false},
    {"phi-2", {split_gpt2}, false, false},
    {"qwen2", {split_qwen2}, false, false},
    {"refact", {split_number, split_gpt2}, false, false},
    {"smaug-bpe", {split_llama3}, false, false},
    {"smollm", {split_number, split_gpt2}, false, false},
    {"stablelm2", {split_qwen2}, false, false},
    {"starcoder", {split_number, split_gpt2}, false, false},
};

const PreTokenizer *findPreTokenizer(StringRef name) {
  if (name.empty())
    name = "default";
  const PreTokenizer *found =
      find_if(preTokenizers, [&](const PreTokenizer &entry) { return entry.name == name; });
  return found == std::end(preTokenizers) ? nullptr : found;
}

std::string knownPreTokenizers() {
  return join(map_range(preTokenizers, [](const PreTokenizer &entry) { return entry.name.str(); }),
              ", ");
}

} // namespace sinter
