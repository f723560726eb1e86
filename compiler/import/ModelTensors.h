//===- ModelTensors.h - Tensors by name, shape and type, each used --------===//
//
// What an importer takes from the file's list of tensors: it asks for each by name and shape and,
// at the end, whether any is left over. A tensor that nobody asked for changes what the model
// computes, so it is an error.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_IMPORT_MODELTENSORS_H
#define SINTER_COMPILER_IMPORT_MODELTENSORS_H

#include "compiler/gguf/Reader.h"
#include "compiler/weights/Format.h"
#include "llvm/ADT/StringSet.h"

namespace sinter {

class ModelTensors {
public:
  explicit ModelTensors(const gguf::GGUFFile &file) : file(file) {}

  bool has(llvm::StringRef name) const { return file.findTensor(name); }

  /// A matrix of rows x cols (GGUF: cols, rows) in a format that can be compiled.
  llvm::Expected<const Format *> matrix(llvm::StringRef name, int64_t rows, int64_t cols);

  /// A vector of F32, F16 or BF16.
  llvm::Expected<const gguf::Tensor *> vector(llvm::StringRef name, int64_t size);

  /// An error if the file has tensors that were not asked for.
  llvm::Error checkAllUsed(llvm::StringRef architecture, int64_t layers) const;

  /// Weights in all tensors asked for, each counted once.
  int64_t parameters() const { return elements; }

private:
  llvm::Expected<const gguf::Tensor *> find(llvm::StringRef name, llvm::ArrayRef<int64_t> shape);

  const gguf::GGUFFile &file;
  llvm::StringSet<> used;
  int64_t elements = 0;
};

} // namespace sinter

#endif
