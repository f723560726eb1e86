//===- Pipelines.h - The phases and what runs in each ---------------------===//
//
// A phase is a word of sinterc's command line and the value of the module's attribute llm.phase after it has run.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_PIPELINES_H
#define SINTER_PASSES_PIPELINES_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace sinter {

/// In the order in which a model goes through them.
enum class Phase { Import, Quantize, Fuse, Tile, Plan, Codegen, Pack };

llvm::ArrayRef<Phase> allPhases();

/// "fuse"; also what --compile-to= takes and what dumps are named after.
llvm::StringRef phaseName(Phase phase);

std::optional<Phase> findPhase(llvm::StringRef name);

struct PipelineOptions {
  /// What --target= of sinterc takes.
  std::string target = "host";
  /// Rewrites of the model say where they fired and where they nearly did.
  bool remarks = false;
};

/// Adds the passes of one phase, its verifier last. `Codegen` and `Pack` add none: the back end (codegen/) has its own
/// pipeline for each variant, and the bundle is a file (compiler/bundle); the driver calls both.
void buildPhase(mlir::OpPassManager &passes, Phase phase, const PipelineOptions &options = {});

/// Adds what takes structured kernels to lane form: the text that every back end starts from. `passes` are a module's.
void addLaneForm(mlir::OpPassManager &passes);

/// The three dialects of Sinter and the upstream ones that its passes use.
void registerDialects(mlir::DialectRegistry &registry);

/// All passes of Sinter, canonicalize and cse, and a pipeline --phase-NAME for each phase.
void registerAllPasses();

} // namespace sinter

#endif
