//===- tokenize.cpp - sinter tokenize: text to ids -------------------------------===//

#include "command.h"

#include <nlohmann/json.hpp>

#include <iostream>

namespace sinter::tool {

namespace {

struct tokenize_options {
  std::string bundle, text, file;
  bool no_bos = false, no_special = false, json = false;
};

std::string piece_of(const sinter_model *model, int32_t id) {
  size_t bytes = 0;
  sinter_token_piece(model, id, nullptr, 0, &bytes);
  std::string piece(bytes, 0);
  sinter_token_piece(model, id, piece.data(), piece.size(), &bytes);
  return piece;
}

void print_tokens(const tokenize_options &options) {
  model_ptr model = open_model(options.bundle, "", SINTER_OPEN_METADATA_ONLY);
  std::string text = options.file.empty() ? options.text : read_file(options.file);
  std::vector<int32_t> ids =
      tokenize(model.get(), text,
               (options.no_bos ? uint32_t(SINTER_TOKENIZE_NO_BOS) : 0u) |
                   (options.no_special ? uint32_t(SINTER_TOKENIZE_PLAIN) : 0u));
  if (!options.json) {
    std::cout << join(ids) << "\n";
    return;
  }
  nlohmann::ordered_json out;
  out["count"] = ids.size();
  out["ids"] = ids;
  out["pieces"] = nlohmann::json::array();
  for (int32_t id : ids)
    out["pieces"].push_back(piece_of(model.get(), id));
  std::cout << out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

} // namespace

void add_tokenize(CLI::App &app, action &chosen) {
  auto options = std::make_shared<tokenize_options>();
  CLI::App *command = app.add_subcommand("tokenize", "Prints the ids of a text");
  command->add_option("bundle", options->bundle, "A bundle, for any machine")
      ->required()
      ->type_name("BUNDLE");
  auto *text = command->add_option("text", options->text, "The text")->type_name("TEXT");
  auto *file = command->add_option("-f,--file", options->file,
                                   "Read the text from a file; - is standard input");
  file->excludes(text);
  command->add_flag("--no-bos", options->no_bos, "Put no BOS (and no EOS) around the text");
  command->add_flag("--no-special", options->no_special, "Read \"<s>\" and its like as text");
  command->add_flag("--json", options->json, "Print one JSON object: count, ids, pieces");
  command->footer("Examples:\n  sinter tokenize model.sinter \"Hello, world\"\n"
                  "  sinter tokenize model.sinter --no-bos -f book.txt");
  command->callback([options, text, file, &chosen] {
    if (text->count() + file->count() == 0)
      throw CLI::ValidationError("tokenize needs a TEXT or -f FILE");
    chosen = [options] { print_tokens(*options); };
  });
}

} // namespace sinter::tool
