//===- verify.cpp - What must hold between a bundle's fields -----------------===//
//
// FlatBuffers' verifier has passed: every table, vector and string lies inside the metadata,
// required fields are there. Here everything that the runtime later relies on without looking
// again. Each check is one `if` with the message that names field and value; the order is the order
// of the schema, because later checks use earlier fields.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/bundle.h"
#include "runtime/core/message.h"
#include "schema/bundle_schema.h"
#include "schema/container.h"

namespace sinter::core {

namespace {

constexpr unsigned max_variants = 64;
constexpr unsigned max_kernels = 4096;
constexpr unsigned max_bindings = 64;
constexpr unsigned max_programs = 32;
// Keeps every sum of session sizes far from overflow.
constexpr uint64_t max_memory = uint64_t(1) << 46;
constexpr uint32_t max_vocabulary = 1u << 24;
constexpr uint32_t max_context = 1u << 30;
constexpr uint32_t max_chunk = 1u << 20;
constexpr uint64_t step_bytes = 16;

/// offset + bytes <= end, without overflow.
bool fits(uint64_t offset, uint64_t bytes, uint64_t end) {
  return offset <= end && bytes <= end - offset;
}

/// FlatBuffers' own name tables are C strings, whose length would take libc.
std::string_view role_name(bundle::PortRole role) {
  constexpr std::string_view names[] = {"Tokens", "Targets", "Logits", "Scores"};
  return names[static_cast<unsigned>(role)];
}

uint64_t ceil_div(uint64_t value, uint64_t step) { return value / step + (value % step != 0); }

class semantic_verifier {
public:
  semantic_verifier(const bundle::Bundle &root, uint64_t metadata_end, uint64_t file_size,
                    sinter_error *error)
      : root(root), memory(*root.memory()), metadata_end(metadata_end), file_size(file_size),
        error(error) {}

  bool run() {
    return versions() && model() && segments() && variants() && session_memory() && kernels() &&
           programs() && buffers();
  }
  sinter_status status = SINTER_INVALID_BUNDLE;

private:
  template <typename... Parts> bool refuse(const Parts &...parts) {
    fail(error, status, parts...);
    return false;
  }
  template <typename... Parts> bool unsupported(const Parts &...parts) {
    status = SINTER_UNSUPPORTED;
    return refuse(parts...);
  }

  bool versions() {
    if (root.schema_version() == 0)
      return refuse("schema_version is 0, must be 1 .. ", bundle::schema_version);
    if (root.schema_version() > bundle::schema_version)
      return unsupported("schema_version is ", root.schema_version(), ", this runtime reads up to ",
                         bundle::schema_version, ": use a newer runtime");
    if (root.kernel_abi() == 0)
      return refuse("kernel_abi is 0, must be 1 .. ", SINTER_KERNEL_ABI_VERSION);
    if (root.kernel_abi() > SINTER_KERNEL_ABI_VERSION)
      return unsupported("kernel_abi is ", root.kernel_abi(),
                         ", this runtime calls kernels up to version ", SINTER_KERNEL_ABI_VERSION,
                         ": use a newer runtime");
    if (root.target()->size() == 0)
      return refuse("target is empty");
    return digest("source_sha256", root.source_sha256());
  }

  template <typename Name>
  bool digest(const Name &name, const flatbuffers::Vector<uint8_t> *bytes) {
    if (bytes && bytes->size() != 0 && bytes->size() != 32)
      return refuse(name, " has ", bytes->size(), " bytes, must have 32");
    return true;
  }

  bool in_range(std::string_view name, uint64_t value, uint64_t low, uint64_t high) {
    if (value < low || value > high)
      return refuse(name, " is ", value, ", must be ", low, " .. ", high);
    return true;
  }

