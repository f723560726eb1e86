//===- OutputFile.h - A file that is there whole or not at all ------------===//
//
// Writes beside the wanted path and renames at the end; whatever goes wrong on the way, nothing is
// left. Paths that are no plain files (/dev/full, a pipe) are written to directly.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_BUNDLE_OUTPUTFILE_H
#define SINTER_COMPILER_BUNDLE_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace sinter {

class OutputFile {
public:
  /// Errors name the path as it was given, and say what to do where we know.
  static llvm::Expected<std::unique_ptr<OutputFile>> create(llvm::StringRef path);
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  llvm::Error write(uint64_t offset, llvm::ArrayRef<uint8_t> bytes);

  /// Closes the file and gives it its name. Without it the destructor removes what was written.
  llvm::Error commit();

private:
  OutputFile(std::string path, std::string temporary, int descriptor)
      : path(std::move(path)), temporary(std::move(temporary)), descriptor(descriptor) {}

  std::string path, temporary; // `temporary` is empty where the path itself is written to
  int descriptor;
};

/// Writes a whole file in this way.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef text);

} // namespace sinter

#endif
