//===- Meaning.h - One function an op, as its description reads -----------===//
//
// Inside of the evaluator. Operands come as arrays (or matrices), what cannot be computed is an
// error at the op.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_REFERENCE_MEANING_H
#define SINTER_COMPILER_REFERENCE_MEANING_H

#include "compiler/gguf/Reader.h"
#include "compiler/reference/Array.h"
#include "dialects/llm/LLMDialect.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace sinter::reference {

/// "<location>: <op>: what".
llvm::Error errorAt(mlir::Operation *op, const llvm::Twine &what);

// Recipes.cpp
// ---------------------------------------------------------------------------------------------------

llvm::Expected<Matrix> weight(llm::WeightOp op, const gguf::GGUFFile &file);
llvm::Expected<Array> parameter(llm::ParameterOp op, const gguf::GGUFFile &file);
Matrix permuteRows(llm::PermuteRowsOp op, const Matrix &source);
Array permuteElements(llm::PermuteRowsOp op, const Array &source);
Matrix scaleColumns(llm::ScaleColumnsOp op, const Matrix &source, const Array &scales);
Array divide(const Array &lhs, const Array &rhs);
Array ropeFrequencies(llm::RopeFrequenciesOp op);
Array ropeTable(llm::RopeTableOp op, const Array &frequencies);

// Rows.cpp
// ------------------------------------------------------------------------------------------------------

llvm::Expected<Array> embed(llm::EmbedOp op, const Array &tokens, const Matrix &weight);
Array rmsNorm(const Array &x, const Array &gain, double eps);
Array add(const Array &lhs, const Array &rhs);
Array addBias(const Array &x, const Array &bias);
Array scale(const Array &x, double factor);
Array glu(const Array &gate, const Array &up, llm::Activation activation);
Array lastToken(const Array &x);
/// x · Wᵀ.
Array product(const Array &x, const Matrix &weight);
llvm::Expected<Array> logLikelihood(mlir::Operation *op, const Array &logits, const Array &targets);

// Quantize.cpp
// --------------------------------------------------------------------------------------------------

/// Each group of elements rounded to codes times a scale.
Array quantized(const Array &x, int64_t group = kActGroup);

// Attention.cpp
// -------------------------------------------------------------------------------------------------

/// Cosine and sine of each pair of a token, from frequencies or from a table's row.
llvm::Error anglesAt(mlir::Operation *op, const Array &angles, bool isTable, int64_t position,
                     std::vector<double> &cosines, std::vector<double> &sines);
llvm::Expected<Array> rope(llm::RopeOp op, const Array &x, const Array &angles, int64_t position);

/// The rows of all tokens so far.
struct Cache {
  Array keys, values;
};
llvm::Error append(mlir::Operation *op, Array &part, const Array &x, int64_t position);
Array attention(llm::AttentionOp op, const Array &q, const Cache &cache, int64_t position);

// Epilogue.cpp
// --------------------------------------------------------------------------------------------------

/// The region's value for each element of the result. `rope` is null where there is no table.
llvm::Expected<Array> epilogue(llm::LinearOp op, llvm::ArrayRef<Array> products,
                               llvm::ArrayRef<const Array *> residuals,
                               llvm::ArrayRef<const Array *> biases, const Array *rope,
                               int64_t position);

} // namespace sinter::reference

#endif
