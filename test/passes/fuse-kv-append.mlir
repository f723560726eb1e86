// RUN: sinter-opt %s --fuse-kv-append | FileCheck %s
// RUN: sinter-opt %s --fuse-kv-append=remarks --verify-diagnostics -o /dev/null

llm.kv_cache @kv.0 {heads = 1, head_dim = 64, positions = 128, type = f16}

// With an epilogue and without.
// CHECK-LABEL: func @append
func.func @append(%q: tensor<?x64xf32>, %x: tensor<?x64xf32>, %wk: !llm.weight<64x64, q8_0>,
                  %wv: !llm.weight<64x64, q8_0>, %b: tensor<64xf32>) -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[A:[a-z0-9]+]] = llm.linear %{{.*}}, [%{{.*}}] bias(%{{.*}}) append keys to @kv.0 epilogue
  // CHECK:      } : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> !llm.appended
  // CHECK-NEXT: %[[B:[a-z0-9]+]] = llm.linear %{{.*}}, [%{{.*}}] append values to @kv.0 : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> !llm.appended
  // CHECK-NEXT: llm.attention %{{.*}}, %[[A]], %[[B]]
  %k = llm.linear %x, [%wk] bias(%b) epilogue(%p, %c) {
    %s = arith.addf %p, %c : f32
    llm.yield %s : f32
  } : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
  %v = llm.linear %x, [%wv] : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
  // expected-remark @+1 {{appended by the linear layer itself}}
  %a = llm.append %k to @kv.0 {part = keys} : tensor<?x64xf32>
  // expected-remark @+1 {{appended by the linear layer itself}}
  %b2 = llm.append %v to @kv.0 {part = values} : tensor<?x64xf32>
  %o = llm.attention %q, %a, %b2 in @kv.0 {heads = 1, kv_heads = 1, head_dim = 64, scale = 0.125}
         : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// What another op reads must be written as floats; what no linear layer computes has nobody to append it.
// CHECK-LABEL: func @left_alone
// CHECK-COUNT-2: llm.append
func.func @left_alone(%q: tensor<?x64xf32>, %x: tensor<?x64xf32>, %w: !llm.weight<64x64, q8_0>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %k = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
  // expected-remark @+1 {{left alone: another op reads the rows that it appends}}
  %a = llm.append %k to @kv.0 {part = keys} : tensor<?x64xf32>
  // expected-remark @+1 {{left alone: the rows that it appends do not come from a linear layer}}
  %b = llm.append %x to @kv.0 {part = values} : tensor<?x64xf32>
  %o = llm.attention %q, %a, %b in @kv.0 {heads = 1, kv_heads = 1, head_dim = 64, scale = 0.125}
         : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  return %k, %o : tensor<?x64xf32>, tensor<?x64xf32>
}
