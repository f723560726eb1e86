//===- Llama.cpp - Llama 1 to 3, Mistral, TinyLlama, SmolLM, ... ----------===//
//
//   x += attn_output(attention(rope(attn_q(n)), rope(attn_k(n)), attn_v(n)))     n = attn_norm(x)
//   x += ffn_down(silu(ffn_gate(n)) * ffn_up(n))                                 n = ffn_norm(x)
//
// Converters store the rows of attn_q and attn_k permuted, so that RoPE's pairs are neighbours
// (interleaved). Llama 3 divides the frequencies by the tensor rope_freqs.weight. Biases are rare
// (InternLM has them).
//
//===----------------------------------------------------------------------===//
#include "compiler/import/DecoderBuilder.h"
#include "compiler/import/Families.h"

using namespace mlir;
using namespace sinter;
using sinter::llm::Activation;
using sinter::llm::RopeOrder;

void sinter::importLlama(DecoderBuilder &b) {
  const Hyperparameters &h = b.numbers();
  constexpr auto bias = DecoderBuilder::Bias::optional;
  b.allowRopeFactors();
  b.body([&](Value x) {
    Value n = b.rmsNorm(x, "attn_norm");
    Value q = b.rope(b.linear(n, "attn_q", h.queryWidth(), bias), RopeOrder::interleaved, "rope_q");
    Value k = b.rope(b.linear(n, "attn_k", h.kvWidth(), bias), RopeOrder::interleaved, "rope_k");
    Value v = b.linear(n, "attn_v", h.kvWidth(), bias);
    Value o = b.linear(b.attention(q, k, v, "attention"), "attn_output", h.embedding, bias);
    x = b.add(x, o, "attn_residual");

    n = b.rmsNorm(x, "ffn_norm");
    Value gate = b.linear(n, "ffn_gate", h.feedForward, bias);
    Value up = b.linear(n, "ffn_up", h.feedForward, bias);
    Value down =
        b.linear(b.glu(gate, up, Activation::silu, "ffn_glu"), "ffn_down", h.embedding, bias);
    return b.add(x, down, "ffn_residual");
  });
  b.headAndScore();
}
