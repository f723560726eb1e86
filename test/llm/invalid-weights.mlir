// RUN: sinter-opt %s --split-input-file --verify-diagnostics

// What types and recipes refuse.

// expected-error@+1 {{unknown weight format 'q9_9'; known: f32 f16 bf16 q8_0 q4_0 q5_0 q4_k q6_k}}
func.func private @format(!llm.weight<32x32, q9_9>)

// -----

// expected-error@+1 {{a matrix has rows and columns}}
func.func private @rank(!llm.weight<32, q8_0>)

// -----

// expected-error@+1 {{a matrix needs at least one row and one column, not 0x32}}
func.func private @empty(!llm.weight<0x32, q8_0>)

// -----

// A row is a whole number of blocks of 32 ...
// expected-error@+1 {{columns of q8_0 must be a multiple of 32, not 48}}
func.func private @blocks(!llm.weight<32x48, q8_0>)

// -----

// ... or of 256.
// expected-error@+1 {{columns of q4_k must be a multiple of 256, not 128}}
func.func private @super_blocks(!llm.packed<32x128, q4_k>)

// -----

// expected-error@+1 {{the width of quantized activations must be a multiple of 32, not 48}}
func.func private @acts_width(!llm.acts<?x48, i8 per 32>)

// -----

// expected-error@+1 {{activations are quantized in groups of 32, not 64}}
func.func private @acts_group(!llm.acts<?x64, i8 per 64>)

// -----

// expected-error@+1 {{activations have tokens and a static width}}
func.func private @acts_dynamic(!llm.acts<?x?, i8 per 32>)

// -----

func.func @unnamed_weight() {
  // expected-error@+1 {{needs the name of a tensor}}
  %w = llm.weight "" : !llm.weight<32x32, q8_0>
  return
}

// -----

func.func @unnamed_parameter() {
  // expected-error@+1 {{needs the name of a tensor}}
  %p = llm.parameter "" : tensor<32xf32>
  return
}

// -----

func.func @permute_odd(%w: !llm.weight<64x32, q8_0>) {
  // expected-error@+1 {{needs an even rotary_dim of at most head_dim (32), not 31}}
  %p = llm.permute_rows %w {head_dim = 32, rotary_dim = 31} : !llm.weight<64x32, q8_0>
  return
}

// -----

func.func @permute_above(%w: !llm.weight<64x32, q8_0>) {
  // expected-error@+1 {{needs an even rotary_dim of at most head_dim (32), not 64}}
  %p = llm.permute_rows %w {head_dim = 32, rotary_dim = 64} : !llm.weight<64x32, q8_0>
  return
}

// -----

func.func @permute_heads(%b: tensor<48xf32>) {
  // expected-error@+1 {{has 48 rows, no multiple of head_dim (32)}}
  %p = llm.permute_rows %b {head_dim = 32, rotary_dim = 32} : tensor<48xf32>
  return
}

// -----

func.func @permute_zero(%b: tensor<64xf32>) {
  // expected-error@+1 {{attribute 'head_dim' failed to satisfy constraint}}
  %p = llm.permute_rows %b {head_dim = 0, rotary_dim = 32} : tensor<64xf32>
  return
}

// -----

func.func @permute_packed(%w: !llm.packed<64x32, q8_0>) {
  // expected-error@+1 {{must be weight matrix or vector of f32}}
  %p = llm.permute_rows %w {head_dim = 32, rotary_dim = 32} : !llm.packed<64x32, q8_0>
  return
}

// -----

func.func @scale_quantized(%w: !llm.weight<64x32, q8_0>, %s: tensor<32xf32>) {
  // expected-error@+1 {{cannot scale columns of q8_0: an integer format's scales are shared by columns}}
  %p = llm.scale_columns %w, %s : !llm.weight<64x32, q8_0>, tensor<32xf32>
  return
}

// -----

func.func @scale_count(%w: !llm.weight<64x32, f16>, %s: tensor<64xf32>) {
  // expected-error@+1 {{needs 32 factors, one a column, not 64}}
  %p = llm.scale_columns %w, %s : !llm.weight<64x32, f16>, tensor<64xf32>
  return
}

// -----

func.func @div_shapes(%a: tensor<32xf32>, %b: tensor<16xf32>) {
  // expected-error@+1 {{requires the same type for all operands and results}}
  %d = "llm.div"(%a, %b) : (tensor<32xf32>, tensor<16xf32>) -> tensor<32xf32>
  return
}

// -----

func.func @base() {
  // expected-error@+1 {{needs a positive, finite base}}
  %f = llm.rope_frequencies {base = 0.0, scale = 1.0} : tensor<32xf32>
  return
}

// -----

func.func @rope_scale() {
  // expected-error@+1 {{needs a positive, finite scale}}
  %f = llm.rope_frequencies {base = 10000.0, scale = -1.0} : tensor<32xf32>
  return
}

// -----

func.func @table_width(%f: tensor<32xf32>) {
  // expected-error@+1 {{of 32 frequencies is 64 numbers wide, not 32}}
  %t = llm.rope_table %f : tensor<32xf32> -> tensor<512x32xf32>
  return
}

// -----

func.func @pack_format(%w: !llm.weight<64x32, q8_0>) {
  // expected-error@+1 {{changes the layout only}}
  %p = llm.pack %w : !llm.weight<64x32, q8_0> -> !llm.packed<64x32, q4_0>
  return
}
