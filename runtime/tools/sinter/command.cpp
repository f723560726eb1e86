//===- command.cpp - What the subcommands of `sinter` share -------------------===//

#include "command.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>

namespace sinter::tool {

namespace {
std::chrono::steady_clock::time_point main_began;
double seconds_before_main = 0;
} // namespace

void mark_start() {
  main_began = std::chrono::steady_clock::now();
  // exec, the loader and constructors: all that a process does before main is computing.
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  seconds_before_main = double(used.tv_sec) + 1e-9 * double(used.tv_nsec);
}

double since_start_ms() {
  std::chrono::duration<double> in_main = std::chrono::steady_clock::now() - main_began;
  return 1e3 * (in_main.count() + seconds_before_main);
}

model_ptr open_model(const std::string &path, const std::string &variant, uint32_t flags) {
  sinter_open_options options{};
  options.struct_bytes = sizeof(options);
  options.flags = flags;
  options.variant = variant.empty() ? nullptr : variant.c_str();
  sinter_model *model = nullptr;
  sinter_error error;
  if (sinter_open(path.c_str(), &options, &model, &error) != SINTER_OK)
    throw failure(error.text);
  return model_ptr(model);
}

session_ptr create_session(const sinter_model *model, placement &where) {
  read_cpus(where);
  sinter_session_options options{};
  options.struct_bytes = sizeof(options);
  options.threads = where.threads;
  options.cpus = where.cpus.data();
  options.cpu_count = where.cpus.size();
  sinter_session *session = nullptr;
  sinter_error error;
  if (sinter_session_create(model, &options, &session, &error) != SINTER_OK)
    throw failure(error.text);
  where.threads = sinter_threads(session);
  return session_ptr(session);
}

sinter_model_facts facts_of(const sinter_model *model) {
  sinter_model_facts facts{};
  facts.struct_bytes = sizeof(facts);
  sinter_get_facts(model, &facts);
  return facts;
}

void check(const sinter_session *session, sinter_status status) {
  if (status != SINTER_OK)
    throw failure(sinter_session_error(session));
}

std::vector<int32_t> tokenize(const sinter_model *model, const std::string &text, uint32_t flags) {
  std::vector<uint64_t> workspace(sinter_tokenize_workspace(model, text.size()) / 8 + 1);
  std::vector<int32_t> ids(2 * text.size() + 3);
  size_t count = 0;
  sinter_error error;
  if (sinter_tokenize(model, text.data(), text.size(), flags, workspace.data(),
                      workspace.size() * 8, ids.data(), ids.size(), &count, &error) != SINTER_OK)
    throw failure(error.text);
  ids.resize(count);
  return ids;
}

std::string read_file(const std::string &path) {
  if (path == "-")
    return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad())
    throw failure(path + ": cannot be read: " + std::strerror(errno));
  return text;
}

void check_output() {
  if (!std::cout.flush() || std::fflush(stdout) != 0 || std::ferror(stdout))
    throw failure("standard output cannot be written");
}

std::string join(const std::vector<int32_t> &ids) {
  std::string line;
  for (int32_t id : ids) {
    if (!line.empty())
      line += ' ';
    line += std::to_string(id);
  }
  return line;
}

} // namespace sinter::tool
