//===- FileBuilder.h - GGUF bytes made in memory, right or wrong ----------===//
//
// Writes what it is told: counts, offsets and types can be set to anything, which is what tests of
// a reader need.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_TEST_UNIT_GGUF_FILEBUILDER_H
#define SINTER_TEST_UNIT_GGUF_FILEBUILDER_H

#include "compiler/gguf/Reader.h"

#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace sinter::gguf::test {

using Bytes = std::vector<uint8_t>;

template <typename T> void append(Bytes &out, T value) {
  const auto *raw = reinterpret_cast<const uint8_t *>(&value);
  out.insert(out.end(), raw, raw + sizeof(T));
}

inline void appendString(Bytes &out, llvm::StringRef text) {
  append<uint64_t>(out, text.size());
  out.insert(out.end(), text.bytes_begin(), text.bytes_end());
}

class FileBuilder {
public:
  // The header, for those who want it wrong.
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::optional<uint64_t> tensorCount, metadataCount;
  uint64_t alignment = 32;
  bool padEnd = true;

  /// An entry of any type with these bytes as its value.
  FileBuilder &raw(llvm::StringRef key, uint32_t type, Bytes value) {
    appendString(metadata, key);
    append(metadata, type);
    metadata.insert(metadata.end(), value.begin(), value.end());
    ++entries;
    return *this;
  }

  template <typename T> FileBuilder &number(llvm::StringRef key, ValueType type, T value) {
    Bytes bytes;
    append(bytes, value);
    return raw(key, static_cast<uint32_t>(type), bytes);
  }
  FileBuilder &u32(llvm::StringRef key, uint32_t value) {
    return number(key, ValueType::U32, value);
  }
  FileBuilder &f32(llvm::StringRef key, float value) { return number(key, ValueType::F32, value); }

  FileBuilder &string(llvm::StringRef key, llvm::StringRef value) {
    Bytes bytes;
    appendString(bytes, value);
    return raw(key, static_cast<uint32_t>(ValueType::String), bytes);
  }

  template <typename T>
  FileBuilder &array(llvm::StringRef key, ValueType type, std::initializer_list<T> values) {
    Bytes bytes = arrayHead(type, values.size());
    for (T value : values)
      append(bytes, value);
    return raw(key, static_cast<uint32_t>(ValueType::Array), bytes);
  }

  FileBuilder &strings(llvm::StringRef key, std::initializer_list<llvm::StringRef> values) {
    Bytes bytes = arrayHead(ValueType::String, values.size());
    for (llvm::StringRef value : values)
      appendString(bytes, value);
    return raw(key, static_cast<uint32_t>(ValueType::Array), bytes);
  }

  static Bytes arrayHead(ValueType type, uint64_t count) {
    Bytes bytes;
    append(bytes, static_cast<uint32_t>(type));
    append(bytes, count);
    return bytes;
  }

  /// A tensor of `size` bytes that count up; it is placed behind the ones before unless `offset`
  /// says otherwise.
  FileBuilder &tensor(llvm::StringRef name, std::vector<uint64_t> ne, uint32_t type, uint64_t size,
                      std::optional<uint64_t> offset = std::nullopt) {
    appendString(tensorList, name);
    append(tensorList, static_cast<uint32_t>(ne.size()));
    for (uint64_t extent : ne)
      append(tensorList, extent);
    append(tensorList, type);
    append(tensorList, offset.value_or(data.size()));
    for (uint64_t i = 0; i < size; ++i)
      data.push_back(static_cast<uint8_t>(i));
    ++tensors;
    dataEnd = data.size();
    pad(data);
    return *this;
  }

  Bytes build() const {
    Bytes out(magic.begin(), magic.end());
    append(out, version);
    append<uint64_t>(out, tensorCount.value_or(tensors));
    append<uint64_t>(out, metadataCount.value_or(entries));
    out.insert(out.end(), metadata.begin(), metadata.end());
    out.insert(out.end(), tensorList.begin(), tensorList.end());
    if (tensors)
      pad(out);
    out.insert(out.end(), data.begin(),
               data.begin() + static_cast<ptrdiff_t>(padEnd ? data.size() : dataEnd));
    return out;
  }

private:
  void pad(Bytes &out) const { out.resize((out.size() + alignment - 1) / alignment * alignment); }

  Bytes metadata, tensorList, data;
  uint64_t entries = 0, tensors = 0;
  size_t dataEnd = 0;
};

/// A small file with every kind of value and three tensors.
inline FileBuilder exampleFile() {
  FileBuilder file;
  file.string("general.architecture", "llama").u32("llama.block_count", 2).f32("llama.eps", 1e-5f);
  file.number<uint8_t>("a.u8", ValueType::U8, 200).number<int8_t>("a.i8", ValueType::I8, -7);
  file.number<uint16_t>("a.u16", ValueType::U16, 60000)
      .number<int16_t>("a.i16", ValueType::I16, -300);
  file.number<int32_t>("a.i32", ValueType::I32, -70000)
      .number<uint8_t>("a.bool", ValueType::Bool, 1);
  file.number<uint64_t>("a.u64", ValueType::U64, 1ull << 40)
      .number<int64_t>("a.i64", ValueType::I64, -(1ll << 40));
  file.number<double>("a.f64", ValueType::F64, 0.5);
  file.strings("tokens", {"<s>", "", "\xe2\x96\x81the"})
      .array<float>("scores", ValueType::F32, {0.0f, -1.5f});
  file.array<int32_t>("types", ValueType::I32, {1, 3, -6})
      .array<uint8_t>("flags", ValueType::Bool, {0, 1});
  file.tensor("token_embd.weight", {32, 3}, 8, 3 * 34); // q8_0
  file.tensor("norm.weight", {5}, 0, 5 * 4);            // f32, followed by padding
  file.tensor("blk.0.ffn.weight", {4, 2, 3, 1}, 1, 48); // f16
  return file;
}

} // namespace sinter::gguf::test

#endif // SINTER_TEST_UNIT_GGUF_FILEBUILDER_H
