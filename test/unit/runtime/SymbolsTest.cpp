//===- SymbolsTest.cpp - core and text need nothing but mem* ------------------------===//
//
// Firmware links these two libraries; what they leave undefined must be on this list or their own.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <string>

namespace {

struct symbols {
  std::set<std::string> undefined, defined;
};

symbols symbols_of(const std::string &library) {
  symbols found;
  FILE *nm = popen(("nm " + library + " 2>&1").c_str(), "r");
  char line[4096];
  while (nm && fgets(line, sizeof(line), nm)) {
    char kind = 0, name[4000];
    if (sscanf(line, " %c %3999s", &kind, name) == 2 && (kind == 'U' || kind == 'w'))
      found.undefined.insert(name);
    else if (sscanf(line, "%*x %c %3999s", &kind, name) == 2)
      found.defined.insert(name);
  }
  EXPECT_TRUE(nm && pclose(nm) == 0) << library;
  return found;
}

class Freestanding : public testing::TestWithParam<const char *> {};

TEST_P(Freestanding, NeedsOnlyMem) {
#if SINTER_PLAIN_BUILD
  symbols found = symbols_of(GetParam());
  ASSERT_GT(found.defined.size(), 5u);
  const std::set<std::string> allowed = {"memcpy", "memmove", "memset",
                                         "memcmp", "memchr",  "_GLOBAL_OFFSET_TABLE_"};
  for (const std::string &name : found.undefined)
    EXPECT_TRUE(allowed.count(name) || found.defined.count(name)) << name;
  for (const std::string &name : found.defined)
    EXPECT_EQ(name.find("_GLOBAL__sub_I"), std::string::npos) << "a static constructor";
#else
  GTEST_SKIP() << "sanitizers and debug builds add symbols of their own";
#endif
}

INSTANTIATE_TEST_SUITE_P(Libraries, Freestanding,
                         testing::Values(SINTER_CORE_LIBRARY, SINTER_TEXT_LIBRARY),
                         [](const auto &info) { return info.index == 0 ? "core" : "text"; });

} // namespace
