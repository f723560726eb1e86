//===- Golden.h - Models with what another implementation computed --------===//
//
// X.gguf, X.golden.json (prompts as token ids, likelihoods of texts), X.logits.f32 and, unless X is
// F32, X.dequantized.logits.f32 (the same on weights that were dequantized first). The folder is
// SINTER_MODELS; two of our own models are in the repository.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_REFERENCE_GOLDEN_H
#define SINTER_TEST_UNIT_REFERENCE_GOLDEN_H

#include "test/unit/Models.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <cstring>
#include <string>
#include <vector>

namespace sinter::test {

/// Where `name` ("llama/stories260K-f32.gguf") lies; empty if it does not.
inline std::string findModelFile(llvm::StringRef name) {
  std::string source = SINTER_SOURCE_DIR;
  for (const std::string &candidate :
       {modelsDirectory() + "/" + name.str(),
        source + "/test/models/" + name.str(),
        source + "/examples/models/" + llvm::sys::path::filename(name).str()})
    if (llvm::sys::fs::exists(candidate))
      return candidate;
  return {};
}

struct Golden {
  std::vector<std::vector<int32_t>> prompts;
  std::vector<float> logits; ///< [prompt][vocabulary]
  int64_t vocabulary = 0;

  const float *logitsOf(size_t prompt) const { return logits.data() + prompt * vocabulary; }

  /// `model` without ".gguf"; `logits` is "logits" or "dequantized.logits".
  static Golden load(llvm::StringRef model, llvm::StringRef logits) {
    Golden golden;
    auto text = llvm::MemoryBuffer::getFile(findModelFile((model + ".golden.json").str()));
    auto data = llvm::MemoryBuffer::getFile(findModelFile((model + "." + logits + ".f32").str()));
    if (!text || !data)
      return golden;
    llvm::Expected<llvm::json::Value> json = llvm::json::parse((*text)->getBuffer());
    if (!json) {
      llvm::consumeError(json.takeError());
      return golden;
    }
    const llvm::json::Object &top = *json->getAsObject();
    golden.vocabulary = *top.getInteger("n_vocab");
    for (const llvm::json::Value &prompt : *top.getArray("prompts")) {
      std::vector<int32_t> &ids = golden.prompts.emplace_back();
      for (const llvm::json::Value &id : *prompt.getAsObject()->getArray("prompt_ids"))
        ids.push_back(*id.getAsInteger());
    }
    golden.logits.resize((*data)->getBufferSize() / sizeof(float));
    std::memcpy(golden.logits.data(), (*data)->getBufferStart(),
                golden.logits.size() * sizeof(float));
    return golden;
  }
};

} // namespace sinter::test

#endif
