//===- session.cpp - Sessions: memory, tokens in, logits and samples out --------===//

#include "runtime/api/objects.h"
#include "runtime/core/message.h"
#include "runtime/host/large_pages.h"

#include <new>

using namespace sinter;
using core::fail;

namespace {

constexpr uint64_t round_up(uint64_t bytes) {
  return (bytes + SINTER_KERNEL_ALIGNMENT - 1) / SINTER_KERNEL_ALIGNMENT * SINTER_KERNEL_ALIGNMENT;
}

/// Offsets of a session's parts in its memory.
struct layout {
  uint64_t pool;
  uint64_t sampler;
  uint64_t run;
  uint64_t total;
};

layout lay_out(const sinter_model &model, uint32_t threads) {
  layout at;
  at.pool = round_up(sizeof(sinter_session));
  at.sampler = at.pool + round_up(host::thread_pool::bytes(threads));
  at.run = at.sampler + round_up(text::sampler_work_bytes(model.plan.vocabulary()));
  at.total = at.run + core::session_memory(model.plan, threads).total();
  return at;
}

/// Statuses of calls on a session keep their text in it.
template <typename Call> sinter_status guarded(sinter_session *session, Call call) {
  if (!session)
    return SINTER_INVALID_ARGUMENT;
  sinter_status status = call(&session->error);
  if (status == SINTER_OK)
    session->error.text[0] = 0;
  session->error.status = status;
  return status;
}

/// A call that adds positions.
template <typename Call> sinter_status advance(sinter_session *session, Call call) {
  sinter_status status = guarded(session, call);
  // Often enough that a step waits for one or two pieces; a look at 1 GB takes 1 to 2 ms.
  constexpr uint64_t between_looks = 64;
  if (status == SINTER_OK && session->own.base && session->run.position >= session->next_look)
    session->next_look = host::enlarge_pages(session->own) ? session->run.position + between_looks
                                                           : UINT64_MAX;
  return status;
}

text::sampling_options convert(const sinter_sampling &from) {
  text::sampling_options to;
  to.temperature = from.temperature;
  to.top_k = from.top_k;
  to.top_p = from.top_p;
  to.min_p = from.min_p;
  to.mask = from.mask;
  static_assert(sizeof(sinter_bias) == sizeof(text::token_bias) &&
                offsetof(sinter_bias, value) == offsetof(text::token_bias, value));
  to.biases = reinterpret_cast<const text::token_bias *>(from.bias);
  to.bias_count = from.bias_count;
  return to;
}

sinter_status sample(sinter_session &session, const sinter_sampling *given, int32_t *token,
                     sinter_candidate *candidates, size_t candidate_count, sinter_error *error) {
  if (!token || (candidate_count && !candidates))
    return fail(error, SINTER_INVALID_ARGUMENT, token ? "candidates is NULL" : "token is NULL");
  if (!session.run.logits)
    return fail(error, SINTER_NO_LOGITS,
                "there are no logits to sample from: call sinter_prefill or sinter_step");
  sinter_sampling sampling{};
  sampling.top_p = 1;
  if (given)
    memcpy(static_cast<void *>(&sampling), given,
           given->struct_bytes < sizeof(sampling) ? given->struct_bytes : sizeof(sampling));
  text::sampling_options options = convert(sampling);
  uint32_t vocabulary = session.model->plan.vocabulary();
  if (options.bias_count && !options.biases)
    return fail(error, SINTER_INVALID_ARGUMENT, "sampling.bias is NULL, but bias_count is ",
                options.bias_count);
  if (const char *fault = text::check_sampling_options(options, vocabulary))
    return fail(error, SINTER_INVALID_ARGUMENT, "sampling: ", fault);
  static_assert(sizeof(sinter_candidate) == sizeof(text::token_candidate) &&
                offsetof(sinter_candidate, probability) ==
                    offsetof(text::token_candidate, probability));
  *token =
      text::sample(session.run.logits, vocabulary, options, session.random, session.sampler_work,
                   reinterpret_cast<text::token_candidate *>(candidates), candidate_count);
  if (*token < 0)
    return fail(error, SINTER_INVALID_ARGUMENT,
                "sampling: no token is allowed (the mask, or logits that are no numbers)");
  return SINTER_OK;
}

sinter_status create(const sinter_model &model, const sinter_session_options &options,
                     sinter_session *&out, sinter_error *error) {
  if (!model.runnable)
    return fail(error, SINTER_INVALID_ARGUMENT,
                "the model was opened with SINTER_OPEN_METADATA_ONLY");
  uint32_t threads = options.threads;
  if (options.cpu_count && !options.cpus)
    return fail(error, SINTER_INVALID_ARGUMENT, "options.cpus is NULL, but cpu_count is ",
                options.cpu_count);
  const uint32_t *cpus = options.cpu_count ? options.cpus : nullptr;
  if (cpus && threads > options.cpu_count)
    return fail(error, SINTER_INVALID_ARGUMENT, threads, " threads on ", options.cpu_count,
                " processors: each takes one of its own");
  if (cpus && threads == 0) {
    threads = static_cast<uint32_t>(
        options.cpu_count < SINTER_MAX_THREADS + 1 ? options.cpu_count : SINTER_MAX_THREADS + 1);
  } else if (threads == 0) {
    threads = host::usable_processors();
    threads = threads < SINTER_MAX_THREADS ? threads : SINTER_MAX_THREADS;
  }
  if (threads > SINTER_MAX_THREADS)
    return fail(error, SINTER_INVALID_ARGUMENT, "options.threads is ", threads,
                ", must be at most ", SINTER_MAX_THREADS);
  layout at = lay_out(model, threads);
  host::mapping own;
  host::affinity caller;
  auto *memory = static_cast<uint8_t *>(options.memory);
  if (!memory) {
    if (sinter_status status = host::map_memory(at.total, own, error))
      return status;
    memory = own.data;
  } else {
    if (reinterpret_cast<uintptr_t>(memory) % SINTER_KERNEL_ALIGNMENT != 0)
      return fail(error, SINTER_INVALID_ARGUMENT, "options.memory is ",
                  core::hex{reinterpret_cast<uintptr_t>(memory)}, ", not a multiple of ",
                  SINTER_KERNEL_ALIGNMENT);
    if (options.memory_bytes < at.total)
      return fail(error, SINTER_OUT_OF_MEMORY, "options.memory_bytes is ", options.memory_bytes,
                  ", a session with ", threads, " threads takes ", at.total);
    memset(memory, 0, at.total);
  }
  auto *session = new (memory) sinter_session();
  session->model = &model;
  session->own = own;
  session->sampler_work = memory + at.sampler;
  sinter_status status = cpus ? caller.pin(cpus, threads, error) : SINTER_OK;
  if (status == SINTER_OK) {
    session->pool = host::thread_pool::start(memory + at.pool, threads, cpus, error);
    status = session->pool ? SINTER_OK : SINTER_OUT_OF_MEMORY;
  }
  if (status != SINTER_OK) {
    caller.restore();
    host::unmap(own);
    return status;
  }
  core::session_init(session->run, model.plan, session->pool->executor(), memory + at.run);
  out = session;
  return SINTER_OK;
}

} // namespace

