//===- container.h - The 64-byte header in front of a bundle -------------------===//
//
// Shared by the bundle writer (compiler) and the loader (runtime); needs nothing but the language.
// The picture of the file is at the head of bundle.fbs; here are its numbers, each in one place.
//
//===----------------------------------------------------------------------===//
#ifndef SCHEMA_CONTAINER_H
#define SCHEMA_CONTAINER_H

#include <cstddef>
#include <cstdint>

namespace sinter::container {

/// First eight bytes of the file. The control character and the line feed show a transfer that
/// changed bytes.
inline constexpr unsigned char magic[8] = {'S', 'I', 'N', 'T', 'E', 'R', 0x1a, '\n'};

inline constexpr uint32_t version = 1;
inline constexpr uint32_t header_bytes = 64;

/// Byte offsets of the header's fields, all little endian.
namespace field {
inline constexpr size_t magic = 0;
inline constexpr size_t version = 8;
inline constexpr size_t metadata_offset = 12;
inline constexpr size_t metadata_size = 16;
inline constexpr size_t file_size = 24;
inline constexpr size_t metadata_hash = 32;
inline constexpr size_t reserved = 40;
} // namespace field

/// Alignment of a segment's offset from the start of the file.
inline constexpr uint64_t code_alignment = 16384;
inline constexpr uint64_t weights_alignment = 256;
inline constexpr uint64_t tokenizer_alignment = 64;

/// Metadata larger than this is refused before anything of it is read.
inline constexpr uint64_t max_metadata_bytes = uint64_t(1) << 30;

/// FNV-1a, 64 bits: guards the metadata against accidents, not against malice.
constexpr uint64_t fnv1a64(const unsigned char *bytes, size_t count) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < count; ++i)
    hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

/// The same over the characters of a string literal, without its terminator.
template <size_t N> constexpr uint64_t fnv1a64(const char (&text)[N]) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i + 1 < N; ++i)
    hash = (hash ^ static_cast<unsigned char>(text[i])) * 0x100000001b3u;
  return hash;
}

struct header {
  uint64_t metadata_size;
  uint64_t file_size;
  uint64_t metadata_hash;
};

constexpr uint64_t read_le(const unsigned char *at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i)
    value |= static_cast<uint64_t>(at[i]) << (8 * i);
  return value;
}

constexpr void write_le(unsigned char *at, size_t bytes, uint64_t value) {
  for (size_t i = 0; i < bytes; ++i)
    at[i] = static_cast<unsigned char>(value >> (8 * i));
}

/// Fills `out` with a complete header; the metadata follows it directly.
constexpr void write_header(unsigned char (&out)[header_bytes], const header &h) {
  for (size_t i = 0; i < header_bytes; ++i)
    out[i] = 0;
  for (size_t i = 0; i < sizeof(magic); ++i)
    out[field::magic + i] = magic[i];
  write_le(out + field::version, 4, version);
  write_le(out + field::metadata_offset, 4, header_bytes);
  write_le(out + field::metadata_size, 8, h.metadata_size);
  write_le(out + field::file_size, 8, h.file_size);
  write_le(out + field::metadata_hash, 8, h.metadata_hash);
}

} // namespace sinter::container

#endif
