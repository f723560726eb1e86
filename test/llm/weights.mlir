// RUN: sinter-opt %s | sinter-opt | FileCheck %s
// RUN: sinter-opt %s --mlir-print-op-generic | sinter-opt | FileCheck %s

// Every recipe op, and every format, is written as it is read.

// CHECK-LABEL: func @recipes
func.func @recipes() {
  // CHECK: %[[W:.*]] = llm.weight "blk.0.attn_q.weight" : !llm.weight<256x128, q4_0>
  %w = llm.weight "blk.0.attn_q.weight" : !llm.weight<256x128, q4_0>
  // CHECK: %[[P:.*]] = llm.permute_rows %[[W]] {head_dim = 64, rotary_dim = 32} : !llm.weight<256x128, q4_0>
  %p = llm.permute_rows %w {head_dim = 64, rotary_dim = 32} : !llm.weight<256x128, q4_0>
  // CHECK: llm.pack %[[P]] : !llm.weight<256x128, q4_0> -> !llm.packed<256x128, q4_0>
  %k = llm.pack %p : !llm.weight<256x128, q4_0> -> !llm.packed<256x128, q4_0>

  // CHECK: %[[B:.*]] = llm.parameter "blk.0.attn_q.bias" : tensor<256xf32>
  %b = llm.parameter "blk.0.attn_q.bias" : tensor<256xf32>
  // CHECK: llm.permute_rows %[[B]] {head_dim = 64, rotary_dim = 64} : tensor<256xf32>
  %pb = llm.permute_rows %b {head_dim = 64, rotary_dim = 64} : tensor<256xf32>



  // CHECK: %[[H:.*]] = llm.weight "h" : !llm.weight<256x256, f16>
  %h = llm.weight "h" : !llm.weight<256x256, f16>
  // CHECK: llm.scale_columns %[[H]], %[[B]] : !llm.weight<256x256, f16>, tensor<256xf32>
  %s = llm.scale_columns %h, %b : !llm.weight<256x256, f16>, tensor<256xf32>

  // CHECK: %[[F:.*]] = llm.rope_frequencies {base = 10000.0, scale = 0.125} : tensor<32xf32>
  %f = llm.rope_frequencies {base = 10000.0, scale = 0.125} : tensor<32xf32>
  // CHECK: %[[FACTORS:.*]] = llm.parameter "rope_freqs.weight" : tensor<32xf32>
  %factors = llm.parameter "rope_freqs.weight" : tensor<32xf32>
  // CHECK: %[[D:.*]] = llm.div %[[F]], %[[FACTORS]] : tensor<32xf32>
  %d = llm.div %f, %factors : tensor<32xf32>
  // CHECK: llm.rope_table %[[D]] : tensor<32xf32> -> tensor<512x64xf32>
  %t = llm.rope_table %d : tensor<32xf32> -> tensor<512x64xf32>
  func.return
}

// CHECK-LABEL: func private @formats
// CHECK-SAME: !llm.weight<3x5, f32>, !llm.weight<3x5, f16>, !llm.weight<3x5, bf16>
// CHECK-SAME: !llm.weight<3x32, q8_0>, !llm.weight<3x32, q4_0>, !llm.weight<3x32, q5_0>
// CHECK-SAME: !llm.packed<3x256, q4_k>, !llm.packed<3x256, q6_k>
func.func private @formats(!llm.weight<3x5, f32>, !llm.weight<3x5, f16>, !llm.weight<3x5, bf16>,
                           !llm.weight<3x32, q8_0>, !llm.weight<3x32, q4_0>, !llm.weight<3x32, q5_0>,
                           !llm.packed<3x256, q4_k>, !llm.packed<3x256, q6_k>)

// CHECK-LABEL: func private @activations
// CHECK-SAME: !llm.acts<?x64, i8 per 32>, !llm.acts<1x32, i8 per 32>, !llm.appended
func.func private @activations(!llm.acts<?x64, i8 per 32>, !llm.acts<1x32, i8 per 32>, !llm.appended)
