//===- bundle_file.cpp - A bundle's file, for looking at -----------------------===//

#include "bundle_file.h"
#include "command.h"
#include "schema/container.h"
#include "sha256.h"

#include <algorithm>

namespace sinter::tool {

bundle_file::bundle_file(const std::string &path) : path(path), file(path, std::ios::binary) {
  uint8_t header[container::header_bytes];
  read(0, header, sizeof(header));
  metadata_size = container::read_le(header + container::field::metadata_size, 8);
  file_bytes = container::read_le(header + container::field::file_size, 8);
  metadata.resize(metadata_size / 8 + 1);
  read(container::header_bytes, reinterpret_cast<uint8_t *>(metadata.data()), metadata_size);
}

void bundle_file::read(uint64_t offset, uint8_t *to, uint64_t count) {
  file.seekg(std::streamoff(offset));
  file.read(reinterpret_cast<char *>(to), std::streamsize(count));
  if (!file)
    throw failure(path + ": " + std::to_string(count) + " bytes at offset " +
                  std::to_string(offset) + " cannot be read");
}

std::array<uint8_t, 32> bundle_file::digest_of(const bundle::Segment &segment) {
  std::vector<uint8_t> strip(1 << 20);
  sha256 hash;
  for (uint64_t done = 0; done < segment.size();) {
    uint64_t count = std::min<uint64_t>(strip.size(), segment.size() - done);
    read(segment.offset() + done, strip.data(), count);
    hash.add(strip.data(), count);
    done += count;
  }
  return hash.finish();
}

} // namespace sinter::tool
