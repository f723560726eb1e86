//===- Qwen2.cpp - Qwen 2 and 2.5 -----------------------------------------===//
//
//   x += attn_output(attention(rope(attn_q(n) + bq), rope(attn_k(n) + bk), attn_v(n) + bv))    n =
//   attn_norm(x) x += ffn_down(silu(ffn_gate(n)) * ffn_up(n)) n = ffn_norm(x)
//
// As Llama, but queries, keys and values have biases, and RoPE pairs an element of a head's first
// half with the one of its second half.
//
//===----------------------------------------------------------------------===//
#include "compiler/import/DecoderBuilder.h"
#include "compiler/import/Families.h"

using namespace mlir;
using namespace sinter;
using sinter::llm::Activation;
using sinter::llm::RopeOrder;

void sinter::importQwen2(DecoderBuilder &b) {
  const Hyperparameters &h = b.numbers();
  constexpr auto bias = DecoderBuilder::Bias::required;
  b.body([&](Value x) {
    Value n = b.rmsNorm(x, "attn_norm");
    Value q = b.rope(b.linear(n, "attn_q", h.queryWidth(), bias), RopeOrder::halves, "rope_q");
    Value k = b.rope(b.linear(n, "attn_k", h.kvWidth(), bias), RopeOrder::halves, "rope_k");
    Value v = b.linear(n, "attn_v", h.kvWidth(), bias);
    Value o = b.linear(b.attention(q, k, v, "attention"), "attn_output", h.embedding);
    x = b.add(x, o, "attn_residual");

    n = b.rmsNorm(x, "ffn_norm");
    Value gate = b.linear(n, "ffn_gate", h.feedForward);
    Value up = b.linear(n, "ffn_up", h.feedForward);
    Value down = b.linear(b.glu(gate, up, Activation::silu, "ffn_glu"), "ffn_down", h.embedding);
    return b.add(x, down, "ffn_residual");
  });
  b.headAndScore();
}