  bool model() {
    const bundle::ModelInfo &info = *root.model();
    return in_range("model.vocabulary", info.vocabulary(), 1, max_vocabulary) &&
           in_range("model.context", info.context(), 1, max_context) &&
           in_range("model.trained_context", info.trained_context(), 0, UINT32_MAX) &&
           in_range("model.prefill_chunk", info.prefill_chunk(), 1, max_chunk) &&
           in_range("model.layers", info.layers(), 1, 1u << 16) &&
           in_range("model.embedding", info.embedding(), 1, 1u << 24);
  }

  bool segments() {
    constexpr uint64_t alignments[] = {container::code_alignment, container::weights_alignment,
                                       container::tokenizer_alignment};
    constexpr std::string_view names[] = {"Code", "Weights", "Tokenizer"};
    const bundle::Segment *found[3] = {};
    for (unsigned i = 0; i < root.segments()->size(); ++i) {
      const bundle::Segment &segment = *root.segments()->Get(i);
      unsigned kind = static_cast<unsigned>(segment.kind());
      if (kind > static_cast<unsigned>(bundle::SegmentKind::MAX))
        return unsupported("segments[", i, "].kind is ", kind, ", this runtime knows 0 .. ",
                           static_cast<unsigned>(bundle::SegmentKind::MAX),
                           ": use a newer runtime");
      if (found[kind])
        return refuse("segments[", i, "].kind is ", names[kind],
                      ", which an earlier segment is already");
      if (segment.size() == 0)
        return refuse("segments[", i, "] (", names[kind], ").size is 0");
      if (segment.offset() % alignments[kind] != 0)
        return refuse("segments[", i, "] (", names[kind], ").offset is ", segment.offset(),
                      ", must be a multiple of ", alignments[kind]);
      if (segment.offset() < metadata_end)
        return refuse("segments[", i, "] (", names[kind], ").offset is ", segment.offset(),
                      ", inside the metadata, which ends at ", metadata_end);
      if (!fits(segment.offset(), segment.size(), file_size))
        return refuse("segments[", i, "] (", names[kind], "): offset ", segment.offset(),
                      " + size ", segment.size(), " ends past the end of the file (", file_size,
                      " bytes)");
      for (unsigned other = 0; other < 3; ++other)
        if (found[other] && segment.offset() < found[other]->offset() + found[other]->size() &&
            found[other]->offset() < segment.offset() + segment.size())
          return refuse("segments[", i, "] (", names[kind], "): offset ", segment.offset(),
                        " + size ", segment.size(), " overlaps ", names[other], " (offset ",
                        found[other]->offset(), " + size ", found[other]->size(), ")");
      if (segment.sha256() && segment.sha256()->size() != 0 && segment.sha256()->size() != 32)
        return refuse("segments[", i, "] (", names[kind], ").sha256 has ", segment.sha256()->size(),
                      " bytes, must have 32");
      found[kind] = &segment;
    }
    for (unsigned kind = 0; kind < 3; ++kind)
      if (!found[kind])
        return refuse("segments: there is no ", names[kind], " segment");
    code_bytes = found[0]->size();
    weights_bytes = found[1]->size();
    if (weights_bytes < SINTER_KERNEL_READ_MARGIN)
      return refuse("segments (Weights).size is ", weights_bytes, ", less than the read margin of ",
                    SINTER_KERNEL_READ_MARGIN, " that it ends with");
    return true;
  }

  bool variants() {
    const auto &list = *root.variants();
    if (list.size() == 0 || list.size() > max_variants)
      return refuse("variants has ", list.size(), " entries, must have 1 .. ", max_variants);
    for (unsigned i = 0; i < list.size(); ++i) {
      const bundle::Variant &variant = *list[i];
      if (variant.name()->size() == 0)
        return refuse("variants[", i, "].name is empty");
      for (unsigned other = 0; other < i; ++other)
        if (view(list[other]->name()) == view(variant.name()))
          return refuse("variants[", i, "].name is '", view(variant.name()), "', as is variants[",
                        other, "].name");
      for (unsigned f = 0; f < variant.features()->size(); ++f)
        if (variant.features()->Get(f)->size() == 0)
          return refuse("variants[", i, "].features[", f, "] is empty");
      if (variant.code_offset() % SINTER_KERNEL_ALIGNMENT != 0)
        return refuse("variants[", i, "].code_offset is ", variant.code_offset(),
                      ", must be a multiple of ", SINTER_KERNEL_ALIGNMENT);
      if (variant.code_size() == 0 || !fits(variant.code_offset(), variant.code_size(), code_bytes))
        return refuse("variants[", i, "]: code_offset ", variant.code_offset(), " + code_size ",
                      variant.code_size(), " is not inside the code segment (", code_bytes,
                      " bytes)");
    }
    return true;
  }

