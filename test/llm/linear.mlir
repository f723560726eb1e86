// RUN: sinter-opt %s | sinter-opt | FileCheck %s
// RUN: sinter-opt %s --mlir-print-op-generic | sinter-opt | FileCheck %s

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}

// Without an epilogue: the product.
// CHECK-LABEL: func @plain
func.func @plain(%x: tensor<?x128xf32>, %w: !llm.weight<64x128, q4_0>) {
  // CHECK: llm.linear %{{.*}}, [%{{.*}}] : tensor<?x128xf32>, !llm.weight<64x128, q4_0> -> tensor<?x64xf32>
  %y = llm.linear %x, [%w] : tensor<?x128xf32>, !llm.weight<64x128, q4_0> -> tensor<?x64xf32>
  return
}

// Two weights of different formats side by side, SwiGLU as epilogue, a quantized result.
// CHECK-LABEL: func @glu
func.func @glu(%x: !llm.acts<?x256, i8 per 32>, %g: !llm.packed<64x256, q4_k>, %u: !llm.packed<64x256, q6_k>) {
  // CHECK:      llm.linear %{{.*}}, [%{{.*}}, %{{.*}}] epilogue(%[[A:.*]], %[[B:.*]]) {
  // CHECK-NEXT:   %[[N:.*]] = arith.negf %[[A]]
  // CHECK:        llm.yield %{{.*}} : f32
  // CHECK-NEXT: } : !llm.acts<?x256, i8 per 32>, !llm.packed<64x256, q4_k>, !llm.packed<64x256, q6_k> -> !llm.acts<?x64, i8 per 32>
  %h = llm.linear %x, [%g, %u] epilogue(%a, %b) {
    %n = arith.negf %a : f32
    %e = math.exp %n : f32
    %one = arith.constant 1.0 : f32
    %d = arith.addf %e, %one : f32
    %s = arith.divf %a, %d : f32
    %r = arith.mulf %s, %b : f32
    llm.yield %r : f32
  } : !llm.acts<?x256, i8 per 32>, !llm.packed<64x256, q4_k>, !llm.packed<64x256, q6_k> -> !llm.acts<?x64, i8 per 32>
  return
}

// Residual and bias are arguments of the region after the products.
// CHECK-LABEL: func @residual
func.func @residual(%x: tensor<1x128xf32>, %w: !llm.packed<64x128, f16>, %r: tensor<1x64xf32>, %b: tensor<64xf32>) {
  // CHECK: llm.linear %{{.*}}, [%{{.*}}] residual(%{{.*}}) bias(%{{.*}}) epilogue(%{{.*}}, %{{.*}}, %{{.*}}) {
  // CHECK: } : tensor<1x128xf32>, !llm.packed<64x128, f16> -> tensor<1x64xf32>
  %y = llm.linear %x, [%w] residual(%r) bias(%b) epilogue(%p, %q, %c) {
    %s = arith.addf %p, %c : f32
    %t = arith.addf %s, %q : f32
    llm.yield %t : f32
  } : tensor<1x128xf32>, !llm.packed<64x128, f16> -> tensor<1x64xf32>
  return
}

// Keys: bias, rotation, append.
// CHECK-LABEL: func @append
func.func @append(%x: tensor<?x128xf32>, %w: !llm.packed<64x128, q8_0>, %b: tensor<64xf32>, %t: tensor<512x32xf32>) {
  // CHECK: llm.linear %{{.*}}, [%{{.*}}] bias(%{{.*}}) rope(%{{.*}} : tensor<512x32xf32>) append keys to @kv.0 epilogue(%{{.*}}, %{{.*}}) {
  // CHECK: llm.rotate %{{.*}} {head_dim = 32, rotary_dim = 32} : f32
  // CHECK: } : tensor<?x128xf32>, !llm.packed<64x128, q8_0> -> !llm.appended
  %k = llm.linear %x, [%w] bias(%b) rope(%t : tensor<512x32xf32>) append keys to @kv.0 epilogue(%p, %c) {
    %s = arith.addf %p, %c : f32
    %r = llm.rotate %s {head_dim = 32, rotary_dim = 32} : f32
    llm.yield %r : f32
  } : tensor<?x128xf32>, !llm.packed<64x128, q8_0> -> !llm.appended
  // CHECK: llm.linear %{{.*}}, [%{{.*}}] append values to @kv.0 : tensor<?x128xf32>, !llm.packed<64x128, q8_0> -> !llm.appended
  %v = llm.linear %x, [%w] append values to @kv.0 : tensor<?x128xf32>, !llm.packed<64x128, q8_0> -> !llm.appended
  return
}
