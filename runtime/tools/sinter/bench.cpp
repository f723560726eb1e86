//===- bench.cpp - sinter bench: tokens per second ------------------------------===//
//
// Each repetition starts an empty sequence, runs a prompt of P tokens (prefill, logits included)
// and then N single tokens behind it (decode). One repetition more than asked for comes first and
// does not count: it brings the weights into memory. With --roofline, the machine's limits are
// measured before each repetition and after the last, and shares are those of the repetition that
// took the median time, as the rate is: one that a neighbour has held up does not count.
//
//===----------------------------------------------------------------------===//

#include "bundle_file.h"
#include "command.h"
#include "roofline/report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <optional>

namespace sinter::tool {

namespace {

struct bench_options {
  std::string bundle, variant;
  std::optional<uint32_t> prompt, count;
  placement where;
  uint32_t repeat = 3;
  bool json = false, roofline = false;
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

/// Features of the variant that runs, and whether its bundle says what its kernels compute.
std::vector<std::string> features_for_roofline(const std::string &path, const char *variant) {
  bundle_file file(path);
  bool counted = false;
  for (const bundle::Program *program : *file.root().programs())
    for (const bundle::Group *group : *program->groups())
      for (const bundle::Dispatch *dispatch : *group->dispatches())
        counted |= dispatch->macs() != 0;
  if (!counted)
    throw failure(path + ": --roofline: the bundle does not say how much its kernels compute "
                         "(dispatches[].macs are 0): compile the model again with this sinterc");
  std::vector<std::string> features;
  for (const bundle::Variant *one : *file.root().variants())
    if (one->name()->str() == variant)
      for (const flatbuffers::String *feature : *one->features())
        features.push_back(feature->str());
  return features;
}

/// What the rounds gave.
struct measurement {
  std::vector<double> prefill_seconds, decode_seconds; ///< of each round that counts
};

spread rates_of(uint32_t tokens, const std::vector<double> &seconds) {
  std::vector<double> rates;
  for (double s : seconds)
    rates.push_back(tokens / s);
  return spread_of(std::move(rates));
}

/// Calls `between` before each round that counts and after the last.
measurement measure(sinter_session *session, const std::vector<int32_t> &tokens, uint32_t prompt,
                    uint32_t repeat, const std::function<void(uint32_t round)> &between) {
  measurement result;
  uint32_t count = static_cast<uint32_t>(tokens.size()) - prompt;
  for (uint32_t round = 0; round <= repeat; ++round) {
    if (round != 0)
      between(round);
    check(session, sinter_rewind(session, 0));
    stopwatch prefill_time;
    if (prompt)
      check(session, sinter_prefill(session, tokens.data(), prompt));
    double prefill_seconds = prefill_time.seconds();
    stopwatch decode_time;
    for (uint32_t i = 0; i < count; ++i)
      check(session, sinter_step(session, tokens[prompt + i]));
    double decode_seconds = decode_time.seconds();
    if (round == 0)
      continue;
    if (prompt)
      result.prefill_seconds.push_back(prefill_seconds);
    if (count)
      result.decode_seconds.push_back(decode_seconds);
  }
  between(repeat + 1);
  return result;
}

using profile = std::vector<sinter_profile_entry>;

/// Of the round that took the median time, the slower one of two. `profiles`: what was counted
/// before each round and after the last.
phase_report report_of_median(const std::string &phase, const std::vector<profile> &profiles,
                              uint32_t threads, const std::vector<double> &seconds) {
  std::vector<size_t> order(seconds.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return seconds[a] < seconds[b]; });
  size_t round = order[order.size() / 2];
  profile entries = profiles[round + 1];
  for (size_t i = 0; i < entries.size(); ++i) {
    const sinter_profile_entry &before = profiles[round][i];
    entries[i].calls -= before.calls;
    entries[i].nanoseconds -= before.nanoseconds;
    entries[i].weight_bytes -= before.weight_bytes;
    entries[i].kv_bytes -= before.kv_bytes;
    entries[i].macs -= before.macs;
  }
  return make_report(phase, entries, threads, seconds[round]);
}

/// The limits and where the time went.
struct roofline {
  machine_limits limits;
  uint64_t barrier_ns = 0;
  std::vector<phase_report> phases;
};

void print_json(const sinter_model_facts &facts, const bench_options &options, uint32_t prompt,
                uint32_t count, uint64_t memory, double first_dispatch_ms, const spread &prefill,
                const spread &decode, const std::optional<roofline> &roof) {
  nlohmann::ordered_json out;
  out["model"] = facts.name;
  out["variant"] = facts.variant;
  out["threads"] = options.where.threads;
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
  if (roof) {
    out["read_bandwidth_gb_s"] = 1e-9 * roof->limits.read_bandwidth;
    out["int8_peak_gops"] = 1e-9 * roof->limits.int8_peak;
    out["int8_instruction"] = roof->limits.instruction;
    out["barrier_us"] = 1e-3 * double(roof->barrier_ns);
    out["kernels"] = nlohmann::json::array();
    for (const phase_report &phase : roof->phases)
      add_json(out, phase, roof->limits);
  }
  std::cout << out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void bench(bench_options options) {
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
  std::vector<std::string> features;
  if (options.roofline)
    features = features_for_roofline(options.bundle, facts.variant);

  session_ptr session = create_session(model.get(), options.where);
  uint32_t threads = options.where.threads;
  std::vector<int32_t> tokens = some_tokens(prompt + count, facts.vocabulary);
  double first_dispatch_ms = since_start_ms();

  std::optional<roofline> roof;
  std::unique_ptr<limit_meter> meter;
  profile entries;
  std::vector<profile> profiles;
  if (options.roofline)
    meter = std::make_unique<limit_meter>(threads, options.where.cpus, features);
  measurement result = measure(session.get(), tokens, prompt, options.repeat, [&](uint32_t round) {
    if (!meter)
      return;
    meter->measure();
    if (round == 1) {
      entries.resize(sinter_profile_entries(model.get()));
      check(session.get(), sinter_profile_start(session.get(), entries.data(), entries.size()));
    }
    profiles.push_back(entries);
  });
  if (meter) {
    sinter_profile_stop(session.get());
    roof = roofline{meter->limits(), sinter_barrier_nanoseconds(session.get()), {}};
    if (prompt)
      roof->phases.push_back(
          report_of_median("prefill", profiles, threads, result.prefill_seconds));
    if (count)
      roof->phases.push_back(report_of_median("decode", profiles, threads, result.decode_seconds));
  }

  spread prefill = rates_of(prompt, result.prefill_seconds);
  spread decode = rates_of(count, result.decode_seconds);
  uint64_t memory = sinter_session_memory(model.get(), threads);
  if (options.json) {
    print_json(facts, options, prompt, count, memory, first_dispatch_ms, prefill, decode, roof);
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
  if (roof) {
    print_limits(roof->limits, roof->barrier_ns);
    for (const phase_report &phase : roof->phases)
      print_report(phase, roof->limits);
  }
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
  add_placement(*command, options->where);
  command
      ->add_option("-r,--repeat", options->repeat,
                   "Repetitions that count; the median is printed, and the spread")
      ->capture_default_str()
      ->check(CLI::Range(1u, 1000u));
  command->add_option("--variant", options->variant,
                      "Run the kernels of this variant (see sinter inspect)");
  command->add_flag("--roofline", options->roofline,
                    "Measure this machine's limits between the repetitions, time each kernel, and "
                    "print the share of the limit that is reached");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer("Example:\n  sinter bench model.sinter -p 512 -n 64 -t 2 --json\n"
                  "  sinter bench model.sinter --cpus=0,1 --roofline");
  command->callback([options, &chosen] { chosen = [options] { bench(*options); }; });
}

} // namespace sinter::tool
