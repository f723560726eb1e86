//===- Options.h - The command line of sinterc ----------------------------===//
#ifndef SINTER_COMPILER_DRIVER_OPTIONS_H
#define SINTER_COMPILER_DRIVER_OPTIONS_H

#include "codegen/Targets.h"
#include "compiler/import/Importer.h"
#include "passes/Pipelines.h"
#include <optional>
#include <string>
#include <vector>

namespace sinter {

/// What is written to the output.
enum class Emit { Bundle, MLIR, LLVM, Assembly, Object, GLSL, HVX, Reference };

struct Options {
  std::string model, output;
  std::string targetText = "host";
  TargetChoice target;
  ImportOptions import;
  Emit emit = Emit::Bundle;
  /// The last phase that runs.
  Phase last = Phase::Pack;
  std::string dumpDirectory, resumeFile, reportFile;
  /// For --emit=reference.
  std::vector<int32_t> ids;
  /// 0: as many as the machine has.
  unsigned threads = 0;
};

/// Reads the command line. Nothing if that was all (`--help`, or an error that has been printed);
/// `exitCode` says which.
std::optional<Options> parseOptions(int argc, char **argv, int &exitCode);

} // namespace sinter

#endif