  bool session_memory() {
    if (!in_range("memory.fixed_bytes", memory.fixed_bytes(), step_bytes, max_memory) ||
        !in_range("memory.state_bytes", memory.state_bytes(), step_bytes, memory.fixed_bytes()) ||
        !in_range("memory.kv_bytes", memory.kv_bytes(), 0, memory.state_bytes()) ||
        !in_range("memory.scratch_bytes", memory.scratch_bytes(), 0,
                  max_memory / SINTER_MAX_THREADS))
      return false;
    if (memory.fixed_bytes() % SINTER_KERNEL_ALIGNMENT != 0)
      return refuse("memory.fixed_bytes is ", memory.fixed_bytes(), ", must be a multiple of ",
                    SINTER_KERNEL_ALIGNMENT);
    if (memory.scratch_bytes() % SINTER_KERNEL_ALIGNMENT != 0)
      return refuse("memory.scratch_bytes is ", memory.scratch_bytes(), ", must be a multiple of ",
                    SINTER_KERNEL_ALIGNMENT);
    if (memory.step_offset() % step_bytes != 0 ||
        !fits(memory.step_offset(), step_bytes, memory.state_bytes()))
      return refuse("memory.step_offset is ", memory.step_offset(), ", must be a multiple of ",
                    step_bytes, " with ", step_bytes, " bytes inside the state (",
                    memory.state_bytes(), " bytes)");
    return true;
  }

  bool kernels() {
    const auto &list = *root.kernels();
    if (list.size() == 0 || list.size() > max_kernels)
      return refuse("kernels has ", list.size(), " entries, must have 1 .. ", max_kernels);
    for (unsigned i = 0; i < list.size(); ++i) {
      const bundle::Kernel &kernel = *list[i];
      if (kernel.name()->size() == 0)
        return refuse("kernels[", i, "].name is empty");
      for (unsigned other = 0; other < i; ++other)
        if (view(list[other]->name()) == view(kernel.name()))
          return refuse("kernels[", i, "].name is '", view(kernel.name()), "', as is kernels[",
                        other, "].name");
      if (kernel.bindings() > max_bindings)
        return refuse("kernels[", i, "] '", view(kernel.name()), "': bindings is ",
                      kernel.bindings(), ", must be at most ", max_bindings);
      if (kernel.entries()->size() != root.variants()->size())
        return refuse("kernels[", i, "] '", view(kernel.name()), "': entries has ",
                      kernel.entries()->size(), " elements, must have one a variant (",
                      root.variants()->size(), ")");
      for (unsigned v = 0; v < kernel.entries()->size(); ++v)
        if (!entry(i, kernel, v))
          return false;
    }
    return true;
  }

  bool entry(unsigned index, const bundle::Kernel &kernel, unsigned v) {
    const bundle::KernelEntry &entry = *kernel.entries()->Get(v);
    const bundle::Variant &variant = *root.variants()->Get(v);
    if (entry.entry() >= variant.code_size() || entry.entry() % 4 != 0)
      return refuse("kernels[", index, "] '", view(kernel.name()), "': entries[", v, "].entry is ",
                    entry.entry(), ", must be a multiple of 4 inside the code of variant '",
                    view(variant.name()), "' (", variant.code_size(), " bytes)");
    if (entry.scratch_bytes() > memory.scratch_bytes())
      return refuse("kernels[", index, "] '", view(kernel.name()), "': entries[", v,
                    "].scratch_bytes is ", entry.scratch_bytes(),
                    ", more than memory.scratch_bytes (", memory.scratch_bytes(), ")");
    return true;
  }