extern "C" {

uint64_t sinter_session_memory(const sinter_model *model, uint32_t threads) {
  return model && threads && threads <= SINTER_MAX_THREADS ? lay_out(*model, threads).total : 0;
}

sinter_status sinter_session_create(const sinter_model *model,
                                    const sinter_session_options *options, sinter_session **session,
                                    sinter_error *error) {
  if (!model || !session)
    return fail(error, SINTER_INVALID_ARGUMENT, model ? "session is NULL" : "model is NULL");
  *session = nullptr;
  return create(*model, api::known_part(options), *session, error);
}

void sinter_session_destroy(sinter_session *session) {
  if (!session)
    return;
  session->pool->stop();
  host::mapping own = session->own;
  host::unmap(own);
}

const char *sinter_session_error(const sinter_session *session) {
  return session ? session->error.text : "";
}

uint32_t sinter_threads(const sinter_session *session) {
  return session ? session->run.team.workers : 0;
}

uint32_t sinter_position(const sinter_session *session) {
  return session ? session->run.position : 0;
}

sinter_status sinter_rewind(sinter_session *session, uint32_t position) {
  return guarded(session, [=](sinter_error *error) {
    return core::session_rewind(session->run, position, error);
  });
}

sinter_status sinter_prefill(sinter_session *session, const int32_t *tokens, size_t count) {
  return advance(session, [=](sinter_error *error) {
    return core::session_prefill(session->run, tokens, count, error);
  });
}

sinter_status sinter_step(sinter_session *session, int32_t token) {
  return advance(
      session, [=](sinter_error *error) { return core::session_step(session->run, token, error); });
}

sinter_status sinter_score(sinter_session *session, const int32_t *tokens, const int32_t *targets,
                           size_t count, float *scores) {
  return advance(session, [=](sinter_error *error) {
    return core::session_score(session->run, tokens, targets, count, scores, error);
  });
}

size_t sinter_profile_entries(const sinter_model *model) {
  return model ? model->plan.dispatch_count : 0;
}

sinter_status sinter_profile_start(sinter_session *session, sinter_profile_entry *entries,
                                   size_t capacity) {
  return guarded(session, [=](sinter_error *error) {
    size_t needed = session->model->plan.dispatch_count;
    if (!entries)
      return fail(error, SINTER_INVALID_ARGUMENT, "entries is NULL");
    if (capacity < needed)
      return fail(error, SINTER_BUFFER_TOO_SMALL, "capacity is ", capacity,
                  ", a profile of this model has ", needed, " entries");
    core::start_profile(session->run, entries);
    return SINTER_OK;
  });
}

void sinter_profile_stop(sinter_session *session) {
  if (session)
    session->run.profile = nullptr;
}

uint64_t sinter_barrier_nanoseconds(sinter_session *session) {
  return session ? core::barrier_nanoseconds(session->run) : 0;
}

const float *sinter_logits(const sinter_session *session) {
  return session ? session->run.logits : nullptr;
}

void sinter_seed(sinter_session *session, uint64_t seed) {
  if (session)
    session->random = text::random_numbers(seed);
}

sinter_status sinter_sample(sinter_session *session, const sinter_sampling *sampling,
                            int32_t *token, sinter_candidate *candidates, size_t candidate_count) {
  return guarded(session, [=](sinter_error *error) {
    return sample(*session, sampling, token, candidates, candidate_count, error);
  });
}

} // extern "C"
