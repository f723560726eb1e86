//===- Parser.h - Reading and checking a GGUF -----------------------------===//
//
// Internal to compiler/gguf: turns the bytes of a file into lists of entries and tensors, or into
// one message.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_COMPILER_GGUF_PARSER_H
#define SINTER_COMPILER_GGUF_PARSER_H

#include "compiler/gguf/Reader.h"

namespace sinter::gguf {

class Parser {
public:
  Parser(llvm::ArrayRef<uint8_t> bytes, llvm::StringRef path) : bytes(bytes), path(path) {}

  /// Reads all; on success `result` is complete and every offset in it lies in `bytes`.
  llvm::Error parse();

  Directory result;

private:
  uint64_t remaining() const { return bytes.size() - position; }
  llvm::Error fail(const llvm::Twine &what) const;

  // Cursor: `what` says in the message for a short file whose bytes are missing.
  llvm::Error need(uint64_t count, const llvm::Twine &what);
  template <typename T> llvm::Error take(T &value, const llvm::Twine &what);
  llvm::Error takeString(llvm::StringRef &text, uint64_t limit, const llvm::Twine &what);
  llvm::Error takeValueType(ValueType &type, const llvm::Twine &what);

  llvm::Error parseHeader();
  llvm::Error parseMetadataEntry(uint64_t index);
  llvm::Error skipElements(ValueType type, uint64_t count, const llvm::Twine &what, unsigned depth);
  llvm::Error readAlignment();
  llvm::Error parseTensor(uint64_t index);
  llvm::Error sizeTensor(Tensor &tensor, llvm::StringRef what);
  llvm::Error placeTensors();
  llvm::Error checkOverlaps();

  llvm::ArrayRef<uint8_t> bytes;
  llvm::StringRef path;
  uint64_t position = 0;
  uint64_t tensorCount = 0, metadataCount = 0;
};

} // namespace sinter::gguf

#endif // SINTER_COMPILER_GGUF_PARSER_H
