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

namespace sinter {

/// In the order in which a model goes through them.
enum class Phase { Import, Quantize, Fuse, Tile, Plan, Codegen, Pack };

llvm::ArrayRef<Phase> allPhases();

/// "fuse"; also what --compile-to= takes and what dumps are named after.
llvm::StringRef phaseName(Phase phase);

std::optional<Phase> findPhase(llvm::StringRef name);

/// Adds the passes of one phase, its verifier last. `Pack` adds none: it writes a file (compiler/bundle).
void buildPhase(mlir::OpPassManager &passes, Phase phase);

/// The three dialects of Sinter and the upstream ones that its passes use.
void registerDialects(mlir::DialectRegistry &registry);

/// All passes of Sinter, canonicalize and cse, and a pipeline --phase-NAME for each phase.
void registerAllPasses();

} // namespace sinter

#endif
