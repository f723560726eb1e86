//===- TestTokenizer.h - Tokenizers for the tests of text -----------------===//
//
// From a model file or from a few tokens written down in a test, to a tokenizer on verified tables.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_TEST_UNIT_TEXT_TESTTOKENIZER_H
#define SINTER_TEST_UNIT_TEXT_TESTTOKENIZER_H

#include "compiler/gguf/Reader.h"
#include "compiler/tokenizer/TokenizerTables.h"
#include "runtime/text/detokenizer.h"
#include "runtime/text/tokenizer.h"

#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

#include <cstdlib>
#include <string>
#include <vector>

namespace sinter::text {

/// The directory of test models: SINTER_MODELS, or beside the checkout.
inline std::string modelPath(const std::string &name) {
  const char *directory = std::getenv("SINTER_MODELS");
  return (directory ? std::string(directory) : SINTER_SOURCE_DIR "/../shared/models") + "/" + name;
}

/// Contents of a file; the test fails if it is missing.
inline std::string readFile(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer) {
    ADD_FAILURE() << path << ": " << buffer.getError().message()
                  << "; set SINTER_MODELS to the directory of test models";
    return {};
  }
  return (*buffer)->getBuffer().str();
}

/// Tables with their tokenizer. Without tables (a failure has been reported) it converts to false.
class TestTokenizer {
public:
  explicit TestTokenizer(std::vector<uint8_t> blob) : blob(std::move(blob)) {
    const char *fault = verify_tables(this->blob.data(), this->blob.size());
    EXPECT_EQ(fault, nullptr) << fault;
    if (fault)
      this->blob.clear();
    else
      tokens = tokenizer(this->blob.data());
  }

  static TestTokenizer fromSource(const TokenizerSource &source) {
    llvm::Expected<std::vector<uint8_t>> tables = buildTokenizerTables(source);
    if (!tables) {
      ADD_FAILURE() << llvm::toString(tables.takeError());
      return {};
    }
    return TestTokenizer(std::move(*tables));
  }

  static TestTokenizer fromModel(const std::string &name) {
    auto file = gguf::GGUFFile::open(modelPath(name));
    if (!file) {
      ADD_FAILURE() << llvm::toString(file.takeError())
                    << "; set SINTER_MODELS to the directory of test models";
      return {};
    }
    llvm::Expected<TokenizerSource> source = readTokenizerSource(**file);
    if (!source) {
      ADD_FAILURE() << llvm::toString(source.takeError());
      return {};
    }
    return fromSource(*source);
  }

  explicit operator bool() const { return !blob.empty(); }
  const tokenizer *operator->() const { return &tokens; }
  const tokenizer &operator*() const { return tokens; }

  std::vector<int32_t> encode(llvm::StringRef text, bool special) const {
    encode_options options = {special, special, special};
    std::vector<uint64_t> work((tokens.encode_work_bytes(text.size()) + 7) / 8);
    std::vector<int32_t> ids(tokenizer::most_tokens(text.size()));
    size_t count = 0;
    encode_status status = tokens.encode(text.data(), text.size(), options, work.data(),
                                         work.size() * 8, ids.data(), ids.size(), count);
    EXPECT_EQ(status, encode_status::ok);
    ids.resize(std::min(count, ids.size()));
    return ids;
  }

  std::string decode(llvm::ArrayRef<int32_t> ids, const detokenizer_options &options = {}) const {
    detokenizer stream(tokens, options);
    std::string text;
    std::vector<char> out(detokenizer::capacity(tokens));
    for (int32_t id : ids) {
      size_t count = stream.push(tokens, id, out.data(), out.size());
      EXPECT_LE(count, out.size());
      text.append(out.data(), std::min(count, out.size()));
    }
    size_t count = stream.finish(out.data(), out.size());
    return text.append(out.data(), std::min(count, out.size()));
  }

private:
  TestTokenizer() = default;
  std::vector<uint8_t> blob;
  tokenizer tokens;
};

} // namespace sinter::text

#endif // SINTER_TEST_UNIT_TEXT_TESTTOKENIZER_H
