//===- Hyperparameters.cpp - The numbers of a decoder, read and checked ---===//
#include "compiler/import/Hyperparameters.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace sinter;
using namespace llvm;
using gguf::GGUFFile;

namespace {

// No model comes near these; below them no product of sizes overflows 64 bits.
constexpr int64_t kMaxLayers = 4096;
constexpr int64_t kMaxWidth = 1 << 24;
constexpr int64_t kMaxHeads = 1 << 16;
constexpr int64_t kMaxContext = int64_t(1) << 31;
constexpr int64_t kMinHeadDim = 8, kMaxHeadDim = 256;

/// As short as %g writes it: "1e-05", "10000".
std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  return buffer;
}

class KeyReader {
public:
  KeyReader(const GGUFFile &file, StringRef architecture)
      : file(file), prefix(architecture.str() + ".") {}

  std::string key(StringRef name) const { return prefix + name.str(); }
  bool has(StringRef name) const { return file.has(key(name)); }
  Error error(StringRef name, const Twine &what) const {
    return file.metadataError(key(name), what);
  }

  /// An integer in 1 .. limit. An array, one value a layer, is taken where all values are the same.
  Error size(StringRef name, int64_t limit, int64_t &out) const {
    const gguf::MetadataEntry *entry = file.find(key(name));
    if (!entry || !entry->isArray()) {
      Expected<uint32_t> value = file.getU32(key(name));
      if (!value)
        return value.takeError();
      out = *value;
    } else {
      Expected<std::vector<uint32_t>> values = file.getU32s(key(name));
      if (!values)
        return values.takeError();
      if (values->empty() || !all_equal(*values))
        return error(name, "layers of different sizes are not supported yet");
      out = values->front();
    }
    if (out < 1 || out > limit)
      return error(name, formatv("must be 1 .. {0}, is {1}", limit, out));
    return Error::success();
  }

  Error optionalSize(StringRef name, int64_t limit, int64_t &out) const {
    return has(name) ? size(name, limit, out) : Error::success();
  }

  /// A positive number of at most `limit`; `out` keeps its value where the key is missing.
  Error positive(StringRef name, double limit, double &out) const {
    if (!has(name))
      return Error::success();
    Expected<float> value = file.getF32(key(name));
    if (!value)
      return value.takeError();
    out = shortestDecimal(*value);
    if (!(out > 0 && out <= limit))
      return error(name,
                   formatv("must be above 0 and at most {0}, is {1}", text(limit), text(out)));
    return Error::success();
  }

  /// Refuses a key that asks for something that is not computed here, unless it has the value that
  /// means nothing.
  Error refuseUnless(StringRef name, float neutral, StringRef what) const {
    if (!has(name))
      return Error::success();
    Expected<float> value = file.getF32(key(name));
    if (!value)
      return value.takeError();
    if (*value != neutral)
      return error(name, formatv("{0} ({1}) is not supported yet", what, text(*value)));
    return Error::success();
  }

  const GGUFFile &file;

private:
  std::string prefix;
};

} // namespace

double sinter::shortestDecimal(float value) {
  char text[32];
  for (int digits = 1; digits <= 9; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, static_cast<double>(value));
    if (std::strtof(text, nullptr) == value)
      return std::strtod(text, nullptr);
  }
  return value;
}

static Error readHeads(const KeyReader &keys, Hyperparameters &h) {
  if (Error e = keys.size("attention.head_count", kMaxHeads, h.heads))
    return e;
  h.kvHeads = h.heads;
  if (Error e = keys.optionalSize("attention.head_count_kv", kMaxHeads, h.kvHeads))
    return e;
  if (h.heads % h.kvHeads)
    return keys.error("attention.head_count_kv",
                      formatv("{0} heads cannot be shared by {1} key-value heads: no multiple",
                              h.heads, h.kvHeads));
  if (keys.has("attention.key_length")) {
    if (Error e = keys.size("attention.key_length", kMaxHeadDim, h.headDim))
      return e;
  } else if (h.embedding % h.heads) {
    return keys.error(
        "attention.head_count",
        formatv("{0} elements cannot be divided among {1} heads", h.embedding, h.heads));
  } else {
    h.headDim = h.embedding / h.heads;
  }
  if (h.headDim < kMinHeadDim || h.headDim > kMaxHeadDim || h.headDim % 2)
    return keys.error(keys.has("attention.key_length") ? "attention.key_length"
                                                       : "attention.head_count",
                      formatv("gives heads of {0} elements; supported are even sizes of {1} .. {2}",
                              h.headDim, kMinHeadDim, kMaxHeadDim));
  int64_t valueLength = h.headDim;
  if (Error e = keys.optionalSize("attention.value_length", kMaxHeadDim, valueLength))
    return e;
  if (valueLength != h.headDim)
    return keys.error("attention.value_length",
                      formatv("values of {0} elements beside keys of {1} are not supported yet",
                              valueLength, h.headDim));
  if (keys.has("attention.causal")) {
    Expected<bool> causal = keys.file.getBool(keys.key("attention.causal"));
    if (!causal)
      return causal.takeError();
    if (!*causal)
      return keys.error("attention.causal",
                        "attention that is not causal (an embedding model) is not supported yet");
  }
  return Error::success();
}

