//===- session.h - One sequence of tokens and how its programs run -----------===//
//
// The session's memory, from its start:
//
//     tables   addresses of all bindings, one scratch list of addresses and one counter a worker,
//              tile counts
//     fixed    the plan's memory: state, then arena (`memory.fixed_bytes`)
//     scratch  `memory.scratch_bytes` for each worker
//
// A program is a list of groups. All workers run `run_worker` at the same time: each draws ranges of
// tiles from its share of the group and then from those of others until none is left, and they meet
// at a barrier; the last one to arrive resets the shares' counters. Groups of one tile have no
// barrier of their own: whoever arrives last runs those that come next before it lets the others go
// on, and those at the start of a program are run before anybody is woken. Threads are not made
// here: an executor calls run_worker once for each worker, on whatever it has.
//
//===----------------------------------------------------------------------===//
#ifndef RUNTIME_CORE_SESSION_H
#define RUNTIME_CORE_SESSION_H

#include "runtime/core/model.h"

#include <atomic>

namespace sinter::core {

/// How a worker waits when spinning takes too long. Both may be null: then it spins on (bare
/// metal).
struct wait_policy {
  /// Returns when `value` may differ from `seen`; may return early.
  void (*wait)(const std::atomic<uint32_t> &value, uint32_t seen) = nullptr;
  /// Wakes all who wait for `value`.
  void (*wake)(const std::atomic<uint32_t> &value) = nullptr;
};

/// Calls body(argument, w) for every w in [0, workers) at the same time and returns after all calls
/// have.
struct executor {
  void (*run)(void *context, void (*body)(void *argument, uint32_t worker),
              void *argument) = nullptr;
  void *context = nullptr;
  uint32_t workers = 1;
  wait_policy policy;
  /// Nanoseconds of a clock that never goes back; null: there is none, nothing is timed.
  uint64_t (*clock)() = nullptr;
};

/// Each on cache lines of its own: workers hammer on them.
struct alignas(64) shared_counter {
  std::atomic<uint32_t> value{0};
};

/// All that workers meet at.
struct rendezvous {
  shared_counter group;      ///< where workers go on behind the barrier
  shared_counter arrived;    ///< workers at the barrier
  shared_counter generation; ///< rises when all are; what they wait for
  shared_counter sleepers;   ///< workers inside wait_policy::wait
};

struct session {
  const model *of = nullptr;
  executor team;
  uint8_t *fixed = nullptr;
  uint8_t *scratch = nullptr;
  void **addresses = nullptr;          ///< parallel to model::bindings; indirect ones hold index 0
  void **indirect_addresses = nullptr; ///< most_indirect_bindings for each worker
  shared_counter *taken = nullptr; ///< tiles drawn of each worker's share of the group
  uint32_t *tile_ends =
      nullptr; ///< of each dispatch of the running program, cumulated within its group
  uint32_t position = 0;
  const float *logits = nullptr;

  // The running program.
  const program_plan *program = nullptr;
  uint32_t tokens = 0;         ///< what kernels are told
  uint32_t first_position = 0; ///< likewise
  std::atomic<uint64_t> bad_index{
      0}; ///< dispatch + 1 in the high, binding in the low half; 0: none
  rendezvous meeting;
  sinter_profile_entry *profile =
      nullptr; ///< parallel to model::dispatches; null: nothing is timed
};

/// Bytes of a session's memory, in its parts; each is a multiple of 64.
struct session_bytes {
  uint64_t tables;
  uint64_t fixed;
  uint64_t scratch;
  uint64_t total() const { return tables + fixed + scratch; }
};
session_bytes session_memory(const model &model, uint32_t workers);

/// Lays a session out in `memory` (session_memory().total() bytes, at a multiple of 64, all zero).
void session_init(session &session, const model &model, const executor &team, void *memory);

/// See the functions of sinter.h with the same names.
sinter_status session_prefill(session &session, const int32_t *tokens, size_t count,
                              sinter_error *error);
sinter_status session_step(session &session, int32_t token, sinter_error *error);
sinter_status session_score(session &session, const int32_t *tokens, const int32_t *targets,
                            size_t count, float *scores, sinter_error *error);
sinter_status session_rewind(session &session, uint32_t position, sinter_error *error);

/// Runs one program with `tokens` tokens of which the first stands at `position`; ports have been
/// filled.
sinter_status run_program(session &session, program_kind kind, uint32_t tokens, uint32_t position,
                          sinter_error *error);

/// A worker's part in the program that run_program set up. `argument` is the session.
void run_worker(void *argument, uint32_t worker);

/// Fills names and clears figures of `entries`, one a dispatch, and has the session count in them.
void start_profile(session &session, sinter_profile_entry *entries);

/// Median nanoseconds from the arrival of the last worker at a barrier to its way on; 0 with one
/// worker or without a clock.
uint64_t barrier_nanoseconds(session &session);

} // namespace sinter::core

#endif
