// RUN: sinter-opt %s --verify-quantized --split-input-file --verify-diagnostics

// Integer weights read int8, float weights read floats.
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx2">]>} {
  func.func @body(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q8_0>, %v: !llm.weight<64x64, f16>)
      -> (tensor<?x64xf32>, tensor<?x64xf32>) {
    %q = llm.quantize_acts %x : tensor<?x64xf32>
    %y = llm.linear %q, [%w] : !llm.acts<?x64, i8 per 32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
    %z = llm.linear %x, [%v] : tensor<?x64xf32>, !llm.weight<64x64, f16> -> tensor<?x64xf32>
    return %y, %z : tensor<?x64xf32>, tensor<?x64xf32>
  }
}

// -----
// expected-error @+1 {{is in no target's module (one with the attribute exec.target)}}
func.func private @body(%x: tensor<?x64xf32>)

// -----
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx2">]>} {
  func.func @body(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q8_0>) -> tensor<?x64xf32> {
    // expected-error @+1 {{multiplies float activations with q8_0 weights; its target's activations are i8}}
    %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}

// -----
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx2">]>} {
  func.func @score(%x: tensor<?x64xf32>, %w: !llm.weight<100x64, q8_0>, %t: tensor<?xi32>) -> tensor<?xf32> {
    // expected-error @+1 {{multiplies float activations with q8_0 weights}}
    %s = llm.linear_score %x, %w, %t : tensor<?x64xf32>, !llm.weight<100x64, q8_0>, tensor<?xi32> -> tensor<?xf32>
    return %s : tensor<?xf32>
  }
}

// -----
module @gpu attributes {exec.target = #exec.target<"gpu", activations = f32, variants = [<"base">]>} {
  func.func @body(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q8_0>) -> tensor<?x64xf32> {
    // expected-error @+1 {{quantizes activations; those of its target are f32}}
    %q = llm.quantize_acts %x : tensor<?x64xf32>
    %y = llm.linear %q, [%w] : !llm.acts<?x64, i8 per 32>, !llm.weight<64x64, q8_0> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}
