//===- LLMDialect.td - A language model as a person would draw it ---------===//
#ifndef SINTER_DIALECTS_LLM_DIALECT_TD
#define SINTER_DIALECTS_LLM_DIALECT_TD

include "mlir/IR/OpBase.td"

def LLM_Dialect : Dialect {
  let name = "llm";
  let cppNamespace = "::sinter::llm";
  let summary = "A language model as a person would draw it, on tensors";
  let description = [{
    A model is a module with three functions and one KV cache a layer:

      func @body(%tokens: tensor<?xi32>) -> tensor<?xdxf32>              embedding and all layers
      func @head(%h: tensor<?xdxf32>) -> tensor<1xvxf32>                 logits of the last token
      func @score(%h: tensor<?xdxf32>, %targets: tensor<?xi32>) -> tensor<?xf32>

    `?` is the number of tokens of a step; every other size is static. The step's position, the
    number of tokens that the caches already hold, is not a value: `llm.rope`, `llm.rotate`,
    `llm.append` and `llm.attention` read it from the step, so token i of a step is at position + i.

    Weights are values too, but carry no data: the ops behind a weight are its recipe, which is
    evaluated once, when the bundle is written.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::func::FuncDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = "void registerTypes();";
}

#endif
