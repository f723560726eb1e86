//===- Models.h - Where the models are that tests read --------------------===//
//
// SINTER_MODELS names a folder, which then has to hold what a test asks for: a missing file is a
// failure. Without it the folder is looked for beside the checkout, and where there is none the
// tests that need it skip themselves; test/run.sh counts them and says so.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_MODELS_H
#define SINTER_TEST_UNIT_MODELS_H

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sinter::test {

inline std::string modelsDirectory() {
  const char *set = std::getenv("SINTER_MODELS");
  return set ? set : SINTER_SOURCE_DIR "/../shared/models";
}

/// Whether a test that needs models has to run.
inline bool modelsExpected() {
  return std::getenv("SINTER_MODELS") || std::filesystem::is_directory(modelsDirectory());
}

} // namespace sinter::test

/// First statement of a test that needs models.
#define SINTER_NEEDS_MODELS()                                                                      \
  if (!sinter::test::modelsExpected())                                                             \
  GTEST_SKIP() << "no models in " << sinter::test::modelsDirectory() << "; set SINTER_MODELS"

#endif
