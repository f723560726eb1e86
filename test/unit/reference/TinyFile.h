//===- TinyFile.h - A GGUF of a few F32 tensors, in memory ----------------===//
#ifndef SINTER_TEST_UNIT_REFERENCE_TINYFILE_H
#define SINTER_TEST_UNIT_REFERENCE_TINYFILE_H

#include "compiler/gguf/Reader.h"
#include "gtest/gtest.h"
#include <cstring>
#include <list>

namespace sinter::test {

class TinyFile {
public:
  /// `shape` has the fastest dimension first.
  TinyFile &add(llvm::StringRef name, std::vector<uint64_t> shape, std::vector<float> values) {
    tensors.push_back({name.str(), std::move(shape), std::move(values)});
    return *this;
  }

  /// Bytes of all files stay until the process ends: tensors point into them.
  std::unique_ptr<gguf::GGUFFile> open() const {
    static std::list<std::vector<uint8_t>> kept;
    std::vector<uint8_t> &bytes = kept.emplace_back();
    auto put = [&](auto value) {
      bytes.resize(bytes.size() + sizeof value);
      std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
    };
    bytes = {'G', 'G', 'U', 'F'};
    put(uint32_t(3));
    put(uint64_t(tensors.size()));
    put(uint64_t(0));
    uint64_t offset = 0;
    for (const Entry &tensor : tensors) {
      put(uint64_t(tensor.name.size()));
      bytes.insert(bytes.end(), tensor.name.begin(), tensor.name.end());
      put(uint32_t(tensor.shape.size()));
      for (uint64_t dim : tensor.shape)
        put(dim);
      put(uint32_t(0));
      put(offset);
      offset += padded(tensor.values.size() * sizeof(float));
    }
    bytes.resize(padded(bytes.size()));
    for (const Entry &tensor : tensors) {
      for (float value : tensor.values)
        put(value);
      bytes.resize(padded(bytes.size()));
    }
    auto file = gguf::GGUFFile::parse(bytes, "tiny.gguf");
    if (!file) {
      ADD_FAILURE() << llvm::toString(file.takeError());
      return nullptr;
    }
    return std::move(*file);
  }

private:
  struct Entry {
    std::string name;
    std::vector<uint64_t> shape;
    std::vector<float> values;
  };
  static size_t padded(size_t size) { return (size + 31) / 32 * 32; }

  std::vector<Entry> tensors;
};

} // namespace sinter::test

#endif
