//===- TestBundle.cpp - A whole small model for the tests of the runtime -------===//

#include "test/unit/runtime/TestBundle.h"
#include "schema/bundle_schema.h"
#include "schema/container.h"

#include <cmath>

namespace sinter::test {

using namespace sinter::bundle;

namespace {

// ---- The kernels
// -----------------------------------------------------------------------------------

template <typename T> T *bound(const sinter_kernel_args *args, unsigned index) {
  return static_cast<T *>(args->bindings[index]);
}

/// tokens, weights -> kv
void embed(const sinter_kernel_args *args) {
  auto *tokens = bound<const int32_t>(args, 0);
  auto *weights = bound<const float>(args, 1);
  auto *kv = bound<float>(args, 2);
  uint32_t end = args->tile_end * 4 < args->tokens ? args->tile_end * 4 : args->tokens;
  for (uint32_t i = args->tile_begin * 4; i < end; ++i)
    kv[args->position + i] = weights[tokens[i]];
}

/// kv -> hidden
void sum(const sinter_kernel_args *args) {
  auto *kv = bound<const float>(args, 0);
  auto *hidden = bound<uint8_t>(args, 1);
  for (uint32_t i = args->tile_begin; i < args->tile_end; ++i) {
    float total = 0;
    for (uint32_t p = 0; p <= args->position + i; ++p)
      total += kv[p];
    memcpy(hidden + i * hidden_stride, &total, sizeof(total));
  }
}

float logit(uint32_t v, float hidden) { return -(float(v) - hidden) * (float(v) - hidden); }

/// hidden (of one token) -> logits
void head(const sinter_kernel_args *args) {
  float hidden = *bound<const float>(args, 0);
  auto *logits = bound<float>(args, 1);
  for (uint32_t v = args->tile_begin * 32; v < args->tile_end * 32 && v < toy_vocabulary; ++v)
    logits[v] = logit(v, hidden);
}

/// hidden, targets -> scores
void score(const sinter_kernel_args *args) {
  auto *hidden = bound<const uint8_t>(args, 0);
  auto *targets = bound<const int32_t>(args, 1);
  auto *scores = bound<float>(args, 2);
  for (uint32_t i = args->tile_begin; i < args->tile_end; ++i) {
    if (targets[i] < 0)
      continue;
    float h;
    memcpy(&h, hidden + i * hidden_stride, sizeof(h));
    double total = 0;
    for (uint32_t v = 0; v < toy_vocabulary; ++v)
      total += std::exp(double(logit(v, h)));
    scores[i] = float(double(logit(uint32_t(targets[i]), h)) - std::log(total));
  }
}

// ---- The metadata
// ----------------------------------------------------------------------------------

std::unique_ptr<BindingT> binding(Space space, uint64_t offset, uint64_t size,
                                  bool written = false) {
  auto made = std::make_unique<BindingT>();
  made->space = space;
  made->offset = offset;
  made->size = size;
  made->written = written;
  return made;
}

std::unique_ptr<GroupT> group(uint32_t kernel, TileCount tiles, const char *source,
                              std::vector<std::unique_ptr<BindingT>> bindings) {
  auto dispatch = std::make_unique<DispatchT>();
  dispatch->kernel = kernel;
  dispatch->tiles = std::make_unique<TileCount>(tiles);
  dispatch->source = source;
  dispatch->bindings = std::move(bindings);
  auto made = std::make_unique<GroupT>();
  made->dispatches.push_back(std::move(dispatch));
  return made;
}

template <typename... Bindings> std::vector<std::unique_ptr<BindingT>> list(Bindings... bindings) {
  std::vector<std::unique_ptr<BindingT>> made;
  (made.push_back(std::move(bindings)), ...);
  return made;
}

std::unique_ptr<PortT> port(PortRole role, uint64_t offset, uint64_t size) {
  auto made = std::make_unique<PortT>();
  made->role = role;
  made->offset = offset;
  made->size = size;
  return made;
}

std::unique_ptr<GroupT> embed_group(uint32_t max_tokens) {
  return group(0, TileCount(1, 4, 0), "embed",
               list(binding(Space::Memory, toy_memory::tokens, 4 * max_tokens),
                    binding(Space::Weights, 0, 4 * toy_vocabulary),
                    binding(Space::Memory, toy_memory::kv, 4 * toy_context, true)));
}

std::unique_ptr<GroupT> sum_group(uint32_t max_tokens) {
  return group(1, TileCount(1, 1, 0), "sum",
               list(binding(Space::Memory, toy_memory::kv, 4 * toy_context),
                    binding(Space::Memory, toy_memory::hidden, max_tokens * hidden_stride, true)));
}

/// The hidden state of the step's last token: index `tokens - 1` of the step's scalars.
std::unique_ptr<GroupT> head_group() {
  auto hidden = binding(Space::Memory, toy_memory::hidden, hidden_stride);
  hidden->indirect = std::make_unique<IndirectT>();
  hidden->indirect->index_offset = toy_memory::step + 8;
  hidden->indirect->stride = hidden_stride;
  hidden->indirect->limit = toy_chunk;
  return group(2, TileCount((toy_vocabulary + 31) / 32, 0, 0), "head",
               list(std::move(hidden),
                    binding(Space::Memory, toy_memory::logits, 4 * toy_vocabulary, true)));
}

std::unique_ptr<GroupT> score_group() {
  return group(3, TileCount(1, 1, 0), "score",
               list(binding(Space::Memory, toy_memory::hidden, toy_chunk * hidden_stride),
                    binding(Space::Memory, toy_memory::targets, 4 * toy_chunk),
                    binding(Space::Memory, toy_memory::scores, 4 * toy_chunk, true)));
}

std::unique_ptr<ProgramT> program(const char *name, uint32_t max_tokens) {
  auto made = std::make_unique<ProgramT>();
  made->name = name;
  made->max_tokens = max_tokens;
  return made;
}

void add_programs(BundleT &root) {
  auto prefill = program("prefill", toy_chunk);
  prefill->groups.push_back(embed_group(toy_chunk));
  prefill->groups.push_back(sum_group(toy_chunk));
  prefill->ports.push_back(port(PortRole::Tokens, toy_memory::tokens, 4 * toy_chunk));
  root.programs.push_back(std::move(prefill));

  auto head = program("head", 1);
  head->groups.push_back(head_group());
  head->ports.push_back(port(PortRole::Logits, toy_memory::logits, 4 * toy_vocabulary));
  root.programs.push_back(std::move(head));

  auto score = program("score", toy_chunk);
  score->groups.push_back(score_group());
  score->ports.push_back(port(PortRole::Targets, toy_memory::targets, 4 * toy_chunk));
  score->ports.push_back(port(PortRole::Scores, toy_memory::scores, 4 * toy_chunk));
  root.programs.push_back(std::move(score));

  auto decode = program("decode", 1);
  decode->groups.push_back(embed_group(1));
  decode->groups.push_back(sum_group(1));
  decode->groups.push_back(head_group());
  decode->ports.push_back(port(PortRole::Tokens, toy_memory::tokens, 4));
  decode->ports.push_back(port(PortRole::Logits, toy_memory::logits, 4 * toy_vocabulary));
  root.programs.push_back(std::move(decode));
}

void add_kernels(BundleT &root) {
  constexpr struct {
    const char *name;
    uint32_t bindings;
  } kernels[] = {{"toy_embed", 3}, {"toy_sum", 2}, {"toy_head", 2}, {"toy_score", 3}};
  for (auto [name, bindings] : kernels) {
    auto kernel = std::make_unique<KernelT>();
    kernel->name = name;
    kernel->bindings = bindings;
    kernel->entries.emplace_back(0, 64);
    root.kernels.push_back(std::move(kernel));
  }
}

uint64_t align(uint64_t offset, uint64_t to) { return (offset + to - 1) / to * to; }

uint64_t metadata_size(const BundleT &metadata) {
  flatbuffers::FlatBufferBuilder builder;
  FinishBundleBuffer(builder, Bundle::Pack(builder, &metadata));
  return builder.GetSize();
}

} // namespace

BundleT toy_bundle() {
  BundleT root;
  root.schema_version = schema_version;
  root.schema_hash = schema_hash;
  root.compiler = "test";
  root.kernel_abi = SINTER_KERNEL_ABI_VERSION;
#if defined(__aarch64__)
  root.target = "aarch64";
#else
  root.target = "x86-64";
#endif
  root.model = std::make_unique<ModelInfoT>();
  root.model->name = "toy";
  root.model->architecture = "toy";
  root.model->vocabulary = toy_vocabulary;
  root.model->context = toy_context;
  root.model->trained_context = toy_context;
  root.model->prefill_chunk = toy_chunk;
  root.model->layers = 1;
  root.model->embedding = 1;
  root.model->parameters = toy_vocabulary;
  root.source_sha256.assign(32, 1);
  for (SegmentKind kind : EnumValuesSegmentKind()) {
    auto segment = std::make_unique<SegmentT>();
    segment->kind = kind;
    segment->sha256.assign(32, 2);
    root.segments.push_back(std::move(segment));
  }
  auto variant = std::make_unique<VariantT>();
  variant->name = "base";
  variant->code_offset = 0;
  variant->code_size = 64;
  root.variants.push_back(std::move(variant));
  add_kernels(root);
  root.memory = std::make_unique<MemoryT>();
  root.memory->state_bytes = toy_memory::state_end;
  root.memory->fixed_bytes = toy_memory::fixed_end;
  root.memory->scratch_bytes = 64;
  root.memory->step_offset = toy_memory::step;
  root.memory->kv_bytes = 4 * toy_context;
  auto kv = std::make_unique<PlannedBufferT>();
  kv->name = "kv";
  kv->offset = toy_memory::kv;
  kv->size = 4 * toy_context;
  root.memory->buffers.push_back(std::move(kv));
  add_programs(root);
  return root;
}

segment_data toy_segments() {
  segment_data data;
  data.code = code_that_stores_42();
  data.code.resize(64);
  data.weights.resize(4 * toy_vocabulary + SINTER_KERNEL_READ_MARGIN);
  for (uint32_t t = 0; t < toy_vocabulary; ++t) {
    float weight = float(t % 8) / 8;
    memcpy(data.weights.data() + 4 * t, &weight, sizeof(weight));
  }
  data.tokenizer.resize(64);
  return data;
}

std::vector<sinter_static_kernel> toy_kernels() {
  return {{"toy_embed", nullptr, embed},
          {"toy_sum", nullptr, sum},
          {"toy_head", nullptr, head},
          {"toy_score", nullptr, score}};
}

std::vector<uint8_t> code_that_stores_42() {
#if defined(__aarch64__)
  const uint32_t words[] = {0xf9400000,  // ldr x0, [x0]    bindings
                            0xf9400000,  // ldr x0, [x0]    bindings[0]
                            0x52800541,  // mov w1, #42
                            0xb9000001,  // str w1, [x0]
                            0xd65f03c0}; // ret
  auto *bytes = reinterpret_cast<const uint8_t *>(words);
  return {bytes, bytes + sizeof(words)};
#else
  return {0x48, 0x8b, 0x07,                   // mov rax, [rdi]      bindings
          0x48, 0x8b, 0x00,                   // mov rax, [rax]      bindings[0]
          0xc7, 0x00, 0x2a, 0x00, 0x00, 0x00, // mov dword [rax], 42
          0xc3};                              // ret
#endif
}

void place_segments(BundleT &metadata, const segment_data &segments) {
  const std::vector<uint8_t> *data[] = {&segments.code, &segments.weights, &segments.tokenizer};
  constexpr uint64_t alignments[] = {container::code_alignment, container::weights_alignment,
                                     container::tokenizer_alignment};
  // Twice: sizes of zero are left out of a flatbuffer, so that it grows when they are filled in.
  for (int pass = 0; pass < 2; ++pass) {
    uint64_t end = container::header_bytes + metadata_size(metadata);
    for (auto &segment : metadata.segments) {
      auto kind = size_t(segment->kind);
      segment->offset = align(end, alignments[kind]);
      segment->size = data[kind]->size();
      end = segment->offset + segment->size;
    }
  }
}

aligned_bytes pack(BundleT metadata, const segment_data &segments, bool raw) {
  if (!raw)
    place_segments(metadata, segments);
  flatbuffers::FlatBufferBuilder builder;
  FinishBundleBuffer(builder, Bundle::Pack(builder, &metadata));
  uint64_t end = container::header_bytes + builder.GetSize();
  const std::vector<uint8_t> *data[] = {&segments.code, &segments.weights, &segments.tokenizer};
  constexpr uint64_t largest = 1 << 20;
  if (raw)
    end = align(end, container::code_alignment) + 3 * container::code_alignment;
  else
    for (auto &segment : metadata.segments)
      end = std::max(end, segment->offset + segment->size);
  aligned_bytes file(end);
  for (auto &segment : metadata.segments) {
    auto kind = size_t(segment->kind);
    if (kind < 3 && segment->offset < largest && segment->offset + data[kind]->size() <= end)
      memcpy(file.data() + segment->offset, data[kind]->data(), data[kind]->size());
  }
  memcpy(file.data() + container::header_bytes, builder.GetBufferPointer(), builder.GetSize());
  unsigned char header[container::header_bytes];
  container::write_header(
      header,
      {builder.GetSize(), end, container::fnv1a64(builder.GetBufferPointer(), builder.GetSize())});
  memcpy(file.data(), header, sizeof(header));
  return file;
}

void reseal(aligned_bytes &file) {
  using namespace container;
  uint64_t size = read_le(file.data() + field::metadata_size, 8);
  write_le(file.data() + field::metadata_hash, 8, fnv1a64(file.data() + header_bytes, size));
  write_le(file.data() + field::file_size, 8, file.size());
}

} // namespace sinter::test
