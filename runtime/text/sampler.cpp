//===- sampler.cpp - Logits to a token ------------------------------------===//
//
// The vocabulary is read in blocks of 32: the largest logit of a block, a loop that vectorises,
// says whether any of it can be among the best; almost none can. Only those that can are copied to
// a pool of twice the number wanted, which a partial sort halves whenever it is full.
//
// Compiled without contraction to fused multiply-adds, so that every machine rounds alike.
//
//===----------------------------------------------------------------------===//

#include "runtime/text/sampler.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace sinter::text {
namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();
constexpr uint32_t block = 32;
/// First attempt at the size of a nucleus (top-p); it grows by this factor where it is too small.
constexpr uint32_t first_nucleus = 256;
constexpr uint32_t nucleus_growth = 8;

struct entry {
  float logit;
  uint32_t token;
};

bool better(const entry &a, const entry &b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

/// exp(x) for x <= 0, to about 1e-7; below -87, and for a NaN, exp(-87) = 1.6e-38.
/// x = k ln 2 + r with |r| <= ln 2 / 2; the first part of ln 2 has so few bits that k times it is
/// exact. The polynomial is Taylor's.
inline float exp_negative(float x) {
  x = x > -87.0f ? x : -87.0f;
  float k = float(int32_t(x * 1.44269504f - 0.5f));
  float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((int32_t(k) + 127) << 23);
}

/// How far a logit is below the best one; both may be infinite.
inline float below(float logit, float best) {
  float difference = logit - best;
  return logit == best ? 0.0f : difference;
}

/// What a logit weighs beside the best one.
inline float weight(float logit, float best) { return exp_negative(below(logit, best)); }

float block_best(const float *logits, uint32_t count) {
  float best = minus_infinity;
  if (count == block) {
    for (uint32_t i = 0; i != block; ++i)
      best = logits[i] > best ? logits[i] : best;
    return best;
  }
  for (uint32_t i = 0; i != count; ++i)
    best = logits[i] > best ? logits[i] : best;
  return best;
}

/// The first of the largest; token -1 in `entry` if there is none above minus infinity.
entry best_of(const float *logits, uint32_t tokens) {
  entry best = {minus_infinity, UINT32_MAX};
  for (uint32_t at = 0; at < tokens; at += block) {
    uint32_t count = std::min(block, tokens - at);
    if (!(block_best(logits + at, count) > best.logit))
      continue;
    for (uint32_t i = at; i != at + count; ++i)
      if (logits[i] > best.logit)
        best = {logits[i], i};
  }
  return best;
}

/// Sum of all weights, in parts of 256: their weights by a loop that vectorises, then 16 lanes of
/// float, and those in double.
double sum_of_weights(const float *logits, uint32_t tokens, float best) {
  constexpr uint32_t lanes = 16, part = 256;
  double sum = 0;
  float weights[part];
  for (uint32_t at = 0; at < tokens; at += part) {
    uint32_t count = std::min(part, tokens - at);
    for (uint32_t i = 0; i != count; ++i)
      weights[i] = weight(logits[at + i], best);
    std::fill(weights + count, weights + part, 0.0f);
    for (uint32_t i = lanes; i != part; ++i)
      weights[i % lanes] += weights[i];
    for (uint32_t i = 0; i != lanes; ++i)
      sum += weights[i];
  }
  return sum;
}

/// Writes the best `wanted` (or as many as there are above minus infinity) to the pool, best first.
/// The pool has room for all tokens.
uint32_t select_best(const float *logits, uint32_t tokens, uint32_t wanted, entry *pool) {
  if (wanted == 0)
    return 0;
  uint32_t room =
      uint32_t(std::min<uint64_t>(tokens, std::max<uint64_t>(2ull * wanted, wanted + block)));
  uint32_t count = 0;
  float threshold = minus_infinity;
  for (uint32_t at = 0; at < tokens; at += block) {
    uint32_t in_block = std::min(block, tokens - at);
    if (!(block_best(logits + at, in_block) > threshold))
      continue;
    for (uint32_t i = at; i != at + in_block; ++i) {
      if (!(logits[i] > threshold))
        continue;
      if (count == room) {
        // Later tokens have larger ids: to be kept they must exceed the last one that is.
        std::nth_element(pool, pool + (wanted - 1), pool + count, better);
        count = wanted;
        threshold = pool[wanted - 1].logit;
        if (!(logits[i] > threshold))
          continue;
      }
      pool[count++] = {logits[i], i};
    }
  }
  if (count > wanted) {
    std::nth_element(pool, pool + (wanted - 1), pool + count, better);
    count = wanted;
  }
  std::sort(pool, pool + count, better);
  return count;
}

class sampler {
public:
  sampler(const float *logits, uint32_t tokens, const sampling_options &options, void *work)
      : logits(logits), tokens(tokens), options(options), pool(static_cast<entry *>(work)) {
    if (options.mask || options.bias_count || options.dense_bias)
      adjust(reinterpret_cast<float *>(pool + tokens));
    best = best_of(this->logits, tokens);
  }

  /// The greedy choice, -1: none is allowed.
  int32_t best_token() const { return int32_t(best.token); }

  void write_candidates(token_candidate *candidates, size_t wanted) {
    uint32_t count = select_best(logits, tokens, uint32_t(std::min<size_t>(wanted, tokens)), pool);
    double total = count ? sum_of_weights(logits, tokens, best.logit) : 1;
    for (size_t i = 0; i != wanted; ++i)
      candidates[i] =
          i < count ? token_candidate{int32_t(pool[i].token), pool[i].logit,
                                      float(double(weight(pool[i].logit, best.logit)) / total)}
                    : token_candidate{-1, minus_infinity, 0};
  }

  int32_t draw(random_numbers &random) {
    bool all = options.top_k == 0 || options.top_k >= tokens;
    if (all && options.top_p >= 1)
      return draw_from_vocabulary(random);
    uint32_t count = all ? select_nucleus() : select_top_k();
    while (count > 1 && weight(pool[count - 1].logit, best.logit) < options.min_p)
      --count;
    return draw_from_pool(count, random);
  }

private:
  void adjust(float *copy) {
    std::memcpy(copy, logits, tokens * sizeof(float));
    if (options.dense_bias)
      for (uint32_t i = 0; i != tokens; ++i)
        copy[i] += options.dense_bias[i];
    for (size_t i = 0; i != options.bias_count; ++i)
      copy[options.biases[i].token] += options.biases[i].value;
    if (options.mask)
      for (uint32_t i = 0; i != tokens; ++i)
        copy[i] = options.mask[i / 32] >> (i % 32) & 1 ? copy[i] : minus_infinity;
    logits = copy;
  }

  uint32_t select_top_k() {
    uint32_t count = select_best(logits, tokens, options.top_k, pool);
    double total = 0;
    for (uint32_t i = 0; i != count; ++i)
      total += weight(pool[i].logit, best.logit);
    return cut_nucleus(count, total);
  }

  /// Top-p over the whole vocabulary: takes more and more of the best until they are enough.
  uint32_t select_nucleus() {
    double total = sum_of_weights(logits, tokens, best.logit);
    uint32_t wanted = first_nucleus;
    while (true) {
      wanted = std::min(wanted, tokens);
      uint32_t count = select_best(logits, tokens, wanted, pool);
      uint32_t kept = cut_nucleus(count, total);
      if (kept < count || count < wanted || wanted == tokens)
        return kept;
      wanted = uint32_t(std::min<uint64_t>(uint64_t(wanted) * nucleus_growth, tokens));
    }
  }

  /// The fewest of the pool's first whose weights reach top-p of the total.
  uint32_t cut_nucleus(uint32_t count, double total) const {
    double sum = 0;
    for (uint32_t i = 0; i != count; ++i) {
      sum += weight(pool[i].logit, best.logit);
      if (sum >= options.top_p * total)
        return i + 1;
    }
    return count;
  }

  /// Weight after temperature.
  double tempered(float logit) const {
    return exp_negative(below(logit, best.logit) / options.temperature);
  }

  int32_t draw_from_pool(uint32_t count, random_numbers &random) const {
    double total = 0;
    for (uint32_t i = 0; i != count; ++i)
      total += tempered(pool[i].logit);
    double point = random.next_unit() * total;
    for (uint32_t i = 0; i + 1 < count; ++i)
      if ((point -= tempered(pool[i].logit)) < 0)
        return int32_t(pool[i].token);
    return int32_t(pool[count - 1].token);
  }

  bool survives(float logit) const {
    return logit > minus_infinity &&
           (options.min_p == 0 || weight(logit, best.logit) >= options.min_p);
  }

  /// Without top-k and top-p there is nothing to sort.
  int32_t draw_from_vocabulary(random_numbers &random) const {
    double total = 0;
    for (uint32_t i = 0; i != tokens; ++i)
      if (survives(logits[i]))
        total += tempered(logits[i]);
    double point = random.next_unit() * total;
    uint32_t last = best.token;
    for (uint32_t i = 0; i != tokens; ++i)
      if (survives(logits[i])) {
        last = i;
        if ((point -= tempered(logits[i])) < 0)
          break;
      }
    return int32_t(last);
  }

  const float *logits;
  uint32_t tokens;
  const sampling_options &options;
  entry *pool;
  entry best;
};

uint64_t splitmix64(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

} // namespace

random_numbers::random_numbers(uint64_t seed) {
  for (int i = 0; i != 4; i += 2) {
    uint64_t word = splitmix64(seed);
    state[i] = uint32_t(word);
    state[i + 1] = uint32_t(word >> 32);
  }
}

uint32_t random_numbers::next() {
  uint32_t result = std::rotl(state[0] + state[3], 7) + state[0];
  uint32_t shifted = state[1] << 9;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = std::rotl(state[3], 11);
  return result;
}

double random_numbers::next_unit() {
  uint64_t high = next();
  uint64_t bits = (high << 32 | next()) >> 11;
  return double(bits) * 0x1p-53;
}

const char *check_sampling_options(const sampling_options &options, uint32_t tokens) {
  if (!(options.temperature >= 0 && options.temperature <= std::numeric_limits<float>::max()))
    return "temperature: must be 0 or a finite positive number";
  if (!(options.top_p >= 0 && options.top_p <= 1))
    return "top_p: must be from 0 to 1";
  if (!(options.min_p >= 0 && options.min_p <= 1))
    return "min_p: must be from 0 to 1";
  for (size_t i = 0; i != options.bias_count; ++i) {
    if (options.biases[i].token < 0 || uint32_t(options.biases[i].token) >= tokens)
      return "bias: names a token outside of the vocabulary";
    if (options.biases[i].value != options.biases[i].value)
      return "bias: is not a number";
  }
  return nullptr;
}

size_t sampler_work_bytes(uint32_t tokens) {
  size_t bytes = size_t(tokens) * (sizeof(entry) + sizeof(float));
  return (bytes + 7) & ~size_t(7);
}

int32_t sample(const float *logits, uint32_t tokens, const sampling_options &options,
               random_numbers &random, void *work, token_candidate *candidates,
               size_t candidate_count) {
  sampler chosen(logits, tokens, options, work);
  if (candidate_count != 0)
    chosen.write_candidates(candidates, candidate_count);
  if (chosen.best_token() < 0 || options.temperature == 0)
    return chosen.best_token();
  return chosen.draw(random);
}

} // namespace sinter::text
