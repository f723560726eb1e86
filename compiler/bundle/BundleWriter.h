//===- BundleWriter.h - The planned module as a file ----------------------===//
//
//   header | metadata | code of all variants | tokenizer tables | weights (streamed)
//
// The same input gives the same bytes. Nothing is held but the metadata, the code and a strip of
// weights a thread.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_BUNDLE_BUNDLEWRITER_H
#define SINTER_COMPILER_BUNDLE_BUNDLEWRITER_H

#include "compiler/bundle/Metadata.h"
#include "compiler/gguf/Reader.h"
#include <functional>

namespace sinter {

struct BundleInput {
  /// The outermost module (facts of the model) and the planned target in it.
  mlir::ModuleOp top, target;
  const gguf::GGUFFile &source;
  llvm::ArrayRef<VariantCode> code;
  /// runtime/text/tokenizer_tables.h.
  llvm::ArrayRef<uint8_t> tokenizer;
  /// "sinterc 0.1.0".
  std::string compiler;
  /// 0: as many as the machine has.
  unsigned threads = 0;
  /// Called now and then, by one thread at a time, with bytes of weights.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

/// What was written, for reports.
struct BundleSummary {
  struct FormatUse {
    std::string format;
    uint64_t tensors, bytes;
  };
  uint64_t bytes, metadataBytes, codeBytes, tokenizerBytes, weightBytes;
  /// Most bytes first.
  std::vector<FormatUse> formats;
};

/// Writes the bundle. Errors, those of the file included, are emitted as diagnostics; then no file
/// is left.
mlir::FailureOr<BundleSummary> writeBundle(const BundleInput &input, llvm::StringRef path);

} // namespace sinter

#endif
