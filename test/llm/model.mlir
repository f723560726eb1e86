// RUN: sinter-opt %s | sinter-opt | FileCheck %s
// RUN: sinter-opt %s --mlir-print-op-generic | sinter-opt | FileCheck %s

// Every op of a model but llm.linear is written as it is read.

// CHECK: llm.kv_cache @kv.i8 {heads = 2, head_dim = 40, positions = 512, type = i8}
llm.kv_cache @kv.i8 {heads = 2, head_dim = 40, positions = 512, type = i8}
// CHECK: llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}
llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}

// CHECK-LABEL: func @body
func.func @body(%tokens: tensor<?xi32>, %w: !llm.weight<300x128, q8_0>, %packed: !llm.packed<300x128, q8_0>,
                %g: tensor<128xf32>) -> tensor<?x128xf32> {
  // CHECK: %[[X:.*]] = llm.embed %{{.*}}, %{{.*}} : tensor<?xi32>, !llm.weight<300x128, q8_0> -> tensor<?x128xf32>
  %x = llm.embed %tokens, %w : tensor<?xi32>, !llm.weight<300x128, q8_0> -> tensor<?x128xf32>
  // CHECK: llm.embed %{{.*}}, %{{.*}} {scale = 12.0} : tensor<?xi32>, !llm.packed<300x128, q8_0>
  %s = llm.embed %tokens, %packed {scale = 12.0} : tensor<?xi32>, !llm.packed<300x128, q8_0> -> tensor<?x128xf32>
  // CHECK: llm.rms_norm %[[X]], %{{.*}} {eps = 1.0e-05} : tensor<?x128xf32>
  %n = llm.rms_norm %x, %g {eps = 1.0e-5} : tensor<?x128xf32>
  // CHECK: llm.add %{{.*}}, %{{.*}} : tensor<?x128xf32>
  %a = llm.add %n, %s : tensor<?x128xf32>
  // CHECK: llm.add_bias %{{.*}}, %{{.*}} : tensor<?x128xf32>
  %b = llm.add_bias %a, %g : tensor<?x128xf32>
  // CHECK: llm.scale %{{.*}} {factor = 0.5} : tensor<?x128xf32>
  %c = llm.scale %b {factor = 0.5} : tensor<?x128xf32>
  // CHECK: llm.glu %{{.*}}, %{{.*}} {activation = silu} : tensor<?x128xf32>
  %h = llm.glu %c, %b {activation = silu} : tensor<?x128xf32>
  // CHECK: llm.glu %{{.*}}, %{{.*}} {activation = gelu} : tensor<?x128xf32>
  %h2 = llm.glu %h, %b {activation = gelu} : tensor<?x128xf32>
  // CHECK: llm.glu %{{.*}}, %{{.*}} {activation = gelu_tanh} : tensor<?x128xf32>
  %h3 = llm.glu %h2, %b {activation = gelu_tanh} : tensor<?x128xf32>
  // CHECK: llm.glu %{{.*}}, %{{.*}} {activation = relu} : tensor<?x128xf32>
  %h4 = llm.glu %h3, %b {activation = relu} : tensor<?x128xf32>
  return %h4 : tensor<?x128xf32>
}

// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<?x128xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>, %f: tensor<16xf32>,
                     %t: tensor<512x32xf32>) {
  // CHECK: llm.rope %{{.*}}, %{{.*}} {head_dim = 32, rotary_dim = 32, order = halves} : tensor<?x128xf32>, tensor<16xf32>
  %qr = llm.rope %q, %f {head_dim = 32, rotary_dim = 32, order = halves} : tensor<?x128xf32>, tensor<16xf32>
  // CHECK: llm.rope %{{.*}}, %{{.*}} {head_dim = 32, rotary_dim = 32, order = interleaved} : tensor<?x64xf32>, tensor<512x32xf32>
  %kr = llm.rope %k, %t {head_dim = 32, rotary_dim = 32, order = interleaved} : tensor<?x64xf32>, tensor<512x32xf32>
  // CHECK: llm.attention %{{.*}}, %{{.*}}, %{{.*}} in @kv.0 {heads = 4, kv_heads = 2, head_dim = 32, scale = 0.125} : tensor<?x128xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x128xf32>
  %o = llm.attention %qr, %kr, %v in @kv.0 {heads = 4, kv_heads = 2, head_dim = 32, scale = 0.125}
         : tensor<?x128xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x128xf32>
  // CHECK: %[[K:.*]] = llm.append %{{.*}} to @kv.0 {part = keys} : tensor<?x64xf32>
  %ka = llm.append %kr to @kv.0 {part = keys} : tensor<?x64xf32>
  // CHECK: %[[V:.*]] = llm.append %{{.*}} to @kv.0 {part = values} : tensor<?x64xf32>
  %va = llm.append %v to @kv.0 {part = values} : tensor<?x64xf32>
  // CHECK: llm.attention %{{.*}}, %[[K]], %[[V]] in @kv.0 {{.*}} : tensor<?x128xf32>, !llm.appended, !llm.appended -> !llm.acts<?x128, i8 per 32>
  %p = llm.attention %qr, %ka, %va in @kv.0 {heads = 4, kv_heads = 2, head_dim = 32, scale = 0.125}
         : tensor<?x128xf32>, !llm.appended, !llm.appended -> !llm.acts<?x128, i8 per 32>
  return
}

// CHECK-LABEL: func @scores
func.func @scores(%h: tensor<?x128xf32>, %g: tensor<128xf32>, %w: !llm.packed<300x128, q8_0>,
                  %logits: tensor<?x300xf32>, %targets: tensor<?xi32>) {
  // CHECK: llm.last_token %{{.*}} : tensor<?x128xf32> -> tensor<1x128xf32>
  %l = llm.last_token %h : tensor<?x128xf32> -> tensor<1x128xf32>
  // CHECK: llm.quantize_acts %{{.*}} : tensor<1x128xf32>
  %q = llm.quantize_acts %l : tensor<1x128xf32>
  // CHECK: %[[N:.*]] = llm.norm_quantize %{{.*}}, %{{.*}} {eps = 1.0e-06} : tensor<?x128xf32>
  %n = llm.norm_quantize %h, %g {eps = 1.0e-6} : tensor<?x128xf32>
  // CHECK: llm.log_likelihood %{{.*}}, %{{.*}} : tensor<?x300xf32>, tensor<?xi32> -> tensor<?xf32>
  %s = llm.log_likelihood %logits, %targets : tensor<?x300xf32>, tensor<?xi32> -> tensor<?xf32>
  // CHECK: llm.linear_score %[[N]], %{{.*}}, %{{.*}} : !llm.acts<?x128, i8 per 32>, !llm.packed<300x128, q8_0>, tensor<?xi32> -> tensor<?xf32>
  %t = llm.linear_score %n, %w, %targets
         : !llm.acts<?x128, i8 per 32>, !llm.packed<300x128, q8_0>, tensor<?xi32> -> tensor<?xf32>
  return
}
