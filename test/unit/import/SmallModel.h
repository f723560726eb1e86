//===- SmallModel.h - A complete model of one layer, to be spoilt ---------===//
#ifndef SINTER_TEST_UNIT_IMPORT_SMALLMODEL_H
#define SINTER_TEST_UNIT_IMPORT_SMALLMODEL_H

#include "compiler/import/Importer.h"
#include "mlir/IR/MLIRContext.h"
#include "test/unit/gguf/FileBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace sinter::test {

/// Width 32, 4 heads of 8, 2 KV heads, feed-forward 64, vocabulary 40; tied output. Keys are
/// without the architecture's prefix.
struct SmallModel {
  explicit SmallModel(std::string architecture) : architecture(std::move(architecture)) {
    if (this->architecture == "qwen2")
      for (auto [name, size] : {std::pair("attn_q", 32), {"attn_k", 16}, {"attn_v", 16}})
        vector("blk.0." + std::string(name) + ".bias", size);
  }

  using Value = std::variant<uint32_t, float, std::string>;
  struct Entry {
    std::vector<uint64_t> ne;
    gguf::TensorType type;
  };

  std::string architecture;
  std::map<std::string, Value> keys = {
      {"block_count", 1u},          {"context_length", 512u},
      {"embedding_length", 32u},    {"feed_forward_length", 64u},
      {"attention.head_count", 4u}, {"attention.head_count_kv", 2u},
      {"vocab_size", 40u},          {"attention.layer_norm_rms_epsilon", 1e-5f}};
  std::map<std::string, Entry> tensors = {
      {"token_embd.weight", {{32, 40}, gguf::TensorType::Q8_0}},
      {"output_norm.weight", {{32}, gguf::TensorType::F32}},
      {"blk.0.attn_norm.weight", {{32}, gguf::TensorType::F32}},
      {"blk.0.attn_q.weight", {{32, 32}, gguf::TensorType::Q4_0}},
      {"blk.0.attn_k.weight", {{32, 16}, gguf::TensorType::Q4_0}},
      {"blk.0.attn_v.weight", {{32, 16}, gguf::TensorType::Q5_0}},
      {"blk.0.attn_output.weight", {{32, 32}, gguf::TensorType::F16}},
      {"blk.0.ffn_norm.weight", {{32}, gguf::TensorType::F32}},
      {"blk.0.ffn_gate.weight", {{32, 64}, gguf::TensorType::Q4_0}},
      {"blk.0.ffn_up.weight", {{32, 64}, gguf::TensorType::Q4_0}},
      {"blk.0.ffn_down.weight", {{64, 32}, gguf::TensorType::BF16}}};

  SmallModel &set(const std::string &key, Value value) {
    keys[key] = std::move(value);
    return *this;
  }
  SmallModel &without(const std::string &name) {
    keys.erase(name);
    tensors.erase(name);
    return *this;
  }
  SmallModel &vector(const std::string &name, uint64_t size,
                     gguf::TensorType type = gguf::TensorType::F32) {
    tensors[name] = {{size}, type};
    return *this;
  }
  SmallModel &matrix(const std::string &name, uint64_t rows, uint64_t cols, gguf::TensorType type) {
    tensors[name] = {{cols, rows}, type};
    return *this;
  }

  gguf::test::Bytes bytes() const {
    gguf::test::FileBuilder file;
    file.string("general.architecture", architecture).string("general.name", "small");
    for (const auto &[key, value] : keys) {
      std::string name = architecture + "." + key;
      if (auto *number = std::get_if<uint32_t>(&value))
        file.u32(name, *number);
      else if (auto *real = std::get_if<float>(&value))
        file.f32(name, *real);
      else
        file.string(name, std::get<std::string>(value));
    }
    for (const auto &[name, entry] : tensors) {
      uint64_t rows = 1;
      for (size_t i = 1; i < entry.ne.size(); ++i)
        rows *= entry.ne[i];
      file.tensor(name, entry.ne, static_cast<uint32_t>(entry.type),
                  gguf::rowBytes(entry.type, entry.ne[0]) * rows);
    }
    return file.build();
  }

  /// The module as text, or "error: ...".
  std::string import(const ImportOptions &options = {}) const {
    gguf::test::Bytes kept = bytes();
    auto file = gguf::GGUFFile::parse(kept, "dir/small.gguf");
    if (!file)
      return "unreadable: " + llvm::toString(file.takeError());
    mlir::MLIRContext context;
    auto module = importModel(**file, context, options);
    if (!module)
      return "error: " + llvm::toString(module.takeError());
    std::string text;
    llvm::raw_string_ostream stream(text);
    (*module)->print(stream, mlir::OpPrintingFlags().enableDebugInfo(false));
    return text;
  }
};

} // namespace sinter::test

#endif
