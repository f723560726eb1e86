/*===- sinter.h - The C API of the Sinter runtime ------------------------------===*\
|*
|* A *model* is an opened bundle: read-only, shared by any number of sessions and
|* threads. A *session* is one sequence of tokens: its KV cache, its position, its
|* worker threads. The usual way through:
|*
|*     sinter_open            bundle file -> model
|*     sinter_session_create  model -> session, in memory of yours or of the runtime
|*     sinter_tokenize        text -> ids
|*     sinter_prefill         ids -> logits of the last one
|*     sinter_sample          logits -> id
|*     sinter_step            id -> logits of the next
|*     sinter_detokenize      id -> whole UTF-8 characters
|*
|* Errors: every call that can fail returns a status; its text, with the field and the
|* value that are wrong, is in the sinter_error given to calls without a session and
|* in sinter_session_error for the others. Nothing is printed, nothing aborts.
|*
|* Memory: what a session needs is known before anything is allocated
|* (sinter_session_memory). After sinter_session_create no call allocates.
|*
|* Structs that may grow begin with `struct_bytes`, which the caller sets to their
|* sizeof; fields beyond it mean their documented default.
|*
\*===----------------------------------------------------------------------===*/
#ifndef SINTER_SINTER_H
#define SINTER_SINTER_H

#include "sinter/kernel_abi.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this interface: major changes break, minor ones append. */
#define SINTER_API_VERSION_MAJOR 0
#define SINTER_API_VERSION_MINOR 2

typedef struct sinter_model sinter_model;
typedef struct sinter_session sinter_session;

/*===- Errors ------------------------------------------------------------------===*/

typedef enum sinter_status {
  SINTER_OK = 0,
  SINTER_INVALID_ARGUMENT = 1, /**< a pointer is NULL, a size or a parameter out of its range */
  SINTER_IO_ERROR = 2,         /**< the file cannot be opened, read or mapped */
  SINTER_INVALID_BUNDLE =
      3, /**< truncated, changed or inconsistent; the text names field and value */
  SINTER_UNSUPPORTED =
      4, /**< made for another architecture or a newer runtime, or lacks a program */
  SINTER_NO_VARIANT =
      5, /**< no kernels in the bundle fit this CPU, or none has the name asked for */
  SINTER_EXECUTION_FORBIDDEN =
      6, /**< the system does not let code from this file run: use static kernels */
  SINTER_OUT_OF_MEMORY =
      7, /**< memory or threads could not be had, or the memory given is too small */
  SINTER_CONTEXT_FULL =
      8, /**< position + count would exceed the context the bundle was compiled for */
  SINTER_INVALID_TOKEN = 9,     /**< an id is negative or not below the vocabulary's size */
  SINTER_BUFFER_TOO_SMALL = 10, /**< the count that is needed is in the output argument */
  SINTER_INDEX_OUT_OF_RANGE =
      11,               /**< an index that the model computed exceeds its table; the step is void */
  SINTER_NO_LOGITS = 12 /**< nothing has been computed since the session was created or reset */
} sinter_status;

/** Receives the text of an error. Owned by the caller; may be NULL wherever one is taken. */
typedef struct sinter_error {
  sinter_status status;
  char text[1020]; /**< one line, without a line feed, ends with 0 */
} sinter_error;

/** What a status means in general, for when there is no text. A constant string, never NULL. */
const char *sinter_status_text(sinter_status status);

/*===- Models ------------------------------------------------------------------===*/

/** A kernel that is linked into the program instead of taken from the bundle: for systems that
 * forbid execution from files (app stores) and for firmware. The objects come from `sinterc
 * --emit=obj`. */
typedef struct sinter_static_kernel {
  const char *name;    /**< the kernel's name in the bundle */
  const char *variant; /**< the variant it belongs to; NULL: any */
  sinter_kernel_fn entry;
} sinter_static_kernel;

enum {
  /** Opens for looking only: any architecture, no kernel is resolved, no session can be created.
   * Facts, memory and the tokenizer work. */
  SINTER_OPEN_METADATA_ONLY = 1u
};

typedef struct sinter_open_options {
  uint32_t struct_bytes;
  uint32_t flags;
  const char *variant; /**< NULL: the first of the bundle's list that the CPU can run */
  const sinter_static_kernel
      *static_kernels; /**< used before the bundle's code; read during the call only */
  size_t static_kernel_count;
} sinter_open_options;

