// RUN: sinter-opt %s --canonicalize --cse | FileCheck %s

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}

// CHECK-LABEL: func @identities
// CHECK-SAME:  (%[[X:.*]]: tensor<?x64xf32>, %[[ONE:.*]]: tensor<1x64xf32>, %[[W:.*]]: !llm.weight<64x32, q8_0>)
// CHECK-NEXT:  return %[[X]], %[[ONE]], %[[W]]
func.func @identities(%x: tensor<?x64xf32>, %one: tensor<1x64xf32>, %w: !llm.weight<64x32, q8_0>)
    -> (tensor<?x64xf32>, tensor<1x64xf32>, !llm.weight<64x32, q8_0>) {
  %s = llm.scale %x {factor = 1.0} : tensor<?x64xf32>
  // The last of one token is that token.
  %l = llm.last_token %one : tensor<1x64xf32> -> tensor<1x64xf32>
  // One pair a head: its halves are neighbours already.
  %p = llm.permute_rows %w {head_dim = 32, rotary_dim = 2} : !llm.weight<64x32, q8_0>
  return %s, %l, %p : tensor<?x64xf32>, tensor<1x64xf32>, !llm.weight<64x32, q8_0>
}

// Unlike factors and several tokens stay.
// CHECK-LABEL: func @stay
// CHECK:       llm.scale
// CHECK:       llm.last_token
func.func @stay(%x: tensor<?x64xf32>) -> tensor<1x64xf32> {
  %s = llm.scale %x {factor = 1.5} : tensor<?x64xf32>
  %l = llm.last_token %s : tensor<?x64xf32> -> tensor<1x64xf32>
  return %l : tensor<1x64xf32>
}

// A recipe is pure: two of the same are one; so are two linear layers that only compute.
// CHECK-LABEL: func @common
// CHECK-COUNT-1: = llm.weight
// CHECK-NOT:     = llm.weight
// CHECK-COUNT-1: = llm.linear
// CHECK-NOT:     = llm.linear
func.func @common(%x: tensor<?x32xf32>) -> tensor<?x64xf32> {
  %a = llm.weight "w" : !llm.weight<64x32, q8_0>
  %b = llm.weight "w" : !llm.weight<64x32, q8_0>
  %u = llm.linear %x, [%a] : tensor<?x32xf32>, !llm.weight<64x32, q8_0> -> tensor<?x64xf32>
  %v = llm.linear %x, [%b] : tensor<?x32xf32>, !llm.weight<64x32, q8_0> -> tensor<?x64xf32>
  %s = llm.add %u, %v : tensor<?x64xf32>
  return %s : tensor<?x64xf32>
}

// What writes the cache stays, used or not.
// CHECK-LABEL: func @writes
// CHECK-COUNT-2: llm.append
// CHECK:         llm.linear {{.*}} append values
// CHECK:         llm.attention
func.func @writes(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q8_0>) {
  %a = llm.append %x to @kv.0 {part = keys} : tensor<?x64xf32>
  %b = llm.append %x to @kv.0 {part = keys} : tensor<?x64xf32>
  %c = llm.linear %x, [%w] append values to @kv.0 : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> !llm.appended
  %o = llm.attention %x, %x, %x in @kv.0 {heads = 2, kv_heads = 2, head_dim = 32, scale = 1.0}
         : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return
}

// What nobody reads goes: a linear layer, and attention that only reads the cache.
// CHECK-LABEL: func @unused
// CHECK-NOT:   llm.linear
// CHECK-NOT:   llm.attention
func.func @unused(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q8_0>, %k: !llm.appended) {
  %c = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
  %o = llm.attention %x, %k, %k in @kv.0 {heads = 2, kv_heads = 2, head_dim = 32, scale = 1.0}
         : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  return
}
