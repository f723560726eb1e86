// RUN: sinter-opt %s --phase-fuse | FileCheck %s

// A layer of Qwen 2 after quantize: biases, RoPE in halves, grouped queries. Of 22 ops nine are left, each a kernel:
// norm, three projections, attention, its output, norm, gate and up, down.
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx2">]>,
                             llm.context = 100 : i64} {
  llm.kv_cache @kv.0 {heads = 1, head_dim = 32, positions = 100, type = f16}

  // CHECK-LABEL: func @body(
  // CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x64xf32>)
  func.func @body(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
    // CHECK-DAG: %[[F:[a-z0-9]+]] = llm.rope_frequencies
    // CHECK-DAG: %[[T:[a-z0-9]+]] = llm.rope_table %[[F]] : tensor<16xf32> -> tensor<100x32xf32>
    // CHECK-DAG: %[[WQ:[a-z0-9]+]] = llm.weight "blk.0.attn_q.weight"
    // CHECK-DAG: %[[MQ:[a-z0-9]+]] = llm.permute_rows %[[WQ]]
    // CHECK-DAG: %[[PQ:[a-z0-9]+]] = llm.pack %[[MQ]]
    // CHECK-DAG: %[[WK:[a-z0-9]+]] = llm.weight "blk.0.attn_k.weight"
    // CHECK-DAG: %[[MK:[a-z0-9]+]] = llm.permute_rows %[[WK]]
    // CHECK-DAG: %[[PK:[a-z0-9]+]] = llm.pack %[[MK]]
    // CHECK-DAG: %[[WV:[a-z0-9]+]] = llm.weight "blk.0.attn_v.weight"
    // CHECK-DAG: %[[PV:[a-z0-9]+]] = llm.pack %[[WV]]
    // CHECK-DAG: %[[BK:[a-z0-9]+]] = llm.parameter "blk.0.attn_k.bias"
    // CHECK-DAG: %[[MB:[a-z0-9]+]] = llm.permute_rows %[[BK]]
    // CHECK-DAG: %[[A:[a-z0-9]+]] = llm.norm_quantize %[[X]]
    // CHECK-DAG: %[[Q:[a-z0-9]+]] = llm.linear %[[A]], [%[[PQ]]] bias(%{{.*}}) rope(%[[T]] : tensor<100x32xf32>) epilogue
    // CHECK-DAG: %[[K:[a-z0-9]+]] = llm.linear %[[A]], [%[[PK]]] bias(%[[MB]]) rope(%[[T]] : tensor<100x32xf32>) append keys to @kv.0 epilogue
    // CHECK-DAG: %[[V:[a-z0-9]+]] = llm.linear %[[A]], [%[[PV]]] bias(%{{.*}}) append values to @kv.0 epilogue
    // CHECK:     %[[O:[a-z0-9]+]] = llm.attention %[[Q]], %[[K]], %[[V]] in @kv.0 {{.*}} -> !llm.acts<?x64, i8 per 32>
    // CHECK:     %[[Y:[a-z0-9]+]] = llm.linear %[[O]], [%{{.*}}] residual(%[[X]]) epilogue
    // CHECK:     } : !llm.acts<?x64, i8 per 32>, !llm.packed<64x64, q8_0> -> tensor<?x64xf32>
    // CHECK:     %[[N:[a-z0-9]+]] = llm.norm_quantize %[[Y]]
    // CHECK:     %[[H:[a-z0-9]+]] = llm.linear %[[N]], [%{{.*}}, %{{.*}}] epilogue
    // CHECK:     } : {{.*}} -> !llm.acts<?x128, i8 per 32>
    // CHECK:     %[[Z:[a-z0-9]+]] = llm.linear %[[H]], [%{{.*}}] residual(%[[Y]]) epilogue
    // CHECK:     } : !llm.acts<?x128, i8 per 32>, !llm.packed<64x128, q4_0> -> tensor<?x64xf32>
    // CHECK-NEXT: return %[[Z]]
    %f = llm.rope_frequencies {base = 1.0e6, scale = 1.0} : tensor<16xf32>
    %g = llm.parameter "blk.0.attn_norm.weight" : tensor<64xf32>
    %n = llm.rms_norm %x, %g {eps = 1.0e-6} : tensor<?x64xf32>
    %a = llm.quantize_acts %n : tensor<?x64xf32>
    %wq = llm.weight "blk.0.attn_q.weight" : !llm.weight<64x64, q8_0>
    %bq = llm.parameter "blk.0.attn_q.bias" : tensor<64xf32>
    %lq = llm.linear %a, [%wq] : !llm.acts<?x64, i8 per 32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
    %cq = llm.add_bias %lq, %bq : tensor<?x64xf32>
    %q = llm.rope %cq, %f {head_dim = 32, rotary_dim = 32, order = halves} : tensor<?x64xf32>, tensor<16xf32>
    %wk = llm.weight "blk.0.attn_k.weight" : !llm.weight<32x64, q8_0>
    %bk = llm.parameter "blk.0.attn_k.bias" : tensor<32xf32>
    %lk = llm.linear %a, [%wk] : !llm.acts<?x64, i8 per 32>, !llm.weight<32x64, q8_0> -> tensor<?x32xf32>
    %ck = llm.add_bias %lk, %bk : tensor<?x32xf32>
    %k = llm.rope %ck, %f {head_dim = 32, rotary_dim = 32, order = halves} : tensor<?x32xf32>, tensor<16xf32>
    %wv = llm.weight "blk.0.attn_v.weight" : !llm.weight<32x64, q4_0>
    %bv = llm.parameter "blk.0.attn_v.bias" : tensor<32xf32>
    %lv = llm.linear %a, [%wv] : !llm.acts<?x64, i8 per 32>, !llm.weight<32x64, q4_0> -> tensor<?x32xf32>
    %v = llm.add_bias %lv, %bv : tensor<?x32xf32>
    %o = llm.attention %q, %k, %v in @kv.0 {heads = 2, kv_heads = 1, head_dim = 32, scale = 0.176}
           : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32> -> tensor<?x64xf32>
    %oa = llm.quantize_acts %o : tensor<?x64xf32>
    %wo = llm.weight "blk.0.attn_output.weight" : !llm.weight<64x64, q8_0>
    %p = llm.linear %oa, [%wo] : !llm.acts<?x64, i8 per 32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
    %y = llm.add %x, %p : tensor<?x64xf32>
    %g2 = llm.parameter "blk.0.ffn_norm.weight" : tensor<64xf32>
    %n2 = llm.rms_norm %y, %g2 {eps = 1.0e-6} : tensor<?x64xf32>
    %a2 = llm.quantize_acts %n2 : tensor<?x64xf32>
    %wg = llm.weight "blk.0.ffn_gate.weight" : !llm.weight<128x64, q4_0>
    %wu = llm.weight "blk.0.ffn_up.weight" : !llm.weight<128x64, q4_0>
    %gate = llm.linear %a2, [%wg] : !llm.acts<?x64, i8 per 32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
    %up = llm.linear %a2, [%wu] : !llm.acts<?x64, i8 per 32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
    %h = llm.glu %gate, %up {activation = silu} : tensor<?x128xf32>
    %ha = llm.quantize_acts %h : tensor<?x128xf32>
    %wd = llm.weight "blk.0.ffn_down.weight" : !llm.weight<64x128, q4_0>
    %d = llm.linear %ha, [%wd] : !llm.acts<?x128, i8 per 32>, !llm.weight<64x128, q4_0> -> tensor<?x64xf32>
    %z = llm.add %y, %d : tensor<?x64xf32>
    return %z : tensor<?x64xf32>
  }
}