  bool programs() {
    const auto &list = *root.programs();
    if (list.size() > max_programs)
      return refuse("programs has ", list.size(), " entries, must have at most ", max_programs);
    bool found[program_kinds] = {};
    for (unsigned i = 0; i < list.size(); ++i) {
      for (unsigned other = 0; other < i; ++other)
        if (view(list[other]->name()) == view(list[i]->name()))
          return refuse("programs[", i, "].name is '", view(list[i]->name()), "', as is programs[",
                        other, "].name");
      if (!program(*list[i]))
        return false;
      for (unsigned kind = 0; kind < program_kinds; ++kind)
        if (view(list[i]->name()) == program_names[kind]) {
          found[kind] = true;
          if (!known_program(*list[i], static_cast<program_kind>(kind)))
            return false;
        }
    }
    for (unsigned kind = 0; kind < program_kinds; ++kind)
      if (!found[kind] && kind != static_cast<unsigned>(program_kind::score))
        return refuse("programs: there is no program '", program_names[kind], "'");
    return true;
  }

  bool program(const bundle::Program &program) {
    std::string_view name = view(program.name());
    if (name.empty())
      return refuse("programs: a name is empty");
    if (program.max_tokens() == 0 || program.max_tokens() > max_chunk)
      return refuse("program '", name, "': max_tokens is ", program.max_tokens(), ", must be 1 .. ",
                    max_chunk);
    for (unsigned i = 0; i < program.ports()->size(); ++i)
      if (!port(name, i, *program.ports()->Get(i)))
        return false;
    for (unsigned g = 0; g < program.groups()->size(); ++g) {
      const auto &dispatches = *program.groups()->Get(g)->dispatches();
      uint64_t group_tiles = 0;
      for (unsigned d = 0; d < dispatches.size(); ++d)
        if (!dispatch(program, g, d, *dispatches[d], group_tiles))
          return false;
    }
    return true;
  }

  bool port(std::string_view program, unsigned index, const bundle::Port &port) {
    if (port.role() > bundle::PortRole::MAX)
      return unsupported("program '", program, "': ports[", index, "].role is ",
                         static_cast<unsigned>(port.role()), ", this runtime knows 0 .. ",
                         static_cast<unsigned>(bundle::PortRole::MAX), ": use a newer runtime");
    if (port.offset() % 4 != 0 || !fits(port.offset(), port.size(), memory.state_bytes()))
      return refuse("program '", program, "': ports[", index, "] (", role_name(port.role()),
                    "): offset ", port.offset(), " + size ", port.size(),
                    " is not a multiple of 4 or not inside the state (", memory.state_bytes(),
                    " bytes)");
    return true;
  }

  bool needs_port(const bundle::Program &program, bundle::PortRole role, uint64_t bytes) {
    const bundle::Port *found = nullptr;
    for (const bundle::Port *port : *program.ports())
      if (port->role() == role) {
        if (found)
          return refuse("program '", view(program.name()), "': ports has more than one ",
                        role_name(role));
        found = port;
      }
    if (!found)
      return refuse("program '", view(program.name()), "': ports has no ", role_name(role));
    if (found->size() < bytes)
      return refuse("program '", view(program.name()), "': port ", role_name(role), ".size is ",
                    found->size(), ", must be at least ", bytes);
    return true;
  }

