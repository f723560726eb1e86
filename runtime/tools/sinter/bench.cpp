//===- bench.cpp - sinter bench: tokens per second ------------------------------===//
//
// Each repetition starts an empty sequence, runs a prompt of P tokens (prefill, logits included)
// and then N single tokens behind it (decode). One repetition more than asked for comes first and
// does not count: it brings the weights into memory.
//
//===----------------------------------------------------------------------===//

#include "command.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <optional>

namespace sinter::tool {

namespace {

struct bench_options {
  std::string bundle, variant;
  std::optional<uint32_t> prompt, count;
  uint32_t threads = 0, repeat = 3;
  bool json = false;
};

struct spread {
  double median, least, most;
};

spread spread_of(std::vector<double> values) {
  if (values.empty())
    return {0, 0, 0};
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  double median = values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

/// Ids all over the vocabulary, the same in every run.
std::vector<int32_t> some_tokens(uint32_t count, uint32_t vocabulary) {
  std::vector<int32_t> tokens(count);
  uint64_t state = 1;
  for (int32_t &token : tokens) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    token = static_cast<int32_t>((state >> 33) % vocabulary);
  }
  return tokens;
}

void bench(const bench_options &options) {
  model_ptr model = open_model(options.bundle, options.variant);
  sinter_model_facts facts = facts_of(model.get());
  // Defaults shrink to what the context holds; what is asked for must fit.
  uint32_t count = options.count.value_or(std::min(64u, facts.context / 2));
  uint32_t prompt =
      options.prompt.value_or(std::min(512u, facts.context - std::min(count, facts.context)));
  if (uint64_t(prompt) + count > facts.context)
    throw failure("-p " + std::to_string(prompt) + " and -n " + std::to_string(count) +
                  " together exceed the context of " + std::to_string(facts.context) +
                  " tokens that the bundle was compiled for (sinterc --context=)");
  if (prompt == 0 && count == 0)
    throw failure("-p 0 and -n 0: there is nothing to measure");

  uint32_t threads = options.threads;
  session_ptr session = create_session(model.get(), threads);
  std::vector<int32_t> tokens = some_tokens(prompt + count, facts.vocabulary);
  double first_dispatch_ms = since_start_ms();
  std::vector<double> prefill_rates, decode_rates;
  for (uint32_t round = 0; round <= options.repeat; ++round) {
    check(session.get(), sinter_rewind(session.get(), 0));
    stopwatch prefill_time;
    if (prompt)
      check(session.get(), sinter_prefill(session.get(), tokens.data(), prompt));
    double prefill_seconds = prefill_time.seconds();
    stopwatch decode_time;
    for (uint32_t i = 0; i < count; ++i)
      check(session.get(), sinter_step(session.get(), tokens[prompt + i]));
    double decode_seconds = decode_time.seconds();
    if (round == 0)
      continue;
    if (prompt)
      prefill_rates.push_back(prompt / prefill_seconds);
    if (count)
      decode_rates.push_back(count / decode_seconds);
  }
  spread prefill = spread_of(prefill_rates), decode = spread_of(decode_rates);
  uint64_t memory = sinter_session_memory(model.get(), threads);
  if (options.json) {
    nlohmann::ordered_json out;
    out["model"] = facts.name;
    out["variant"] = facts.variant;
    out["threads"] = threads;
    out["prompt_tokens"] = prompt;
    out["generated_tokens"] = count;
    out["repeat"] = options.repeat;
    out["prefill_tokens_per_second"] = prefill.median;
    out["prefill_tokens_per_second_min"] = prefill.least;
    out["prefill_tokens_per_second_max"] = prefill.most;
    out["decode_tokens_per_second"] = decode.median;
    out["decode_tokens_per_second_min"] = decode.least;
    out["decode_tokens_per_second_max"] = decode.most;
    out["memory_bytes"] = memory;
    out["weight_bytes"] = facts.weight_bytes;
    out["time_to_first_dispatch_ms"] = first_dispatch_ms;
    std::cout << out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return;
  }
  char line[256];
  std::snprintf(line, sizeof(line),
                "%s, variant %s, %u threads, %.1f MiB of memory, first dispatch after %.1f ms\n",
                facts.name, facts.variant, threads, double(memory) / 1048576, first_dispatch_ms);
  std::cout << line;
  auto print = [&](const char *what, uint32_t n, const spread &rate) {
    std::snprintf(line, sizeof(line), "%-8s %5u tokens  %10.2f tokens/s  (%.2f .. %.2f)\n", what, n,
                  rate.median, rate.least, rate.most);
    std::cout << line;
  };
  print("prefill", prompt, prefill);
  print("decode", count, decode);
}

} // namespace

void add_bench(CLI::App &app, action &chosen) {
  auto options = std::make_shared<bench_options>();
  CLI::App *command = app.add_subcommand("bench", "Measures tokens per second");
  command->add_option("bundle", options->bundle, "The bundle to measure")
      ->required()
      ->type_name("BUNDLE");
  command->add_option("-p,--prompt", options->prompt,
                      "Tokens of the prompt (512, or what the context holds)");
  command->add_option("-n,--number", options->count,
                      "Tokens decoded behind it (64, or what the context holds)");
  command->add_option("-t,--threads", options->threads, "Worker threads; 0: one a processor")
      ->capture_default_str();
  command
      ->add_option("-r,--repeat", options->repeat,
                   "Repetitions that count; the median is printed, and the spread")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1000u));
  command->add_option("--variant", options->variant,
                      "Run the kernels of this variant (see sinter inspect)");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer("Example:\n  sinter bench model.sinter -p 512 -n 64 -t 2 --json");
  command->callback([options, &chosen] { chosen = [options] { bench(*options); }; });
}

} // namespace sinter::tool
