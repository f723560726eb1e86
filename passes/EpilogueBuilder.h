//===- EpilogueBuilder.h - Fill the epilogue of a linear op ----------------===//
//
//   %d = llm.linear %x, [%w] epilogue(%p) { yield f(%p) }
//   %y = g(%d, %r)                                              an element at a time
// ==>
//   %y = llm.linear %x, [%w] residual(%r) epilogue(%p, %e) { yield g(f(%p), %e) }
//
// What a fusion needs is only g: `buildEpilogue` computes all that the parts compute, side by side,
// and lets the caller go on from there. A part without a region yields its product.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_EPILOGUEBUILDER_H
#define SINTER_PASSES_EPILOGUEBUILDER_H

#include "dialects/llm/LLMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace sinter {

/// What an epilogue reads beside the operands of its parts.
struct EpilogueOperands {
  llvm::SmallVector<mlir::Value> residuals = {};
  llvm::SmallVector<mlir::Value> biases = {};
  mlir::Value rope = {};
};

/// Continues an epilogue: `values` is what each part yields, `added` the scalars of the new
/// residuals and biases; returns the element.
using EpilogueStep = llvm::function_ref<mlir::Value(
    mlir::ImplicitLocOpBuilder &builder, mlir::ValueRange values, mlir::ValueRange added)>;

/// Builds, at the insertion point of `builder`, one linear op that does the work of `parts` and of
/// `step`. The parts share x, give tensors, and together with `added` have at most one rope table.
/// The new op has the location of the first of them; they stay, unused.
llm::LinearOp buildEpilogue(mlir::OpBuilder &builder, llvm::ArrayRef<llm::LinearOp> parts,
                            const EpilogueOperands &added, EpilogueStep step);

/// The linear op that computes `value`, if nobody else reads it, so that its epilogue may grow.
llm::LinearOp getOnlyUsedLinear(mlir::Value value);

} // namespace sinter

#endif
