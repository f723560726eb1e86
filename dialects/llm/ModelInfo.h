//===- ModelInfo.h - The facts of a model, as attributes of its module ----===//
//
//   module attributes {llm.architecture = "llama", llm.name = "...", llm.source = "model.gguf",
//                      llm.context = 4096, llm.trained_context = 131072, llm.chunk = 512,
//                      llm.vocabulary = 32000, llm.layers = 16, llm.embedding = 2048,
//                      llm.parameters = 1100048384, llm.kv_type = f16, llm.phase = "import"}
//
// They travel on the outermost module through all phases and end in the bundle's metadata.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_DIALECTS_LLM_MODELINFO_H
#define SINTER_DIALECTS_LLM_MODELINFO_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace sinter::llm {

struct ModelInfo {
  std::string architecture; ///< general.architecture: "llama"
  std::string name;         ///< general.name, may be empty
  std::string source;       ///< name of the GGUF without its directory
  int64_t context = 0;      ///< positions of the KV cache: compiled for
  int64_t trainedContext = 0;
  int64_t chunk = 0; ///< most tokens of one prefill step
  int64_t vocabulary = 0;
  int64_t layers = 0;
  int64_t embedding = 0;
  int64_t parameters = 0; ///< weights of all tensors that the model uses
  mlir::Type kvType;      ///< f16, f32 or i8

  /// Writes all facts (not the phase) to the module.
  void setOn(mlir::ModuleOp module) const;
  /// Reads them back; emits an error at the module if one is missing or of a wrong type.
  static mlir::FailureOr<ModelInfo> get(mlir::ModuleOp module);
};

/// The phase that the module has passed ("import"), empty if it says none.
llvm::StringRef getPhase(mlir::ModuleOp module);
void setPhase(mlir::ModuleOp module, llvm::StringRef phase);

} // namespace sinter::llm

#endif
