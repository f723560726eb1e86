//===- OutputFile.cpp - A file that is there whole or not at all ----------===//
#include "compiler/bundle/OutputFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Signals.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sinter;

static llvm::Error failure(llvm::StringRef path, const llvm::Twine &what, int code) {
  llvm::StringRef advice = code == ENOSPC   ? "; free some space or choose another directory"
                           : code == EDQUOT ? "; the quota is used up: choose another directory"
                           : code == EFBIG  ? "; the limit of a file's size is too low (ulimit -f)"
                           : code == ENOENT ? "; create the directory first"
                           : code == EACCES || code == EROFS
                               ? "; choose a directory that you may write to"
                               : "";
  return llvm::createStringError(path + ": " + what + ": " + std::strerror(code) + advice);
}

llvm::Expected<std::unique_ptr<OutputFile>> OutputFile::create(llvm::StringRef path) {
  std::string name = path.str();
  struct stat facts;
  if (stat(name.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
    if (S_ISDIR(facts.st_mode))
      return failure(path, "cannot write", EISDIR);
    int descriptor = open(name.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
      return failure(path, "cannot open for writing", errno);
    return std::unique_ptr<OutputFile>(new OutputFile(name, "", descriptor));
  }
  // The process id keeps two compilations to the same path apart.
  std::string temporary = name + ".tmp" + llvm::utostr(getpid());
  int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST) { // left by a process of the same id that was killed
    unlink(temporary.c_str());
    descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (descriptor < 0)
    return failure(path, "cannot create", errno);
  llvm::sys::RemoveFileOnSignal(temporary);
  return std::unique_ptr<OutputFile>(new OutputFile(name, temporary, descriptor));
}

OutputFile::~OutputFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty()) {
    unlink(temporary.c_str());
    llvm::sys::DontRemoveFileOnSignal(temporary);
  }
}

llvm::Error OutputFile::write(uint64_t offset, llvm::ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t written = pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failure(path,
                     "cannot write " + llvm::Twine(bytes.size()) + " bytes at offset " +
                         llvm::Twine(offset),
                     errno);
    bytes = bytes.drop_front(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return llvm::Error::success();
}

llvm::Error OutputFile::commit() {
  int closed = close(descriptor);
  descriptor = -1;
  if (closed != 0)
    return failure(path, "cannot finish", errno);
  if (temporary.empty())
    return llvm::Error::success();
  if (rename(temporary.c_str(), path.c_str()) != 0)
    return failure(path, "cannot rename '" + llvm::Twine(temporary) + "' to it", errno);
  llvm::sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  return llvm::Error::success();
}

llvm::Error sinter::writeFile(llvm::StringRef path, llvm::StringRef text) {
  auto file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  if (llvm::Error error = (*file)->write(0, llvm::arrayRefFromStringRef(text)))
    return error;
  return (*file)->commit();
}
