//===- mapping.cpp - Files, code and memory from the operating system ---------===//

#include "runtime/host/mapping.h"
#include "runtime/core/message.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sinter::host {

using core::fail;

namespace {

/// The system's words for an error number, in a buffer of the caller: strerror alone is not
/// thread-safe.
struct system_error {
  explicit system_error(int number) {
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    text = strerror_r(number, buffer, sizeof(buffer));
#else
    text = strerror_r(number, buffer, sizeof(buffer)) == 0 ? buffer : "unknown error";
#endif
  }
  char buffer[128];
  const char *text;
};

constexpr std::string_view static_kernels_hint =
    "; put the bundle on a file system that is not mounted noexec, or link its kernels statically "
    "(sinter_static_kernel)";

sinter_status execution_failed(int number, uint64_t size, sinter_error *error) {
  bool forbidden = number == EPERM || number == EACCES;
  system_error reason(number);
  return fail(error, forbidden ? SINTER_EXECUTION_FORBIDDEN : SINTER_OUT_OF_MEMORY, "mapping ",
              size, " bytes of kernels for execution: ", reason.text,
              forbidden ? static_kernels_hint : std::string_view());
}

} // namespace

sinter_status map_file(const char *path, mapped_file &out, sinter_error *error) {
  out.descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (out.descriptor < 0) {
    system_error reason(errno);
    return fail(error, SINTER_IO_ERROR, "cannot be opened: ", reason.text);
  }
  struct stat info;
  if (fstat(out.descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    close_descriptor(out);
    return fail(error, SINTER_IO_ERROR, "is not a regular file");
  }
  out.size = static_cast<uint64_t>(info.st_size);
  if (out.size == 0) {
    close_descriptor(out);
    return fail(error, SINTER_INVALID_BUNDLE, "the file is empty");
  }
  if (out.size > SIZE_MAX) {
    close_descriptor(out);
    return fail(error, SINTER_OUT_OF_MEMORY, "the file has ", out.size,
                " bytes, more than the address space");
  }
  void *base = mmap(nullptr, out.size, PROT_READ, MAP_PRIVATE, out.descriptor, 0);
  if (base == MAP_FAILED) {
    system_error reason(errno);
    close_descriptor(out);
    return fail(error, SINTER_IO_ERROR, "cannot be mapped (", out.size, " bytes): ", reason.text);
  }
  out.bytes = {base, static_cast<size_t>(out.size), static_cast<uint8_t *>(base)};
  return SINTER_OK;
}

void close_descriptor(mapped_file &file) {
  if (file.descriptor >= 0)
    close(file.descriptor);
  file.descriptor = -1;
}

sinter_status map_code(const mapped_file &file, uint64_t offset, uint64_t size, mapping &out,
                       sinter_error *error) {
  // Segments begin at multiples of 16 KiB; where pages are larger, what lies before comes along.
  uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t before = offset % page;
  size_t length = static_cast<size_t>(size + before);
  void *base = mmap(nullptr, length, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.descriptor,
                    static_cast<off_t>(offset - before));
  if (base == MAP_FAILED)
    return execution_failed(errno, size, error);
  out = {base, length, static_cast<uint8_t *>(base) + before};
  return SINTER_OK;
}

sinter_status copy_code(const void *code, uint64_t size, mapping &out, sinter_error *error) {
  if (sinter_status status = map_memory(size, out, error))
    return status;
  memcpy(out.data, code, size);
  if (mprotect(out.base, out.length, PROT_READ | PROT_EXEC) != 0) {
    int number = errno;
    unmap(out);
    return execution_failed(number, size, error);
  }
  __builtin___clear_cache(reinterpret_cast<char *>(out.data),
                          reinterpret_cast<char *>(out.data) + size);
  return SINTER_OK;
}

sinter_status map_memory(uint64_t size, mapping &out, sinter_error *error) {
  void *base = size > SIZE_MAX ? MAP_FAILED
                               : mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) {
    system_error reason(size > SIZE_MAX ? ENOMEM : errno);
    return fail(error, SINTER_OUT_OF_MEMORY, "cannot get ", size,
                " bytes of memory: ", reason.text);
  }
  out = {base, static_cast<size_t>(size), static_cast<uint8_t *>(base)};
  return SINTER_OK;
}

void unmap(mapping &pages) {
  if (pages.base)
    munmap(pages.base, pages.length);
  pages = {};
}

} // namespace sinter::host
