//===- execute.cpp - Groups, tiles and barriers -------------------------------===//

#include "runtime/core/message.h"
#include "runtime/core/session.h"

namespace sinter::core {

namespace {

/// About 20 to 50 us of spinning: longer than any imbalance within a group that is worth a system
/// call, shorter than what a person or a battery notices.
constexpr unsigned spins_before_waiting = 1024;

/// A worker draws 1 / (share * workers) of what is left: large ranges first, single tiles at the
/// end, so that cores of different speed finish together with few draws.
constexpr uint32_t share = 4;

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield" ::: "memory");
#endif
}

/// The verifier proved that this fits for every legal token count and position.
uint32_t tile_count(const bundle::TileCount &tiles, uint32_t tokens, uint32_t position) {
  uint64_t count = tiles.constant();
  if (tiles.token_step())
    count *= (uint64_t(tokens) + tiles.token_step() - 1) / tiles.token_step();
  if (tiles.length_step())
    count *= (uint64_t(position) + tokens + tiles.length_step() - 1) / tiles.length_step();
  return static_cast<uint32_t>(count);
}

void wait_for_change(session &session, const std::atomic<uint32_t> &value, uint32_t seen) {
  for (unsigned spin = 0; spin < spins_before_waiting; ++spin) {
    if (value.load(std::memory_order_acquire) != seen)
      return;
    relax();
  }
  const wait_policy &policy = session.team.policy;
  if (!policy.wait) {
    while (value.load(std::memory_order_acquire) == seen)
      relax();
    return;
  }
  // Sequentially consistent on both sides: either the last to arrive sees the sleeper, or the
  // sleeper sees the new generation (the wait itself looks once more).
  std::atomic<uint32_t> &sleepers = session.meeting.sleepers.value;
  sleepers.fetch_add(1);
  while (value.load() == seen)
    policy.wait(value, seen);
  sleepers.fetch_sub(1);
}

void arrive_and_wait(session &session) {
  rendezvous &meeting = session.meeting;
  uint32_t workers = session.team.workers;
  if (workers == 1) {
    meeting.next.value.store(0, std::memory_order_relaxed);
    return;
  }
  uint32_t generation = meeting.generation.value.load(std::memory_order_relaxed);
  if (meeting.arrived.value.fetch_add(1, std::memory_order_acq_rel) + 1 < workers) {
    wait_for_change(session, meeting.generation.value, generation);
    return;
  }
  meeting.next.value.store(0, std::memory_order_relaxed);
  meeting.arrived.value.store(0, std::memory_order_relaxed);
  meeting.generation.value.store(generation + 1);
  if (meeting.sleepers.value.load() && session.team.policy.wake)
    session.team.policy.wake(meeting.generation.value);
}

/// Addresses of a dispatch that has indirect bindings, or null if an index is out of range.
void *const *resolve_indirect(session &session, uint32_t dispatch, uint32_t worker) {
  const model &model = *session.of;
  const dispatch_plan &plan = model.dispatches[dispatch];
  void **out = session.indirect_addresses + size_t(worker) * model.most_indirect_bindings;
  for (uint32_t b = 0; b < plan.binding_count; ++b) {
    const binding_plan &binding = model.bindings[plan.first_binding + b];
    auto *base = static_cast<uint8_t *>(session.addresses[plan.first_binding + b]);
    if (binding.limit) {
      uint32_t index;
      memcpy(&index, session.fixed + binding.index_offset, sizeof(index));
      if (index >= binding.limit) {
        session.bad_index.store((uint64_t(dispatch) + 1) << 32 | b, std::memory_order_relaxed);
        return nullptr;
      }
      base += binding.stride * index;
    }
    out[b] = base;
  }
  return out;
}

void run_tiles(session &session, uint32_t dispatch, sinter_kernel_args &args) {
  const dispatch_plan &plan = session.of->dispatches[dispatch];
  args.bindings = plan.indirect ? resolve_indirect(session, dispatch, args.worker)
                                : session.addresses + plan.first_binding;
  if (args.bindings)
    plan.entry(&args);
}

/// Tiles [begin, end) of a group, which may belong to several dispatches.
void run_range(session &session, const group_plan &group, uint32_t begin, uint32_t end,
               sinter_kernel_args &args) {
  const uint32_t *ends =
      session.tile_ends +
      (group.first_dispatch - session.of->groups[session.program->first_group].first_dispatch);
  uint32_t first = 0;
  for (uint32_t d = 0; d < group.dispatch_count && begin < end; ++d) {
    if (begin < ends[d]) {
      uint32_t stop = end < ends[d] ? end : ends[d];
      args.tile_begin = begin - first;
      args.tile_end = stop - first;
      run_tiles(session, group.first_dispatch + d, args);
      begin = stop;
    }
    first = ends[d];
  }
}

void run_group(session &session, const group_plan &group, sinter_kernel_args &args) {
  if (group.dispatch_count == 0 || session.bad_index.load(std::memory_order_relaxed))
    return;
  uint32_t total =
      session.tile_ends[group.first_dispatch -
                        session.of->groups[session.program->first_group].first_dispatch +
                        group.dispatch_count - 1];
  if (args.workers == 1) {
    run_range(session, group, 0, total, args);
    return;
  }
  std::atomic<uint32_t> &next = session.meeting.next.value;
  uint32_t begin = next.load(std::memory_order_relaxed);
  while (begin < total) {
    uint32_t count = (total - begin) / (share * args.workers);
    uint32_t end = begin + (count ? count : 1);
    if (!next.compare_exchange_weak(begin, end, std::memory_order_relaxed))
      continue;
    run_range(session, group, begin, end, args);
    begin = next.load(std::memory_order_relaxed);
  }
}

sinter_status report_bad_index(const session &session, uint64_t where, sinter_error *error) {
  const model &model = *session.of;
  const dispatch_plan &plan = model.dispatches[(where >> 32) - 1];
  uint32_t b = static_cast<uint32_t>(where);
  const binding_plan &binding = model.bindings[plan.first_binding + b];
  uint32_t index;
  memcpy(&index, session.fixed + binding.index_offset, sizeof(index));
  return fail(error, SINTER_INDEX_OUT_OF_RANGE, "binding ", b, " of ",
              plan.source.empty() ? std::string_view("a dispatch") : plan.source, ": the index at ",
              binding.index_offset, " of the session's memory is ", index, ", must be below ",
              binding.limit);
}

} // namespace

