//===- sampler.h - Logits to a token --------------------------------------===//
//
//   logits, + bias, - mask -> the best k -> top-p -> min-p -> temperature -> one of them
//
// top-p and min-p look at the probabilities that the model gave, before temperature, so that a high
// temperature cannot bring back what they cut off (the order of llama.cpp). Equal logits are
// ordered by id; the random numbers and the exponential are our own: the same input and seed give
// the same token on every machine.
//
// No call allocates: sampling works in memory that its caller gives.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_SAMPLER_H
#define SINTER_RUNTIME_TEXT_SAMPLER_H

#include <cstddef>
#include <cstdint>

namespace sinter::text {

/// xoshiro128++ (Blackman and Vigna 2019), seeded through splitmix64.
class random_numbers {
public:
  explicit random_numbers(uint64_t seed = 0);
  uint32_t next();
  /// In [0, 1), a multiple of 2^-53.
  double next_unit();

private:
  uint32_t state[4];
};

struct token_bias {
  int32_t token;
  float value; ///< added to the logit
};

struct token_candidate {
  int32_t token;
  float logit;       ///< with bias, before temperature
  float probability; ///< among all allowed tokens, at temperature 1
};

struct sampling_options {
  float temperature = 0;              ///< 0: the best one; nothing below is used then
  uint32_t top_k = 0;                 ///< 0: all
  float top_p = 1;                    ///< 0 .. 1; at least one token stays
  float min_p = 0;                    ///< 0 .. 1
  const uint32_t *mask = nullptr;     ///< a bit a token, 1: allowed; nullptr: all are
  const token_bias *biases = nullptr; ///< of some tokens; each an id of the vocabulary
  size_t bias_count = 0;
  const float *dense_bias = nullptr; ///< of every token; nullptr: none
};

/// Names the option that is out of its range (NaN is), or nullptr.
const char *check_sampling_options(const sampling_options &options, uint32_t tokens);

/// Work memory for a vocabulary; at a multiple of 8.
size_t sampler_work_bytes(uint32_t tokens);

/// Chooses a token.
///
/// \param logits      `tokens` of them; a NaN is never chosen.
/// \param options     has passed check_sampling_options.
/// \param work        sampler_work_bytes(tokens).
/// \param candidates  out: the `candidate_count` best allowed tokens, best first; -1 where there
/// are
///                    no more.
/// \returns the token; -1 if none is allowed.
int32_t sample(const float *logits, uint32_t tokens, const sampling_options &options,
               random_numbers &random, void *work, token_candidate *candidates = nullptr,
               size_t candidate_count = 0);

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_SAMPLER_H
