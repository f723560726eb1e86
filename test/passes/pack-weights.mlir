// RUN: sinter-opt %s --pack-weights | FileCheck %s

// Tied embeddings: one packed value for both readers; a permuted weight is packed behind the permutation.
// CHECK-LABEL: func @tied
func.func @tied(%tokens: tensor<?xi32>, %targets: tensor<?xi32>) -> (tensor<?x64xf32>, tensor<?xf32>) {
  // CHECK-NEXT: %[[W:[a-z0-9]+]] = llm.weight "token_embd.weight"
  // CHECK-NEXT: %[[P:[a-z0-9]+]] = llm.pack %[[W]] : !llm.weight<100x64, q8_0> -> !llm.packed<100x64, q8_0>
  // CHECK-NEXT: %[[V:[a-z0-9]+]] = llm.weight "blk.0.attn_q.weight"
  // CHECK-NEXT: %[[R:[a-z0-9]+]] = llm.permute_rows %[[V]]
  // CHECK-NEXT: %[[Q:[a-z0-9]+]] = llm.pack %[[R]]
  // CHECK-NEXT: llm.embed %{{.*}}, %[[P]]
  // CHECK-NEXT: llm.linear %{{.*}}, [%[[Q]]]
  // CHECK-NEXT: llm.linear_score %{{.*}}, %[[P]]
  // CHECK-NOT:  llm.pack %
  %w = llm.weight "token_embd.weight" : !llm.weight<100x64, q8_0>
  %v = llm.weight "blk.0.attn_q.weight" : !llm.weight<64x64, q4_0>
  %r = llm.permute_rows %v {head_dim = 32, rotary_dim = 32} : !llm.weight<64x64, q4_0>
  %x = llm.embed %tokens, %w : tensor<?xi32>, !llm.weight<100x64, q8_0> -> tensor<?x64xf32>
  %y = llm.linear %x, [%r] : tensor<?x64xf32>, !llm.weight<64x64, q4_0> -> tensor<?x64xf32>
  %s = llm.linear_score %y, %w, %targets : tensor<?x64xf32>, !llm.weight<100x64, q8_0>, tensor<?xi32> -> tensor<?xf32>
  return %y, %s : tensor<?x64xf32>, tensor<?xf32>
}

// Packed already, and a weight that no kernel reads: nothing to do.
// CHECK-LABEL: func @packed
// CHECK-NOT:     llm.pack %
func.func @packed(%x: tensor<?x64xf32>, %w: !llm.packed<64x64, q4_0>, %v: !llm.weight<64x64, f16>, %s: tensor<64xf32>)
    -> (tensor<?x64xf32>, !llm.weight<64x64, f16>) {
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.packed<64x64, q4_0> -> tensor<?x64xf32>
  %z = llm.scale_columns %v, %s : !llm.weight<64x64, f16>, tensor<64xf32>
  return %y, %z : tensor<?x64xf32>, !llm.weight<64x64, f16>
}
