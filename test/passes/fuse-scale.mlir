// RUN: sinter-opt %s --fuse-scale | FileCheck %s
// RUN: sinter-opt %s --fuse-scale=remarks --verify-diagnostics -o /dev/null

// CHECK-LABEL: func @scale(
func.func @scale(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q8_0>) -> tensor<?x128xf32> {
  // CHECK-NEXT: %[[Y:[a-z0-9]+]] = llm.linear %{{.*}}, [%{{.*}}] epilogue(%[[P:[a-z0-9]+]]) {
  // CHECK-NEXT:   %[[F:[a-z0-9]+]] = arith.constant 2.500000e-01 : f32
  // CHECK-NEXT:   %[[S:[a-z0-9]+]] = arith.mulf %[[P]], %[[F]]
  // CHECK-NEXT:   llm.yield %[[S]]
  // CHECK:      return %[[Y]]
  %l = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{scaled in the epilogue of the linear layer}}
  %y = llm.scale %l {factor = 0.25} : tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// CHECK-LABEL: func @read_twice
// CHECK:         llm.scale
func.func @read_twice(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q8_0>) -> (tensor<?x128xf32>, tensor<?x128xf32>) {
  %l = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: another op reads the linear layer's result unscaled}}
  %y = llm.scale %l {factor = 0.25} : tensor<?x128xf32>
  return %l, %y : tensor<?x128xf32>, tensor<?x128xf32>
}

// The embedding scales by itself; without a linear layer the scale stays.
// CHECK-LABEL: func @no_linear
// CHECK-NEXT:    llm.scale
func.func @no_linear(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = llm.scale %x {factor = 0.25} : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
