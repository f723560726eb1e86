//===- bundle.h - A bundle's bytes, verified ---------------------------------===//
//
// From bytes of any content to a flatbuffer root and three segments that can be used without a
// further check: first the header and the hash, then FlatBuffers' verifier (every offset inside the
// metadata stays inside), then the semantic verifier (verify.cpp: every offset, size and index into
// segments and session memory).
//
//===----------------------------------------------------------------------===//
#ifndef RUNTIME_CORE_BUNDLE_H
#define RUNTIME_CORE_BUNDLE_H

#include "schema/bundle_generated.h"
#include "sinter/sinter.h"

#include <string_view>

namespace sinter::core {

struct segment_view {
  const uint8_t *data = nullptr;
  uint64_t offset = 0; ///< from the start of the file
  uint64_t size = 0;
};

struct bundle_view {
  const uint8_t *bytes = nullptr;
  uint64_t size = 0;
  const bundle::Bundle *root = nullptr;
  segment_view code;
  segment_view weights;
  segment_view tokenizer;
};

/// Checks everything about `size` bytes at `bytes` (at a multiple of 64) and fills `out`, which
/// points into them.
sinter_status load_bundle(const void *bytes, uint64_t size, bundle_view &out, sinter_error *error);

/// The semantic part of load_bundle. `metadata_end` is where segments may begin. Bounded in time by
/// the size of the metadata.
sinter_status verify_bundle(const bundle::Bundle &root, uint64_t metadata_end, uint64_t file_size,
                            sinter_error *error);

inline std::string_view view(const flatbuffers::String *text) {
  return text ? std::string_view(text->c_str(), text->size()) : std::string_view();
}

/// Programs that the runtime knows by name, in the order of `program_names`.
enum class program_kind : unsigned { prefill, head, score, decode };
inline constexpr unsigned program_kinds = 4;
inline constexpr std::string_view program_names[program_kinds] = {"prefill", "head", "score",
                                                                  "decode"};

} // namespace sinter::core

#endif
