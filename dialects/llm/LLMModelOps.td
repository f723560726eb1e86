//===- LLMModelOps.td - What a model computes, but its linear layers ------===//
#ifndef SINTER_DIALECTS_LLM_MODEL_OPS_TD
#define SINTER_DIALECTS_LLM_MODEL_OPS_TD

include "dialects/llm/LLMAttrs.td"
include "dialects/llm/LLMTypes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class LLM_ModelOp<string mnemonic, list<Trait> traits = []> : Op<LLM_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

def LLM_EmbedOp : LLM_ModelOp<"embed", [Pure]> {
  let summary = "the embedding of each token";
  let description = [{
    Row t of the result is row `tokens[t]` of the weight, times `scale`. A token that the vocabulary does not
    have is refused by the runtime, before.
    ```mlir
    %x = llm.embed %tokens, %w : tensor<?xi32>, !llm.weight<32000x2048, q4_0> -> tensor<?x2048xf32>
    ```
    Refused: a width that is not the weight's columns; other tokens in the result.
  }];
  let arguments = (ins LLM_Tokens:$tokens, LLM_AnyWeight:$weight, DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs LLM_Rows:$result);
  let assemblyFormat = [{
    $tokens `,` $weight (` ` `{` `scale` `=` custom<Number>($scale)^ `}`)? attr-dict
    `:` type($tokens) `,` qualified(type($weight)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def LLM_RmsNormOp : LLM_ModelOp<"rms_norm", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "x / sqrt(mean(x²) + eps) * gain, a token at a time";
  let description = [{
    ```mlir
    %n = llm.rms_norm %x, %g {eps = 1.0e-5} : tensor<?x2048xf32>
    ```
    The gain's type follows from that of x. Refused: eps below zero or not finite.
  }];
  let arguments = (ins LLM_Rows:$x, LLM_Vector:$gain, F64Attr:$eps);
  let results = (outs LLM_Rows:$result);
  let assemblyFormat = [{
    $x `,` $gain ` ` `{` `eps` `=` custom<Number>($eps) `}` attr-dict `:` custom<RowsAndVector>(type($x), type($gain))
  }];
  let hasVerifier = 1;
}

def LLM_AddOp : LLM_ModelOp<"add", [Pure, Commutative, SameOperandsAndResultType]> {
  let summary = "sum of two activations: the residual stream";
  let description = [{
    ```mlir
    %y = llm.add %x, %d : tensor<?x2048xf32>
    ```
  }];
  let arguments = (ins LLM_Rows:$lhs, LLM_Rows:$rhs);
  let results = (outs LLM_Rows:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def LLM_AddBiasOp : LLM_ModelOp<"add_bias", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "add a vector to each token";
  let description = [{
    ```mlir
    %y = llm.add_bias %x, %b : tensor<?x2048xf32>
    ```
    The bias's type follows from that of x.
  }];
  let arguments = (ins LLM_Rows:$x, LLM_Vector:$bias);
  let results = (outs LLM_Rows:$result);
  let assemblyFormat = "$x `,` $bias attr-dict `:` custom<RowsAndVector>(type($x), type($bias))";
  let hasVerifier = 1;
}

def LLM_ScaleOp : LLM_ModelOp<"scale", [Pure, SameOperandsAndResultType]> {
  let summary = "multiply all elements by a number";
  let description = [{
    ```mlir
    %y = llm.scale %x {factor = 0.125} : tensor<?x2048xf32>
    ```
    Folds: a factor of 1 is nothing. Refused: a factor that is not finite.
  }];
  let arguments = (ins LLM_Rows:$x, F64Attr:$factor);
  let results = (outs LLM_Rows:$result);
  let assemblyFormat = "$x ` ` `{` `factor` `=` custom<Number>($factor) `}` attr-dict `:` qualified(type($x))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def LLM_GluOp : LLM_ModelOp<"glu", [Pure, SameOperandsAndResultType]> {
  let summary = "activation(gate) * up";
  let description = [{
    ```mlir
    %h = llm.glu %gate, %up {activation = silu} : tensor<?x8192xf32>
    ```
  }];
  let arguments = (ins LLM_Rows:$gate, LLM_Rows:$up, LLM_ActivationAttr:$activation);
  let results = (outs LLM_Rows:$result);
  let assemblyFormat = [{
    $gate `,` $up ` ` `{` `activation` `=` custom<Word>($activation) `}` attr-dict `:` type($result)
  }];
}

def LLM_LastTokenOp : LLM_ModelOp<"last_token", [Pure]> {
  let summary = "the row of a step's last token";
  let description = [{
    ```mlir
    %l = llm.last_token %h : tensor<?x2048xf32> -> tensor<1x2048xf32>
    ```
    Folds: the last of one token is that token. Refused: another width, or more than one token in the result.
  }];
  let arguments = (ins LLM_Rows:$x);
  let results = (outs LLM_Rows:$result);
  let assemblyFormat = "$x attr-dict `:` qualified(type($x)) `->` qualified(type($result))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Quantized activations
//===----------------------------------------------------------------------===//

def LLM_QuantizeActsOp : LLM_ModelOp<"quantize_acts", [Pure]> {
  let summary = "round activations to 8 bits in groups of 32";
  let description = [{
    For each group of 32 elements: scale = max|x| / 127, code = x / scale rounded to the nearest integer (half
    to even); a group of zeros has scale 0 and codes 0. Kernels may take 120 for 127 (`!tile.acts<.., crossed>`), or
    a scale up to a quarter larger (`stepped`).
    ```mlir
    %q = llm.quantize_acts %x : tensor<?x2048xf32>
    ```
    The result is `!llm.acts` of the same shape; a width that is no multiple of 32 is refused.
  }];
  let arguments = (ins LLM_Rows:$x);
  let results = (outs LLM_Acts:$result);
  let assemblyFormat = "$x attr-dict `:` custom<RowsToActs>(type($x), type($result))";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$x), [{
    build($_builder, $_state, ActsType::getFor(::llvm::cast<::mlir::RankedTensorType>(x.getType())), x);
  }]>];
}

def LLM_NormQuantizeOp : LLM_ModelOp<"norm_quantize", [Pure]> {
  let summary = "quantize_acts(rms_norm(x))";
  let description = [{
    ```mlir
    %q = llm.norm_quantize %x, %g {eps = 1.0e-5} : tensor<?x2048xf32>
    ```
    Refused: what `llm.rms_norm` and `llm.quantize_acts` refuse.
  }];
  let arguments = (ins LLM_Rows:$x, LLM_Vector:$gain, F64Attr:$eps);
  let results = (outs LLM_Acts:$result);
  let assemblyFormat = [{
    $x `,` $gain ` ` `{` `eps` `=` custom<Number>($eps) `}` attr-dict
    `:` custom<NormToActs>(type($x), type($gain), type($result))
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def LLM_RopeOp : LLM_ModelOp<"rope", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "rotary position embedding";
  let description = [{
    In each head, pair i of the first `rotary_dim` elements is turned by the angle f_i * position:
    (a, b) becomes (a cos - b sin, a sin + b cos). `order` says which elements are a pair. The angles are
    frequencies, or a table made from them.
    ```mlir
    %r = llm.rope %q, %f {head_dim = 64, rotary_dim = 64, order = halves} : tensor<?x2048xf32>, tensor<32xf32>
    ```
    Refused: `rotary_dim` odd, above `head_dim`, or other than two for each frequency; a width that is no
    multiple of `head_dim`.
  }];
  let arguments = (ins LLM_Rows:$x, AnyTypeOf<[LLM_Vector, LLM_Table]>:$angles, LLM_Size:$head_dim,
                       LLM_Size:$rotary_dim, LLM_RopeOrderAttr:$order);
  let results = (outs LLM_Rows:$result);
  let assemblyFormat = [{
    $x `,` $angles ` ` `{` `head_dim` `=` $head_dim `,` `rotary_dim` `=` $rotary_dim `,`
    `order` `=` custom<Word>($order) `}` attr-dict `:` qualified(type($x)) `,` type($angles)
  }];
  let hasVerifier = 1;
}

def LLM_KvCacheOp : LLM_ModelOp<"kv_cache", [Symbol]> {
  let summary = "keys and values of a layer's past tokens: the state of a session";
  let description = [{
    Room for `positions` tokens of `heads` x `head_dim` numbers, keys and values each.
    ```mlir
    llm.kv_cache @kv.0 {heads = 8, head_dim = 64, positions = 4096, type = f16}
    ```
    Rows are rounded to the type when they are appended. For i8 the elements of a head are taken in groups of
    gcd(head_dim, 32) neighbours: scale = max|v| / 127, as f32, and v becomes the integer next to v / scale (ties to
    even) times scale.

    Refused: a type other than f16, f32 and i8; i8 where `head_dim` is no multiple of 8.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, LLM_Size:$heads, LLM_Size:$head_dim, LLM_Size:$positions,
                       TypeAttrOf<AnyTypeOf<[F16, F32, I8], "f16, f32 or i8">>:$element_type);
  let assemblyFormat = [{
    $sym_name ` ` `{` `heads` `=` $heads `,` `head_dim` `=` $head_dim `,` `positions` `=` $positions `,`
    `type` `=` $element_type `}` attr-dict
  }];
  let hasVerifier = 1;
}

def LLM_AppendOp : LLM_ModelOp<"append",
    [DeclareOpInterfaceMethods<SymbolUserOpInterface>, MemoryEffects<[MemWrite]>]> {
  let summary = "write a step's keys or values behind those of the past tokens";
  let description = [{
    ```mlir
    %a = llm.append %k to @kv.0 {part = keys} : tensor<?x512xf32>
    ```
    Refused: a cache that does not exist or has another width.
  }];
  let arguments = (ins LLM_Rows:$x, FlatSymbolRefAttr:$cache, LLM_KvPartAttr:$part);
  let results = (outs LLM_Appended:$result);
  let assemblyFormat = [{
    $x `to` $cache ` ` `{` `part` `=` custom<Word>($part) `}` attr-dict `:` qualified(type($x))
  }];
}

def LLM_AttentionOp : LLM_ModelOp<"attention", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                                DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "causal attention over the cache";
  let description = [{
    Head h of the queries attends to head h * kv_heads / heads of the cache: softmax(scale * q·k) over the
    positions up to the token's own, times the values. `k` and `v` are the step's rows, which the op then
    appends itself, or the tokens of the appends that wrote them.
    ```mlir
    %o = llm.attention %q, %k, %v in @kv.0 {heads = 32, kv_heads = 8, head_dim = 64, scale = 0.125}
           : tensor<?x2048xf32>, tensor<?x512xf32>, tensor<?x512xf32> -> tensor<?x2048xf32>
    ```
    Refused: `heads` no multiple of `kv_heads`; widths that are not heads * head_dim; one of `k`, `v` appended
    and the other not; a cache of another shape; an `acts` result where `head_dim` is no multiple of 32.
  }];
  let arguments = (ins LLM_Rows:$q, AnyTypeOf<[LLM_Rows, LLM_Appended]>:$k,
                       AnyTypeOf<[LLM_Rows, LLM_Appended]>:$v, FlatSymbolRefAttr:$cache, LLM_Size:$heads,
                       LLM_Size:$kv_heads, LLM_Size:$head_dim, F64Attr:$scale);
  let results = (outs LLM_AnyActs:$result);
  let assemblyFormat = [{
    $q `,` $k `,` $v `in` $cache ` ` `{` `heads` `=` $heads `,` `kv_heads` `=` $kv_heads `,`
    `head_dim` `=` $head_dim `,` `scale` `=` custom<Number>($scale) `}` attr-dict
    `:` type($q) `,` qualified(type($k)) `,` qualified(type($v)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The op writes the step's rows into the cache before it reads them.
    bool appends() { return ::llvm::isa<::mlir::RankedTensorType>(getK().getType()); }
  }];
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

def LLM_LogLikelihoodOp : LLM_ModelOp<"log_likelihood", [Pure]> {
  let summary = "log softmax(logits)[target], a token at a time";
  let description = [{
    ```mlir
    %s = llm.log_likelihood %logits, %targets : tensor<?x32000xf32>, tensor<?xi32> -> tensor<?xf32>
    ```
    Refused: different numbers of tokens.
  }];
  let arguments = (ins LLM_Rows:$logits, LLM_Tokens:$targets);
  let results = (outs LLM_Scores:$result);
  let assemblyFormat = [{
    $logits `,` $targets attr-dict `:` type($logits) `,` type($targets) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def LLM_LinearScoreOp : LLM_ModelOp<"linear_score", [Pure]> {
  let summary = "log_likelihood of the logits x·Wᵀ, which are never written";
  let description = [{
    ```mlir
    %s = llm.linear_score %x, %w, %targets
           : tensor<?x2048xf32>, !llm.weight<32000x2048, q4_0>, tensor<?xi32> -> tensor<?xf32>
    ```
    Refused: what `llm.linear` and `llm.log_likelihood` refuse.
  }];
  let arguments = (ins LLM_AnyActs:$x, LLM_AnyWeight:$weight, LLM_Tokens:$targets);
  let results = (outs LLM_Scores:$result);
  let assemblyFormat = [{
    $x `,` $weight `,` $targets attr-dict
    `:` qualified(type($x)) `,` qualified(type($weight)) `,` type($targets) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

#endif
