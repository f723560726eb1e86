//===- run.cpp - sinter run: a prompt in, text out --------------------------------===//

#include "command.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <optional>

namespace sinter::tool {

namespace {

struct run_options {
  std::string bundle, prompt, prompt_file, variant, logits_file;
  placement where;
  uint32_t count = 128, top_k = 40;
  std::optional<float> temperature;
  float top_p = 0.95f, min_p = 0;
  uint64_t seed = 0;
  bool ids = false, json = false, ignore_eos = false, echo = false, no_special = false;
};

/// Tokens become text as soon as their characters are whole.
class text_stream {
public:
  text_stream(const sinter_model *model, uint32_t flags)
      : model(model), buffer(sinter_detokenize_capacity(model)) {
    sinter_detokenizer_init(&state, model, flags);
  }
  std::string push(int32_t token) {
    size_t bytes = 0;
    sinter_detokenize(&state, model, token, buffer.data(), buffer.size(), &bytes);
    return {buffer.data(), bytes};
  }
  std::string finish() {
    size_t bytes = 0;
    sinter_detokenize_finish(&state, buffer.data(), buffer.size(), &bytes);
    return {buffer.data(), bytes};
  }

private:
  const sinter_model *model;
  sinter_detokenizer state;
  std::vector<char> buffer;
};

void write_logits(const std::string &path, const float *logits, uint32_t count) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(logits),
             std::streamsize(count) * std::streamsize(sizeof(float)));
  file.close();
  if (!file)
    throw failure(path + ": cannot be written");
}

void run(const run_options &options) {
  model_ptr model = open_model(options.bundle, options.variant);
  sinter_model_facts facts = facts_of(model.get());
  std::string prompt =
      options.prompt_file.empty() ? options.prompt : read_file(options.prompt_file);
  std::vector<int32_t> prompt_ids =
      tokenize(model.get(), prompt, options.no_special ? uint32_t(SINTER_TOKENIZE_PLAIN) : 0u);
  if (prompt_ids.empty())
    throw failure("the prompt has no tokens (this model puts no BOS in front): give one with -p");

  placement where = options.where;
  session_ptr session = create_session(model.get(), where);
  sinter_seed(session.get(), options.seed);
  double first_dispatch_ms = since_start_ms();
  stopwatch prefill_time;
  check(session.get(), sinter_prefill(session.get(), prompt_ids.data(), prompt_ids.size()));
  double prefill_seconds = prefill_time.seconds();
  if (!options.logits_file.empty())
    write_logits(options.logits_file, sinter_logits(session.get()), facts.vocabulary);

  sinter_sampling sampling{};
  sampling.struct_bytes = sizeof(sampling);
  sampling.temperature = options.temperature.value_or(0);
  sampling.top_k = options.top_k;
  sampling.top_p = options.top_p;
  sampling.min_p = options.min_p;

  bool print_text = !options.ids && !options.json;
  if (print_text && options.echo)
    std::cout << prompt << std::flush;
  text_stream stream(model.get(), SINTER_DETOKENIZE_CONTINUATION);
  std::vector<int32_t> ids;
  std::string text;
  const char *stopped = "length";
  stopwatch decode_time;
  while (ids.size() < options.count) {
    int32_t token = 0;
    check(session.get(), sinter_sample(session.get(), &sampling, &token, nullptr, 0));
    ids.push_back(token);
    if (!options.ignore_eos && sinter_is_end_of_generation(model.get(), token)) {
      stopped = "end";
      break;
    }
    std::string piece = stream.push(token);
    text += piece;
    if (print_text) {
      std::cout << piece;
      check_output();
    }
    if (ids.size() == options.count)
      break;
    if (sinter_position(session.get()) == facts.context) {
      stopped = "context";
      break;
    }
    check(session.get(), sinter_step(session.get(), token));
  }
  double decode_seconds = decode_time.seconds();
  std::string rest = stream.finish();
  text += rest;

  if (options.json) {
    nlohmann::ordered_json out;
    out["prompt"] = prompt;
    out["text"] = text;
    out["prompt_ids"] = prompt_ids;
    out["ids"] = ids;
    out["stopped"] = stopped;
    out["variant"] = facts.variant;
    out["threads"] = where.threads;
    out["memory_bytes"] = sinter_session_memory(model.get(), where.threads);
    out["time_to_first_dispatch_ms"] = first_dispatch_ms;
    out["prefill_seconds"] = prefill_seconds;
    out["decode_seconds"] = decode_seconds;
    std::cout << out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else if (options.ids) {
    std::cout << join(prompt_ids) << "\n" << join(ids) << "\n";
  } else {
    std::cout << rest << "\n";
  }
  if (std::string_view(stopped) == "context" && print_text)
    std::cerr << "note: stopped at the context of " << facts.context
              << " tokens that the bundle was compiled for (sinterc --context=)\n";
}

} // namespace

void add_run(CLI::App &app, action &chosen) {
  auto options = std::make_shared<run_options>();
  CLI::App *command = app.add_subcommand("run", "Continues a prompt");
  command->add_option("bundle", options->bundle, "The bundle to run")
      ->required()
      ->type_name("BUNDLE");
  auto *prompt = command->add_option("-p,--prompt", options->prompt, "The text to continue");
  command
      ->add_option("-f,--file", options->prompt_file,
                   "Read the prompt from a file; - is standard input")
      ->excludes(prompt);
  command->add_option("-n,--number", options->count, "Most tokens to generate")
      ->capture_default_str();
  auto *temperature =
      command->add_option("--temp", options->temperature,
                          "Sample at this temperature (0.8 is usual); without it the "
                          "best token is taken each time");
  command
      ->add_option("--top-k", options->top_k, "With --temp: of the best K tokens only; 0: of all")
      ->capture_default_str()
      ->needs(temperature);
  command
      ->add_option("--top-p", options->top_p,
                   "With --temp: of the best tokens that make up this probability")
      ->capture_default_str()
      ->needs(temperature);
  command
      ->add_option("--min-p", options->min_p,
                   "With --temp: drop tokens below this share of the best one's probability")
      ->capture_default_str()
      ->needs(temperature);
  command->add_option("--seed", options->seed, "Start of the random numbers")
      ->capture_default_str();
  add_placement(*command, options->where);
  command->add_option("--variant", options->variant,
                      "Run the kernels of this variant (see sinter inspect)");
  command->add_option("--logits", options->logits_file,
                      "Write the logits after the prompt here, as float32");
  command->add_flag("--ids", options->ids,
                    "Print two lines in place of text: ids of the prompt, ids generated");
  command->add_flag("--json", options->json,
                    "Print one JSON object in place of text: text, ids, times, memory");
  command->add_flag("--ignore-eos", options->ignore_eos, "Go on behind the end of generation");
  command->add_flag("--echo", options->echo, "Print the prompt in front of the text");
  command->add_flag("--no-special", options->no_special,
                    "Read \"<s>\" and its like in the prompt as text");
  command->footer("Examples:\n"
                  "  sinter run story.sinter -p \"Once upon a time\" -n 200 --echo\n"
                  "  sinter run story.sinter -p \"Once\" --temp 0.8 --seed 7\n"
                  "  sinter run story.sinter -p \"Once\" -n 8 --ids --logits=after-prompt.f32");
  command->callback([options, &chosen] { chosen = [options] { run(*options); }; });
}

} // namespace sinter::tool
