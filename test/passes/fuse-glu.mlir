// RUN: sinter-opt %s --fuse-glu --split-input-file | FileCheck %s
// RUN: sinter-opt %s --fuse-glu=remarks --verify-diagnostics --split-input-file -o /dev/null

// CHECK-LABEL: func @silu(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[G:[a-z0-9]+]]: !llm.weight<128x64, q4_0>, %[[U:[a-z0-9]+]]: !llm.weight<128x64, q4_0>)
func.func @silu(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_0>, %wu: !llm.weight<128x64, q4_0>)
    -> tensor<?x128xf32> {
  // silu(a) * b = a / (1 + exp(-a)) * b
  // CHECK-NEXT: %[[H:[a-z0-9]+]] = llm.linear %[[X]], [%[[G]], %[[U]]] epilogue(%[[A:[a-z0-9]+]], %[[B:[a-z0-9]+]]) {
  // CHECK-NEXT:   %[[O:[a-z0-9]+]] = arith.constant 1.0
  // CHECK-NEXT:   %[[N:[a-z0-9]+]] = arith.negf %[[A]]
  // CHECK-NEXT:   %[[E:[a-z0-9]+]] = math.exp %[[N]]
  // CHECK-NEXT:   %[[D:[a-z0-9]+]] = arith.addf %[[E]], %[[O]]
  // CHECK-NEXT:   %[[S:[a-z0-9]+]] = arith.divf %[[A]], %[[D]]
  // CHECK-NEXT:   %[[R:[a-z0-9]+]] = arith.mulf %[[S]], %[[B]]
  // CHECK-NEXT:   llm.yield %[[R]]
  // CHECK-NEXT: } : tensor<?x64xf32>, !llm.weight<128x64, q4_0>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // CHECK-NEXT: return %[[H]]
  %g = llm.linear %x, [%wg] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  %u = llm.linear %x, [%wu] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{gate and up computed side by side}}
  %h = llm.glu %g, %u {activation = silu} : tensor<?x128xf32>
  return %h : tensor<?x128xf32>
}

// -----
// The other activations.
// CHECK-LABEL: func @gelu
// CHECK:         math.erf
// CHECK-LABEL: func @gelu_tanh
// CHECK:         math.tanh
// CHECK-LABEL: func @relu
// CHECK:         arith.maximumf
func.func @gelu(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_0>, %wu: !llm.weight<128x64, q4_0>)
    -> tensor<?x128xf32> {
  %g = llm.linear %x, [%wg] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  %u = llm.linear %x, [%wu] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{side by side}}
  %h = llm.glu %g, %u {activation = gelu} : tensor<?x128xf32>
  return %h : tensor<?x128xf32>
}
func.func @gelu_tanh(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_0>, %wu: !llm.weight<128x64, q4_0>)
    -> tensor<?x128xf32> {
  %g = llm.linear %x, [%wg] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  %u = llm.linear %x, [%wu] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{side by side}}
  %h = llm.glu %g, %u {activation = gelu_tanh} : tensor<?x128xf32>
  return %h : tensor<?x128xf32>
}
func.func @relu(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_0>, %wu: !llm.weight<128x64, q4_0>)
    -> tensor<?x128xf32> {
  %g = llm.linear %x, [%wg] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  %u = llm.linear %x, [%wu] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{side by side}}
  %h = llm.glu %g, %u {activation = relu} : tensor<?x128xf32>
  return %h : tensor<?x128xf32>
}

// -----
// Epilogues that both parts have already come along, biases in the order of the parts.
// CHECK-LABEL: func @biases(
// CHECK-SAME:    %[[BG:[a-z0-9]*]]: tensor<128xf32>, %[[BU:[a-z0-9]*]]: tensor<128xf32>)
func.func @biases(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_0>, %wu: !llm.weight<128x64, q4_0>,
                  %bg: tensor<128xf32>, %bu: tensor<128xf32>) -> tensor<?x128xf32> {
  // CHECK-NEXT: llm.linear %{{.*}}, [%{{.*}}, %{{.*}}] bias(%[[BG]], %[[BU]]) epilogue(%[[P:[a-z0-9]+]], %[[Q:[a-z0-9]+]], %[[C:[a-z0-9]+]], %[[D:[a-z0-9]+]]) {
  // CHECK:        %[[A:[a-z0-9]+]] = arith.addf %[[P]], %[[C]]
  // CHECK-NEXT:   %[[B:[a-z0-9]+]] = arith.addf %[[Q]], %[[D]]
  // CHECK:        %[[S:[a-z0-9]+]] = arith.divf %[[A]]
  // CHECK-NEXT:   arith.mulf %[[S]], %[[B]]
  %g = llm.linear %x, [%wg] bias(%bg) epilogue(%p, %c) {
    %s = arith.addf %p, %c : f32
    llm.yield %s : f32
  } : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  %u = llm.linear %x, [%wu] bias(%bu) epilogue(%p, %c) {
    %s = arith.addf %p, %c : f32
    llm.yield %s : f32
  } : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{side by side}}
  %h = llm.glu %g, %u {activation = silu} : tensor<?x128xf32>
  return %h : tensor<?x128xf32>
}

// -----
// What must stay apart: each is still two layers and a gate.
// CHECK-LABEL: func @formats
// CHECK:         llm.glu
func.func @formats(%x: tensor<?x256xf32>, %wg: !llm.weight<128x256, q4_k>, %wu: !llm.weight<128x256, q6_k>)
    -> tensor<?x128xf32> {
  %g = llm.linear %x, [%wg] : tensor<?x256xf32>, !llm.weight<128x256, q4_k> -> tensor<?x128xf32>
  %u = llm.linear %x, [%wu] : tensor<?x256xf32>, !llm.weight<128x256, q6_k> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: gate is q4_k and up is q6_k; one kernel reads weights of one format}}
  %h = llm.glu %g, %u {activation = silu} : tensor<?x128xf32>
  return %h : tensor<?x128xf32>
}
// CHECK-LABEL: func @read_twice
// CHECK:         llm.glu
func.func @read_twice(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_0>, %wu: !llm.weight<128x64, q4_0>)
    -> (tensor<?x128xf32>, tensor<?x128xf32>) {
  %g = llm.linear %x, [%wg] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  %u = llm.linear %x, [%wu] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: another op reads gate or up}}
  %h = llm.glu %g, %u {activation = silu} : tensor<?x128xf32>
  return %g, %h : tensor<?x128xf32>, tensor<?x128xf32>
}
// CHECK-LABEL: func @inputs
// CHECK:         llm.glu
func.func @inputs(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_0>,
                  %wu: !llm.weight<128x64, q4_0>) -> tensor<?x128xf32> {
  %g = llm.linear %x, [%wg] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  %u = llm.linear %y, [%wu] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: gate and up are computed from different inputs}}
  %h = llm.glu %g, %u {activation = silu} : tensor<?x128xf32>
  return %h : tensor<?x128xf32>
}
// CHECK-LABEL: func @no_linear
// CHECK:         llm.glu
func.func @no_linear(%x: tensor<?x64xf32>, %u: tensor<?x128xf32>, %w: !llm.weight<128x64, q4_0>) -> tensor<?x128xf32> {
  %g = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<128x64, q4_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: gate and up do not both come from linear layers}}
  %h = llm.glu %g, %u {activation = silu} : tensor<?x128xf32>
  return %h : tensor<?x128xf32>
}