  bool known_program(const bundle::Program &program, program_kind kind) {
    uint64_t tokens = 4ull * program.max_tokens();
    uint64_t logits = 4ull * root.model()->vocabulary();
    uint32_t chunk = root.model()->prefill_chunk();
    bool whole_chunk = kind == program_kind::prefill || kind == program_kind::score;
    if (whole_chunk && program.max_tokens() != chunk)
      return refuse("program '", view(program.name()), "': max_tokens is ", program.max_tokens(),
                    ", must be model.prefill_chunk (", chunk, ")");
    if (kind == program_kind::decode && program.max_tokens() != 1)
      return refuse("program 'decode': max_tokens is ", program.max_tokens(), ", must be 1");
    switch (kind) {
    case program_kind::prefill:
      return needs_port(program, bundle::PortRole::Tokens, tokens);
    case program_kind::head:
      return needs_port(program, bundle::PortRole::Logits, logits);
    case program_kind::score:
      return needs_port(program, bundle::PortRole::Targets, tokens) &&
             needs_port(program, bundle::PortRole::Scores, tokens);
    case program_kind::decode:
      return needs_port(program, bundle::PortRole::Tokens, tokens) &&
             needs_port(program, bundle::PortRole::Logits, logits);
    }
    return true;
  }

  template <typename... Parts>
  bool refuse_dispatch(const bundle::Program &program, unsigned group, unsigned index,
                       const Parts &...parts) {
    return refuse("program '", view(program.name()), "': groups[", group, "].dispatches[", index,
                  "]", parts...);
  }

  bool dispatch(const bundle::Program &program, unsigned g, unsigned d,
                const bundle::Dispatch &dispatch, uint64_t &group_tiles) {
    if (dispatch.kernel() >= root.kernels()->size())
      return refuse_dispatch(program, g, d, ".kernel is ", dispatch.kernel(), ", must be below ",
                             root.kernels()->size());
    const bundle::Kernel &kernel = *root.kernels()->Get(dispatch.kernel());
    if (dispatch.bindings()->size() != kernel.bindings())
      return refuse_dispatch(program, g, d, ".bindings has ", dispatch.bindings()->size(),
                             " elements, kernel '", view(kernel.name()), "' takes ",
                             kernel.bindings());
    for (unsigned b = 0; b < dispatch.bindings()->size(); ++b)
      if (!binding(program, g, d, b, *dispatch.bindings()->Get(b)))
        return false;

    // Bounded so that a profile can add them up.
    for (auto [name, value] :
         {std::pair(".weight_bytes", dispatch.weight_bytes()), std::pair(".macs", dispatch.macs()),
          std::pair(".kv_bytes", dispatch.kv_bytes())})
      if (value > max_memory)
        return refuse_dispatch(program, g, d, name, " is ", value, ", must be at most ",
                               max_memory);

    const bundle::TileCount &tiles = *dispatch.tiles();
    if (tiles.constant() == 0)
      return refuse_dispatch(program, g, d, ".tiles.constant is 0");
    uint64_t most = tiles.constant();
    if (tiles.token_step())
      most *= ceil_div(program.max_tokens(), tiles.token_step()); // < 2^32 * 2^20
    if (tiles.length_step()) {
      uint64_t lengths = ceil_div(root.model()->context(), tiles.length_step());
      most = lengths > UINT32_MAX / most ? uint64_t(UINT32_MAX) + 1 : most * lengths;
    }
    group_tiles += most;
    if (most > UINT32_MAX || group_tiles > UINT32_MAX)
      return refuse_dispatch(program, g, d, ".tiles (constant ", tiles.constant(), ", token_step ",
                             tiles.token_step(), ", length_step ", tiles.length_step(),
                             ") takes the group above 4294967295 tiles");
    return true;
  }

