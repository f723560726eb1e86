//===- Evaluator.h - What a module of the llm dialect means ---------------===//
//
// Evaluates @body, @head and @score (or any function of llm ops) with plain loops in double on
// dequantized weights, before and after fusion. It is the yardstick: import is tested by comparing
// it with the logits of another implementation, passes by evaluating a module before and after
// them, kernels by its values. So it shares no code with any of these, and each op is written as
// its description reads.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_REFERENCE_EVALUATOR_H
#define SINTER_COMPILER_REFERENCE_EVALUATOR_H

#include "compiler/gguf/Reader.h"
#include "compiler/reference/Array.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include <memory>

namespace sinter::reference {

struct EvaluatorOptions {
  /// Leave out the rounding of `!llm.acts` and of i8 caches: what exact arithmetic on the stored weights gives.
  bool exactActivations = false;
};

class Evaluator {
public:
  /// The module and the file must outlive the evaluator, and the module must not change. Functions
  /// are looked up in the module and in modules nested in it.
  Evaluator(mlir::ModuleOp module, const gguf::GGUFFile &file,
            const EvaluatorOptions &options = {});
  ~Evaluator();

  /// Evaluates one step of tokens.
  ///
  /// \param arguments  one array a parameter of the function.
  /// \param position   tokens that the caches hold of this text already; what is behind is
  /// overwritten.
  /// \returns one array a result; an error that names op and location where something is not
  /// defined (a token id
  ///          that the vocabulary does not have, an unknown op, a tensor that the file does not
  ///          have).
  llvm::Expected<std::vector<Array>> call(llvm::StringRef function, llvm::ArrayRef<Array> arguments,
                                          int64_t position);

  /// Forgets the caches' contents (not the dequantized weights).
  void reset();

private:
  struct State;
  std::unique_ptr<State> state;
};

/// The logits after the last of `tokens`, which are one text from position 0, by @body and @head in
/// steps of at most `chunk` tokens.
llvm::Expected<std::vector<double>>
referenceLogits(Evaluator &evaluator, llvm::ArrayRef<int32_t> tokens, int64_t chunk = 64);

/// The log-likelihood of each token but the first, given those before it, by @body and @score.
llvm::Expected<std::vector<double>>
referenceScores(Evaluator &evaluator, llvm::ArrayRef<int32_t> tokens, int64_t chunk = 64);

} // namespace sinter::reference

#endif
