//===- VerifyTest.cpp - Every field of a bundle that can lie is caught ----------===//
//
// A valid bundle, one field changed, the hash made right again: load_bundle must refuse it with a
// message that names the field. The table at the end is the list of all that verify.cpp checks.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/bundle.h"
#include "runtime/core/model.h"
#include "schema/container.h"
#include "test/unit/runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <functional>

using namespace sinter;
using namespace sinter::test;
using bundle::BundleT;

namespace {

sinter_status load(const aligned_bytes &file, sinter_error &error) {
  core::bundle_view view;
  return core::load_bundle(file.data(), file.size(), view, &error);
}

TEST(Verify, AcceptsTheToy) {
  sinter_error error{};
  ASSERT_EQ(load(pack(toy_bundle(), toy_segments()), error), SINTER_OK) << error.text;
}

TEST(Verify, SegmentsAreFound) {
  aligned_bytes file = pack(toy_bundle(), toy_segments());
  core::bundle_view view;
  ASSERT_EQ(core::load_bundle(file.data(), file.size(), view, nullptr), SINTER_OK);
  EXPECT_EQ(view.code.offset % 16384, 0u);
  EXPECT_EQ(view.weights.data, file.data() + view.weights.offset);
  EXPECT_EQ(view.weights.size, toy_segments().weights.size());
}

TEST(Verify, HeaderFields) {
  using namespace container;
  struct {
    size_t at, bytes;
    uint64_t value;
    const char *expected;
    sinter_status status;
  } changes[] = {{field::magic, 1, 'X', "magic", SINTER_INVALID_BUNDLE},
                 {field::version, 4, 2, "container version is 2", SINTER_UNSUPPORTED},
                 {field::metadata_offset, 4, 128, "metadata_offset is 128", SINTER_INVALID_BUNDLE},
                 {field::metadata_size, 8, 0, "metadata_size is 0", SINTER_INVALID_BUNDLE},
                 {field::metadata_size, 8, ~uint64_t(0), "metadata_size is 18446744073709551615",
                  SINTER_INVALID_BUNDLE},
                 {field::file_size, 8, 100, "something was appended", SINTER_INVALID_BUNDLE},
                 {field::file_size, 8, uint64_t(1) << 40, "truncated", SINTER_INVALID_BUNDLE},
                 {field::metadata_hash, 8, 1, "metadata_hash is 0x1", SINTER_INVALID_BUNDLE},
                 {field::reserved + 3, 1, 7, "reserved byte 43 is 7", SINTER_INVALID_BUNDLE}};
  for (auto &change : changes) {
    aligned_bytes file = pack(toy_bundle(), toy_segments());
    write_le(file.data() + change.at, change.bytes, change.value);
    sinter_error error{};
    EXPECT_EQ(load(file, error), change.status) << change.expected;
    EXPECT_NE(std::string(error.text).find(change.expected), std::string::npos) << error.text;
  }
}

TEST(Verify, EveryTruncationIsRefused) {
  aligned_bytes file = pack(toy_bundle(), toy_segments());
  for (size_t size = 0; size < file.size(); size += size < 4096 ? 1 : 509) {
    core::bundle_view view;
    ASSERT_EQ(core::load_bundle(file.data(), size, view, nullptr), SINTER_INVALID_BUNDLE) << size;
  }
}

TEST(Verify, MisalignedBytesAreRefused) {
  aligned_bytes file = pack(toy_bundle(), toy_segments());
  core::bundle_view view;
  EXPECT_EQ(core::load_bundle(file.data() + 4, file.size() - 4, view, nullptr),
            SINTER_INVALID_ARGUMENT);
}

// Any byte of the metadata flipped, the hash made right: refused or accepted, but never out of
// bounds (run under ASan), and whatever is accepted can be resolved.
TEST(Verify, FlippedBytesStayInBounds) {
  aligned_bytes original = pack(toy_bundle(), toy_segments());
  uint64_t metadata = container::read_le(original.data() + container::field::metadata_size, 8);
  unsigned refused = 0, accepted = 0;
  for (uint64_t at = 0; at < metadata; ++at) {
    for (uint8_t flip : {0x01, 0x40, 0xff}) {
      aligned_bytes file = pack(toy_bundle(), toy_segments());
      file.data()[container::header_bytes + at] ^= flip;
      reseal(file);
      core::bundle_view view;
      sinter_error error{};
      if (core::load_bundle(file.data(), file.size(), view, &error) != SINTER_OK) {
        ++refused;
        EXPECT_NE(error.text[0], 0);
        continue;
      }
      ++accepted;
      std::vector<uint64_t> memory(core::model_bytes(view) / 8 + 1);
      core::model model;
      core::model_init(view, nullptr, memory.data(), model, nullptr);
    }
  }
  EXPECT_GT(refused, metadata) << "of " << 3 * metadata;
}

TEST(Verify, MessagesStayOneLine) {
  BundleT root = toy_bundle();
  root.kernels[1]->name = "evil\nname\x1b[31m";
  root.kernels[1]->bindings = 1000;
  sinter_error error{};
  EXPECT_EQ(load(pack(std::move(root), toy_segments()), error), SINTER_INVALID_BUNDLE);
  EXPECT_NE(std::string(error.text).find("evil?name?[31m"), std::string::npos) << error.text;
}

struct mutation {
  const char *name;
  std::function<void(BundleT &)> change;
  const char *expected; ///< in the message
  sinter_status status = SINTER_INVALID_BUNDLE;
};

void PrintTo(const mutation &m, std::ostream *out) { *out << m.name; }

class Mutated : public testing::TestWithParam<mutation> {};

TEST_P(Mutated, IsRefusedByName) {
  BundleT root = toy_bundle();
  segment_data segments = toy_segments();
  place_segments(root, segments);
  GetParam().change(root);
  aligned_bytes file = pack(std::move(root), segments, true);
  sinter_error error{};
  EXPECT_EQ(load(file, error), GetParam().status) << error.text;
  EXPECT_NE(std::string(error.text).find(GetParam().expected), std::string::npos) << error.text;
  EXPECT_EQ(error.status, GetParam().status);
}

bundle::DispatchT &dispatch(BundleT &b, unsigned program, unsigned group) {
  return *b.programs[program]->groups[group]->dispatches[0];
}
bundle::BindingT &binding(BundleT &b, unsigned program, unsigned group, unsigned index) {
  return *dispatch(b, program, group).bindings[index];
}

constexpr uint64_t huge = ~uint64_t(0);
constexpr unsigned prefill = 0, head = 1, score = 2, decode = 3;

const mutation mutations[] = {
    {"schema_zero", [](BundleT &b) { b.schema_version = 0; }, "schema_version is 0"},
    {"schema_newer", [](BundleT &b) { b.schema_version = 99; }, "schema_version is 99",
     SINTER_UNSUPPORTED},
    {"abi_zero", [](BundleT &b) { b.kernel_abi = 0; }, "kernel_abi is 0"},
    {"abi_newer", [](BundleT &b) { b.kernel_abi = 7; }, "kernel_abi is 7", SINTER_UNSUPPORTED},
    {"target_empty", [](BundleT &b) { b.target = ""; }, "target is empty"},
    {"source_digest", [](BundleT &b) { b.source_sha256.resize(31); }, "source_sha256 has 31 bytes"},

    {"vocabulary_zero", [](BundleT &b) { b.model->vocabulary = 0; }, "model.vocabulary is 0"},
    {"vocabulary_huge", [](BundleT &b) { b.model->vocabulary = UINT32_MAX; },
     "model.vocabulary is 4294967295"},
    {"context_zero", [](BundleT &b) { b.model->context = 0; }, "model.context is 0"},
    {"context_huge", [](BundleT &b) { b.model->context = UINT32_MAX; }, "model.context"},
    {"chunk_zero", [](BundleT &b) { b.model->prefill_chunk = 0; }, "model.prefill_chunk is 0"},
    {"layers_zero", [](BundleT &b) { b.model->layers = 0; }, "model.layers is 0"},
    {"embedding_zero", [](BundleT &b) { b.model->embedding = 0; }, "model.embedding is 0"},

    {"segment_unknown",
     [](BundleT &b) { b.segments[0]->kind = static_cast<bundle::SegmentKind>(9); },
     "segments[0].kind is 9", SINTER_UNSUPPORTED},
    {"segment_twice", [](BundleT &b) { b.segments[1]->kind = bundle::SegmentKind::Code; },
     "segments[1].kind is Code"},
    {"segment_missing", [](BundleT &b) { b.segments.pop_back(); }, "there is no Tokenizer segment"},
    {"segment_empty", [](BundleT &b) { b.segments[2]->size = 0; },
     "segments[2] (Tokenizer).size is 0"},
    {"segment_unaligned", [](BundleT &b) { b.segments[1]->offset += 64; }, "(Weights).offset"},
    {"segment_in_metadata", [](BundleT &b) { b.segments[0]->offset = 0; }, "inside the metadata"},
    {"segment_past_end", [](BundleT &b) { b.segments[1]->size = 1 << 30; },
     "ends past the end of the file"},
    {"segment_overflow", [](BundleT &b) { b.segments[1]->size = huge; },
     "ends past the end of the file"},
    {"segment_offset_huge", [](BundleT &b) { b.segments[1]->offset = huge - 255; },
     "ends past the end"},
    {"segment_overlap", [](BundleT &b) { b.segments[2]->offset = b.segments[1]->offset; },
     "overlaps Weights"},
    {"segment_digest", [](BundleT &b) { b.segments[0]->sha256.resize(5); }, "sha256 has 5 bytes"},
    {"weights_without_margin", [](BundleT &b) { b.segments[1]->size = 100; }, "read margin"},

    {"variants_none", [](BundleT &b) { b.variants.clear(); }, "variants has 0 entries"},
    {"variant_unnamed", [](BundleT &b) { b.variants[0]->name = ""; }, "variants[0].name is empty"},
    {"variant_empty_feature",
     [](BundleT &b) {
       b.variants[0]->features = {"avx2", ""};
     },
     "variants[0].features[1] is empty"},
    {"variant_twice",
     [](BundleT &b) { b.variants.push_back(std::make_unique<bundle::VariantT>(*b.variants[0])); },
     "variants[1].name is 'base'"},
    {"variant_unaligned", [](BundleT &b) { b.variants[0]->code_offset = 8; },
     "variants[0].code_offset is 8"},
    {"variant_no_code", [](BundleT &b) { b.variants[0]->code_size = 0; }, "code_size 0"},
    {"variant_past_code", [](BundleT &b) { b.variants[0]->code_size = 65; },
     "not inside the code segment"},
    {"variant_overflow", [](BundleT &b) { b.variants[0]->code_offset = huge - 63; },
     "not inside the code segment"},

    {"fixed_zero", [](BundleT &b) { b.memory->fixed_bytes = 0; }, "memory.fixed_bytes is 0"},
    {"fixed_huge", [](BundleT &b) { b.memory->fixed_bytes = huge - 63; }, "memory.fixed_bytes"},
    {"fixed_unaligned", [](BundleT &b) { b.memory->fixed_bytes += 4; }, "memory.fixed_bytes"},
    {"state_above_fixed", [](BundleT &b) { b.memory->state_bytes = toy_memory::fixed_end + 64; },
     "memory.state_bytes"},
    {"kv_above_state", [](BundleT &b) { b.memory->kv_bytes = huge; }, "memory.kv_bytes"},
    {"scratch_huge", [](BundleT &b) { b.memory->scratch_bytes = huge - 63; },
     "memory.scratch_bytes"},
    {"scratch_unaligned", [](BundleT &b) { b.memory->scratch_bytes = 65; },
     "memory.scratch_bytes is 65"},
    {"step_unaligned", [](BundleT &b) { b.memory->step_offset = 4; }, "memory.step_offset is 4"},
    {"step_outside", [](BundleT &b) { b.memory->step_offset = huge - 15; }, "memory.step_offset"},
    {"buffer_outside", [](BundleT &b) { b.memory->buffers[0]->size = huge; },
     "memory.buffers[0] 'kv'"},
    {"buffer_backwards", [](BundleT &b) { b.memory->buffers[0]->first = 3; }, "first is 3"},

    {"kernels_none", [](BundleT &b) { b.kernels.clear(); }, "kernels has 0 entries"},
    {"kernel_unnamed", [](BundleT &b) { b.kernels[2]->name = ""; }, "kernels[2].name is empty"},
    {"kernel_twice", [](BundleT &b) { b.kernels[2]->name = b.kernels[0]->name; },
     "kernels[2].name is 'toy_embed'"},
    {"kernel_bindings", [](BundleT &b) { b.kernels[0]->bindings = 65; }, "bindings is 65"},
    {"kernel_no_entry", [](BundleT &b) { b.kernels[1]->entries.clear(); },
     "entries has 0 elements"},
    {"kernel_entry_outside",
     [](BundleT &b) {
       b.kernels[1]->entries[0] = {64, 0};
     },
     "entries[0].entry is 64"},
    {"kernel_entry_unaligned",
     [](BundleT &b) {
       b.kernels[1]->entries[0] = {2, 0};
     },
     "entries[0].entry is 2"},
    {"kernel_scratch",
     [](BundleT &b) {
       b.kernels[1]->entries[0] = {0, 128};
     },
     "scratch_bytes is 128"},

    {"no_prefill", [](BundleT &b) { b.programs[prefill]->name = "other"; }, "no program 'prefill'"},
    {"no_head", [](BundleT &b) { b.programs[head]->name = "other"; }, "no program 'head'"},
    {"no_decode", [](BundleT &b) { b.programs[decode]->name = "other"; }, "no program 'decode'"},
    {"program_twice", [](BundleT &b) { b.programs[decode]->name = "score"; },
     "'score', as is programs[2]"},
    {"program_unnamed", [](BundleT &b) { b.programs[score]->name = ""; }, "a name is empty"},
    {"tokens_zero", [](BundleT &b) { b.programs[head]->max_tokens = 0; }, "max_tokens is 0"},
    {"tokens_huge", [](BundleT &b) { b.programs[head]->max_tokens = UINT32_MAX; },
     "max_tokens is 4294967295"},
    {"prefill_not_chunk", [](BundleT &b) { b.programs[prefill]->max_tokens = 8; },
     "model.prefill_chunk"},
    {"score_not_chunk", [](BundleT &b) { b.programs[score]->max_tokens = 8; },
     "model.prefill_chunk"},
    {"decode_two", [](BundleT &b) { b.programs[decode]->max_tokens = 2; },
     "'decode': max_tokens is 2"},

    {"port_role",
     [](BundleT &b) { b.programs[head]->ports[0]->role = static_cast<bundle::PortRole>(9); },
     "ports[0].role is 9", SINTER_UNSUPPORTED},
    {"port_missing", [](BundleT &b) { b.programs[decode]->ports.pop_back(); },
     "ports has no Logits"},
    {"port_twice",
     [](BundleT &b) { b.programs[decode]->ports[0]->role = bundle::PortRole::Logits; },
     "ports has"},
    {"port_unaligned", [](BundleT &b) { b.programs[prefill]->ports[0]->offset = 66; },
     "ports[0] (Tokens)"},
    {"port_outside", [](BundleT &b) { b.programs[prefill]->ports[0]->offset = huge - 3; },
     "ports[0] (Tokens)"},
    {"port_small", [](BundleT &b) { b.programs[prefill]->ports[0]->size = 60; },
     "port Tokens.size is 60"},
    {"logits_small", [](BundleT &b) { b.programs[head]->ports[0]->size = 4; },
     "port Logits.size is 4"},
    {"scores_small", [](BundleT &b) { b.programs[score]->ports[1]->size = 4; },
     "port Scores.size is 4"},

    {"dispatch_kernel", [](BundleT &b) { dispatch(b, prefill, 1).kernel = 4; },
     "groups[1].dispatches[0].kernel is 4"},
    {"dispatch_bindings", [](BundleT &b) { dispatch(b, head, 0).bindings.pop_back(); },
     "kernel 'toy_head' takes 2"},
    {"tiles_zero",
     [](BundleT &b) {
       *dispatch(b, head, 0).tiles = {0, 0, 0};
     },
     ".tiles.constant is 0"},
    {"tiles_overflow",
     [](BundleT &b) {
       *dispatch(b, prefill, 0).tiles = {UINT32_MAX, 1, 1};
     },
     "takes the group above 4294967295 tiles"},
    {"tiles_overflow_length",
     [](BundleT &b) {
       *dispatch(b, prefill, 0).tiles = {1u << 30, 0, 1};
     },
     "takes the group above"},
    {"weight_bytes_huge",
     [](BundleT &b) { dispatch(b, head, 0).weight_bytes = (uint64_t(1) << 46) + 1; },
     ".weight_bytes is 70368744177665, must be at most 70368744177664"},
    {"macs_huge", [](BundleT &b) { dispatch(b, head, 0).macs = UINT64_MAX; },
     ".macs is 18446744073709551615"},
    {"kv_bytes_huge", [](BundleT &b) { dispatch(b, head, 0).kv_bytes = UINT64_MAX; },
     ".kv_bytes is 18446744073709551615"},

    {"binding_space",
     [](BundleT &b) { binding(b, prefill, 0, 0).space = static_cast<bundle::Space>(5); },
     "bindings[0].space is 5"},
    {"binding_unaligned", [](BundleT &b) { binding(b, prefill, 0, 1).offset = 4; },
     "bindings[1].offset is 4"},
    {"binding_past_weights", [](BundleT &b) { binding(b, prefill, 0, 1).size += 4; },
     "ends past the weights"},
    {"binding_past_memory", [](BundleT &b) { binding(b, prefill, 1, 1).size += 4; },
     "ends past the session's memory"},
    {"binding_overflow", [](BundleT &b) { binding(b, prefill, 1, 0).offset = huge - 63; },
     "ends past"},
    {"binding_size_overflow", [](BundleT &b) { binding(b, prefill, 1, 0).size = huge; },
     "ends past"},
    {"binding_writes_weights", [](BundleT &b) { binding(b, prefill, 0, 1).written = true; },
     "weights are read only"},
    {"binding_writes_scalars", [](BundleT &b) { binding(b, head, 0, 1).offset = 0; },
     "overwrite the step's scalars"},
    {"index_outside",
     [](BundleT &b) { binding(b, head, 0, 0).indirect->index_offset = toy_memory::fixed_end; },
     "indirect.index_offset"},
    {"index_unaligned", [](BundleT &b) { binding(b, head, 0, 0).indirect->index_offset = 9; },
     "indirect.index_offset is 9"},
    {"limit_zero", [](BundleT &b) { binding(b, head, 0, 0).indirect->limit = 0; },
     "indirect.limit is 0"},
    {"limit_too_far", [](BundleT &b) { binding(b, head, 0, 0).indirect->limit = toy_chunk + 1; },
     "ends past"},
    {"stride_unaligned", [](BundleT &b) { binding(b, head, 0, 0).indirect->stride = 4; },
     "indirect.stride is 4"},
    {"stride_overflow", [](BundleT &b) { binding(b, head, 0, 0).indirect->stride = huge - 63; },
     "overflows"},
};

INSTANTIATE_TEST_SUITE_P(Fields, Mutated, testing::ValuesIn(mutations),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
