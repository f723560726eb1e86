//===- LLMLinearOps.td - The linear layer and its epilogue ----------------===//
#ifndef SINTER_DIALECTS_LLM_LINEAR_OPS_TD
#define SINTER_DIALECTS_LLM_LINEAR_OPS_TD

include "dialects/llm/LLMAttrs.td"
include "dialects/llm/LLMTypes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def LLM_LinearOp : Op<LLM_Dialect, "linear", [
    AttrSizedOperandSegments, IsolatedFromAbove, SingleBlock,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "y = epilogue(x · Wᵀ)";
  let description = [{
    Multiplies activations (tokens x in) with one or more weights (out x in each) that share the input. The
    region computes one element of the result from the products, in weight order, from residuals at the same
    position and from biases of the same row; without a region there is one weight and the product is the
    result. What the region yields is stored, or quantized (`!llm.acts`), or appended to a KV cache
    (`!llm.appended`).
    ```mlir
    %g = llm.linear %n, [%w] : tensor<?x2048xf32>, !llm.weight<8192x2048, q4_0> -> tensor<?x8192xf32>

    %y = llm.linear %h, [%w] residual(%x) epilogue(%d, %r) {
      %s = arith.addf %d, %r : f32
      llm.yield %s : f32
    } : !llm.acts<?x8192, i8 per 32>, !llm.packed<2048x8192, q4_0> -> tensor<?x2048xf32>

    %a = llm.linear %q, [%wk] bias(%b) rope(%t : tensor<4096x64xf32>) append keys to @kv.0 epilogue(%k, %c) {
      %s = arith.addf %k, %c : f32
      %r = llm.rotate %s {head_dim = 64, rotary_dim = 64} : f32
      llm.yield %r : f32
    } : !llm.acts<?x2048, i8 per 32>, !llm.packed<512x2048, q4_0> -> !llm.appended
    ```
    Residuals have the result's shape (the types of residuals and biases follow from the others').
    Verified: equal columns and rows everywhere; integer formats where x is `acts`; as many region arguments as
    weights, residuals and biases; nothing but `arith`, `math` and `llm.rotate` in the region; a rope table
    where, and only where, the region rotates, as wide as `rotary_dim`; an `acts` result only where rows are a
    multiple of 32; `append` exactly where the result is `!llm.appended`, to a cache of that width.
  }];
  let arguments = (ins LLM_AnyActs:$x, Variadic<LLM_AnyWeight>:$weights, Variadic<LLM_Rows>:$residuals,
                       Variadic<LLM_Vector>:$biases, Optional<LLM_Table>:$rope,
                       OptionalAttr<FlatSymbolRefAttr>:$append, OptionalAttr<LLM_KvPartAttr>:$part);
  let results = (outs AnyTypeOf<[LLM_Rows, LLM_Acts, LLM_Appended]>:$result);
  let regions = (region AnyRegion:$epilogue);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    /// Without a region: x · Wᵀ as a tensor.
    OpBuilder<(ins "::mlir::Value":$x, "::mlir::Value":$weight)>,
    /// With an empty region, to be filled: `createEpilogue` makes its block.
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$x, "::mlir::ValueRange":$weights,
                   CArg<"::mlir::ValueRange", "{}">:$residuals, CArg<"::mlir::ValueRange", "{}">:$biases,
                   CArg<"::mlir::Value", "{}">:$rope)>
  ];
  let extraClassDeclaration = [{
    /// Rows of the weights, which is the width of the result.
    int64_t getRows();
    /// Columns of the weights, which is the width of x.
    int64_t getCols();
    /// Tokens of x: 1 or ShapedType::kDynamic.
    int64_t getTokens();
    bool hasEpilogue() { return !getEpilogue().empty(); }
    /// Gives the empty region its block: an f32 argument for each weight, residual and bias.
    ::mlir::Block &createEpilogue();
    ::llvm::MutableArrayRef<::mlir::BlockArgument> getProducts();
    ::llvm::MutableArrayRef<::mlir::BlockArgument> getResidualArguments();
    ::llvm::MutableArrayRef<::mlir::BlockArgument> getBiasArguments();
    /// The rotation of the region, null if there is none.
    RotateOp getRotation();
  }];
}

def LLM_RotateOp : Op<LLM_Dialect, "rotate", [Pure, SameOperandsAndResultType, HasParent<"LinearOp">]> {
  let summary = "rotary position embedding of an epilogue's value";
  let description = [{
    Rows 2i and 2i + 1 of the first `rotary_dim` rows of each head are a pair (a, b), which becomes
    (a cos - b sin, a sin + b cos) with the numbers of the linear op's rope table for this token and pair i. It
    is the only op of a region that sees a neighbouring row; both rows have computed the same expression.
    ```mlir
    %r = llm.rotate %v {head_dim = 64, rotary_dim = 64} : f32
    ```
    Refused: `rotary_dim` odd or above `head_dim`.
  }];
  let arguments = (ins F32:$value, LLM_Size:$head_dim, LLM_Size:$rotary_dim);
  let results = (outs F32:$result);
  let assemblyFormat = [{
    $value ` ` `{` `head_dim` `=` $head_dim `,` `rotary_dim` `=` $rotary_dim `}` attr-dict `:` type($value)
  }];
  let hasVerifier = 1;
}

def LLM_YieldOp : Op<LLM_Dialect, "yield", [Pure, Terminator, HasParent<"LinearOp">]> {
  let summary = "the element that an epilogue computes";
  let arguments = (ins F32:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif
