//===- Importer.h - From a GGUF file to a module of the llm dialect -------===//
//
//   GGUFFile --Hyperparameters--> numbers, checked
//            --family (Llama.cpp, Qwen2.cpp, ...) through DecoderBuilder--> @body, @head, @score
//            --ModelTensors--> every tensor that is named exists, has its shape, and none is left
//            over
//
// No weights are read, but for the few rope factors.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_IMPORT_IMPORTER_H
#define SINTER_COMPILER_IMPORT_IMPORTER_H

#include "compiler/gguf/Reader.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace sinter {

/// Numbers that the model does not fix.
struct ImportOptions {
  /// Positions of the KV cache; 0: what the model was trained for, at most 4096.
  int64_t context = 0;
  /// Most tokens of one prefill step, cut to the context; 0: 256.
  int64_t chunk = 0;
  enum class KvType { f16, f32, i8 } kvType = KvType::f16;
};

/// Builds the model in phase "import". `context` must have the llm and func dialects loaded or
/// loadable (loadImportDialects).
///
/// \returns an error of one line that names file, key or tensor, and value, if the file is no model
/// of a known
///          family, lacks something, or holds something that nothing here computes.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> importModel(const gguf::GGUFFile &file,
                                                              mlir::MLIRContext &context,
                                                              const ImportOptions &options = {});

/// Loads the dialects that an imported module consists of.
void loadImportDialects(mlir::MLIRContext &context);

} // namespace sinter

#endif
