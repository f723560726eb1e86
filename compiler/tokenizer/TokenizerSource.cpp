//===- TokenizerSource.cpp - What a model says about its tokenizer --------===//

#include "compiler/tokenizer/TokenizerSource.h"

#include "compiler/gguf/Reader.h"

using namespace llvm;

namespace sinter {
namespace {

/// Reads keys one after the other and keeps the first error, so that the list of keys below stays a
/// list.
class MetadataReader {
public:
  explicit MetadataReader(const gguf::GGUFFile &file) : file(file) {}
  ~MetadataReader() { consumeError(std::move(failure)); }

  /// Assigns what `get` returns, where the file has the key.
  template <typename T, typename Get> void read(StringRef key, T &value, Get get) {
    if (failure || !file.has(key))
      return;
    if (auto found = get())
      value = std::move(*found);
    else
      failure = found.takeError();
  }

  void string(StringRef key, StringRef &value) {
    read(key, value, [&] { return file.getString(key); });
  }
  void flag(StringRef key, std::optional<bool> &value) {
    read(key, value, [&] { return file.getBool(key); });
  }
  void strings(StringRef key, std::vector<StringRef> &value) {
    read(key, value, [&] { return file.getStrings(key); });
  }
  void integers(StringRef key, std::vector<int32_t> &value) {
    read(key, value, [&] { return file.getI32s(key); });
  }
  void floats(StringRef key, std::vector<float> &value) {
    read(key, value, [&] { return file.getF32s(key); });
  }

  /// An id; converters write -1 for none, which is 2^32 - 1 where the type is unsigned.
  void id(StringRef key, std::optional<uint32_t> &value) {
    read(key, value, [&]() -> Expected<std::optional<uint32_t>> {
      Expected<int32_t> number = file.getI32(key);
      if (number && *number == -1)
        return std::nullopt;
      consumeError(number.takeError());
      Expected<uint32_t> found = file.getU32(key);
      if (!found)
        return found.takeError();
      return *found == UINT32_MAX ? std::nullopt : std::optional<uint32_t>(*found);
    });
  }

  Error takeError() { return std::move(failure); }

private:
  const gguf::GGUFFile &file;
  Error failure = Error::success();
};

} // namespace

Expected<TokenizerSource> readTokenizerSource(const gguf::GGUFFile &file) {
  TokenizerSource source;
  source.origin = file.path().str();
  MetadataReader reader(file);
  reader.string("general.name", source.name);
  reader.string("tokenizer.ggml.model", source.model);
  reader.string("tokenizer.ggml.pre", source.pre);
  reader.strings("tokenizer.ggml.tokens", source.tokens);
  reader.floats("tokenizer.ggml.scores", source.scores);
  reader.integers("tokenizer.ggml.token_type", source.types);
  reader.strings("tokenizer.ggml.merges", source.merges);
  reader.id("tokenizer.ggml.bos_token_id", source.bos);
  reader.id("tokenizer.ggml.eos_token_id", source.eos);
  reader.id("tokenizer.ggml.unknown_token_id", source.unknown);
  reader.id("tokenizer.ggml.eot_token_id", source.endOfTurn);
  reader.id("tokenizer.ggml.eom_token_id", source.endOfMessage);
  reader.id("tokenizer.ggml.padding_token_id", source.padding);
  reader.flag("tokenizer.ggml.add_bos_token", source.addBos);
  reader.flag("tokenizer.ggml.add_eos_token", source.addEos);
  reader.flag("tokenizer.ggml.add_space_prefix", source.addSpacePrefix);
  if (Error error = reader.takeError())
    return error;
  return source;
}

} // namespace sinter
