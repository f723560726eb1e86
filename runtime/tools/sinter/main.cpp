//===- main.cpp - The `sinter` tool ---------------------------------------------===//
//
// One subcommand a file; everything goes through sinter.h, as an app would. Exit code 0, or 1 with
// one line on standard error.
//
//===----------------------------------------------------------------------===//

#include "command.h"

#include <csignal>
#include <iostream>
#include <new>

using namespace sinter::tool;

namespace {

/// CLI11 would only say that a command is missing.
void check_command_name(const CLI::App &app, int argc, char **argv) {
  if (argc < 2 || argv[1][0] == '-')
    return;
  std::string known;
  for (const CLI::App *command : app.get_subcommands([](const CLI::App *) { return true; })) {
    if (command->get_name() == argv[1])
      return;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  throw failure("unknown command '" + std::string(argv[1]) + "'; there are " + known +
                " (see sinter --help)");
}

} // namespace

int main(int argc, char **argv) {
  mark_start();
  // A closed pipe is an error of the write, not a death by signal.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app("Runs language models that sinterc has compiled.\n", "sinter");
  app.require_subcommand(1);
  app.footer("Examples:\n"
             "  sinter run model.sinter -p \"Once upon a time\" -n 100\n"
             "  sinter bench model.sinter -p 512 -n 64 -t 2\n"
             "  sinter inspect model.sinter --verify\n"
             "Each command explains itself: sinter run --help");
  action chosen;
  add_run(app, chosen);
  add_bench(app, chosen);
  add_inspect(app, chosen);
  add_perplexity(app, chosen);
  add_tokenize(app, chosen);
  try {
    check_command_name(app, argc, argv);
    app.parse(argc, argv);
    chosen();
    check_output();
    return 0;
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
      return app.exit(error);
    std::cerr << "error: " << error.what() << " (see sinter --help)\n";
  } catch (const std::bad_alloc &) {
    std::cerr << "error: out of memory\n";
  } catch (const std::exception &error) {
    std::cerr << "error: " << error.what() << "\n";
  }
  return 1;
}
