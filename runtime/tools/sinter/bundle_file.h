//===- bundle_file.h - A bundle's file, for looking at -------------------------===//
#ifndef RUNTIME_TOOLS_SINTER_BUNDLE_FILE_H
#define RUNTIME_TOOLS_SINTER_BUNDLE_FILE_H

#include "schema/bundle_generated.h"

#include <array>
#include <fstream>
#include <string>
#include <vector>

namespace sinter::tool {

/// Reads the metadata of a file that sinter_open has verified, and hashes segments in strips.
class bundle_file {
public:
  explicit bundle_file(const std::string &path);

  const bundle::Bundle &root() const { return *bundle::GetBundle(metadata.data()); }
  uint64_t size() const { return file_bytes; }
  uint64_t metadata_bytes() const { return metadata_size; }
  std::array<uint8_t, 32> digest_of(const bundle::Segment &segment);

private:
  void read(uint64_t offset, uint8_t *to, uint64_t count);

  std::string path;
  std::ifstream file;
  uint64_t file_bytes = 0, metadata_size = 0;
  std::vector<uint64_t> metadata; ///< whole words, so that the flatbuffer is aligned
};

inline std::string text_of(const flatbuffers::String *text) {
  return text ? text->str() : std::string();
}

/// Draws the buffers of the session's memory: state as a list, each program's arena as offset
/// against time.
std::string draw_memory(const bundle::Bundle &root);

} // namespace sinter::tool

#endif
