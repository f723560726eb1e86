//===- placement.cpp - Where threads run: --threads and --cpus ------------------===//

#include "command.h"

#include <algorithm>
#include <charconv>

namespace sinter::tool {

namespace {

constexpr uint32_t most_processors = 1024;

[[noreturn]] void refuse(const std::string &list, std::string_view part) {
  throw failure("--cpus=" + list + ": '" + std::string(part) + "' is no processor (0 .. " +
                std::to_string(most_processors - 1) +
                ") and no range of them; a list looks like 0,2-3");
}

} // namespace

void add_placement(CLI::App &command, placement &where) {
  command.add_option("-t,--threads", where.threads, "Worker threads; 0: one a processor")
      ->capture_default_str();
  command.add_option("--cpus", where.cpu_list,
                     "Processors to run on, one a thread: 0,2-3 (default: the system chooses)");
}

void read_cpus(placement &where) {
  const std::string &list = where.cpu_list;
  where.cpus.clear();
  if (list.empty())
    return;
  for (size_t begin = 0; begin <= list.size();) {
    size_t end = std::min(list.find(',', begin), list.size());
    std::string_view part = std::string_view(list).substr(begin, end - begin);
    uint32_t first = most_processors, last = most_processors;
    auto [at, fault] = std::from_chars(part.data(), part.data() + part.size(), first);
    last = first;
    if (fault == std::errc() && at != part.data() + part.size() && *at == '-') {
      auto [rest, wrong] = std::from_chars(at + 1, part.data() + part.size(), last);
      at = rest;
      fault = wrong;
    }
    if (fault != std::errc() || at != part.data() + part.size() || last < first ||
        last >= most_processors)
      refuse(list, part);
    for (uint32_t cpu = first; cpu <= last; ++cpu) {
      if (std::find(where.cpus.begin(), where.cpus.end(), cpu) != where.cpus.end())
        throw failure("--cpus=" + list + ": processor " + std::to_string(cpu) + " is there twice");
      where.cpus.push_back(cpu);
    }
    begin = end + 1;
  }
  if (where.threads == 0)
    where.threads = static_cast<uint32_t>(where.cpus.size());
  if (where.threads > where.cpus.size())
    throw failure("--threads=" + std::to_string(where.threads) + " and --cpus=" + list + ": " +
                  std::to_string(where.cpus.size()) +
                  (where.cpus.size() == 1 ? " processor" : " processors") +
                  ", and each thread takes one of its own");
  where.cpus.resize(where.threads);
}

} // namespace sinter::tool
