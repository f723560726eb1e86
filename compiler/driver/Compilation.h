//===- Compilation.h - One model on its way through the phases ------------===//
#ifndef SINTER_COMPILER_DRIVER_COMPILATION_H
#define SINTER_COMPILER_DRIVER_COMPILATION_H

#include "codegen/cpu/CodeBlob.h"
#include "compiler/driver/Options.h"
#include "compiler/driver/Progress.h"
#include "compiler/report/Report.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace sinter {

class Compilation {
public:
  explicit Compilation(const Options &options);
  ~Compilation();

  /// Does what the options say. Errors have been printed when it fails.
  mlir::LogicalResult run();

private:
  mlir::LogicalResult start();
  mlir::LogicalResult resume();
  mlir::LogicalResult runPhase(Phase phase);
  mlir::LogicalResult lowerKernels();
  mlir::LogicalResult pack();
  mlir::LogicalResult dump(Phase phase);
  mlir::LogicalResult emit();
  mlir::LogicalResult emitReference();
  mlir::LogicalResult write(llvm::StringRef path, llvm::StringRef text);
  mlir::LogicalResult fail(llvm::Error error);
  mlir::LogicalResult fail(const llvm::Twine &message);
  void summarize();
  std::string moduleText();
  void print(mlir::Diagnostic &diagnostic);

  const Options &options;
  mlir::MLIRContext context;
  mlir::DiagnosticEngine::HandlerID handler = 0;
  std::unique_ptr<gguf::GGUFFile> file;
  std::vector<uint8_t> tokenizer;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// The first phase that has to run.
  Phase next = Phase::Import;
  Progress progress;
  Report report;
  double bundleBytes = 0;
  bool errorPrinted = false;
};

/// Runs sinterc; the exit code.
int runDriver(int argc, char **argv);

} // namespace sinter

#endif