void run_worker(void *argument, uint32_t worker) {
  session &session = *static_cast<core::session *>(argument);
  uint64_t scratch_bytes = session.of->bundle.root->memory()->scratch_bytes();
  sinter_kernel_args args{};
  args.scratch = session.scratch + worker * scratch_bytes;
  args.tokens = session.tokens;
  args.position = session.first_position;
  args.worker = worker;
  args.workers = session.team.workers;
  const group_plan *groups = session.of->groups + session.program->first_group;
  for (uint32_t g = 0; g < session.program->group_count; ++g) {
    run_group(session, groups[g], args);
    arrive_and_wait(session);
  }
}

sinter_status run_program(session &session, program_kind kind, uint32_t tokens, uint32_t position,
                          sinter_error *error) {
  const model &model = *session.of;
  const program_plan &program = model.program(kind);
  if (program.max_tokens == 0)
    return fail(error, SINTER_UNSUPPORTED, "this bundle has no program '",
                program_names[static_cast<unsigned>(kind)], "'");
  if (program.group_count == 0)
    return SINTER_OK;

  const uint32_t scalars[4] = {tokens, position, tokens - 1, 0};
  memcpy(session.fixed + model.bundle.root->memory()->step_offset(), scalars, sizeof(scalars));

  // A program of fewer tokens (head) works on the last ones of the step.
  session.program = &program;
  session.tokens = tokens < program.max_tokens ? tokens : program.max_tokens;
  session.first_position = position + tokens - session.tokens;
  session.bad_index.store(0, std::memory_order_relaxed);
  uint32_t *ends = session.tile_ends;
  for (uint32_t g = 0; g < program.group_count; ++g) {
    const group_plan &group = model.groups[program.first_group + g];
    uint32_t end = 0;
    for (uint32_t d = 0; d < group.dispatch_count; ++d)
      *ends++ = end += tile_count(model.dispatches[group.first_dispatch + d].tiles, session.tokens,
                                  session.first_position);
  }
  session.team.run(session.team.context, run_worker, &session);
  if (uint64_t where = session.bad_index.load(std::memory_order_relaxed))
    return report_bad_index(session, where, error);
  return SINTER_OK;
}

} // namespace sinter::core