  bool binding(const bundle::Program &program, unsigned g, unsigned d, unsigned b,
               const bundle::Binding &binding) {
    if (binding.space() > bundle::Space::MAX)
      return refuse_dispatch(program, g, d, ".bindings[", b, "].space is ",
                             static_cast<unsigned>(binding.space()), ", this runtime knows 0 .. ",
                             static_cast<unsigned>(bundle::Space::MAX));
    bool weights = binding.space() == bundle::Space::Weights;
    if (weights && binding.written())
      return refuse_dispatch(program, g, d, ".bindings[", b,
                             "].written is true, but weights are read only");
    if (binding.offset() % SINTER_KERNEL_ALIGNMENT != 0)
      return refuse_dispatch(program, g, d, ".bindings[", b, "].offset is ", binding.offset(),
                             ", must be a multiple of ", SINTER_KERNEL_ALIGNMENT);
    uint64_t reach = 0;
    if (const bundle::Indirect *indirect = binding.indirect()) {
      if (indirect->index_offset() % 4 != 0 ||
          !fits(indirect->index_offset(), 4, memory.fixed_bytes()))
        return refuse_dispatch(program, g, d, ".bindings[", b, "].indirect.index_offset is ",
                               indirect->index_offset(),
                               ", must be a multiple of 4 inside the session's memory (",
                               memory.fixed_bytes(), " bytes)");
      if (indirect->limit() == 0)
        return refuse_dispatch(program, g, d, ".bindings[", b, "].indirect.limit is 0");
      if (indirect->stride() % SINTER_KERNEL_ALIGNMENT != 0)
        return refuse_dispatch(program, g, d, ".bindings[", b, "].indirect.stride is ",
                               indirect->stride(), ", must be a multiple of ",
                               SINTER_KERNEL_ALIGNMENT);
      if (__builtin_mul_overflow(indirect->stride(), uint64_t(indirect->limit() - 1), &reach))
        return refuse_dispatch(program, g, d, ".bindings[", b, "].indirect: stride ",
                               indirect->stride(), " * (limit ", indirect->limit(),
                               " - 1) overflows");
    }
    // Kernels may read a margin past a binding; both spaces end with it.
    uint64_t end = weights ? weights_bytes - SINTER_KERNEL_READ_MARGIN : 0;
    if (!weights && memory.fixed_bytes() >= SINTER_KERNEL_READ_MARGIN)
      end = memory.fixed_bytes() - SINTER_KERNEL_READ_MARGIN;
    uint64_t last = 0;
    if (__builtin_add_overflow(binding.offset(), reach, &last) || !fits(last, binding.size(), end))
      return refuse_dispatch(program, g, d, ".bindings[", b, "]: offset ", binding.offset(),
                             " + indirect reach ", reach, " + size ", binding.size(), " ends past ",
                             weights ? "the weights (" : "the session's memory (", end,
                             " bytes before the margin)");
    if (binding.written() && !binding.indirect() &&
        binding.offset() < memory.step_offset() + step_bytes &&
        memory.step_offset() < binding.offset() + binding.size())
      return refuse_dispatch(program, g, d, ".bindings[", b, "]: offset ", binding.offset(),
                             " + size ", binding.size(),
                             " would overwrite the step's scalars at memory.step_offset (",
                             memory.step_offset(), ")");
    return true;
  }

  bool buffers() {
    for (unsigned i = 0; i < memory.buffers()->size(); ++i) {
      const bundle::PlannedBuffer &buffer = *memory.buffers()->Get(i);
      bool state = !buffer.program() || buffer.program()->size() == 0;
      uint64_t end = state ? memory.state_bytes() : memory.fixed_bytes();
      if (!fits(buffer.offset(), buffer.size(), end))
        return refuse("memory.buffers[", i, "] '", view(buffer.name()), "': offset ",
                      buffer.offset(), " + size ", buffer.size(), " ends past ",
                      state ? "memory.state_bytes (" : "memory.fixed_bytes (", end, ")");
      if (buffer.first() > buffer.last())
        return refuse("memory.buffers[", i, "] '", view(buffer.name()), "': first is ",
                      buffer.first(), ", after last (", buffer.last(), ")");
    }
    return true;
  }

  const bundle::Bundle &root;
  const bundle::Memory &memory;
  const uint64_t metadata_end;
  const uint64_t file_size;
  sinter_error *const error;
  uint64_t code_bytes = 0;
  uint64_t weights_bytes = 0;
};

} // namespace

sinter_status verify_bundle(const bundle::Bundle &root, uint64_t metadata_end, uint64_t file_size,
                            sinter_error *error) {
  semantic_verifier verifier(root, metadata_end, file_size, error);
  return verifier.run() ? SINTER_OK : verifier.status;
}

} // namespace sinter::core
