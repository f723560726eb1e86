//===- perplexity.cpp - sinter perplexity: how well a model knows a text --------===//
//
// A piece is BOS + tokens, cut to the context; every token after the first is scored given those
// before it:
//
//     nll = - sum of ln p(token | prefix)        ppl = exp(nll / scored tokens)
//
// With --split=SEP the text is cut at each "SEP\n" into pieces of their own. Without it, it is cut
// into pieces as long as the context, each beginning with BOS where the model has one.
//
//===----------------------------------------------------------------------===//

#include "command.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>

namespace sinter::tool {

namespace {

struct perplexity_options {
  std::string bundle, file, separator, variant;
  placement where;
  uint32_t context = 0;
  bool json = false, by_step = false;
};

struct piece_result {
  size_t tokens;
  double nll;
};

std::vector<std::string> split(const std::string &text, const std::string &separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0;;) {
    size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos)
      return parts;
    begin = end + separator.size();
  }
}

/// Pieces of the text as ids, each at most `context` long.
std::vector<std::vector<int32_t>> pieces_of(const sinter_model *model, const std::string &text,
                                            const std::string &separator, uint32_t context) {
  std::vector<std::vector<int32_t>> pieces;
  if (!separator.empty()) {
    for (const std::string &part : split(text, separator + "\n")) {
      std::vector<int32_t> ids = tokenize(model, part);
      ids.resize(std::min<size_t>(ids.size(), context));
      pieces.push_back(std::move(ids));
    }
    return pieces;
  }
  std::vector<int32_t> ids = tokenize(model, text);
  sinter_model_facts facts = facts_of(model);
  bool bos = facts.adds_bos && facts.bos >= 0;
  for (size_t begin = 0; begin < ids.size();) {
    std::vector<int32_t> piece;
    if (bos && begin != 0)
      piece.push_back(facts.bos);
    size_t end = std::min(ids.size(), begin + context - piece.size());
    piece.insert(piece.end(), ids.begin() + std::ptrdiff_t(begin),
                 ids.begin() + std::ptrdiff_t(end));
    pieces.push_back(std::move(piece));
    begin = end;
  }
  return pieces;
}

/// ln p(target) by the logits, summed up in double.
double log_likelihood(const float *logits, uint32_t vocabulary, int32_t target) {
  double most = *std::max_element(logits, logits + vocabulary);
  double sum = 0;
  for (uint32_t i = 0; i < vocabulary; ++i)
    sum += std::exp(double(logits[i]) - most);
  return double(logits[target]) - most - std::log(sum);
}

piece_result evaluate(sinter_session *session, const std::vector<int32_t> &ids, bool by_step,
                      uint32_t vocabulary) {
  if (ids.size() < 2)
    return {0, 0};
  check(session, sinter_rewind(session, 0));
  size_t count = ids.size() - 1;
  double nll = 0;
  if (by_step) {
    for (size_t i = 0; i < count; ++i) {
      check(session, sinter_step(session, ids[i]));
      nll -= log_likelihood(sinter_logits(session), vocabulary, ids[i + 1]);
    }
    return {count, nll};
  }
  std::vector<float> scores(count);
  check(session, sinter_score(session, ids.data(), ids.data() + 1, count, scores.data()));
  for (float score : scores)
    nll -= double(score);
  return {count, nll};
}

void perplexity(const perplexity_options &options) {
  model_ptr model = open_model(options.bundle, options.variant);
  sinter_model_facts facts = facts_of(model.get());
  uint32_t context = facts.context;
  if (facts.trained_context)
    context = std::min(context, facts.trained_context);
  if (options.context > facts.context)
    throw failure("--context=" + std::to_string(options.context) + " exceeds the context of " +
                  std::to_string(facts.context) +
                  " tokens that the bundle was compiled for (sinterc --context=)");
  if (options.context)
    context = options.context;
  auto pieces = pieces_of(model.get(), read_file(options.file), options.separator, context);

  placement where = options.where;
  session_ptr session = create_session(model.get(), where);
  stopwatch time;
  std::vector<piece_result> results;
  piece_result total{0, 0};
  for (const std::vector<int32_t> &ids : pieces) {
    piece_result result = evaluate(session.get(), ids, options.by_step, facts.vocabulary);
    if (result.tokens == 0)
      continue;
    total.tokens += result.tokens;
    total.nll += result.nll;
    results.push_back(result);
  }
  if (total.tokens == 0)
    throw failure(options.file + ": no piece has two tokens; there is nothing to score");
  double seconds = time.seconds();
  double ppl = std::exp(total.nll / double(total.tokens));
  if (!options.json) {
    char line[160];
    std::snprintf(line, sizeof(line), "tokens %zu  nll %.6f  ppl %.6f\n", total.tokens, total.nll,
                  ppl);
    std::cout << line;
    return;
  }
  nlohmann::ordered_json out;
  out["tokens"] = total.tokens;
  out["nll"] = total.nll;
  out["ppl"] = ppl;
  out["pieces"] = nlohmann::json::array();
  for (const piece_result &result : results)
    out["pieces"].push_back({result.tokens, result.nll});
  out["context"] = context;
  out["variant"] = facts.variant;
  out["threads"] = where.threads;
  out["tokens_per_second"] = double(total.tokens) / seconds;
  std::cout << out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

} // namespace

void add_perplexity(CLI::App &app, action &chosen) {
  auto options = std::make_shared<perplexity_options>();
  CLI::App *command =
      app.add_subcommand("perplexity", "Measures how well the model predicts a text");
  command->add_option("bundle", options->bundle, "The bundle to evaluate")
      ->required()
      ->type_name("BUNDLE");
  command->add_option("-f,--file", options->file, "The text; - is standard input")->required();
  command->add_option("--split", options->separator,
                      "Cut the text at each line end behind this; pieces stand alone");
  command->add_option("--context", options->context,
                      "Most tokens of a piece, BOS included (default: what the model was "
                      "trained for, or the bundle's context if that is smaller)");
  add_placement(*command, options->where);
  command->add_option("--variant", options->variant,
                      "Run the kernels of this variant (see sinter inspect)");
  command->add_flag("--by-step", options->by_step,
                    "Run token by token through program decode in place of prefill and score");
  command->add_flag("--json", options->json, "Print one JSON object: tokens, nll, ppl, pieces");
  command->footer(
      "Example:\n  sinter perplexity model.sinter -f heldout.txt --split=\"<|endoftext|>\" --json");
  command->callback([options, &chosen] { chosen = [options] { perplexity(*options); }; });
}

} // namespace sinter::tool