/**
 * Opens a bundle file: maps it read-only, verifies all of its metadata and picks the kernels.
 *
 * \param path     read during the call only.
 * \param options  NULL: defaults.
 * \param model    out: to be closed with sinter_close; NULL on failure.
 * \param error    text of a failure; may be NULL.
 * The code is mapped read-execute from the file, never writable; the weights are read from the file
 * when they are first used. The file must not change while it is open.
 */
sinter_status sinter_open(const char *path, const sinter_open_options *options,
                          sinter_model **model, sinter_error *error);

/**
 * The same from bytes in memory, which stay the caller's and must outlive the model.
 *
 * \param bytes  begins at a multiple of 64.
 * Kernels that are not static are copied into an executable mapping of their own.
 */
sinter_status sinter_open_bytes(const void *bytes, size_t size, const sinter_open_options *options,
                                sinter_model **model, sinter_error *error);

/** Closes a model; all of its sessions must have been destroyed. NULL is allowed. */
void sinter_close(sinter_model *model);

/** Facts of a model. The strings live as long as the model; none is NULL. */
typedef struct sinter_model_facts {
  uint32_t struct_bytes;
  uint32_t vocabulary;      /**< ids are 0 .. vocabulary - 1; logits have this length */
  uint32_t context;         /**< most tokens of one session */
  uint32_t trained_context; /**< most tokens that the model saw in training */
  uint32_t prefill_chunk;   /**< tokens that one pass of sinter_prefill takes */
  uint32_t layers;
  uint32_t embedding;
  uint32_t adds_bos; /**< 1: sinter_tokenize puts BOS in front by default */
  int32_t bos;       /**< -1: the model has none */
  int32_t eos;       /**< -1: the model has none */
  uint64_t parameters;
  uint64_t weight_bytes;
  uint64_t kv_bytes; /**< the KV cache's share of a session's memory */
  const char *name;
  const char *architecture;
  const char *target;
  const char *variant; /**< the kernels picked; empty with SINTER_OPEN_METADATA_ONLY */
  const char *compiler;
} sinter_model_facts;

/** Fills `facts` up to its `struct_bytes`. */
sinter_status sinter_get_facts(const sinter_model *model, sinter_model_facts *facts);

/** The facts that callers need most; 0 for NULL. */
uint32_t sinter_vocab_size(const sinter_model *model);
uint32_t sinter_context(const sinter_model *model);
uint32_t sinter_prefill_chunk(const sinter_model *model);

/** The instruction sets of this CPU that variants are chosen by, separated by commas, as LLVM names
 * them. */
const char *sinter_cpu_features(void);

/*===- Sessions ----------------------------------------------------------------===*/

/**
 * Bytes that a session with this many workers asks for, all of them: state (KV cache), arena,
 * scratch and the session's own tables. 0 if `threads` is 0 or above SINTER_MAX_THREADS.
 */
uint64_t sinter_session_memory(const sinter_model *model, uint32_t threads);

#define SINTER_MAX_THREADS 256u

typedef struct sinter_session_options {
  uint32_t struct_bytes;
  uint32_t
      threads;  /**< workers, the calling thread included; 0: one a core that the process may use */
  void *memory; /**< at a multiple of 64, the caller's; NULL: the runtime maps it, in large pages
                     where a long sequence fills it */
  uint64_t memory_bytes; /**< of `memory`: at least sinter_session_memory */
  /** Since 0.2: the processor of each worker, by the system's numbers; read during the call only.
   * The first is the calling thread's: the call pins it and leaves it pinned, so the session should
   * be used from the thread that created it. NULL: the system places the threads. */
  const uint32_t *cpus;
  size_t cpu_count; /**< at least `threads`; with threads 0: the number of workers */
} sinter_session_options;

/**
 * Creates a session at position 0 and starts its worker threads, which sleep whenever no call is
 * running.
 *
 * \param options  NULL: defaults.
 * Memory of the caller is cleared, and belongs to the session until it is destroyed.
 */
sinter_status sinter_session_create(const sinter_model *model,
                                    const sinter_session_options *options, sinter_session **session,
                                    sinter_error *error);

/** Ends the threads and gives back the memory that the runtime mapped. NULL is allowed. */
void sinter_session_destroy(sinter_session *session);

