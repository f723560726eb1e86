//===- execute.cpp - Groups, tiles and barriers -------------------------------===//

#include "runtime/core/message.h"
#include "runtime/core/session.h"

namespace sinter::core {

namespace {

/// How long a worker spins at a barrier before it sleeps: longer than a tile of a single token takes,
/// so that decoding makes no system call. Not longer: where others run on the same processors, each
/// spin keeps the worker that is waited for from running (200 us: a third of the speed of 20).
constexpr uint64_t spin_ns = 25'000;
/// Looks between two looks at the clock; without a clock, this many such rounds are spun.
constexpr unsigned looks = 64, rounds_without_clock = 16;

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

/// What a worker's calls are made with, and the dispatch that its last one was of.
struct worker_args : sinter_kernel_args {
  uint32_t last_dispatch = UINT32_MAX;
};

/// True once `value` is no longer `seen`; false if it still is when it is time to sleep.
bool spin_until_change(const executor &team, const std::atomic<uint32_t> &value, uint32_t seen) {
  uint64_t end = 0;
  for (unsigned round = 0;; ++round) {
    for (unsigned look = 0; look < looks; ++look) {
      if (value.load(std::memory_order_acquire) != seen)
        return true;
      relax();
    }
    if (!team.clock) {
      if (round == rounds_without_clock)
        return false;
      continue;
    }
    uint64_t now = team.clock();
    if (end == 0)
      end = now + spin_ns;
    else if (now >= end)
      return false;
  }
}

void wait_for_change(session &session, const std::atomic<uint32_t> &value, uint32_t seen) {
  if (spin_until_change(session.team, value, seen))
    return;
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

/// Nobody has drawn from any worker's share.
void reset_shares(session &session) {
  for (uint32_t w = 0; w < session.team.workers; ++w)
    session.taken[w].value.store(0, std::memory_order_relaxed);
}

/// Returns when all workers have called it. The last to arrive does `alone` before the others go
/// on.
template <typename Alone> void arrive_and_wait(session &session, Alone alone) {
  rendezvous &meeting = session.meeting;
  uint32_t workers = session.team.workers;
  uint32_t generation = meeting.generation.value.load(std::memory_order_relaxed);
  if (meeting.arrived.value.fetch_add(1, std::memory_order_acq_rel) + 1 < workers) {
    wait_for_change(session, meeting.generation.value, generation);
    return;
  }
  alone();
  reset_shares(session);
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

void run_tiles(session &session, uint32_t dispatch, worker_args &args) {
  const dispatch_plan &plan = session.of->dispatches[dispatch];
  args.bindings = plan.indirect ? resolve_indirect(session, dispatch, args.worker)
                                : session.addresses + plan.first_binding;
  if (!args.bindings)
    return;
  args.again = dispatch == args.last_dispatch;
  args.last_dispatch = dispatch;
  if (!session.profile) {
    plan.entry(&args);
    return;
  }
  uint64_t begin = session.team.clock();
  plan.entry(&args);
  std::atomic_ref<uint64_t>(session.profile[dispatch].nanoseconds)
      .fetch_add(session.team.clock() - begin, std::memory_order_relaxed);
}

/// The first tile of a worker's share of `tiles`; that of `workers` is the end.
uint32_t share_begin(uint32_t tiles, uint32_t worker, uint32_t workers) {
  return static_cast<uint32_t>(uint64_t(tiles) * worker / workers);
}

/// Where the tiles of each of a group's dispatches end in this run, one dispatch behind the other.
const uint32_t *tile_ends_of(const session &session, const group_plan &group) {
  return session.tile_ends + (group.first_dispatch -
                              session.of->groups[session.program->first_group].first_dispatch);
}

/// A worker's part of each of a group's dispatches, one behind the other: where tiles have tokens,
/// one worker has the same tokens of all.
struct share {
  const session &of;
  const group_plan &group;
  uint32_t owner, workers;

  /// Tiles of dispatch `d` of the group: where the share's begin, and where they end.
  uint32_t begin(uint32_t d, uint32_t worker) const {
    const uint32_t *ends = tile_ends_of(of, group);
    return share_begin(ends[d] - (d ? ends[d - 1] : 0), worker, workers);
  }
  uint32_t size() const {
    uint32_t sum = 0;
    for (uint32_t d = 0; d < group.dispatch_count; ++d)
      sum += begin(d, owner + 1) - begin(d, owner);
    return sum;
  }
};

/// Tiles [begin, end) of a share.
void run_range(session &session, const share &share, uint32_t begin, uint32_t end,
               worker_args &args) {
  uint32_t passed = 0;
  for (uint32_t d = 0; d < share.group.dispatch_count && begin < end; ++d) {
    uint32_t first = share.begin(d, share.owner);
    uint32_t stop = passed + share.begin(d, share.owner + 1) - first;
    if (begin < stop) {
      uint32_t last = end < stop ? end : stop;
      args.tile_begin = first + (begin - passed);
      args.tile_end = first + (last - passed);
      run_tiles(session, share.group.first_dispatch + d, args);
      begin = last;
    }
    passed = stop;
  }
}

/// Tiles of a group in this run.
uint32_t total_of(const session &session, const group_plan &group) {
  if (group.dispatch_count == 0)
    return 0;
  return tile_ends_of(session, group)[group.dispatch_count - 1];
}

/// Runs group `g` of the program and those behind it as long as they have one tile at most, for a
/// worker that nobody runs beside. Returns the first one that is work for all.
uint32_t run_alone(session &session, uint32_t g, worker_args &args) {
  const group_plan *groups = session.of->groups + session.program->first_group;
  for (; g < session.program->group_count; ++g) {
    uint32_t total = total_of(session, groups[g]);
    if (total > 1 && args.workers > 1)
      break;
    if (!session.bad_index.load(std::memory_order_relaxed))
      run_range(session, {session, groups[g], 0, 1}, 0, total, args);
  }
  return g;
}

/// Takes the first half of the `size` tiles of a share that are left, from `begin` of it up to
/// `end`. False if none is.
bool draw(std::atomic<uint32_t> &taken, uint32_t size, uint32_t &begin, uint32_t &end) {
  begin = taken.load(std::memory_order_relaxed);
  while (begin < size) {
    uint32_t count = (size - begin) / 2;
    end = begin + (count ? count : 1);
    if (taken.compare_exchange_weak(begin, end, std::memory_order_relaxed))
      return true;
  }
  return false;
}

/// Half of its own share, half of the rest, .., single tiles, and then what others have left in the
/// same way: cores of different speed end together. One that has half the speed of the mean is done
/// with its first half when all are. As long as nobody takes from it, a worker reads its share of
/// the weights from its first to its last byte, and what a kernel asks for ahead is what it will
/// read.
void run_group(session &session, const group_plan &group, worker_args &args) {
  if (session.bad_index.load(std::memory_order_relaxed))
    return;
  for (uint32_t i = 0; i < args.workers; ++i) {
    share owned{session, group, (args.worker + i) % args.workers, args.workers};
    uint32_t size = owned.size(), begin, end;
    while (draw(session.taken[owned.owner].value, size, begin, end))
      run_range(session, owned, begin, end, args);
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

worker_args args_of(const session &session, uint32_t worker) {
  worker_args args{};
  args.scratch = session.scratch + worker * session.of->bundle.root->memory()->scratch_bytes();
  args.tokens = session.tokens;
  args.position = session.first_position;
  args.worker = worker;
  args.workers = session.team.workers;
  return args;
}

/// What the run that has just ended adds to a profile besides time.
void count_run(session &session) {
  const program_plan &program = *session.program;
  uint64_t tokens = session.tokens, length = session.first_position + tokens;
  for (uint32_t g = 0; g < program.group_count; ++g) {
    const group_plan &group = session.of->groups[program.first_group + g];
    for (uint32_t d = 0; d < group.dispatch_count; ++d) {
      const bundle::Dispatch &described =
          *session.of->dispatches[group.first_dispatch + d].described;
      sinter_profile_entry &entry = session.profile[group.first_dispatch + d];
      entry.calls += 1;
      entry.tokens += tokens;
      entry.weight_bytes += described.weight_bytes();
      entry.kv_bytes += described.kv_bytes() * length;
      entry.macs += described.macs() * tokens;
    }
  }
}

constexpr unsigned barrier_samples = 31, barriers_a_sample = 64;

struct barrier_run {
  session *of;
  uint64_t samples[barrier_samples];
};

void run_barriers(void *argument, uint32_t worker) {
  auto &run = *static_cast<barrier_run *>(argument);
  for (uint64_t &sample : run.samples) {
    uint64_t begin = worker == 0 ? run.of->team.clock() : 0;
    for (unsigned i = 0; i < barriers_a_sample; ++i)
      arrive_and_wait(*run.of, [] {});
    if (worker == 0)
      sample = run.of->team.clock() - begin;
  }
}

} // namespace

void start_profile(session &session, sinter_profile_entry *entries) {
  const model &model = *session.of;
  for (unsigned kind = 0; kind < program_kinds; ++kind) {
    const program_plan &program = model.programs[kind];
    for (uint32_t g = 0; g < program.group_count; ++g) {
      const group_plan &group = model.groups[program.first_group + g];
      for (uint32_t d = 0; d < group.dispatch_count; ++d) {
        const bundle::Dispatch &described = *model.dispatches[group.first_dispatch + d].described;
        sinter_profile_entry &entry = entries[group.first_dispatch + d];
        entry = {};
        entry.program = program_names[kind].data();
        entry.kernel = model.bundle.root->kernels()->Get(described.kernel())->name()->c_str();
        entry.source = described.source() ? described.source()->c_str() : "";
      }
    }
  }
  session.profile = session.team.clock ? entries : nullptr;
}

uint64_t barrier_nanoseconds(session &session) {
  if (session.team.workers == 1 || !session.team.clock)
    return 0;
  barrier_run run{&session, {}};
  session.team.run(session.team.context, run_barriers, &run);
  // The sample that half of the others are below.
  for (uint64_t sample : run.samples) {
    unsigned less = 0, equal = 0;
    for (uint64_t other : run.samples) {
      less += other < sample;
      equal += other == sample;
    }
    if (less <= barrier_samples / 2 && less + equal > barrier_samples / 2)
      return sample / barriers_a_sample;
  }
  return 0;
}

void run_worker(void *argument, uint32_t worker) {
  session &session = *static_cast<core::session *>(argument);
  worker_args args = args_of(session, worker);
  const std::atomic<uint32_t> &next_group = session.meeting.group.value;
  const group_plan *groups = session.of->groups + session.program->first_group;
  uint32_t g = next_group.load(std::memory_order_relaxed);
  while (g < session.program->group_count) {
    run_group(session, groups[g], args);
    // The end of the run is the last group's barrier.
    if (++g == session.program->group_count)
      return;
    arrive_and_wait(session, [&] {
      session.meeting.group.value.store(run_alone(session, g, args), std::memory_order_relaxed);
    });
    g = next_group.load(std::memory_order_relaxed);
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
  // The calling thread is worker 0.
  worker_args args = args_of(session, 0);
  uint32_t first = run_alone(session, 0, args);
  if (first < program.group_count) {
    session.meeting.group.value.store(first, std::memory_order_relaxed);
    reset_shares(session);
    session.team.run(session.team.context, run_worker, &session);
  }
  if (session.profile)
    count_run(session);
  if (uint64_t where = session.bad_index.load(std::memory_order_relaxed))
    return report_bad_index(session, where, error);
  return SINTER_OK;
}

} // namespace sinter::core
