//===- LLMAttrs.td - Words that choose among forms of an op ---------------===//
#ifndef SINTER_DIALECTS_LLM_ATTRS_TD
#define SINTER_DIALECTS_LLM_ATTRS_TD

include "dialects/llm/LLMDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class LLM_Word<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::sinter::llm";
  let genSpecializedAttr = 0;
}

class LLM_WordAttr<EnumAttrInfo info, string word> : EnumAttr<LLM_Dialect, info, word> {
  let assemblyFormat = "`<` $value `>`";
}

/// silu(x) = x / (1 + exp(-x)); gelu(x) = x/2 (1 + erf(x/sqrt 2)); gelu_tanh is its usual approximation
/// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))); relu(x) = max(x, 0).
def LLM_Activation : LLM_Word<"Activation", "activation function of a gated unit", [
  I32EnumAttrCase<"silu", 0>, I32EnumAttrCase<"gelu", 1>, I32EnumAttrCase<"gelu_tanh", 2>,
  I32EnumAttrCase<"relu", 3>]>;
def LLM_ActivationAttr : LLM_WordAttr<LLM_Activation, "activation">;

/// Which elements of a head make a pair: 2i and 2i + 1 (interleaved), or i and i + rotary_dim/2 (halves).
def LLM_RopeOrder : LLM_Word<"RopeOrder", "how RoPE pairs the elements of a head", [
  I32EnumAttrCase<"interleaved", 0>, I32EnumAttrCase<"halves", 1>]>;
def LLM_RopeOrderAttr : LLM_WordAttr<LLM_RopeOrder, "rope_order">;

def LLM_KvPart : LLM_Word<"KvPart", "part of a KV cache", [
  I32EnumAttrCase<"keys", 0>, I32EnumAttrCase<"values", 1>]>;
def LLM_KvPartAttr : LLM_WordAttr<LLM_KvPart, "kv_part">;

/// A number of rows, heads, ...: at least 1.
def LLM_Size : ConfinedAttr<
  TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit signless integer attribute">, [IntPositive]>;

#endif