/** Workers of a session, the calling thread included. */
uint32_t sinter_threads(const sinter_session *session);

/** Text of the last call on this session that failed; empty if none did. Valid until the next call.
 */
const char *sinter_session_error(const sinter_session *session);

/** Tokens in the sequence so far: 0 .. sinter_context. */
uint32_t sinter_position(const sinter_session *session);

/**
 * Forgets all tokens from `position` on (0: everything); costs nothing.
 *
 * \param position  at most sinter_position.
 * Logits of before are gone.
 */
sinter_status sinter_rewind(sinter_session *session, uint32_t position);

/**
 * Runs tokens through the model, sinter_prefill_chunk of them at a time, and computes the logits
 * after the last.
 *
 * \param tokens  `count` ids, each below sinter_vocab_size; read only during the call.
 * \param count   at least 1, any number that fits into the context.
 * \returns SINTER_CONTEXT_FULL and SINTER_INVALID_TOKEN leave the session unchanged.
 * Not thread-safe for one session; any number of sessions of one model may run side by side.
 */
sinter_status sinter_prefill(sinter_session *session, const int32_t *tokens, size_t count);

/** Runs one token and computes the logits after it. The program made for this: sinter_prefill with
 * one token gives the same logits up to rounding, and is slower. Errors as sinter_prefill. */
sinter_status sinter_step(sinter_session *session, int32_t token);

/**
 * Like sinter_prefill, but computes log-likelihoods in place of logits.
 *
 * \param tokens   `count` ids, which the session takes in.
 * \param targets  `count` ids: what comes after each token; -1: not asked for.
 * \param scores   out: `count` natural logarithms of the targets' likelihoods, 0 where not asked
 * for. \returns SINTER_UNSUPPORTED if the bundle has no program for it. There are no logits to
 * sample from afterwards.
 */
sinter_status sinter_score(sinter_session *session, const int32_t *tokens, const int32_t *targets,
                           size_t count, float *scores);

/** Logits after the last token, `sinter_vocab_size` of them, or NULL. The session's; valid until
 * its next sinter_prefill, sinter_step, sinter_score or sinter_rewind. */
const float *sinter_logits(const sinter_session *session);

/*===- Sampling ----------------------------------------------------------------===*/

typedef struct sinter_bias {
  int32_t token;
  float value; /**< added to the token's logit */
} sinter_bias;

typedef struct sinter_candidate {
  int32_t token;
  float logit;       /**< with bias, before temperature */
  float probability; /**< among all allowed tokens, at temperature 1 */
} sinter_candidate;

typedef struct sinter_sampling {
  uint32_t struct_bytes;
  float temperature; /**< 0: greedy, the rest is not used then */
  uint32_t top_k;    /**< keep this many of the best; 0: all */
  float top_p;       /**< keep the fewest best ones that reach this sum of probabilities; 1: all */
  float min_p;       /**< drop those below this share of the best one's probability; 0: none */
  uint32_t reserved; /**< 0 */
  const uint32_t *mask; /**< bit t % 32 of word t / 32 allows token t; (vocabulary + 31) / 32 words;
                           NULL: all */
  const sinter_bias *bias;
  size_t bias_count;
} sinter_sampling;

/** Starts the session's random numbers anew. A session begins with seed 0. */
void sinter_seed(sinter_session *session, uint64_t seed);

/**
 * Picks the next token from the session's logits; does not run it.
 *
 * \param sampling        NULL: greedy.
 * \param token           out.
 * \param candidates      out, best first: min(candidate_count, allowed tokens) of them, the others
 * with token -1. NULL if candidate_count is 0. \returns SINTER_NO_LOGITS; SINTER_INVALID_ARGUMENT
 * if the mask allows nothing or a parameter is out of range.
 */
sinter_status sinter_sample(sinter_session *session, const sinter_sampling *sampling,
                            int32_t *token, sinter_candidate *candidates, size_t candidate_count);

/*===- Profiles (since 0.2) ----------------------------------------------------===*/

