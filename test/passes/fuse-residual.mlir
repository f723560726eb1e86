// RUN: sinter-opt %s --fuse-residual | FileCheck %s
// RUN: sinter-opt %s --fuse-residual=remarks --verify-diagnostics -o /dev/null

// CHECK-LABEL: func @residual(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[H:[a-z0-9]+]]: tensor<?x128xf32>, %[[W:[a-z0-9]+]]: !llm.weight<64x128, q4_0>)
func.func @residual(%x: tensor<?x64xf32>, %h: tensor<?x128xf32>, %w: !llm.weight<64x128, q4_0>) -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[Y:[a-z0-9]+]] = llm.linear %[[H]], [%[[W]]] residual(%[[X]]) epilogue(%[[P:[a-z0-9]+]], %[[R:[a-z0-9]+]]) {
  // CHECK-NEXT:   %[[S:[a-z0-9]+]] = arith.addf %[[P]], %[[R]]
  // CHECK-NEXT:   llm.yield %[[S]]
  // CHECK:      return %[[Y]]
  %d = llm.linear %h, [%w] : tensor<?x128xf32>, !llm.weight<64x128, q4_0> -> tensor<?x64xf32>
  // expected-remark @+1 {{added in the epilogue of the linear layer}}
  %y = llm.add %x, %d : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// An epilogue that is there already is kept, and its bias comes behind the new residual in the operands.
// CHECK-LABEL: func @after_bias
func.func @after_bias(%x: tensor<?x64xf32>, %h: tensor<?x128xf32>, %w: !llm.weight<64x128, q4_0>, %b: tensor<64xf32>)
    -> tensor<?x64xf32> {
  // CHECK-NEXT: llm.linear %{{.*}} residual(%{{.*}}) bias(%{{.*}}) epilogue(%[[P:[a-z0-9]+]], %[[R:[a-z0-9]+]], %[[B:[a-z0-9]+]]) {
  // CHECK-NEXT:   %[[S:[a-z0-9]+]] = arith.addf %[[P]], %[[B]]
  // CHECK-NEXT:   %[[T:[a-z0-9]+]] = arith.addf %[[S]], %[[R]]
  // CHECK-NEXT:   llm.yield %[[T]]
  %d = llm.linear %h, [%w] bias(%b) epilogue(%p, %c) {
    %s = arith.addf %p, %c : f32
    llm.yield %s : f32
  } : tensor<?x128xf32>, !llm.weight<64x128, q4_0> -> tensor<?x64xf32>
  // expected-remark @+1 {{added in the epilogue}}
  %y = llm.add %d, %x : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// Two layers: the later one adds the earlier one's result, on whichever side of the sum they stand.
// CHECK-LABEL: func @two_layers
func.func @two_layers(%h: tensor<?x128xf32>, %v: !llm.weight<64x128, q4_0>, %w: !llm.weight<64x128, f16>)
    -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[A:[a-z0-9]+]] = llm.linear %{{.*}}, [%{{.*}}] : tensor<?x128xf32>, !llm.weight<64x128, q4_0>
  // CHECK-NEXT: llm.linear %{{.*}}, [%{{.*}}] residual(%[[A]])
  %a = llm.linear %h, [%v] : tensor<?x128xf32>, !llm.weight<64x128, q4_0> -> tensor<?x64xf32>
  %b = llm.linear %h, [%w] : tensor<?x128xf32>, !llm.weight<64x128, f16> -> tensor<?x64xf32>
  // expected-remark @+1 {{added in the epilogue}}
  %y = llm.add %b, %a : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// What is added is computed after the layer: the layer moves to where it is known.
// CHECK-LABEL: func @late_residual
func.func @late_residual(%x: tensor<?x64xf32>, %h: tensor<?x128xf32>, %w: !llm.weight<64x128, q4_0>)
    -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[S:[a-z0-9]+]] = llm.scale
  // CHECK-NEXT: llm.linear %{{.*}}, [%{{.*}}] residual(%[[S]])
  %d = llm.linear %h, [%w] : tensor<?x128xf32>, !llm.weight<64x128, q4_0> -> tensor<?x64xf32>
  %s = llm.scale %x {factor = 0.5} : tensor<?x64xf32>
  // expected-remark @+1 {{added in the epilogue}}
  %y = llm.add %s, %d : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// The layer's own result is needed, too.
// CHECK-LABEL: func @read_twice
// CHECK:         llm.add
func.func @read_twice(%x: tensor<?x64xf32>, %h: tensor<?x128xf32>, %w: !llm.weight<64x128, q4_0>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %d = llm.linear %h, [%w] : tensor<?x128xf32>, !llm.weight<64x128, q4_0> -> tensor<?x64xf32>
  // expected-remark @+1 {{left alone: another op reads the linear layer's result without the sum}}
  %y = llm.add %x, %d : tensor<?x64xf32>
  return %d, %y : tensor<?x64xf32>, tensor<?x64xf32>
}

// CHECK-LABEL: func @no_linear
// CHECK-NEXT:    llm.add
func.func @no_linear(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %s = llm.add %x, %y : tensor<?x64xf32>
  return %s : tensor<?x64xf32>
}
