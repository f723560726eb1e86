//===- DecoderBuilder.h - What families draw their layers with ------------===//
//
// Names follow GGUF: inside a layer, "attn_q" stands for the tensors blk.N.attn_q.weight and .bias,
// and becomes the location of the op, by which dispatches and profiles are named.
//
// The first error is kept and ends the import; until then ops are made as if all were well, so that
// a family reads as a picture of the model and not of its failures.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_IMPORT_DECODERBUILDER_H
#define SINTER_COMPILER_IMPORT_DECODERBUILDER_H

#include "compiler/import/Hyperparameters.h"
#include "compiler/import/ModelTensors.h"
#include "dialects/llm/LLMDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace sinter {

class DecoderBuilder {
public:
  DecoderBuilder(const gguf::GGUFFile &file, const Hyperparameters &numbers, mlir::ModuleOp module,
                 int64_t positions, mlir::Type kvType);
  ~DecoderBuilder() { llvm::consumeError(std::move(firstError)); }

  const Hyperparameters &numbers() const { return h; }

  /// Whether a linear layer adds a bias: never, where the file has one, or always.
  enum class Bias { none, optional, required };

  // The three functions of a model.
  // ----------------------------------------------------------------------------

  /// @body: token embeddings, then `layer` for each layer in turn.
  void body(llvm::function_ref<mlir::Value(mlir::Value x)> layer);
  /// @head and @score: output norm, then output.weight, or token_embd.weight where that is missing.
  void headAndScore();

  // Inside a layer.
  // --------------------------------------------------------------------------------------------

  mlir::Value rmsNorm(mlir::Value x, llvm::StringRef name);
  mlir::Value linear(mlir::Value x, llvm::StringRef name, int64_t rows, Bias bias = Bias::none);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs, llvm::StringRef name);
  mlir::Value glu(mlir::Value gate, mlir::Value up, llm::Activation activation,
                  llvm::StringRef name);
  mlir::Value rope(mlir::Value x, llm::RopeOrder order, llvm::StringRef name);
  /// Causal attention with the layer's cache, scaled by 1/sqrt(head size).
  mlir::Value attention(mlir::Value q, mlir::Value k, mlir::Value v, llvm::StringRef name);

  /// Divides RoPE's frequencies by the tensor rope_freqs.weight where the file has it (Llama 3).
  /// Before body().
  void allowRopeFactors() { ropeFactors = true; }

  /// After the functions are drawn: the first error, or one for tensors that are left over.
  llvm::Error finish();
  int64_t parameters() const { return tensors.parameters(); }

private:
  bool failed() const { return hasError; }
  void fail(llvm::Error error);
  mlir::Location location(llvm::StringRef name);
  std::string tensorName(llvm::StringRef name, llvm::StringRef suffix) const;
  mlir::Value weight(const std::string &tensor, int64_t rows, int64_t cols);
  mlir::Value parameter(const std::string &tensor, int64_t size);
  mlir::Value ropeFrequencies();
  void checkRopeFactors(const gguf::Tensor &tensor);
  mlir::Value outputWeight();
  mlir::func::FuncOp beginFunction(llvm::StringRef name, mlir::TypeRange inputs, mlir::Type result);
  mlir::RankedTensorType rows(int64_t width);

  const gguf::GGUFFile &file;
  const Hyperparameters &h;
  mlir::ModuleOp module;
  mlir::OpBuilder b;
  ModelTensors tensors;
  int64_t positions;
  mlir::Type kvType;
  bool ropeFactors = false;
  int64_t layer = -1; ///< being drawn; -1 outside of layers
  mlir::Value frequencies;
  bool hasError = false;
  llvm::Error firstError = llvm::Error::success();
};

} // namespace sinter

#endif
