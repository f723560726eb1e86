// RUN: sinter-opt %s --canonicalize-rope | FileCheck %s
// RUN: sinter-opt %s --canonicalize-rope=remarks --verify-diagnostics -o /dev/null

llm.kv_cache @kv.0 {heads = 2, head_dim = 64, positions = 128, type = f16}

// Queries (with a bias and a scale on the way) and keys: every weight and bias is permuted, values are not.
// CHECK-LABEL: func @qwen2(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x256xf32>, %[[WQ:[a-z0-9]+]]: !llm.weight<256x256, q8_0>,
// CHECK-SAME:    %[[BQ:[a-z0-9]+]]: tensor<256xf32>, %[[WK:[a-z0-9]+]]: !llm.weight<128x256, q8_0>
func.func @qwen2(%x: tensor<?x256xf32>, %wq: !llm.weight<256x256, q8_0>, %bq: tensor<256xf32>,
                 %wk: !llm.weight<128x256, q8_0>, %v: tensor<?x128xf32>, %f: tensor<16xf32>) -> tensor<?x256xf32> {
  // CHECK-DAG: %[[PQ:[a-z0-9]+]] = llm.permute_rows %[[WQ]] {head_dim = 64, rotary_dim = 32} : !llm.weight<256x256, q8_0>
  // CHECK-DAG: %[[LQ:[a-z0-9]+]] = llm.linear %[[X]], [%[[PQ]]]
  // CHECK-DAG: %[[PB:[a-z0-9]+]] = llm.permute_rows %[[BQ]] {head_dim = 64, rotary_dim = 32} : tensor<256xf32>
  // CHECK-DAG: %[[Q:[a-z0-9]+]] = llm.add_bias %[[LQ]], %[[PB]]
  // CHECK-DAG: %[[S:[a-z0-9]+]] = llm.scale %[[Q]]
  // CHECK-DAG: %[[QR:[a-z0-9]+]] = llm.rope %[[S]], %{{.*}} {head_dim = 64, rotary_dim = 32, order = interleaved}
  // CHECK-DAG: %[[PK:[a-z0-9]+]] = llm.permute_rows %[[WK]] {head_dim = 64, rotary_dim = 32} : !llm.weight<128x256, q8_0>
  // CHECK-DAG: %[[LK:[a-z0-9]+]] = llm.linear %[[X]], [%[[PK]]]
  // CHECK-DAG: %[[KR:[a-z0-9]+]] = llm.rope %[[LK]], %{{.*}} {head_dim = 64, rotary_dim = 32, order = interleaved}
  // CHECK:     llm.attention %[[QR]], %[[KR]], %{{.*}} in @kv.0
  %lq = llm.linear %x, [%wq] : tensor<?x256xf32>, !llm.weight<256x256, q8_0> -> tensor<?x256xf32>
  %q = llm.add_bias %lq, %bq : tensor<?x256xf32>
  %s = llm.scale %q {factor = 0.5} : tensor<?x256xf32>
  %qr = llm.rope %s, %f {head_dim = 64, rotary_dim = 32, order = halves} : tensor<?x256xf32>, tensor<16xf32>
  %k = llm.linear %x, [%wk] : tensor<?x256xf32>, !llm.weight<128x256, q8_0> -> tensor<?x128xf32>
  %kr = llm.rope %k, %f {head_dim = 64, rotary_dim = 32, order = halves} : tensor<?x128xf32>, tensor<16xf32>
  // expected-remark @+1 {{rows of the queries' and keys' weights permuted: the pairs of RoPE are neighbours}}
  %o = llm.attention %qr, %kr, %v in @kv.0 {heads = 4, kv_heads = 2, head_dim = 64, scale = 0.125}
         : tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32> -> tensor<?x256xf32>
  return %o : tensor<?x256xf32>
}

// Neighbours already.
// CHECK-LABEL: func @llama
// CHECK-NOT:     permute_rows
func.func @llama(%x: tensor<?x256xf32>, %wq: !llm.weight<256x256, q8_0>, %wk: !llm.weight<128x256, q8_0>,
                 %v: tensor<?x128xf32>, %f: tensor<32xf32>) -> tensor<?x256xf32> {
  %q = llm.linear %x, [%wq] : tensor<?x256xf32>, !llm.weight<256x256, q8_0> -> tensor<?x256xf32>
  %qr = llm.rope %q, %f {head_dim = 64, rotary_dim = 64, order = interleaved} : tensor<?x256xf32>, tensor<32xf32>
  %k = llm.linear %x, [%wk] : tensor<?x256xf32>, !llm.weight<128x256, q8_0> -> tensor<?x128xf32>
  %kr = llm.rope %k, %f {head_dim = 64, rotary_dim = 64, order = interleaved} : tensor<?x128xf32>, tensor<32xf32>
  %o = llm.attention %qr, %kr, %v in @kv.0 {heads = 4, kv_heads = 2, head_dim = 64, scale = 0.125}
         : tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32> -> tensor<?x256xf32>
  return %o : tensor<?x256xf32>
}

