//===- LLMDialect.h - The llm dialect --------------------------------------===//
#ifndef SINTER_DIALECTS_LLM_LLMDIALECT_H
#define SINTER_DIALECTS_LLM_LLMDIALECT_H

#include "compiler/weights/Format.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/llm/LLMDialect.h.inc"
#include "dialects/llm/LLMEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/llm/LLMAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/llm/LLMTypes.h.inc"

namespace sinter::llm {
/// A weight as an operand: `!llm.weight` or `!llm.packed`.
struct MatrixShape {
  int64_t rows, cols;
  FormatId format;
};
MatrixShape getMatrixShape(::mlir::Type weight);

/// Tokens (1 or ShapedType::kDynamic) and width of `tensor<?xdxf32>` or `!llm.acts`.
struct RowsShape {
  int64_t tokens, width;
};
RowsShape getRowsShape(::mlir::Type type);

/// tensor<tokens x width x f32>.
::mlir::RankedTensorType getRowsType(::mlir::MLIRContext *context, int64_t tokens, int64_t width);
/// tensor<size x f32>.
::mlir::RankedTensorType getVectorType(::mlir::MLIRContext *context, int64_t size);
} // namespace sinter::llm

#define GET_OP_CLASSES
#include "dialects/llm/LLMOps.h.inc"

#endif
