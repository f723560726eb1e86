//===- SamplerTest.cpp - Logits to a token --------------------------------===//

#include "runtime/text/sampler.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace sinter::text {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

class Sampler {
public:
  explicit Sampler(std::vector<float> logits)
      : logits(std::move(logits)), work((sampler_work_bytes(size()) + 7) / 8) {}

  uint32_t size() const { return uint32_t(logits.size()); }

  int32_t operator()(const sampling_options &options, uint64_t seed = 0) {
    random_numbers random(seed);
    return draw(options, random);
  }

  int32_t draw(const sampling_options &options, random_numbers &random) {
    EXPECT_EQ(check_sampling_options(options, size()), nullptr);
    return sample(logits.data(), size(), options, random, work.data());
  }

  std::vector<token_candidate> candidates(size_t count, const sampling_options &options = {}) {
    random_numbers random;
    std::vector<token_candidate> result(count);
    sample(logits.data(), size(), options, random, work.data(), result.data(), count);
    return result;
  }

  /// How often each token is drawn.
  std::map<int32_t, int> histogram(const sampling_options &options, int draws) {
    random_numbers random(7);
    std::map<int32_t, int> counts;
    for (int i = 0; i != draws; ++i)
      ++counts[draw(options, random)];
    return counts;
  }

  std::vector<float> logits;

private:
  std::vector<uint64_t> work;
};

/// A vocabulary of real size with logits like a model's: a few large ones far apart.
Sampler large(uint32_t tokens = 100003) {
  std::vector<float> logits(tokens);
  random_numbers random(42);
  // Multiples of 2^-8 with a small bell: exact on every machine.
  for (float &logit : logits)
    logit = float((random.next() >> 22) + (random.next() >> 22) + (random.next() >> 22)) / 256 - 6;
  return Sampler(std::move(logits));
}

TEST(SamplerTest, GreedyTakesTheFirstOfTheBest) {
  Sampler sampler({1, 3, 2, 3});
  EXPECT_EQ(sampler({}), 1);
  EXPECT_EQ(Sampler({NAN, -1, NAN})({}), 1);
  EXPECT_EQ(Sampler({-infinity, NAN})({}), -1);
  EXPECT_EQ(Sampler({0, infinity, infinity})({}), 1);
}

TEST(SamplerTest, MaskAndBias) {
  Sampler sampler({1, 3, 2, 0});
  uint32_t mask = 0b1101;
  EXPECT_EQ(sampler({.mask = &mask}), 2);
  token_bias biases[] = {{3, 5}, {1, -1}};
  EXPECT_EQ(sampler({.biases = biases, .bias_count = 2}), 3);
  float dense[] = {9, 0, 0, 0};
  EXPECT_EQ(sampler({.dense_bias = dense}), 0);
  mask = 0b0110;
  EXPECT_EQ(sampler({.mask = &mask, .biases = biases, .bias_count = 2, .dense_bias = dense}), 1);
  mask = 0;
  EXPECT_EQ(sampler({.temperature = 1, .mask = &mask}), -1);
  // The logits themselves are left alone.
  EXPECT_EQ(sampler.logits, (std::vector<float>{1, 3, 2, 0}));
}

TEST(SamplerTest, CandidatesAreTheBestWithTheirProbabilities) {
  Sampler sampler = large();
  std::vector<uint32_t> order(sampler.size());
  for (uint32_t i = 0; i != sampler.size(); ++i)
    order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return sampler.logits[a] > sampler.logits[b]; });
  double total = 0;
  for (float logit : sampler.logits)
    total += std::exp(double(logit));
  for (size_t count : {1u, 2u, 40u, 1000u}) {
    std::vector<token_candidate> best = sampler.candidates(count);
    for (size_t i = 0; i != count; ++i) {
      ASSERT_EQ(best[i].token, int32_t(order[i])) << i << " of " << count;
      EXPECT_EQ(best[i].logit, sampler.logits[order[i]]);
      double wanted = std::exp(double(best[i].logit)) / total;
      EXPECT_NEAR(best[i].probability, wanted, 2e-6 * wanted);
    }
  }
  // More than there are.
  uint32_t mask = 0b101;
  std::vector<token_candidate> few = Sampler({1, 2, 3}).candidates(4, {.mask = &mask});
  EXPECT_EQ(few[0].token, 2);
  EXPECT_EQ(few[1].token, 0);
  EXPECT_NEAR(few[1].probability, 1 / (1 + std::exp(2.0)), 1e-6);
  EXPECT_EQ(few[2].token, -1);
  EXPECT_EQ(few[3].token, -1);
}

