//===- Report.h - What a compilation did, as JSON -------------------------===//
//
// Keys are stable: scripts read them. Sizes in bytes, times in seconds.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_REPORT_REPORT_H
#define SINTER_COMPILER_REPORT_REPORT_H

#include "compiler/bundle/BundleWriter.h"
#include "llvm/Support/JSON.h"

namespace sinter {

class Report {
public:
  void addPhase(llvm::StringRef name, double seconds);
  /// The model's facts.
  void addModel(mlir::ModuleOp top);
  /// Kernels, programs and plan of a target, as far as the phases have come.
  void addTarget(mlir::ModuleOp target);
  void addBundle(const BundleSummary &bundle);
  /// What passes had to say.
  void addRemark(std::string text);

  /// All of it, with the process's largest resident set so far.
  std::string text();

private:
  llvm::json::Object root;
  llvm::json::Array phases, targets, remarks;
  double seconds = 0;
};

} // namespace sinter

#endif
