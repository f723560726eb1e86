//===- GoldenTest.cpp - Tokenizers of whole models against llama.cpp ------===//
//
// Every golden file beside a test model: its `tokenize` section where it has one (ids with and
// without special tokens, and back to text), and the ids of its prompts.
//
//===----------------------------------------------------------------------===//

#include "TestTokenizer.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

#include <set>

using namespace llvm;

namespace sinter::text {
namespace {

std::vector<int32_t> idsOf(const json::Object &object, StringRef key) {
  std::vector<int32_t> ids;
  const json::Array *array = object.getArray(key);
  EXPECT_TRUE(array) << key.str();
  for (const json::Value &id : array ? *array : json::Array())
    ids.push_back(int32_t(id.getAsInteger().value_or(-1)));
  return ids;
}

/// Returns how many texts there were.
size_t checkGolden(const std::string &folder, const std::string &file) {
  SCOPED_TRACE(file);
  Expected<json::Value> document = json::parse(readFile(modelPath(folder + "/" + file)));
  if (!document) {
    ADD_FAILURE() << toString(document.takeError());
    return 0;
  }
  const json::Object &golden = *document->getAsObject();
  TestTokenizer tokens =
      TestTokenizer::fromModel(folder + "/" + golden.getString("model").value_or("").str());
  if (!tokens)
    return 0;
  EXPECT_EQ(tokens->tokens(), golden.getInteger("n_vocab"));
  EXPECT_EQ(tokens->bos(), golden.getInteger("bos"));
  EXPECT_EQ(tokens->eos(), golden.getInteger("eos"));
  EXPECT_EQ(tokens->adds_bos(), golden.getBoolean("add_bos"));

  size_t count = 0;
  if (const json::Array *cases = golden.getArray("tokenize"))
    for (const json::Value &value : *cases) {
      const json::Object &entry = *value.getAsObject();
      StringRef text = entry.getString("text").value_or("");
      SCOPED_TRACE(text.str());
      EXPECT_EQ(tokens.encode(text, /*special=*/true), idsOf(entry, "ids_special"));
      std::vector<int32_t> plain = idsOf(entry, "ids_plain");
      EXPECT_EQ(tokens.encode(text, /*special=*/false), plain);
      EXPECT_EQ(tokens.decode(plain), entry.getString("detok_plain").value_or("").str());
      ++count;
    }
  if (const json::Array *prompts = golden.getArray("prompts"))
    for (const json::Value &value : *prompts) {
      const json::Object &entry = *value.getAsObject();
      StringRef text = entry.getString("prompt").value_or("");
      SCOPED_TRACE(text.str());
      EXPECT_EQ(tokens.encode(text, /*special=*/true), idsOf(entry, "prompt_ids"));
      ++count;
    }
  return count;
}

class GoldenTest : public testing::TestWithParam<const char *> {};

TEST_P(GoldenTest, GivesTheIdsOfLlamaCpp) {
  SINTER_NEEDS_MODELS();
  std::set<std::string> files;
  std::error_code error;
  for (sys::fs::directory_iterator at(modelPath(GetParam()), error), end; !error && at != end;
       at.increment(error))
    if (StringRef(at->path()).ends_with(".golden.json"))
      files.insert(sys::path::filename(at->path()).str());
  ASSERT_FALSE(error) << modelPath(GetParam()) << ": " << error.message()
                      << "; set SINTER_MODELS to the directory of test models";
  ASSERT_GE(files.size(), 10u);
  size_t texts = 0;
  for (const std::string &file : files)
    texts += checkGolden(GetParam(), file);
  EXPECT_GE(texts, 3 * files.size());
  RecordProperty("texts", int(texts));
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest, testing::Values("llama", "own", "families"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace sinter::text
