// RUN: sinter-opt %s --fuse-norm-quantize | FileCheck %s
// RUN: sinter-opt %s --fuse-norm-quantize=remarks --verify-diagnostics -o /dev/null

// CHECK-LABEL: func @norm(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[G:[a-z0-9]+]]: tensor<64xf32>)
func.func @norm(%x: tensor<?x64xf32>, %g: tensor<64xf32>) -> !llm.acts<?x64, i8 per 32> {
  // CHECK-NEXT: %[[Q:[a-z0-9]+]] = llm.norm_quantize %[[X]], %[[G]] {eps = 1.0e-05}
  // CHECK-NEXT: return %[[Q]]
  %n = llm.rms_norm %x, %g {eps = 1.0e-5} : tensor<?x64xf32>
  // expected-remark @+1 {{quantized by the norm itself}}
  %q = llm.quantize_acts %n : tensor<?x64xf32>
  return %q : !llm.acts<?x64, i8 per 32>
}

// A layer with float weights reads the norm, too: it is computed once, as floats.
// CHECK-LABEL: func @mixed
// CHECK:         llm.rms_norm
// CHECK:         llm.quantize_acts
func.func @mixed(%x: tensor<?x64xf32>, %g: tensor<64xf32>, %w: !llm.weight<64x64, f16>)
    -> (!llm.acts<?x64, i8 per 32>, tensor<?x64xf32>) {
  %n = llm.rms_norm %x, %g {eps = 1.0e-5} : tensor<?x64xf32>
  // expected-remark @+1 {{left alone: another op reads the norm's rows as floats}}
  %q = llm.quantize_acts %n : tensor<?x64xf32>
  %y = llm.linear %n, [%w] : tensor<?x64xf32>, !llm.weight<64x64, f16> -> tensor<?x64xf32>
  return %q, %y : !llm.acts<?x64, i8 per 32>, tensor<?x64xf32>
}

// CHECK-LABEL: func @no_norm
// CHECK-NEXT:    llm.quantize_acts
func.func @no_norm(%x: tensor<?x64xf32>) -> !llm.acts<?x64, i8 per 32> {
  %q = llm.quantize_acts %x : tensor<?x64xf32>
  return %q : !llm.acts<?x64, i8 per 32>
}
