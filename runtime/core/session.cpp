//===- session.cpp - Memory, position and ports of a sequence -----------------===//

#include "runtime/core/session.h"
#include "runtime/core/message.h"

#include <new>

namespace sinter::core {

namespace {

constexpr uint64_t round_up(uint64_t bytes) {
  return (bytes + SINTER_KERNEL_ALIGNMENT - 1) / SINTER_KERNEL_ALIGNMENT * SINTER_KERNEL_ALIGNMENT;
}

struct table_offsets {
  uint64_t indirect;
  uint64_t taken;
  uint64_t tile_ends;
  uint64_t end;
};

/// The tables: addresses first.
table_offsets lay_out_tables(const model &model, uint32_t workers) {
  table_offsets at;
  at.indirect = round_up(uint64_t(model.binding_count) * sizeof(void *));
  at.taken =
      round_up(at.indirect + uint64_t(workers) * model.most_indirect_bindings * sizeof(void *));
  at.tile_ends = at.taken + uint64_t(workers) * sizeof(shared_counter);
  at.end = round_up(at.tile_ends + uint64_t(model.dispatch_count) * sizeof(uint32_t));
  return at;
}

void *port(const session &session, program_kind kind, bundle::PortRole role) {
  return session.fixed + session.of->program(kind).ports[static_cast<unsigned>(role)];
}

sinter_status check_room(const session &session, size_t count, sinter_error *error) {
  uint32_t context = session.of->context();
  if (count > context - session.position)
    return fail(error, SINTER_CONTEXT_FULL, "position ", session.position, " + ", count,
                " tokens exceeds the context of ", context, " that the bundle was compiled for");
  return SINTER_OK;
}

sinter_status check_tokens(const session &session, const int32_t *tokens, size_t count,
                           int32_t least, std::string_view what, sinter_error *error) {
  int64_t vocabulary = session.of->vocabulary();
  for (size_t i = 0; i < count; ++i)
    if (tokens[i] < least || tokens[i] >= vocabulary)
      return fail(error, SINTER_INVALID_TOKEN, what, "[", i, "] is ", tokens[i], ", must be ",
                  least, " .. ", vocabulary - 1);
  return SINTER_OK;
}

/// One chunk through program prefill; leaves the hidden states of its tokens.
sinter_status run_chunk(session &session, const int32_t *tokens, uint32_t count,
                        sinter_error *error) {
  memcpy(port(session, program_kind::prefill, bundle::PortRole::Tokens), tokens,
         count * sizeof(int32_t));
  return run_program(session, program_kind::prefill, count, session.position, error);
}

uint32_t next_chunk(const session &session, size_t left) {
  uint32_t chunk = session.of->prefill_chunk();
  return left < chunk ? static_cast<uint32_t>(left) : chunk;
}

sinter_status check_prompt(const session &session, const int32_t *tokens, size_t count,
                           sinter_error *error) {
  if (!tokens || count == 0)
    return fail(error, SINTER_INVALID_ARGUMENT,
                tokens ? "count is 0, must be at least 1" : "tokens is NULL");
  if (sinter_status status = check_room(session, count, error))
    return status;
  return check_tokens(session, tokens, count, 0, "tokens", error);
}

} // namespace

session_bytes session_memory(const model &model, uint32_t workers) {
  const bundle::Memory &plan = *model.bundle.root->memory();
  return {lay_out_tables(model, workers).end, plan.fixed_bytes(), workers * plan.scratch_bytes()};
}

void session_init(session &session, const model &model, const executor &team, void *memory) {
  table_offsets at = lay_out_tables(model, team.workers);
  auto *base = static_cast<uint8_t *>(memory);
  session.of = &model;
  session.team = team;
  session.addresses = reinterpret_cast<void **>(base);
  session.indirect_addresses = reinterpret_cast<void **>(base + at.indirect);
  session.taken = reinterpret_cast<shared_counter *>(base + at.taken);
  for (uint32_t w = 0; w < team.workers; ++w)
    new (session.taken + w) shared_counter;
  session.tile_ends = reinterpret_cast<uint32_t *>(base + at.tile_ends);
  session.fixed = base + at.end;
  session.scratch = session.fixed + model.bundle.root->memory()->fixed_bytes();
  // Kernels take void * for everything; the verifier refused plans that write to weights.
  auto *weights = const_cast<uint8_t *>(model.bundle.weights.data);
  for (uint32_t b = 0; b < model.binding_count; ++b)
    session.addresses[b] =
        (model.bindings[b].weights ? weights : session.fixed) + model.bindings[b].offset;
}

sinter_status session_prefill(session &session, const int32_t *tokens, size_t count,
                              sinter_error *error) {
  if (sinter_status status = check_prompt(session, tokens, count, error))
    return status;
  session.logits = nullptr;
  uint32_t chunk = 0;
  for (size_t done = 0; done < count; done += chunk) {
    chunk = next_chunk(session, count - done);
    if (sinter_status status = run_chunk(session, tokens + done, chunk, error))
      return status;
    session.position += chunk;
  }
  if (sinter_status status =
          run_program(session, program_kind::head, chunk, session.position - chunk, error))
    return status;
  session.logits =
      static_cast<const float *>(port(session, program_kind::head, bundle::PortRole::Logits));
  return SINTER_OK;
}

sinter_status session_step(session &session, int32_t token, sinter_error *error) {
  if (sinter_status status = check_prompt(session, &token, 1, error))
    return status;
  session.logits = nullptr;
  memcpy(port(session, program_kind::decode, bundle::PortRole::Tokens), &token, sizeof(token));
  if (sinter_status status = run_program(session, program_kind::decode, 1, session.position, error))
    return status;
  ++session.position;
  session.logits =
      static_cast<const float *>(port(session, program_kind::decode, bundle::PortRole::Logits));
  return SINTER_OK;
}

sinter_status session_score(session &session, const int32_t *tokens, const int32_t *targets,
                            size_t count, float *scores, sinter_error *error) {
  if (session.of->program(program_kind::score).max_tokens == 0)
    return fail(error, SINTER_UNSUPPORTED, "this bundle has no program 'score'");
  if (!targets || !scores)
    return fail(error, SINTER_INVALID_ARGUMENT, targets ? "scores is NULL" : "targets is NULL");
  if (sinter_status status = check_prompt(session, tokens, count, error))
    return status;
  if (sinter_status status = check_tokens(session, targets, count, -1, "targets", error))
    return status;
  session.logits = nullptr;
  uint32_t chunk = 0;
  for (size_t done = 0; done < count; done += chunk) {
    chunk = next_chunk(session, count - done);
    if (sinter_status status = run_chunk(session, tokens + done, chunk, error))
      return status;
    memcpy(port(session, program_kind::score, bundle::PortRole::Targets), targets + done,
           chunk * sizeof(int32_t));
    if (sinter_status status =
            run_program(session, program_kind::score, chunk, session.position, error))
      return status;
    memcpy(scores + done, port(session, program_kind::score, bundle::PortRole::Scores),
           chunk * sizeof(float));
    for (size_t i = done; i < done + chunk; ++i)
      if (targets[i] < 0)
        scores[i] = 0;
    session.position += chunk;
  }
  return SINTER_OK;
}

sinter_status session_rewind(session &session, uint32_t position, sinter_error *error) {
  if (position > session.position)
    return fail(error, SINTER_INVALID_ARGUMENT, "position is ", position,
                ", must be at most the current one (", session.position, ")");
  session.position = position;
  session.logits = nullptr;
  return SINTER_OK;
}

} // namespace sinter::core
