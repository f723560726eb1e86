// RUN: sinter-opt %s --split-input-file --verify-diagnostics

// What llm.linear and its epilogue refuse.

func.func @columns(%x: tensor<?x64xf32>, %w: !llm.weight<32x128, q8_0>) {
  // expected-error@+1 {{multiplies rows of 64 elements with 128 columns}}
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<32x128, q8_0> -> tensor<?x32xf32>
  return
}

// -----

func.func @no_weight(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{needs at least one weight}}
  %y = "llm.linear"(%x) <{operandSegmentSizes = array<i32: 1, 0, 0, 0, 0>}> ({}) : (tensor<?x64xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @rows(%x: tensor<?x64xf32>, %a: !llm.weight<32x64, q8_0>, %b: !llm.weight<64x64, q8_0>) {
  // expected-error@+1 {{has weights of 32 and of 64 rows}}
  %y = llm.linear %x, [%a, %b] epilogue(%p, %q) {
    llm.yield %p : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, q8_0>, !llm.weight<64x64, q8_0> -> tensor<?x32xf32>
  return
}

// -----

func.func @acts_of_floats(%x: !llm.acts<?x64, i8 per 32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{multiplies quantized activations with integer formats, not f16}}
  %y = llm.linear %x, [%w] : !llm.acts<?x64, i8 per 32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @result(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{gives 32 elements for each token of x, not 'tensor<?x64xf32>'}}
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x64xf32>
  return
}

// -----

func.func @result_tokens(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{gives 32 elements for each token of x, not 'tensor<1x32xf32>'}}
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<1x32xf32>
  return
}

// -----

func.func @quantized_result(%x: tensor<?x64xf32>, %w: !llm.weight<48x64, f16>) {
  // expected-error@+1 {{the width of quantized activations must be a multiple of 32, not 48}}
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<48x64, f16> -> !llm.acts<?x48, i8 per 32>
  return
}

// -----

func.func @appends_nowhere(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{gives !llm.appended where, and only where, it appends to a cache}}
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<32x64, f16> -> !llm.appended
  return
}

// -----

llm.kv_cache @kv.0 {heads = 1, head_dim = 32, positions = 512, type = f16}
func.func @appends_and_gives(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{gives !llm.appended where, and only where, it appends to a cache}}
  %y = llm.linear %x, [%w] append keys to @kv.0 : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}
func.func @append_width(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{appends rows of 32 elements to @kv.0, whose rows have 64}}
  %y = llm.linear %x, [%w] append keys to @kv.0 : tensor<?x64xf32>, !llm.weight<32x64, f16> -> !llm.appended
  return
}

// -----

func.func @append_part(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{unknown kv_part 'queries'}}
  %y = llm.linear %x, [%w] append queries to @kv.0 : tensor<?x64xf32>, !llm.weight<32x64, f16> -> !llm.appended
  return
}

// -----

