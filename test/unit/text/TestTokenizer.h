//===- TestTokenizer.h - Tokenizers for the tests of text -----------------===//
//
// From a model file or from a few tokens written down in a test, to a tokenizer on verified tables.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_TEST_UNIT_TEXT_TESTTOKENIZER_H
#define SINTER_TEST_UNIT_TEXT_TESTTOKENIZER_H

#include "compiler/gguf/Reader.h"
#include "compiler/tokenizer/ByteAlphabet.h"
#include "compiler/tokenizer/TokenizerTables.h"
#include "runtime/text/detokenizer.h"
#include "runtime/text/tokenizer.h"
#include "test/unit/Models.h"

#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace sinter::text {

inline std::string modelPath(const std::string &name) {
  return test::modelsDirectory() + "/" + name;
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

/// A vocabulary written down in a test.
class SmallVocabulary {
public:
  /// SentencePiece: <unk>, <s>, </s>, then the 256 byte tokens.
  static SmallVocabulary sentencePiece() {
    SmallVocabulary result("llama");
    result.add("<unk>", token_unknown).add("<s>", token_control).add("</s>", token_control);
    for (unsigned byte = 0; byte != 256; ++byte)
      result.add(spellByteToken(uint8_t(byte)), token_byte);
    return result;
  }

  /// Byte-level BPE: token b is byte b; merges add tokens.
  static SmallVocabulary bytes(llvm::StringRef pre) {
    SmallVocabulary result("gpt2");
    result.source.pre = pre;
    ByteAlphabet alphabet;
    for (unsigned byte = 0; byte != 256; ++byte)
      result.add(alphabet.spelling(uint8_t(byte)), token_normal);
    return result.merge("t", "h");
  }

  SmallVocabulary &add(llvm::StringRef text, token_type type, float score = 0) {
    source.tokens.push_back(keep(text));
    source.types.push_back(type);
    source.scores.push_back(score);
    return *this;
  }

  SmallVocabulary &merge(llvm::StringRef left, llvm::StringRef right) {
    source.merges.push_back(keep((left + " " + right).str()));
    return add((left + right).str(), token_normal);
  }

  llvm::StringRef keep(llvm::StringRef text) { return texts->emplace_back(text.str()); }

  TokenizerSource source;

private:
  explicit SmallVocabulary(llvm::StringRef model) {
    source.origin = "small.gguf";
    source.model = model;
  }
  std::shared_ptr<std::deque<std::string>> texts = std::make_shared<std::deque<std::string>>();
};

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

  const std::vector<uint8_t> &tables() const { return blob; }

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
