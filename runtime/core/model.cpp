//===- model.cpp - Resolving a bundle into flat arrays -----------------------===//

#include "runtime/core/model.h"
#include "runtime/core/message.h"

namespace sinter::core {

namespace {

struct totals {
  size_t groups = 0;
  size_t dispatches = 0;
  size_t bindings = 0;
};

/// Programs whose names the runtime does not know are a later compiler's; they are verified and
/// left out.
const bundle::Program *find_program(const bundle::Bundle &root, std::string_view name) {
  for (const bundle::Program *program : *root.programs())
    if (view(program->name()) == name)
      return program;
  return nullptr;
}

totals count(const bundle::Bundle &root) {
  totals sum;
  for (std::string_view name : program_names) {
    const bundle::Program *program = find_program(root, name);
    if (!program)
      continue;
    sum.groups += program->groups()->size();
    for (const bundle::Group *group : *program->groups()) {
      sum.dispatches += group->dispatches()->size();
      for (const bundle::Dispatch *dispatch : *group->dispatches())
        sum.bindings += dispatch->bindings()->size();
    }
  }
  return sum;
}

/// Compares without libc's strlen.
bool same(std::string_view name, const char *other) {
  for (char c : name)
    if (*other == 0 || *other++ != c)
      return false;
  return *other == 0;
}

sinter_kernel_fn find_static(std::string_view kernel, std::string_view variant,
                             const kernel_source &source) {
  for (size_t i = 0; i < source.static_kernel_count; ++i) {
    const sinter_static_kernel &entry = source.static_kernels[i];
    if (entry.name && same(kernel, entry.name) && (!entry.variant || same(variant, entry.variant)))
      return entry.entry;
  }
  return nullptr;
}

binding_plan resolve(const bundle::Binding &binding) {
  binding_plan plan{};
  plan.offset = binding.offset();
  plan.weights = binding.space() == bundle::Space::Weights;
  if (const bundle::Indirect *indirect = binding.indirect()) {
    plan.index_offset = indirect->index_offset();
    plan.stride = indirect->stride();
    plan.limit = indirect->limit();
  }
  return plan;
}

} // namespace

bool all_static(const bundle_view &bundle, const kernel_source &source) {
  std::string_view variant = view(bundle.root->variants()->Get(source.variant)->name());
  for (const bundle::Kernel *kernel : *bundle.root->kernels())
    if (!find_static(view(kernel->name()), variant, source))
      return false;
  return true;
}

size_t model_bytes(const bundle_view &bundle) {
  // The verifier bounded the number of tables, so these sums are far from overflow.
  totals sum = count(*bundle.root);
  return sum.groups * sizeof(group_plan) + sum.dispatches * sizeof(dispatch_plan) +
         sum.bindings * sizeof(binding_plan);
}

sinter_status model_init(const bundle_view &bundle, const kernel_source *source, void *memory,
                         model &out, sinter_error *error) {
  const bundle::Bundle &root = *bundle.root;
  totals sum = count(root);
  // Widest alignment first; the three element sizes are multiples of what follows them.
  auto *bindings = static_cast<binding_plan *>(memory);
  auto *dispatches = reinterpret_cast<dispatch_plan *>(bindings + sum.bindings);
  auto *groups = reinterpret_cast<group_plan *>(dispatches + sum.dispatches);
  out.bundle = bundle;
  out.bindings = bindings;
  out.dispatches = dispatches;
  out.groups = groups;

  std::string_view variant;
  const uint8_t *code = nullptr;
  if (source) {
    const bundle::Variant &picked = *root.variants()->Get(source->variant);
    variant = view(picked.name());
    if (source->code)
      code = source->code + picked.code_offset();
  }
  for (unsigned kind = 0; kind < program_kinds; ++kind) {
    const bundle::Program *program = find_program(root, program_names[kind]);
    if (!program)
      continue;
    program_plan &plan = out.programs[kind];
    plan.first_group = out.group_count;
    plan.group_count = program->groups()->size();
    plan.max_tokens = program->max_tokens();
    for (const bundle::Port *port : *program->ports())
      plan.ports[static_cast<unsigned>(port->role())] = port->offset();
    for (const bundle::Group *group : *program->groups()) {
      groups[out.group_count++] = {out.dispatch_count, group->dispatches()->size()};
      for (const bundle::Dispatch *dispatch : *group->dispatches()) {
        const bundle::Kernel &kernel = *root.kernels()->Get(dispatch->kernel());
        dispatch_plan &resolved = dispatches[out.dispatch_count++];
        resolved = {nullptr,
                    out.binding_count,
                    dispatch->bindings()->size(),
                    *dispatch->tiles(),
                    false,
                    view(dispatch->source()),
                    dispatch};
        for (const bundle::Binding *binding : *dispatch->bindings()) {
          bindings[out.binding_count] = resolve(*binding);
          resolved.indirect |= bindings[out.binding_count++].limit != 0;
        }
        uint32_t whole_lines = (resolved.binding_count + 7) / 8 * 8;
        if (resolved.indirect && whole_lines > out.most_indirect_bindings)
          out.most_indirect_bindings = whole_lines;
        if (!source)
          continue;
        resolved.entry = find_static(view(kernel.name()), variant, *source);
        if (!resolved.entry && code)
          resolved.entry = reinterpret_cast<sinter_kernel_fn>(
              reinterpret_cast<uintptr_t>(code + kernel.entries()->Get(source->variant)->entry()));
        if (!resolved.entry)
          return fail(
              error, SINTER_EXECUTION_FORBIDDEN, "kernel '", view(kernel.name()), "' of variant '",
              variant,
              "' is not among the static kernels, and code of the bundle cannot be run here");
      }
    }
  }
  return SINTER_OK;
}

} // namespace sinter::core
