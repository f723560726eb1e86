//===- Activations.h - Activation functions as arithmetic ------------------===//
//
// The one place that says what an activation function computes. A new one is added here and to
// #llm.activation, and reaches every kernel and every target.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_ACTIVATIONS_H
#define SINTER_PASSES_ACTIVATIONS_H

#include "dialects/llm/LLMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace sinter {

/// activation(x) in `arith` and `math`; `x` is an f32 or a vector of them.
mlir::Value buildActivation(mlir::ImplicitLocOpBuilder &builder, llm::Activation activation,
                            mlir::Value x);

/// activation(gate) * up.
mlir::Value buildGatedUnit(mlir::ImplicitLocOpBuilder &builder, llm::Activation activation,
                           mlir::Value gate, mlir::Value up);

} // namespace sinter

#endif
