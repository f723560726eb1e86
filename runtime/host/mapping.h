//===- mapping.h - Files, code and memory from the operating system -----------===//
#ifndef RUNTIME_HOST_MAPPING_H
#define RUNTIME_HOST_MAPPING_H

#include "sinter/sinter.h"

namespace sinter::host {

/// Pages that are given back with unmap. Never writable and executable at the same time.
struct mapping {
  void *base = nullptr; ///< what was asked for: `data` rounded down to a page
  size_t length = 0;
  uint8_t *data = nullptr;
};

/// A file open for reading, mapped whole and read-only.
struct mapped_file {
  int descriptor = -1;
  uint64_t size = 0;
  mapping bytes;
};

sinter_status map_file(const char *path, mapped_file &out, sinter_error *error);
/// Closes the descriptor; the mapping stays.
void close_descriptor(mapped_file &file);

/// Maps a part of the file read-execute, straight from it. SINTER_EXECUTION_FORBIDDEN where the
/// mount or the system refuses that.
sinter_status map_code(const mapped_file &file, uint64_t offset, uint64_t size, mapping &out,
                       sinter_error *error);

/// Copies code from memory into pages of its own, which then become read-execute.
sinter_status copy_code(const void *code, uint64_t size, mapping &out, sinter_error *error);

/// Zeroed memory at a multiple of a page; resident only where it has been touched.
sinter_status map_memory(uint64_t size, mapping &out, sinter_error *error);

void unmap(mapping &pages);

} // namespace sinter::host

#endif