TEST(SamplerTest, DrawsByProbability) {
  // Probabilities 1/2, 1/3 and 1/6.
  Sampler sampler({std::log(3.0f), std::log(2.0f), 0, -infinity});
  const int draws = 60000;
  for (uint32_t top_k : {0u, 3u}) {
    std::map<int32_t, int> counts = sampler.histogram({.temperature = 1, .top_k = top_k}, draws);
    EXPECT_EQ(counts.size(), 3u);
    // Four standard deviations are below 500.
    EXPECT_NEAR(counts[0], draws / 2, 500);
    EXPECT_NEAR(counts[1], draws / 3, 500);
    EXPECT_NEAR(counts[2], draws / 6, 500);
  }
  // Temperature 1/2 squares the odds: 9 : 4 : 1.
  std::map<int32_t, int> cold = sampler.histogram({.temperature = 0.5f}, draws);
  EXPECT_NEAR(cold[0], draws * 9 / 14, 500);
  EXPECT_NEAR(cold[2], draws / 14, 500);
}

TEST(SamplerTest, CutsTheTail) {
  // Probabilities 1/2, 1/4, 1/8, 1/16, ...
  std::vector<float> logits;
  for (int i = 0; i != 20; ++i)
    logits.push_back(-std::log(2.0f) * float(i));
  Sampler sampler(logits);
  auto kept = [&](sampling_options options) {
    options.temperature = 10; // Nearly even: what is kept is drawn.
    return sampler.histogram(options, 2000).size();
  };
  EXPECT_EQ(kept({}), 20u);
  EXPECT_EQ(kept({.top_k = 5}), 5u);
  // 1/2 + 1/4 + 1/8 = 0.875 is not enough.
  EXPECT_EQ(kept({.top_p = 0.9f}), 4u);
  EXPECT_EQ(kept({.top_p = 0}), 1u);
  EXPECT_EQ(kept({.min_p = 0.2f}), 3u);
  EXPECT_EQ(kept({.min_p = 1}), 1u);
  // Among two, 2/3 is enough.
  EXPECT_EQ(kept({.top_k = 2, .top_p = 0.6f}), 1u);
  EXPECT_EQ(kept({.top_p = 0.9f, .min_p = 0.2f}), 3u);
}

TEST(SamplerTest, LargeNucleusEqualsSortingEverything) {
  Sampler sampler = large(20011);
  std::vector<float> sorted = sampler.logits;
  std::sort(sorted.begin(), sorted.end(), std::greater<float>());
  double total = 0, sum = 0;
  for (float logit : sorted)
    total += std::exp(double(logit));
  size_t count = 0;
  while (sum < 0.9 * total)
    sum += std::exp(double(sorted[count++]));
  ASSERT_GT(count, 2048u); // Far more than are sorted.
  // No token below the nucleus is ever drawn, and some of its lower half are.
  random_numbers random(3);
  float lowest = infinity;
  for (int i = 0; i != 300; ++i)
    lowest = std::min(
        lowest, sampler.logits[size_t(sampler.draw({.temperature = 5, .top_p = 0.9f}, random))]);
  EXPECT_GE(lowest, sorted[count]);
  EXPECT_LT(lowest, sorted[count / 2]);
}

TEST(SamplerTest, EqualLogitsAreCutById) {
  // The best of equals are those with small ids, whichever way they are cut: a few by sorting, many
  // by the histogram. 10000 of 10500 are allowed; what is no number never is.
  std::vector<float> logits(10500, 1.5f);
  for (size_t i = 0; i != 500; ++i)
    logits[21 * i] = i % 2 ? NAN : -infinity;
  Sampler sampler(logits);
  std::vector<int32_t> allowed;
  for (size_t i = 0; i != logits.size(); ++i)
    if (logits[i] == 1.5f)
      allowed.push_back(int32_t(i));
  ASSERT_EQ(allowed.size(), 10000u);
  struct {
    sampling_options options;
    size_t kept;
  } cases[] = {{{.top_k = 100}, 100},
               {{.top_k = 3000}, 3000},
               {{.top_p = 0.5f}, 5000},
               {{.top_k = 4000, .top_p = 0.25f}, 1000},
               {{.top_k = 10499, .top_p = 0.75f}, 7500},
               {{}, 10000}};
  for (auto [options, kept] : cases) {
    options.temperature = 1;
    random_numbers random(11);
    int32_t most = 0;
    for (int i = 0; i != 300; ++i) {
      int32_t token = sampler.draw(options, random);
      ASSERT_TRUE(std::binary_search(allowed.begin(), allowed.end(), token)) << token;
      most = std::max(most, token);
    }
    EXPECT_LE(most, allowed[kept - 1]) << options.top_k << " " << options.top_p;
    // All 300 below 95 % of them: 2e-7.
    EXPECT_GT(most, allowed[kept * 95 / 100 - 1]) << options.top_k << " " << options.top_p;
  }
}

