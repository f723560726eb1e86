// RUN: sinter-opt %s --phase-fuse --phase-tile | FileCheck %s

// What no fusion takes in still compiles, as a kernel of its own: gate and up of different formats, a scale and a bias
// behind an embedding, a sum of two values that no linear layer computes. The tied embedding is one constant.
// CHECK-COUNT-1: exec.buffer constant @token_embd
// CHECK-NOT:     exec.buffer constant @token_embd
// CHECK-LABEL:   exec.program @prefill
// CHECK:         exec.dispatch @embed_q8_0_96x64
// CHECK:         exec.dispatch @scale_64
// CHECK:         exec.dispatch @add_bias_64
// CHECK:         exec.dispatch @quantize_64
// CHECK:         exec.dispatch @linear_q4_0_i8_96x64
// CHECK:         exec.dispatch @linear_q8_0_i8_96x64
// CHECK:         exec.dispatch @glu_96
// CHECK:         exec.dispatch @quantize_96
// CHECK:         exec.dispatch @add_64
// CHECK:         exec.dispatch @linear_q8_0_i8_add_64x96
module attributes {llm.architecture = "llama", llm.name = "t", llm.source = "t.gguf", llm.context = 64 : i64,
                   llm.trained_context = 64 : i64, llm.chunk = 32 : i64, llm.vocabulary = 96 : i64,
                   llm.layers = 1 : i64, llm.embedding = 64 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8,
                                 variants = [<"avx2" needs ["avx2", "fma", "f16c"]>]>} {
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<96x64, q8_0>
    %x = llm.embed %tokens, %w : tensor<?xi32>, !llm.weight<96x64, q8_0> -> tensor<?x64xf32>
    %b = llm.parameter "b" : tensor<64xf32>
    %s = llm.scale %x {factor = 0.5} : tensor<?x64xf32>
    %c = llm.add_bias %s, %b : tensor<?x64xf32>
    %wg = llm.weight "g" : !llm.weight<96x64, q4_0>
    %wu = llm.weight "u" : !llm.weight<96x64, q8_0>
    %wd = llm.weight "d" : !llm.weight<64x96, q8_0>
    %q = llm.quantize_acts %c : tensor<?x64xf32>
    %g = llm.linear %q, [%wg] : !llm.acts<?x64, i8 per 32>, !llm.weight<96x64, q4_0> -> tensor<?x96xf32>
    %u = llm.linear %q, [%wu] : !llm.acts<?x64, i8 per 32>, !llm.weight<96x64, q8_0> -> tensor<?x96xf32>
    %h = llm.glu %g, %u {activation = silu} : tensor<?x96xf32>
    %ha = llm.quantize_acts %h : tensor<?x96xf32>
    %d = llm.linear %ha, [%wd] : !llm.acts<?x96, i8 per 32>, !llm.weight<64x96, q8_0> -> tensor<?x64xf32>
    %y = llm.add %x, %c : tensor<?x64xf32>
    %z = llm.add %y, %d : tensor<?x64xf32>
    return %z : tensor<?x64xf32>
  }
  func.func @head(%h: tensor<?x64xf32>) -> tensor<1x96xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<96x64, q8_0>
    %l = llm.last_token %h : tensor<?x64xf32> -> tensor<1x64xf32>
    %q = llm.quantize_acts %l : tensor<1x64xf32>
    %y = llm.linear %q, [%w] : !llm.acts<1x64, i8 per 32>, !llm.weight<96x64, q8_0> -> tensor<1x96xf32>
    return %y : tensor<1x96xf32>
  }
  func.func @score(%h: tensor<?x64xf32>, %targets: tensor<?xi32>) -> tensor<?xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<96x64, q8_0>
    %q = llm.quantize_acts %h : tensor<?x64xf32>
    %y = llm.linear %q, [%w] : !llm.acts<?x64, i8 per 32>, !llm.weight<96x64, q8_0> -> tensor<?x96xf32>
    %s = llm.log_likelihood %y, %targets : tensor<?x96xf32>, tensor<?xi32> -> tensor<?xf32>
    return %s : tensor<?xf32>
  }
}
}
