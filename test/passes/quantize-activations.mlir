// RUN: sinter-opt %s --quantize-activations | FileCheck %s
// RUN: sinter-opt %s --quantize-activations=remarks --verify-diagnostics -o /dev/null

// CHECK-LABEL: module @"x86-64"
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx2">]>} {
  // Three layers read one quantized value; the fourth, of float weights, keeps the floats.
  // CHECK-LABEL: func @qkv(
  // CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x256xf32>
  func.func @qkv(%x: tensor<?x256xf32>, %g: tensor<256xf32>, %wq: !llm.weight<64x256, q4_k>,
                 %wk: !llm.weight<64x256, q4_k>, %wv: !llm.weight<64x256, q6_k>, %wf: !llm.weight<64x256, f16>)
      -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
    // CHECK-NEXT: %[[N:[a-z0-9]+]] = llm.rms_norm
    // CHECK-NEXT: %[[A:[a-z0-9]+]] = llm.quantize_acts %[[N]] : tensor<?x256xf32>
    // CHECK-NEXT: llm.linear %[[A]], [%{{.*}}] : !llm.acts<?x256, i8 per 32>, !llm.weight<64x256, q4_k> -> tensor<?x64xf32>
    // CHECK-NEXT: llm.linear %[[A]], [%{{.*}}] : !llm.acts<?x256, i8 per 32>, !llm.weight<64x256, q4_k>
    // CHECK-NEXT: llm.linear %[[A]], [%{{.*}}] : !llm.acts<?x256, i8 per 32>, !llm.weight<64x256, q6_k>
    // CHECK-NEXT: llm.linear %[[N]], [%{{.*}}] : tensor<?x256xf32>, !llm.weight<64x256, f16>
    %n = llm.rms_norm %x, %g {eps = 1.0e-5} : tensor<?x256xf32>
    // expected-remark @+1 {{reads int8 activations}}
    %q = llm.linear %n, [%wq] : tensor<?x256xf32>, !llm.weight<64x256, q4_k> -> tensor<?x64xf32>
    // expected-remark @+1 {{reads int8 activations}}
    %k = llm.linear %n, [%wk] : tensor<?x256xf32>, !llm.weight<64x256, q4_k> -> tensor<?x64xf32>
    // expected-remark @+1 {{reads int8 activations}}
    %v = llm.linear %n, [%wv] : tensor<?x256xf32>, !llm.weight<64x256, q6_k> -> tensor<?x64xf32>
    // expected-remark @+1 {{left alone: its weights are float, so it reads the float rows that other layers read quantized}}
    %f = llm.linear %n, [%wf] : tensor<?x256xf32>, !llm.weight<64x256, f16> -> tensor<?x64xf32>
    return %q, %k, %v, %f : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
  }

  // An argument is quantized at the start of the function; scoring is a linear layer, too.
  // CHECK-LABEL: func @score(
  // CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x64xf32>
  // CHECK-NEXT:    %[[A:[a-z0-9]+]] = llm.quantize_acts %[[X]]
  // CHECK-NEXT:    llm.linear_score %[[A]], %{{.*}}, %{{.*}} : !llm.acts<?x64, i8 per 32>
  func.func @score(%x: tensor<?x64xf32>, %w: !llm.weight<100x64, q8_0>, %t: tensor<?xi32>) -> tensor<?xf32> {
    // expected-remark @+1 {{reads int8 activations}}
    %s = llm.linear_score %x, %w, %t : tensor<?x64xf32>, !llm.weight<100x64, q8_0>, tensor<?xi32> -> tensor<?xf32>
    return %s : tensor<?xf32>
  }

  // Only float weights: nothing is quantized, whatever the width.
  // CHECK-LABEL: func @floats
  // CHECK-NEXT:    llm.linear
  // CHECK-NEXT:    llm.linear
  func.func @floats(%x: tensor<?x172xf32>, %w: !llm.weight<64x172, f16>, %v: !llm.weight<64x172, f32>)
      -> (tensor<?x64xf32>, tensor<?x64xf32>) {
    %y = llm.linear %x, [%w] : tensor<?x172xf32>, !llm.weight<64x172, f16> -> tensor<?x64xf32>
    %z = llm.linear %x, [%v] : tensor<?x172xf32>, !llm.weight<64x172, f32> -> tensor<?x64xf32>
    return %y, %z : tensor<?x64xf32>, tensor<?x64xf32>
  }
}

// A target whose kernels multiply floats.
// CHECK-LABEL: module @gpu
module @gpu attributes {exec.target = #exec.target<"gpu", activations = f32, variants = [<"base">]>} {
  // CHECK-LABEL: func @plain
  // CHECK-NEXT:    llm.linear %{{.*}} : tensor<?x64xf32>
  func.func @plain(%x: tensor<?x64xf32>, %w: !llm.weight<100x64, q8_0>) -> tensor<?x100xf32> {
    %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<100x64, q8_0> -> tensor<?x100xf32>
    return %y : tensor<?x100xf32>
  }
}
