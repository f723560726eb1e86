// RUN: sinter-opt %s --fuse-attention-quantize | FileCheck %s
// RUN: sinter-opt %s --fuse-attention-quantize=remarks --verify-diagnostics -o /dev/null

llm.kv_cache @kv.32 {heads = 2, head_dim = 32, positions = 128, type = f16}
llm.kv_cache @kv.48 {heads = 2, head_dim = 48, positions = 128, type = f16}

// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<?x64xf32>, %k: !llm.appended, %v: !llm.appended) -> !llm.acts<?x64, i8 per 32> {
  // CHECK-NEXT: %[[O:[a-z0-9]+]] = llm.attention {{.*}} -> !llm.acts<?x64, i8 per 32>
  // CHECK-NEXT: return %[[O]]
  %o = llm.attention %q, %k, %v in @kv.32 {heads = 2, kv_heads = 2, head_dim = 32, scale = 0.125}
         : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  // expected-remark @+1 {{quantized by attention itself}}
  %a = llm.quantize_acts %o : tensor<?x64xf32>
  return %a : !llm.acts<?x64, i8 per 32>
}

// 96 elements are three groups, but the middle one is of two heads, which two workers may compute.
// CHECK-LABEL: func @groups_across_heads
// CHECK:         llm.quantize_acts
func.func @groups_across_heads(%q: tensor<?x96xf32>, %k: !llm.appended, %v: !llm.appended)
    -> !llm.acts<?x96, i8 per 32> {
  %o = llm.attention %q, %k, %v in @kv.48 {heads = 2, kv_heads = 2, head_dim = 48, scale = 0.125}
         : tensor<?x96xf32>, !llm.appended, !llm.appended -> tensor<?x96xf32>
  // expected-remark @+1 {{left alone: head_dim 48 is no multiple of 32: groups would cross heads}}
  %a = llm.quantize_acts %o : tensor<?x96xf32>
  return %a : !llm.acts<?x96, i8 per 32>
}

// CHECK-LABEL: func @read_twice
// CHECK:         llm.quantize_acts
func.func @read_twice(%q: tensor<?x64xf32>, %k: !llm.appended, %v: !llm.appended)
    -> (tensor<?x64xf32>, !llm.acts<?x64, i8 per 32>) {
  %o = llm.attention %q, %k, %v in @kv.32 {heads = 2, kv_heads = 2, head_dim = 32, scale = 0.125}
         : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  // expected-remark @+1 {{left alone: another op reads attention's result as floats}}
  %a = llm.quantize_acts %o : tensor<?x64xf32>
  return %o, %a : tensor<?x64xf32>, !llm.acts<?x64, i8 per 32>
}