static Error readRope(const KeyReader &keys, Hyperparameters &h) {
  h.rotaryDim = h.headDim;
  if (Error e = keys.optionalSize("rope.dimension_count", kMaxWidth, h.rotaryDim))
    return e;
  if (h.rotaryDim % 2 || h.rotaryDim > h.headDim)
    return keys.error(
        "rope.dimension_count",
        formatv("must be even and at most the head size ({0}), is {1}", h.headDim, h.rotaryDim));
  if (Error e = keys.positive("rope.freq_base", 1e12, h.ropeBase))
    return e;

  Expected<StringRef> type =
      keys.file.getString(keys.key("rope.scaling.type"), StringRef("linear"));
  if (!type)
    return type.takeError();
  if (is_contained({"yarn", "longrope", "llama3", "dynamic"}, *type))
    return keys.error("rope.scaling.type",
                      formatv("'{0}' is not supported yet; supported are linear and none", *type));
  if (*type != "linear" && *type != "none")
    return keys.error("rope.scaling.type",
                      "unknown scaling " + gguf::quote(*type) + "; known: linear, none");
  // The older name counts where the newer is missing.
  double factor = 1;
  if (Error e = keys.positive(keys.has("rope.scaling.factor") ? "rope.scaling.factor"
                                                              : "rope.scale_linear",
                              1e6, factor))
    return e;
  h.ropeScale = *type == "none" ? 1.0 : 1.0 / factor;
  return keys.refuseUnless("rope.scaling.attn_factor", 1.0f, "a factor on rotated values");
}

static Error readVocabulary(const KeyReader &keys, Hyperparameters &h) {
  constexpr StringLiteral tokens = "tokenizer.ggml.tokens";
  if (const gguf::MetadataEntry *entry = keys.file.find(tokens)) {
    if (!entry->isArray())
      return keys.file.metadataError(tokens, "must be an array of strings");
    if (entry->count < 1 || entry->count > kMaxWidth)
      return keys.file.metadataError(
          tokens, formatv("must hold 1 .. {0} tokens, holds {1}", kMaxWidth, entry->count));
    h.vocabulary = entry->count;
  }
  if (keys.has("vocab_size")) {
    int64_t size = 0;
    if (Error e = keys.size("vocab_size", kMaxWidth, size))
      return e;
    if (h.vocabulary && size != h.vocabulary)
      return keys.error("vocab_size",
                        formatv("is {0}, but {1} holds {2} tokens", size, tokens, h.vocabulary));
    h.vocabulary = size;
  }
  if (h.vocabulary)
    return Error::success();
  Expected<const gguf::Tensor *> embedding = keys.file.getTensor("token_embd.weight");
  if (!embedding)
    return embedding.takeError();
  h.vocabulary = (*embedding)->ne[1];
  if (h.vocabulary > kMaxWidth)
    return keys.file.tensorError("token_embd.weight",
                                 formatv("has {0} rows, more than any vocabulary", h.vocabulary));
  return Error::success();
}

Expected<Hyperparameters> sinter::readHyperparameters(const GGUFFile &file,
                                                      StringRef architecture) {
  KeyReader keys(file, architecture);
  Hyperparameters h;
  h.architecture = architecture.str();
  if (Error e = keys.size("block_count", kMaxLayers, h.layers))
    return e;
  if (Error e = keys.size("context_length", kMaxContext, h.trainedContext))
    return e;
  if (Error e = keys.size("embedding_length", kMaxWidth, h.embedding))
    return e;
  if (Error e = keys.size("feed_forward_length", kMaxWidth, h.feedForward))
    return e;
  if (keys.has("expert_count")) {
    Expected<uint32_t> experts = file.getU32(keys.key("expert_count"));
    if (!experts)
      return experts.takeError();
    if (*experts)
      return keys.error("expert_count",
                        formatv("a mixture of {0} experts is not supported yet", *experts));
  }
  constexpr StringLiteral eps = "attention.layer_norm_rms_epsilon";
  if (!keys.has(eps))
    return file.getF32(keys.key(eps)).takeError();
  if (Error e = keys.positive(eps, 0.1, h.eps))
    return e;
  if (Error e = readHeads(keys, h))
    return e;
  if (Error e = readRope(keys, h))
    return e;
  if (Error e = readVocabulary(keys, h))
    return e;
  return h;
}
