//===- sampler.cpp - Logits to a token ------------------------------------===//
//
// The best few (greedy, top-k, a small nucleus): the vocabulary is read in blocks of 32; the
// largest logit of a block, a loop that vectorises, says whether any of it can be among the best;
// almost none can. Only those that can are copied to a pool of twice the number wanted, which a
// partial sort halves whenever it is full.
//
// Many (a flat distribution, a large top-k): nothing is sorted. A histogram over the distance from
// the best logit finds the bucket in which the last token that stays must be, a selection inside of
// it finds that token, and the draw compares with it. All loops over the vocabulary vectorise, or
// do a few instructions a token: a hundredth of what a small model takes for a token.
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
/// Tokens whose weights are computed at a time.
constexpr uint32_t part = 256;
/// A nucleus (top-p) up to the first and a top-k up to the second is sorted.
constexpr uint32_t small_nucleus = 256, small_k = 1024;
/// The histogram's buckets are 1/32 wide; the last one takes all that is further off.
constexpr int32_t buckets = 1024;
constexpr float buckets_in_one = 32;

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
  int32_t whole = int32_t(x * 1.44269504f - 0.5f);
  float k = float(whole);
  float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((whole + 127) << 23);
}

/// How far a logit, which is a number, is below the best one; both may be infinite, and only then
/// is their difference no number.
inline float below(float logit, float best) {
  float difference = logit - best;
  return difference == difference ? difference : 0.0f;
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

/// Sum of a part's weights: 16 lanes of float, and those in double.
double sum_of(const float (&weights)[part]) {
  constexpr uint32_t lanes = 16;
  float sums[lanes] = {};
  for (uint32_t i = 0; i != part; i += lanes)
    for (uint32_t l = 0; l != lanes; ++l)
      sums[l] += weights[i + l];
  double sum = 0;
  for (float lane : sums)
    sum += lane;
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

/// Not worse than every token that may be drawn.
constexpr entry anything = {std::numeric_limits<float>::lowest(), UINT32_MAX};

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
    double total = count ? total_weight(anything) : 1;
    for (size_t i = 0; i != wanted; ++i)
      candidates[i] =
          i < count ? token_candidate{int32_t(pool[i].token), pool[i].logit,
                                      float(double(weight(pool[i].logit, best.logit)) / total)}
                    : token_candidate{-1, minus_infinity, 0};
  }

  int32_t draw(random_numbers &random) {
    uint32_t count = select_few();
    if (count == 0)
      return draw_from_vocabulary(last_of_many(), random);
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
      for (uint32_t at = 0; at < tokens; at += 32)
        apply(options.mask[at / 32], copy + at, std::min(32u, tokens - at));
    logits = copy;
  }

  /// Most words of a mask allow all of their tokens or none.
  static void apply(uint32_t word, float *logits, uint32_t count) {
    if (word == 0)
      std::fill(logits, logits + count, minus_infinity);
    else if (word != UINT32_MAX)
      for (uint32_t i = 0; i != count; ++i)
        logits[i] = word >> i & 1 ? logits[i] : minus_infinity;
  }

  bool has_top_k() const { return options.top_k != 0 && options.top_k < tokens; }

  /// Fills the pool with what top-k and top-p leave, best first; 0: it would be too much.
  uint32_t select_few() {
    bool whole = !has_top_k();
    if (whole ? options.top_p >= 1 : options.top_k > small_k)
      return 0;
    uint32_t wanted = std::min(whole ? small_nucleus : options.top_k, tokens);
    uint32_t count = select_best(logits, tokens, wanted, pool);
    double total = 0;
    if (whole)
      total = all_weights = total_weight(anything);
    else
      for (uint32_t i = 0; i != count; ++i)
        total += weight(pool[i].logit, best.logit);
    uint32_t kept = cut_nucleus(count, total);
    return !whole || kept < count || count < wanted || wanted == tokens ? kept : 0;
  }

  /// The worst token that top-k and top-p leave.
  entry last_of_many() {
    entry last = anything;
    double total = all_weights;
    if (has_top_k()) {
      last = last_to_reach(options.top_k, last, [](float) { return 1.0f; });
      total = options.top_p < 1 ? total_weight(last) : 0;
    }
    float most = best.logit;
    if (options.top_p < 1)
      last = last_to_reach(options.top_p * total, last,
                           [=](float logit) { return weight(logit, most); });
    return last;
  }

  /// weigh(logit) for a part of the vocabulary; 0 for tokens worse than `last` and behind the end.
  template <typename Weigh>
  void weigh_part(uint32_t at, const entry &last, float (&weights)[part], Weigh weigh) const {
    uint32_t count = std::min(part, tokens - at);
    const float *from = logits + at;
    float least = last.logit;
    for (uint32_t i = 0; i != count; ++i) {
      float value = weigh(from[i]);
      weights[i] = from[i] >= least ? value : 0.0f;
    }
    std::fill(weights + count, weights + part, 0.0f);
    // Equals of the last one are worse if they stand behind it.
    if (last.token < at + count)
      for (uint32_t i = last.token < at ? 0 : last.token + 1 - at; i != count; ++i)
        weights[i] = from[i] == least ? 0.0f : weights[i];
  }

  double total_weight(const entry &last) const {
    float weights[part], most = best.logit;
    double sum = 0;
    for (uint32_t at = 0; at < tokens; at += part) {
      weigh_part(at, last, weights, [=](float logit) { return weight(logit, most); });
      sum += sum_of(weights);
    }
    return sum;
  }

  /// Buckets of a part's tokens by their distance from the best.
  void buckets_of(uint32_t at, int32_t (&out)[part]) const {
    uint32_t count = std::min(part, tokens - at);
    float most = best.logit;
    for (uint32_t i = 0; i != count; ++i) {
      float distance = -buckets_in_one * below(logits[at + i], most);
      out[i] = int32_t(distance < float(buckets - 1) ? distance : float(buckets - 1));
    }
  }

  /// The last of the fewest best tokens, none worse than `last`, whose weights reach the goal.
  template <typename Weigh> entry last_to_reach(double goal, const entry &last, Weigh weigh) {
    // Neighbours are often in the same bucket: two histograms, so that one need not wait for the
    // other.
    double sums[2][buckets] = {};
    float weights[part];
    int32_t bucket[part];
    for (uint32_t at = 0; at < tokens; at += part) {
      weigh_part(at, last, weights, weigh);
      buckets_of(at, bucket);
      uint32_t count = std::min(part, tokens - at);
      for (uint32_t i = 0; i != count; ++i)
        sums[i % 2][bucket[i]] += weights[i];
    }
    double sum = 0;
    int32_t reached = 0;
    while (reached + 1 < buckets && sum + sums[0][reached] + sums[1][reached] < goal) {
      sum += sums[0][reached] + sums[1][reached];
      ++reached;
    }
    uint32_t count = gather(reached, last);
    return count ? select_in_pool(count, sum, goal, weigh) : last;
  }

  /// Copies the tokens of a bucket that are not worse than `last` to the pool.
  uint32_t gather(int32_t wanted, const entry &last) {
    uint32_t found = 0;
    int32_t bucket[part];
    for (uint32_t at = 0; at < tokens; at += part) {
      buckets_of(at, bucket);
      uint32_t count = std::min(part, tokens - at);
      for (uint32_t i = 0; i != count; ++i)
        // What is no number is not as good as the last one either.
        if (bucket[i] == wanted && logits[at + i] >= last.logit &&
            !better(last, {logits[at + i], at + i}))
          pool[found++] = {logits[at + i], at + i};
    }
    return found;
  }

  /// Halves the pool until the token is left at which `sum` and the weights of all better ones in
  /// it reach the goal.
  template <typename Weigh>
  entry select_in_pool(uint32_t count, double sum, double goal, Weigh weigh) {
    entry *begin = pool, *end = pool + count;
    while (end - begin > 1) {
      entry *middle = begin + (end - begin) / 2;
      std::nth_element(begin, middle, end, better);
      double half = 0;
      for (const entry *at = begin; at != middle; ++at)
        half += weigh(at->logit);
      if (sum + half >= goal) {
        end = middle;
      } else {
        sum += half;
        begin = middle;
      }
    }
    return *begin;
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

  /// Weights after temperature of a part, 0 for those worse than `last` or below min-p.
  void temper_part(uint32_t at, const entry &last, float (&weights)[part]) const {
    float most = best.logit, temperature = options.temperature, least = options.min_p;
    if (least == 0)
      weigh_part(at, last, weights,
                 [=](float logit) { return exp_negative(below(logit, most) / temperature); });
    else
      weigh_part(at, last, weights, [=](float logit) {
        float value = exp_negative(below(logit, most) / temperature);
        return weight(logit, most) >= least ? value : 0.0f;
      });
  }

  /// Draws among all that are not worse than `last`: first one of the parts, then a token of it.
  int32_t draw_from_vocabulary(const entry &last, random_numbers &random) {
    auto *sums = reinterpret_cast<double *>(pool);
    float weights[part];
    double total = 0;
    for (uint32_t at = 0; at < tokens; at += part) {
      temper_part(at, last, weights);
      total += sums[at / part] = sum_of(weights);
    }
    double point = random.next_unit() * total;
    uint32_t chosen = 0;
    for (uint32_t at = 0; at < tokens; at += part) {
      if (sums[at / part] == 0)
        continue;
      chosen = at;
      if (point < sums[at / part])
        break;
      point -= sums[at / part];
    }
    temper_part(chosen, last, weights);
    uint32_t token = best.token;
    for (uint32_t i = 0; i != part; ++i)
      if (weights[i] > 0) {
        token = chosen + i;
        if ((point -= weights[i]) < 0)
          break;
      }
    return int32_t(token);
  }

  const float *logits;
  uint32_t tokens;
  const sampling_options &options;
  entry *pool;
  entry best;
  double all_weights = 0; ///< known once a whole vocabulary's nucleus turned out to be large
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