func.func @residual_shape(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %r: tensor<?x64xf32>) {
  // expected-error@+1 {{has a residual of another shape than its result: 'tensor<?x64xf32>'}}
  %y = "llm.linear"(%x, %w, %r) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}> ({
    ^bb0(%p: f32, %q: f32):
      llm.yield %p : f32
  }) : (tensor<?x64xf32>, !llm.weight<32x64, f16>, tensor<?x64xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @bias_rows(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %b: tensor<64xf32>) {
  // expected-error@+1 {{has 32 rows and a bias of 'tensor<64xf32>'}}
  %y = "llm.linear"(%x, %w, %b) <{operandSegmentSizes = array<i32: 1, 1, 0, 1, 0>}> ({
    ^bb0(%p: f32, %q: f32):
      llm.yield %p : f32
  }) : (tensor<?x64xf32>, !llm.weight<32x64, f16>, tensor<64xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @two_products(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{without an epilogue has one weight and nothing else}}
  %y = llm.linear %x, [%w, %w] : tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @unused_residual(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %r: tensor<?x32xf32>) {
  // expected-error@+1 {{without an epilogue has one weight and nothing else}}
  %y = llm.linear %x, [%w] residual(%r) : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @arguments(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %r: tensor<?x32xf32>) {
  // expected-error@+1 {{has an epilogue of 1 arguments for 2 weights, residuals and biases}}
  %y = llm.linear %x, [%w] residual(%r) epilogue(%p) {
    llm.yield %p : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @argument_type(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{has an epilogue argument of type 'f16'; all are f32}}
  %y = "llm.linear"(%x, %w) <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>}> ({
    ^bb0(%p: f16):
      %v = arith.extf %p : f16 to f32
      llm.yield %v : f32
  }) : (tensor<?x64xf32>, !llm.weight<32x64, f16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @foreign_op(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  %y = llm.linear %x, [%w] epilogue(%p) {
    // expected-error@+1 {{cannot be in an epilogue: arith, math and llm.rotate can}}
    %f = llm.rope_frequencies {base = 10000.0, scale = 1.0} : tensor<32xf32>
    llm.yield %p : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @whole_tensor(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  %y = llm.linear %x, [%w] epilogue(%p) {
    // expected-error@+1 {{works on whole tensors or vectors; an epilogue computes one element}}
    %c = arith.constant dense<1.0> : tensor<4xf32>
    llm.yield %p : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

// The region is a function of its arguments alone.
func.func @captures(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %s: f32) {
  // expected-note@+1 {{required by region isolation constraints}}
  %y = llm.linear %x, [%w] epilogue(%p) {
    // expected-error@+1 {{using value defined outside the region}}
    %v = arith.mulf %p, %s : f32
    llm.yield %v : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @rotates_without_table(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{has a rope table where, and only where, its epilogue rotates}}
  %y = llm.linear %x, [%w] epilogue(%p) {
    %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
    llm.yield %r : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @table_without_rotation(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<512x32xf32>) {
  // expected-error@+1 {{has a rope table where, and only where, its epilogue rotates}}
  %y = llm.linear %x, [%w] rope(%t : tensor<512x32xf32>) epilogue(%p) {
    llm.yield %p : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @table_width(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<512x16xf32>) {
  // expected-error@+1 {{has a rope table 16 wide for a rotary_dim of 32}}
  %y = llm.linear %x, [%w] rope(%t : tensor<512x16xf32>) epilogue(%p) {
    %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
    llm.yield %r : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @rotation_heads(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<512x32xf32>) {
  // expected-error@+1 {{has 32 rows, no multiple of head_dim (48)}}
  %y = llm.linear %x, [%w] rope(%t : tensor<512x32xf32>) epilogue(%p) {
    %r = llm.rotate %p {head_dim = 48, rotary_dim = 32} : f32
    llm.yield %r : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @two_rotations(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<512x32xf32>) {
  %y = llm.linear %x, [%w] rope(%t : tensor<512x32xf32>) epilogue(%p) {
    %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
    // expected-error@+1 {{is the second of its epilogue; one is allowed}}
    %s = llm.rotate %r {head_dim = 32, rotary_dim = 32} : f32
    llm.yield %s : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @rotary_dim(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<512x64xf32>) {
  %y = llm.linear %x, [%w] rope(%t : tensor<512x64xf32>) epilogue(%p) {
    // expected-error@+1 {{needs an even rotary_dim of at most head_dim (32), not 64}}
    %r = llm.rotate %p {head_dim = 32, rotary_dim = 64} : f32
    llm.yield %r : f32
  } : tensor<?x64xf32>, !llm.weight<32x64, f16> -> tensor<?x32xf32>
  return
}

// -----

func.func @type_list(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // expected-error@+1 {{expected a type for x and one for each of 1 weights, got 1}}
  %y = llm.linear %x, [%w] : tensor<?x64xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @rotate_outside(%v: f32) {
  // expected-error@+1 {{expects parent op 'llm.linear'}}
  %r = llm.rotate %v {head_dim = 32, rotary_dim = 32} : f32
  return
}