TEST(SamplerTest, LargeTopKEqualsSortingEverything) {
  Sampler sampler = large(20011);
  std::vector<uint32_t> order(sampler.size());
  for (uint32_t i = 0; i != sampler.size(); ++i)
    order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return sampler.logits[a] > sampler.logits[b]; });
  std::vector<uint32_t> rank(sampler.size());
  for (uint32_t i = 0; i != sampler.size(); ++i)
    rank[order[i]] = i;
  for (uint32_t top_k : {1024u, 1025u, 5000u, 20010u}) {
    random_numbers random(5);
    uint32_t worst = 0;
    for (int i = 0; i != 300; ++i)
      worst =
          std::max(worst, rank[size_t(sampler.draw({.temperature = 50, .top_k = top_k}, random))]);
    EXPECT_LT(worst, top_k);
    EXPECT_GT(worst, top_k * 9 / 10);
  }
}

TEST(SamplerTest, ManyAreDrawnByProbability) {
  // Three levels, each of a third of the ids: every third token weighs 4, 2 and 1.
  std::vector<float> logits(6000);
  for (size_t i = 0; i != logits.size(); ++i)
    logits[i] = -float(i % 3) * std::log(2.0f);
  Sampler sampler(logits);
  random_numbers random(9);
  const int draws = 7000;
  int counts[3] = {}, halves[2] = {};
  for (int i = 0; i != draws; ++i) {
    int32_t token = sampler.draw({.temperature = 1, .min_p = 0.2f}, random);
    ++counts[token % 3];
    ++halves[token / 3000];
  }
  // Four standard deviations are below 170.
  EXPECT_NEAR(counts[0], draws * 4 / 7, 170);
  EXPECT_NEAR(counts[1], draws * 2 / 7, 170);
  EXPECT_NEAR(counts[2], draws / 7, 170);
  EXPECT_NEAR(halves[0], draws / 2, 170);
}

TEST(SamplerTest, MasksOfWholeWords) {
  std::vector<float> logits(100);
  for (size_t i = 0; i != logits.size(); ++i)
    logits[i] = float(i);
  Sampler sampler(logits);
  uint32_t mask[] = {UINT32_MAX, 0x00010000, 0, 0};
  EXPECT_EQ(sampler({.mask = mask}), 48);
  mask[1] = 0;
  EXPECT_EQ(sampler({.mask = mask}), 31);
  mask[3] = UINT32_MAX; // more bits than tokens
  EXPECT_EQ(sampler({.mask = mask}), 99);
}

TEST(SamplerTest, TheSameSeedGivesTheSameTokens) {
  Sampler sampler = large();
  sampling_options options = {.temperature = 0.8f, .top_k = 40, .top_p = 0.95f};
  random_numbers a(1), b(1), c(2);
  int different = 0;
  for (int i = 0; i != 50; ++i) {
    int32_t token = sampler.draw(options, a);
    EXPECT_EQ(token, sampler.draw(options, b));
    different += token != sampler.draw(options, c);
  }
  EXPECT_GT(different, 10);
  random_numbers again(1);
  std::vector<int32_t> first;
  for (int i = 0; i != 6; ++i)
    first.push_back(sampler.draw(options, again));
  EXPECT_EQ(first, (std::vector<int32_t>{821, 13252, 8286, 8005, 58151, 9012}));
  // Fixed for ever; computed apart from this code, from the published definition.
  random_numbers numbers(12345);
  EXPECT_EQ(numbers.next(), 3385349263u);
  EXPECT_EQ(numbers.next(), 298465146u);
}

TEST(SamplerTest, NamesOptionsOutOfRange) {
  token_bias outside = {4, 1}, nothing = {0, NAN};
  auto fault = [](const sampling_options &options) {
    const char *text = check_sampling_options(options, 4);
    return std::string(text ? text : "");
  };
  EXPECT_EQ(fault({.temperature = 1, .top_p = 0.5f}), "");
  EXPECT_EQ(fault({.temperature = -1}), "temperature: must be 0 or a finite positive number");
  EXPECT_EQ(fault({.temperature = infinity}), "temperature: must be 0 or a finite positive number");
  EXPECT_EQ(fault({.top_p = NAN}), "top_p: must be from 0 to 1");
  EXPECT_EQ(fault({.min_p = 2}), "min_p: must be from 0 to 1");
  EXPECT_EQ(fault({.biases = &outside, .bias_count = 1}),
            "bias: names a token outside of the vocabulary");
  EXPECT_EQ(fault({.biases = &nothing, .bias_count = 1}), "bias: is not a number");
}

TEST(SamplerTest, ExtremeLogitsAndTemperatures) {
  Sampler sampler({infinity, 3e38f, -3e38f, NAN, 0});
  for (float temperature : {1e-30f, 1.0f, 1e30f})
    for (uint32_t top_k : {0u, 2u, 5u}) {
      int32_t token = sampler({.temperature = temperature, .top_k = top_k, .top_p = 0.99f});
      EXPECT_EQ(token, 0);
    }
}

} // namespace
} // namespace sinter::text
