//===- LLMWeightOps.td - Recipes: what happens to a weight ----------------===//
//
// All pure. A recipe starts at `llm.weight`, `llm.parameter` or `llm.rope_frequencies` and ends at the op
// that computes with it; it is evaluated once, when the bundle is written, in strips of rows.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_DIALECTS_LLM_WEIGHT_OPS_TD
#define SINTER_DIALECTS_LLM_WEIGHT_OPS_TD

include "dialects/llm/LLMAttrs.td"
include "dialects/llm/LLMTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

class LLM_Op<string mnemonic, list<Trait> traits = []> : Op<LLM_Dialect, mnemonic, traits>;

def LLM_WeightOp : LLM_Op<"weight", [Pure]> {
  let summary = "a matrix of the GGUF";
  let description = [{
    Names a tensor with two dimensions. The type repeats its shape (rows x columns: GGUF's dimensions
    reversed) and its format.
    ```mlir
    %w = llm.weight "blk.0.attn_q.weight" : !llm.weight<2048x2048, q4_0>
    ```
    Refused: an empty name.
  }];
  let arguments = (ins StrAttr:$tensor);
  let results = (outs LLM_Weight:$result);
  let assemblyFormat = "$tensor attr-dict `:` qualified(type($result))";
  let hasVerifier = 1;
}

def LLM_ParameterOp : LLM_Op<"parameter", [Pure]> {
  let summary = "a float vector of the GGUF: norm gains, biases, rope factors";
  let description = [{
    Names a tensor with one dimension of F32, F16 or BF16 numbers; the value is f32.
    ```mlir
    %g = llm.parameter "blk.0.attn_norm.weight" : tensor<2048xf32>
    ```
    Refused: an empty name.
  }];
  let arguments = (ins StrAttr:$tensor);
  let results = (outs LLM_Vector:$result);
  let assemblyFormat = "$tensor attr-dict `:` qualified(type($result))";
  let hasVerifier = 1;
}

def LLM_PermuteRowsOp : LLM_Op<"permute_rows", [Pure, SameOperandsAndResultType]> {
  let summary = "make the pairs of RoPE neighbours";
  let description = [{
    Within each head of `head_dim` rows, row i of the first half of the first `rotary_dim` rows becomes row 2i,
    row i of the second half becomes row 2i + 1; the other rows stay. For vectors the rows are elements.
    It turns a weight made for `order = halves` into one for `order = interleaved`.
    ```mlir
    %p = llm.permute_rows %w {head_dim = 64, rotary_dim = 64} : !llm.weight<2048x2048, q8_0>
    ```
    Refused: `rotary_dim` odd or above `head_dim`; rows that are no multiple of `head_dim`; packed weights.
  }];
  let arguments = (ins AnyTypeOf<[LLM_Weight, LLM_Vector]>:$source, LLM_Size:$head_dim, LLM_Size:$rotary_dim);
  let results = (outs AnyTypeOf<[LLM_Weight, LLM_Vector]>:$result);
  let assemblyFormat = [{
    $source ` ` `{` `head_dim` `=` $head_dim `,` `rotary_dim` `=` $rotary_dim `}` attr-dict `:` qualified(type($source))
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def LLM_ScaleColumnsOp : LLM_Op<"scale_columns", [Pure, AllTypesMatch<["source", "result"]>]> {
  let summary = "multiply each column of a weight by a factor";
  let description = [{
    w[r, c] * scales[c], rounded to the weight's format.
    ```mlir
    %s = llm.scale_columns %w, %factors : !llm.weight<2048x2048, f16>, tensor<2048xf32>
    ```
    Refused: integer formats (their scales are shared by columns); as many factors as columns are needed.
  }];
  let arguments = (ins LLM_Weight:$source, LLM_Vector:$scales);
  let results = (outs LLM_Weight:$result);
  let assemblyFormat = "$source `,` $scales attr-dict `:` qualified(type($source)) `,` type($scales)";
  let hasVerifier = 1;
}

def LLM_DivOp : LLM_Op<"div", [Pure, SameOperandsAndResultType]> {
  let summary = "quotient of two vectors";
  let description = [{
    ```mlir
    %f = llm.div %frequencies, %factors : tensor<32xf32>
    ```
  }];
  let arguments = (ins LLM_Vector:$lhs, LLM_Vector:$rhs);
  let results = (outs LLM_Vector:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def LLM_RopeFrequenciesOp : LLM_Op<"rope_frequencies", [Pure]> {
  let summary = "angles a position of rotary embeddings";
  let description = [{
    A vector of n frequencies, theta_i = scale * base^(-2i / 2n), computed in double: radians by which pair
    i turns from one position to the next. Linear scaling by a factor f is scale = 1/f.
    ```mlir
    %f = llm.rope_frequencies {base = 500000.0, scale = 1.0} : tensor<32xf32>
    ```
    Refused: base or scale that is not finite and positive.
  }];
  let arguments = (ins F64Attr:$base, F64Attr:$scale);
  let results = (outs LLM_Vector:$result);
  let assemblyFormat = [{
    ` ` `{` `base` `=` custom<Number>($base) `,` `scale` `=` custom<Number>($scale) `}` attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getCount() { return getType().getDimSize(0); }
  }];
}

def LLM_RopeTableOp : LLM_Op<"rope_table", [Pure]> {
  let summary = "cosines and sines of every position";
  let description = [{
    Row p of the result is cos(p f0), sin(p f0), cos(p f1), sin(p f1), ...; products and functions are
    computed in double and rounded once.
    ```mlir
    %t = llm.rope_table %f : tensor<32xf32> -> tensor<4096x64xf32>
    ```
    Refused: a table that is not twice as wide as the frequencies are many.
  }];
  let arguments = (ins LLM_Vector:$frequencies);
  let results = (outs LLM_Table:$result);
  let assemblyFormat = "$frequencies attr-dict `:` type($frequencies) `->` qualified(type($result))";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getPositions() { return getType().getDimSize(0); }
    int64_t getCount() { return getFrequencies().getType().getDimSize(0); }
  }];
}

def LLM_PackOp : LLM_Op<"pack", [Pure]> {
  let summary = "lay a weight out in tiles of 32 rows";
  let description = [{
    The same values, bit for bit, in the layout that kernels read.
    ```mlir
    %p = llm.pack %w : !llm.weight<8192x2048, q4_0> -> !llm.packed<8192x2048, q4_0>
    ```
    Refused: a result of another shape or format.
  }];
  let arguments = (ins LLM_Weight:$source);
  let results = (outs LLM_Packed:$result);
  let assemblyFormat = "$source attr-dict `:` qualified(type($source)) `->` qualified(type($result))";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$weight), [{
    auto type = ::llvm::cast<WeightType>(weight.getType());
    build($_builder, $_state, PackedType::get(type.getContext(), type.getRows(), type.getCols(),
                                              type.getFormatId()), weight);
  }]>];
}

#endif
