//===- command.h - What the subcommands of `sinter` share ---------------------===//
#ifndef RUNTIME_TOOLS_SINTER_COMMAND_H
#define RUNTIME_TOOLS_SINTER_COMMAND_H

#include "sinter/sinter.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sinter::tool {

/// Ends the tool with "error: …" and exit code 1.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What to run once the command line has been read.
using action = std::function<void()>;

/// Each adds its subcommand to `app` and sets `chosen` when it is the one.
void add_run(CLI::App &app, action &chosen);
void add_bench(CLI::App &app, action &chosen);
void add_inspect(CLI::App &app, action &chosen);
void add_perplexity(CLI::App &app, action &chosen);
void add_tokenize(CLI::App &app, action &chosen);

struct close_model {
  void operator()(sinter_model *model) const { sinter_close(model); }
};
struct destroy_session {
  void operator()(sinter_session *session) const { sinter_session_destroy(session); }
};
using model_ptr = std::unique_ptr<sinter_model, close_model>;
using session_ptr = std::unique_ptr<sinter_session, destroy_session>;

model_ptr open_model(const std::string &path, const std::string &variant = "", uint32_t flags = 0);

/// Where a session's threads run: --threads and --cpus.
struct placement {
  uint32_t threads = 0; ///< 0: one a processor; what was started, once there is a session
  std::string cpu_list; ///< "0,2-3"; empty: the system places them
  std::vector<uint32_t> cpus;
};
void add_placement(CLI::App &command, placement &where);
/// Reads the list; one processor a thread is left of it.
void read_cpus(placement &where);

session_ptr create_session(const sinter_model *model, placement &where);
sinter_model_facts facts_of(const sinter_model *model);

/// Throws the session's error if `status` is one.
void check(const sinter_session *session, sinter_status status);

std::vector<int32_t> tokenize(const sinter_model *model, const std::string &text,
                              uint32_t flags = 0);
std::string read_file(const std::string &path); ///< "-": standard input
/// Throws if what has been printed could not be written.
void check_output();

std::string join(const std::vector<int32_t> &ids);

/// Milliseconds since the process began, up to the precision of its processor time before main.
double since_start_ms();
/// To be called first in main.
void mark_start();

/// Seconds that a stretch of work took.
class stopwatch {
public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

private:
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
};

} // namespace sinter::tool

#endif
