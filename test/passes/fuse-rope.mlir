// RUN: sinter-opt %s --fuse-rope | FileCheck %s
// RUN: sinter-opt %s --fuse-rope=remarks --verify-diagnostics -o /dev/null

module attributes {llm.context = 100 : i64} {

// Queries and keys share one table, which has a row for each position of the context.
// CHECK-LABEL: func @share(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x64xf32>
func.func @share(%x: tensor<?x64xf32>, %wq: !llm.weight<128x64, q8_0>, %wk: !llm.weight<64x64, q8_0>,
                 %bk: tensor<64xf32>) -> (tensor<?x128xf32>, tensor<?x64xf32>) {
  // CHECK-NEXT: %[[F:[a-z0-9]+]] = llm.rope_frequencies
  // CHECK-NEXT: %[[T:[a-z0-9]+]] = llm.rope_table %[[F]] : tensor<16xf32> -> tensor<100x32xf32>
  // CHECK-NEXT: llm.linear %[[X]], [%{{.*}}] rope(%[[T]] : tensor<100x32xf32>) epilogue(%[[P:[a-z0-9]+]]) {
  // CHECK-NEXT:   %[[R:[a-z0-9]+]] = llm.rotate %[[P]] {head_dim = 64, rotary_dim = 32}
  // CHECK-NEXT:   llm.yield %[[R]]
  // The bias that is in the epilogue already is added before the rotation.
  // CHECK:      llm.linear %[[X]], [%{{.*}}] bias(%{{.*}}) rope(%[[T]] : tensor<100x32xf32>) epilogue(%[[P:[a-z0-9]+]], %[[C:[a-z0-9]+]]) {
  // CHECK-NEXT:   %[[S:[a-z0-9]+]] = arith.addf %[[P]], %[[C]]
  // CHECK-NEXT:   llm.rotate %[[S]] {head_dim = 64, rotary_dim = 32}
  // CHECK-NOT:  llm.rope
  %f = llm.rope_frequencies {base = 10000.0, scale = 1.0} : tensor<16xf32>
  %q = llm.linear %x, [%wq] : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{rotated in the epilogue of the linear layer}}
  %qr = llm.rope %q, %f {head_dim = 64, rotary_dim = 32, order = interleaved} : tensor<?x128xf32>, tensor<16xf32>
  %k = llm.linear %x, [%wk] bias(%bk) epilogue(%p, %c) {
    %s = arith.addf %p, %c : f32
    llm.yield %s : f32
  } : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
  // expected-remark @+1 {{rotated in the epilogue of the linear layer}}
  %kr = llm.rope %k, %f {head_dim = 64, rotary_dim = 32, order = interleaved} : tensor<?x64xf32>, tensor<16xf32>
  return %qr, %kr : tensor<?x128xf32>, tensor<?x64xf32>
}

// The pairs are not neighbours.
// CHECK-LABEL: func @halves
// CHECK:         llm.rope %
func.func @halves(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q8_0>, %f: tensor<32xf32>) -> tensor<?x128xf32> {
  %q = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: its pairs are halves of a head; an epilogue rotates neighbours}}
  %r = llm.rope %q, %f {head_dim = 64, rotary_dim = 64, order = halves} : tensor<?x128xf32>, tensor<32xf32>
  return %r : tensor<?x128xf32>
}

// CHECK-LABEL: func @read_twice
// CHECK:         llm.rope %
func.func @read_twice(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q8_0>, %f: tensor<32xf32>)
    -> (tensor<?x128xf32>, tensor<?x128xf32>) {
  %q = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: another op reads the linear layer's result before the rotation}}
  %r = llm.rope %q, %f {head_dim = 64, rotary_dim = 64, order = interleaved} : tensor<?x128xf32>, tensor<32xf32>
  return %q, %r : tensor<?x128xf32>, tensor<?x128xf32>
}

// CHECK-LABEL: func @no_linear
// CHECK:         llm.rope %
func.func @no_linear(%x: tensor<?x64xf32>, %f: tensor<32xf32>) -> tensor<?x64xf32> {
  // expected-remark @+1 {{left alone: what it rotates does not come from a linear layer}}
  %r = llm.rope %x, %f {head_dim = 64, rotary_dim = 64, order = interleaved} : tensor<?x64xf32>, tensor<32xf32>
  return %r : tensor<?x64xf32>
}

// CHECK-LABEL: func @twice
// CHECK:         llm.rope %
func.func @twice(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q8_0>, %t: tensor<100x64xf32>) -> tensor<?x128xf32> {
  %q = llm.linear %x, [%w] rope(%t : tensor<100x64xf32>) epilogue(%p) {
    %r = llm.rotate %p {head_dim = 64, rotary_dim = 64} : f32
    llm.yield %r : f32
  } : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: the linear layer rotates already}}
  %r = llm.rope %q, %t {head_dim = 64, rotary_dim = 64, order = interleaved} : tensor<?x128xf32>, tensor<100x64xf32>
  return %r : tensor<?x128xf32>
}

}