/** What one line of a program has cost so far; all figures are sums over its runs. */
typedef struct sinter_profile_entry {
  const char *program;   /**< "prefill", "head" (logits of a prompt), "score", "decode" */
  const char *kernel;    /**< its name in the bundle */
  const char *source;    /**< the layer it computes; may be empty, never NULL */
  uint64_t calls;        /**< runs of the program */
  uint64_t tokens;       /**< of all runs */
  uint64_t nanoseconds;  /**< inside the kernel, summed over the workers */
  uint64_t weight_bytes; /**< of weights read; small ones (gains, rotations) are not counted */
  uint64_t kv_bytes;     /**< of the KV cache read */
  uint64_t macs;         /**< multiply-adds with weights; 0 in bundles that do not say */
  uint64_t reserved[4];
} sinter_profile_entry;

/** Entries that a profile of this model has; 0 for NULL. */
size_t sinter_profile_entries(const sinter_model *model);

/**
 * Begins to count, from zero.
 *
 * \param entries   room for `capacity`, at least sinter_profile_entries; written to by every call
 * that runs tokens, until sinter_profile_stop or the end of the session. The strings live as long
 * as the model. Costs a look at the clock for each range of tiles.
 */
sinter_status sinter_profile_start(sinter_session *session, sinter_profile_entry *entries,
                                   size_t capacity);

/** Ends counting; the entries stay as they are, the caller's again. */
void sinter_profile_stop(sinter_session *session);

/** Nanoseconds that the session's workers take to meet and go on, all being there: the median of
 * many times. 0 with one worker. */
uint64_t sinter_barrier_nanoseconds(sinter_session *session);

/*===- Text --------------------------------------------------------------------===*/

enum {
  SINTER_TOKENIZE_NO_BOS = 1u, /**< never put BOS in front */
  SINTER_TOKENIZE_PLAIN = 2u   /**< read "<s>" and its like as text, not as special tokens */
};

/** Bytes of work memory that tokenizing a text of this length takes. */
size_t sinter_tokenize_workspace(const sinter_model *model, size_t text_bytes);

/**
 * Turns text into ids.
 *
 * \param text      any bytes, not necessarily UTF-8, not necessarily ended by 0.
 * \param flags     SINTER_TOKENIZE_*.
 * \param workspace `sinter_tokenize_workspace` bytes at a multiple of 8; overwritten.
 * \param tokens    room for `capacity` ids; 2 * `text_bytes` + 3 are always enough.
 * \param count     out: how many there are, also with SINTER_BUFFER_TOO_SMALL.
 */
sinter_status sinter_tokenize(const sinter_model *model, const char *text, size_t text_bytes,
                              uint32_t flags, void *workspace, size_t workspace_bytes,
                              int32_t *tokens, size_t capacity, size_t *count, sinter_error *error);

/**
 * The bytes of one token, by themselves: perhaps half a character, and "<s>" for a control token.
 *
 * \param out    room for `capacity` bytes; not ended by 0.
 * \param bytes  out: length of the piece, also with SINTER_BUFFER_TOO_SMALL.
 */
sinter_status sinter_token_piece(const sinter_model *model, int32_t token, char *out,
                                 size_t capacity, size_t *bytes);

/** 1 if the model says with this token that it has ended; else 0. */
int sinter_is_end_of_generation(const sinter_model *model, int32_t token);

/** State of a stream of tokens that becomes text. The caller's; contents are private. */
typedef struct sinter_detokenizer {
  uint64_t state[8];
} sinter_detokenizer;

enum {
  SINTER_DETOKENIZE_SPECIAL = 1u,     /**< print control tokens too */
  SINTER_DETOKENIZE_CONTINUATION = 2u /**< the text goes on behind a prompt: keep a leading space */
};

/** Starts a stream. */
void sinter_detokenizer_init(sinter_detokenizer *stream, const sinter_model *model, uint32_t flags);

/** Bytes that the output of one call can take at most: the longest piece and a held-back character.
 */
size_t sinter_detokenize_capacity(const sinter_model *model);

/**
 * Adds a token and gives what is complete: whole UTF-8 characters, the bytes of an unfinished one
 * are held back.
 *
 * \param out    room for `capacity` bytes, `sinter_detokenize_capacity` or more.
 * \param bytes  out: how many were written; may be 0.
 */
sinter_status sinter_detokenize(sinter_detokenizer *stream, const sinter_model *model,
                                int32_t token, char *out, size_t capacity, size_t *bytes);

/** Ends a stream: gives the bytes held back, as they are. Room for 4 bytes is enough. */
sinter_status sinter_detokenize_finish(sinter_detokenizer *stream, char *out, size_t capacity,
                                       size_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
