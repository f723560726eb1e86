//===- bundle.cpp - Header, hash and structure of a bundle -------------------===//

#include "runtime/core/bundle.h"
#include "runtime/core/message.h"
#include "schema/container.h"

namespace sinter::core {

namespace {

// A table below a table is all the depth that the schema has, with room for what is appended.
constexpr unsigned max_depth = 16;
// Bounds the work of FlatBuffers' verifier on files whose tables are shared a million times. A
// large model has some ten thousand (dispatches and their bindings).
constexpr unsigned max_tables = 1u << 20;

sinter_status check_header(const uint8_t *bytes, uint64_t size, uint64_t &metadata_size,
                           sinter_error *error) {
  using namespace container;
  if (size < header_bytes)
    return fail(error, SINTER_INVALID_BUNDLE, "the file has ", size,
                " bytes, less than a bundle's header of ", header_bytes,
                ": it is truncated or no bundle");
  if (memcmp(bytes + field::magic, magic, sizeof(magic)) != 0)
    return fail(error, SINTER_INVALID_BUNDLE, "header: magic is ", hex{read_le(bytes, 8)},
                ", not SINTER: this is no Sinter bundle (sinterc makes one from a GGUF file)");
  uint64_t container_version = read_le(bytes + field::version, 4);
  if (container_version != version)
    return fail(error, SINTER_UNSUPPORTED, "header: container version is ", container_version,
                ", this runtime reads version ", version);
  uint64_t offset = read_le(bytes + field::metadata_offset, 4);
  if (offset != header_bytes)
    return fail(error, SINTER_INVALID_BUNDLE, "header: metadata_offset is ", offset, ", must be ",
                header_bytes);
  uint64_t stated_size = read_le(bytes + field::file_size, 8);
  if (size < stated_size)
    return fail(error, SINTER_INVALID_BUNDLE, "header: file_size is ", stated_size,
                ", but there are ", size,
                " bytes: the file is truncated; copy or compile it again");
  if (size > stated_size)
    return fail(error, SINTER_INVALID_BUNDLE, "header: file_size is ", stated_size,
                ", but there are ", size, " bytes: something was appended");
  metadata_size = read_le(bytes + field::metadata_size, 8);
  if (metadata_size < 8 || metadata_size > max_metadata_bytes ||
      metadata_size > size - header_bytes)
    return fail(
        error, SINTER_INVALID_BUNDLE, "header: metadata_size is ", metadata_size, ", must be 8 .. ",
        size - header_bytes < max_metadata_bytes ? size - header_bytes : max_metadata_bytes);
  for (size_t i = field::reserved; i < header_bytes; ++i)
    if (bytes[i] != 0)
      return fail(error, SINTER_INVALID_BUNDLE, "header: reserved byte ", i, " is ", bytes[i],
                  ", must be 0");
  uint64_t stated_hash = read_le(bytes + field::metadata_hash, 8);
  uint64_t hash = fnv1a64(bytes + header_bytes, metadata_size);
  if (hash != stated_hash)
    return fail(error, SINTER_INVALID_BUNDLE, "header: metadata_hash is ", hex{stated_hash},
                ", the metadata gives ", hex{hash},
                ": the file was changed; copy or compile it again");
  return SINTER_OK;
}

} // namespace

sinter_status load_bundle(const void *data, uint64_t size, bundle_view &out, sinter_error *error) {
  auto *bytes = static_cast<const uint8_t *>(data);
  if (reinterpret_cast<uintptr_t>(bytes) % SINTER_KERNEL_ALIGNMENT != 0)
    return fail(error, SINTER_INVALID_ARGUMENT, "the bundle's bytes begin at ",
                hex{reinterpret_cast<uintptr_t>(bytes)}, ", not at a multiple of ",
                SINTER_KERNEL_ALIGNMENT);
  uint64_t metadata_size = 0;
  if (sinter_status status = check_header(bytes, size, metadata_size, error))
    return status;

  const uint8_t *metadata = bytes + container::header_bytes;
  flatbuffers::Verifier structure(metadata, metadata_size, max_depth, max_tables);
  const char *identifier = bundle::BundleIdentifier();
  if (memcmp(metadata + sizeof(flatbuffers::uoffset_t), identifier,
             flatbuffers::kFileIdentifierLength) != 0 ||
      !structure.VerifyBuffer<bundle::Bundle>(nullptr))
    return fail(error, SINTER_INVALID_BUNDLE, "metadata: not a valid flatbuffer with identifier '",
                identifier, "' (an offset leaves its ", metadata_size,
                " bytes, or a required field is absent)");
  const bundle::Bundle *root = bundle::GetBundle(metadata);
  if (sinter_status status =
          verify_bundle(*root, container::header_bytes + metadata_size, size, error))
    return status;

  out.bytes = bytes;
  out.size = size;
  out.root = root;
  for (const bundle::Segment *segment : *root->segments()) {
    segment_view view{bytes + segment->offset(), segment->offset(), segment->size()};
    switch (segment->kind()) {
    case bundle::SegmentKind::Code:
      out.code = view;
      break;
    case bundle::SegmentKind::Weights:
      out.weights = view;
      break;
    case bundle::SegmentKind::Tokenizer:
      out.tokenizer = view;
      break;
    }
  }
  return SINTER_OK;
}

} // namespace sinter::core
