//===- TestBundle.h - A whole small model for the tests of the runtime ---------===//
//
// A toy with all that a bundle has, and arithmetic that a test can do in its head. With w[t] the
// weight of token t:
//
//     prefill, decode   group 0   kv[p] = w[token at p]                          tiles: one a 4
//     tokens
//                       group 1   hidden[i] = sum of kv[0 .. position + i]       tiles: one a token
//     head, decode      group 2   logits[v] = -(v - hidden)^2                    tiles: one a 32
//     entries score             group 0   log-softmax of the same logits at the target   tiles: one
//     a token
//
// so that the best token is the sum of all weights so far, rounded. w[t] = (t % 8) / 8.
//
// The kernels are C functions here, given as static kernels; in the bundle their code is a `ret`.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_RUNTIME_TESTBUNDLE_H
#define SINTER_TEST_UNIT_RUNTIME_TESTBUNDLE_H

#include "schema/bundle_generated.h"
#include "sinter/sinter.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace sinter::test {

/// Bytes at a multiple of 64, as a mapped file would be.
class aligned_bytes {
public:
  explicit aligned_bytes(size_t size)
      : count(size), memory(static_cast<uint8_t *>(aligned_alloc(64, round_up(size)))) {
    memset(memory.get(), 0, round_up(size));
  }
  uint8_t *data() const { return memory.get(); }
  size_t size() const { return count; }
  void resize_down(size_t size) { count = size; }

private:
  static size_t round_up(size_t size) { return (size + 64) / 64 * 64; }
  struct free_it {
    void operator()(uint8_t *p) const { free(p); }
  };
  size_t count;
  std::unique_ptr<uint8_t, free_it> memory;
};

/// What goes behind the metadata.
struct segment_data {
  std::vector<uint8_t> code;
  std::vector<uint8_t> weights;
  std::vector<uint8_t> tokenizer;
};

inline constexpr uint32_t toy_vocabulary = 259;
inline constexpr uint32_t toy_context = 64;
inline constexpr uint32_t toy_chunk = 16;
inline constexpr uint32_t hidden_stride = 64; // bytes from one token's hidden state to the next

/// Offsets in the toy's session memory.
struct toy_memory {
  static constexpr uint64_t step = 0;
  static constexpr uint64_t tokens = 64;
  static constexpr uint64_t targets = 128;
  static constexpr uint64_t scores = 192;
  static constexpr uint64_t logits = 256;
  static constexpr uint64_t kv = 1344;
  static constexpr uint64_t hidden = kv + 4 * toy_context;
  static constexpr uint64_t state_end = hidden + toy_chunk * hidden_stride;
  static constexpr uint64_t fixed_end = state_end + 256;
};

/// The metadata; offsets of segments are filled in by `pack`.
bundle::BundleT toy_bundle();
segment_data toy_segments();
std::vector<sinter_static_kernel> toy_kernels();

/// Machine code for this CPU: stores 42 at bindings[0] and returns; and one that only returns.
std::vector<uint8_t> code_that_stores_42();

/// Lays out a file. With `raw`, segments' offsets and sizes stay as they are in `metadata` (for
/// tests of bad ones), and the file is as long as it would be otherwise.
aligned_bytes pack(bundle::BundleT metadata, const segment_data &segments, bool raw = false);

/// Offsets that `pack` gives, written into the metadata, so that a test can change one of them.
void place_segments(bundle::BundleT &metadata, const segment_data &segments);

/// Writes the header of changed bytes anew: metadata hash and file size.
void reseal(aligned_bytes &file);

} // namespace sinter::test

#endif