// The keys come from a norm: its gains are not permuted here, so the queries stay as they are, too.
// CHECK-LABEL: func @keys_from_norm
// CHECK-NOT:     permute_rows
func.func @keys_from_norm(%x: tensor<?x128xf32>, %wq: !llm.weight<256x128, q8_0>, %g: tensor<128xf32>,
                          %v: tensor<?x128xf32>, %f: tensor<32xf32>) -> tensor<?x256xf32> {
  %q = llm.linear %x, [%wq] : tensor<?x128xf32>, !llm.weight<256x128, q8_0> -> tensor<?x256xf32>
  %qr = llm.rope %q, %f {head_dim = 64, rotary_dim = 64, order = halves} : tensor<?x256xf32>, tensor<32xf32>
  %k = llm.rms_norm %x, %g {eps = 1.0e-5} : tensor<?x128xf32>
  %kr = llm.rope %k, %f {head_dim = 64, rotary_dim = 64, order = halves} : tensor<?x128xf32>, tensor<32xf32>
  // expected-remark @+1 {{left alone: its keys do not come from a linear op through bias and scale alone}}
  %o = llm.attention %qr, %kr, %v in @kv.0 {heads = 4, kv_heads = 2, head_dim = 64, scale = 0.125}
         : tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32> -> tensor<?x256xf32>
  return %o : tensor<?x256xf32>
}

// Another op reads the queries: to it their order matters.
// CHECK-LABEL: func @queries_read_twice
// CHECK-NOT:     permute_rows
func.func @queries_read_twice(%x: tensor<?x256xf32>, %wq: !llm.weight<256x256, q8_0>, %wk: !llm.weight<128x256, q8_0>,
                              %v: tensor<?x128xf32>, %f: tensor<32xf32>) -> (tensor<?x256xf32>, tensor<?x256xf32>) {
  %q = llm.linear %x, [%wq] : tensor<?x256xf32>, !llm.weight<256x256, q8_0> -> tensor<?x256xf32>
  %qr = llm.rope %q, %f {head_dim = 64, rotary_dim = 64, order = halves} : tensor<?x256xf32>, tensor<32xf32>
  %k = llm.linear %x, [%wk] : tensor<?x256xf32>, !llm.weight<128x256, q8_0> -> tensor<?x128xf32>
  %kr = llm.rope %k, %f {head_dim = 64, rotary_dim = 64, order = halves} : tensor<?x128xf32>, tensor<32xf32>
  // expected-remark @+1 {{left alone: its queries are read by another op in the order that they have}}
  %o = llm.attention %qr, %kr, %v in @kv.0 {heads = 4, kv_heads = 2, head_dim = 64, scale = 0.125}
         : tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32> -> tensor<?x256xf32>
  return %q, %o : tensor<?x256xf32>, tensor<?x256xf32>
}

// One rotated, the other not: permuting one alone would change the dot products.
// CHECK-LABEL: func @only_queries
// CHECK-NOT:     permute_rows
func.func @only_queries(%x: tensor<?x256xf32>, %wq: !llm.weight<256x256, q8_0>, %k: tensor<?x128xf32>,
                        %v: tensor<?x128xf32>, %f: tensor<32xf32>) -> tensor<?x256xf32> {
  %q = llm.linear %x, [%wq] : tensor<?x256xf32>, !llm.weight<256x256, q8_0> -> tensor<?x256xf32>
  %qr = llm.rope %q, %f {head_dim = 64, rotary_dim = 64, order = halves} : tensor<?x256xf32>, tensor<32xf32>
  // expected-remark @+1 {{left alone: its keys are not rotated in halves}}
  %o = llm.attention %qr, %k, %v in @kv.0 {heads = 4, kv_heads = 2, head_dim = 64, scale = 0.125}
         : tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32> -> tensor<?x256xf32>
  return %o : tensor<?x256xf32>
}
