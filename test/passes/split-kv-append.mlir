// RUN: sinter-opt %s --split-kv-append | FileCheck %s
// RUN: sinter-opt %s --split-kv-append=remarks --verify-diagnostics -o /dev/null

llm.kv_cache @kv.0 {heads = 1, head_dim = 64, positions = 128, type = f16}

// CHECK-LABEL: func @attention(
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<?x64xf32>, %[[K:[a-z0-9]+]]: tensor<?x64xf32>, %[[V:[a-z0-9]+]]: tensor<?x64xf32>)
func.func @attention(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[A:[a-z0-9]+]] = llm.append %[[K]] to @kv.0 {part = keys}
  // CHECK-NEXT: %[[B:[a-z0-9]+]] = llm.append %[[V]] to @kv.0 {part = values}
  // CHECK-NEXT: llm.attention %[[Q]], %[[A]], %[[B]] in @kv.0 {{.*}} : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  // expected-remark @+1 {{reads the cache; its rows are appended before}}
  %o = llm.attention %q, %k, %v in @kv.0 {heads = 1, kv_heads = 1, head_dim = 64, scale = 0.125}
         : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// Split already.
// CHECK-LABEL: func @split
// CHECK-COUNT-2: llm.append %
// CHECK-NOT:     llm.append %
// CHECK:         return
func.func @split(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %a = llm.append %k to @kv.0 {part = keys} : tensor<?x64xf32>
  %b = llm.append %v to @kv.0 {part = values} : tensor<?x64xf32>
  %o = llm.attention %q, %a, %b in @kv.0 {heads = 1, kv_heads = 1, head_dim = 64, scale = 0.125}
         : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}
