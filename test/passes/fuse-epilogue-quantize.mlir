// RUN: sinter-opt %s --fuse-epilogue-quantize | FileCheck %s
// RUN: sinter-opt %s --fuse-epilogue-quantize=remarks --verify-diagnostics -o /dev/null

// CHECK-LABEL: func @product
func.func @product(%x: tensor<?x100xf32>, %w: !llm.weight<64x100, f16>) -> !llm.acts<?x64, i8 per 32> {
  // CHECK-NEXT: %[[Q:[a-z0-9]+]] = llm.linear %{{.*}}, [%{{.*}}] : tensor<?x100xf32>, !llm.weight<64x100, f16> -> !llm.acts<?x64, i8 per 32>
  // CHECK-NEXT: return %[[Q]]
  %y = llm.linear %x, [%w] : tensor<?x100xf32>, !llm.weight<64x100, f16> -> tensor<?x64xf32>
  // expected-remark @+1 {{quantized in the epilogue of the linear layer}}
  %q = llm.quantize_acts %y : tensor<?x64xf32>
  return %q : !llm.acts<?x64, i8 per 32>
}

// What the epilogue yields is quantized: the epilogue itself stays.
// CHECK-LABEL: func @epilogue
func.func @epilogue(%x: !llm.acts<?x64, i8 per 32>, %w: !llm.weight<64x64, q8_0>, %b: tensor<64xf32>)
    -> !llm.acts<?x64, i8 per 32> {
  // CHECK-NEXT: llm.linear %{{.*}}, [%{{.*}}] bias(%{{.*}}) epilogue(
  // CHECK-NEXT:   arith.addf
  // CHECK-NEXT:   llm.yield
  // CHECK-NEXT: } : !llm.acts<?x64, i8 per 32>, !llm.weight<64x64, q8_0> -> !llm.acts<?x64, i8 per 32>
  // CHECK-NEXT: return
  %y = llm.linear %x, [%w] bias(%b) epilogue(%p, %c) {
    %s = arith.addf %p, %c : f32
    llm.yield %s : f32
  } : !llm.acts<?x64, i8 per 32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
  // expected-remark @+1 {{quantized in the epilogue}}
  %q = llm.quantize_acts %y : tensor<?x64xf32>
  return %q : !llm.acts<?x64, i8 per 32>
}

// The residual stream is read as floats by the next sum.
// CHECK-LABEL: func @read_twice
// CHECK:         llm.quantize_acts
func.func @read_twice(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q8_0>)
    -> (tensor<?x64xf32>, !llm.acts<?x64, i8 per 32>) {
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
  // expected-remark @+1 {{left alone: another op reads the linear layer's result as floats}}
  %q = llm.quantize_acts %y : tensor<?x64xf32>
  return %y, %q : tensor<?x64xf32>, !llm.acts<?x64, i8 per 32>
}

// CHECK-LABEL: func @no_linear
// CHECK-NEXT:    llm.quantize_acts
func.func @no_linear(%x: tensor<?x64xf32>) -> !llm.acts<?x64, i8 per 32> {
  %q = llm.quantize_acts %x : tensor<?x64xf32>
  return %q : !llm.acts<?x64, i8 per 32>
}
