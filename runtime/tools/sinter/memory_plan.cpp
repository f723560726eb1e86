//===- memory_plan.cpp - The memory plan in ASCII ---------------------------------===//
//
//   program decode, 31 groups, a column is 1 group
//     0x0000241c40         1024  decode.1                 |.##............................|
//     0x0000241c40         1024  decode.3                 |...##..........................|
//
// A row is a planned buffer, '#' while it lives; rows whose bytes overlap never overlap in time,
// which is what the picture is to show.
//
//===----------------------------------------------------------------------===//

#include "bundle_file.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace sinter::tool {

namespace {

constexpr unsigned most_columns = 64;

std::string row_head(const bundle::PlannedBuffer &buffer) {
  char head[160];
  std::snprintf(head, sizeof(head), "  0x%010llx %12llu  %-24s ",
                static_cast<unsigned long long>(buffer.offset()),
                static_cast<unsigned long long>(buffer.size()), buffer.name()->c_str());
  return head;
}

using buffer_list = std::vector<const bundle::PlannedBuffer *>;

void sort_by_offset(buffer_list &buffers) {
  std::stable_sort(buffers.begin(), buffers.end(),
                   [](auto *a, auto *b) { return a->offset() < b->offset(); });
}

std::string draw_program(const std::string &name, unsigned groups, buffer_list &buffers) {
  unsigned step = std::max(1u, (groups + most_columns - 1) / most_columns);
  unsigned columns = std::max(1u, (groups + step - 1) / step);
  std::string out = "\nprogram " + name + ", " + std::to_string(groups) + " groups, a column is " +
                    std::to_string(step) + (step == 1 ? " group\n" : " groups\n");
  sort_by_offset(buffers);
  for (const bundle::PlannedBuffer *buffer : buffers) {
    std::string life(columns, '.');
    for (unsigned column = 0; column < columns; ++column)
      if (column * step <= buffer->last() && buffer->first() < (column + 1) * step)
        life[column] = '#';
    out += row_head(*buffer) + "|" + life + "|\n";
  }
  return out;
}

} // namespace

std::string draw_memory(const bundle::Bundle &root) {
  buffer_list state;
  std::map<std::string, buffer_list> transient;
  for (const bundle::PlannedBuffer *buffer : *root.memory()->buffers()) {
    std::string program = text_of(buffer->program());
    (program.empty() ? state : transient[program]).push_back(buffer);
  }
  std::string out = "state, kept between steps\n";
  sort_by_offset(state);
  for (const bundle::PlannedBuffer *buffer : state)
    out += row_head(*buffer) + "\n";
  for (const bundle::Program *program : *root.programs()) {
    auto found = transient.find(program->name()->str());
    if (found != transient.end())
      out += draw_program(found->first, program->groups()->size(), found->second);
  }
  return out;
}

} // namespace sinter::tool
