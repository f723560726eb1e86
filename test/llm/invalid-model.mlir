// RUN: sinter-opt %s --split-input-file --verify-diagnostics

// What the ops of a model refuse, but llm.linear.

func.func @embed_width(%t: tensor<?xi32>, %w: !llm.weight<300x128, q8_0>) {
  // expected-error@+1 {{gives rows of 128 elements, not 64}}
  %x = llm.embed %t, %w : tensor<?xi32>, !llm.weight<300x128, q8_0> -> tensor<?x64xf32>
  return
}

// -----

func.func @embed_tokens(%t: tensor<?xi32>, %w: !llm.weight<300x128, q8_0>) {
  // expected-error@+1 {{gives one row a token}}
  %x = llm.embed %t, %w : tensor<?xi32>, !llm.weight<300x128, q8_0> -> tensor<1x128xf32>
  return
}

// -----

func.func @embed_floats(%t: tensor<?xf32>, %w: !llm.weight<300x128, q8_0>) {
  // expected-error@+1 {{must be tensor of i32 token ids}}
  %x = llm.embed %t, %w : tensor<?xf32>, !llm.weight<300x128, q8_0> -> tensor<?x128xf32>
  return
}

// -----

func.func @gains(%x: tensor<?x128xf32>, %g: tensor<64xf32>) {
  // expected-error@+1 {{needs 128 gains, not 64}}
  %n = "llm.rms_norm"(%x, %g) {eps = 1.0e-5} : (tensor<?x128xf32>, tensor<64xf32>) -> tensor<?x128xf32>
  return
}

// -----

func.func @eps(%x: tensor<?x128xf32>, %g: tensor<128xf32>) {
  // expected-error@+1 {{needs an eps that is finite and not negative}}
  %n = llm.rms_norm %x, %g {eps = -1.0e-5} : tensor<?x128xf32>
  return
}

// -----

func.func @dynamic_width(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{must be tokens x width tensor of f32}}
  %n = llm.scale %x {factor = 2.0} : tensor<?x?xf32>
  return
}

// -----

func.func @add(%x: tensor<?x128xf32>, %y: tensor<?x64xf32>) {
  // expected-error@+1 {{requires the same type for all operands and results}}
  %n = "llm.add"(%x, %y) : (tensor<?x128xf32>, tensor<?x64xf32>) -> tensor<?x128xf32>
  return
}

// -----

func.func @bias(%x: tensor<?x128xf32>, %b: tensor<64xf32>) {
  // expected-error@+1 {{needs a bias of 128 elements, not 64}}
  %n = "llm.add_bias"(%x, %b) : (tensor<?x128xf32>, tensor<64xf32>) -> tensor<?x128xf32>
  return
}

// -----

func.func @activation(%x: tensor<?x128xf32>) {
  // expected-error@+1 {{unknown activation 'swish'}}
  %n = llm.glu %x, %x {activation = swish} : tensor<?x128xf32>
  return
}

// -----

func.func @last(%x: tensor<?x128xf32>) {
  // expected-error@+1 {{gives one row of 128 elements, not}}
  %n = llm.last_token %x : tensor<?x128xf32> -> tensor<?x128xf32>
  return
}

// -----

func.func @quantize_width(%x: tensor<?x48xf32>) {
  // expected-error@+1 {{the width of quantized activations must be a multiple of 32, not 48}}
  %n = llm.quantize_acts %x : tensor<?x48xf32>
  return
}

// -----

func.func @quantize_shape(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{gives activations of another shape}}
  %n = "llm.quantize_acts"(%x) : (tensor<?x64xf32>) -> !llm.acts<?x32, i8 per 32>
  return
}

// -----

func.func @norm_quantize_gains(%x: tensor<?x64xf32>, %g: tensor<32xf32>) {
  // expected-error@+1 {{needs 64 gains, not 32}}
  %n = "llm.norm_quantize"(%x, %g) {eps = 1.0e-5}
         : (tensor<?x64xf32>, tensor<32xf32>) -> !llm.acts<?x64, i8 per 32>
  return
}

// -----

func.func @rope_odd(%x: tensor<?x64xf32>, %f: tensor<16xf32>) {
  // expected-error@+1 {{needs an even rotary_dim of at most head_dim (32), not 33}}
  %n = llm.rope %x, %f {head_dim = 32, rotary_dim = 33, order = halves} : tensor<?x64xf32>, tensor<16xf32>
  return
}

// -----

func.func @rope_heads(%x: tensor<?x64xf32>, %f: tensor<16xf32>) {
  // expected-error@+1 {{has rows of 64 elements, no multiple of head_dim (48)}}
  %n = llm.rope %x, %f {head_dim = 48, rotary_dim = 32, order = halves} : tensor<?x64xf32>, tensor<16xf32>
  return
}

// -----

func.func @rope_count(%x: tensor<?x64xf32>, %f: tensor<8xf32>) {
  // expected-error@+1 {{with rotary_dim 32 needs 16 frequencies, not 8}}
  %n = llm.rope %x, %f {head_dim = 32, rotary_dim = 32, order = halves} : tensor<?x64xf32>, tensor<8xf32>
  return
}

// -----

func.func @rope_order(%x: tensor<?x64xf32>, %f: tensor<16xf32>) {
  // expected-error@+1 {{unknown rope_order 'neox'}}
  %n = llm.rope %x, %f {head_dim = 32, rotary_dim = 32, order = neox} : tensor<?x64xf32>, tensor<16xf32>
  return
}

// -----

// expected-error@+1 {{attribute 'element_type' failed to satisfy constraint}}
llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = bf16}

// -----

// Groups of fewer than 8 elements would take half as much room for scales as for themselves.
// expected-error@+1 {{holds i8 of heads whose size is a multiple of 8, not 36}}
llm.kv_cache @kv.0 {heads = 2, head_dim = 36, positions = 512, type = i8}

// -----

func.func @no_cache(%k: tensor<?x64xf32>) {
  // expected-error@+1 {{names @kv.0, which is no llm.kv_cache}}
  %a = llm.append %k to @kv.0 {part = keys} : tensor<?x64xf32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}
func.func @append_width(%k: tensor<?x32xf32>) {
  // expected-error@+1 {{appends rows of 32 elements to @kv.0, whose rows have 64}}
  %a = llm.append %k to @kv.0 {part = keys} : tensor<?x32xf32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}
func.func @groups(%q: tensor<?x96xf32>, %k: tensor<?x64xf32>) {
  // expected-error@+1 {{has 3 heads, no multiple of its 2 kv_heads}}
  %a = llm.attention %q, %k, %k in @kv.0 {heads = 3, kv_heads = 2, head_dim = 32, scale = 1.0}
         : tensor<?x96xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x96xf32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}
func.func @query_width(%q: tensor<?x96xf32>, %k: tensor<?x64xf32>) {
  // expected-error@+1 {{needs queries of 128 elements, not 96}}
  %a = llm.attention %q, %k, %k in @kv.0 {heads = 4, kv_heads = 2, head_dim = 32, scale = 1.0}
         : tensor<?x96xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x96xf32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}
func.func @attention_result(%q: tensor<?x128xf32>, %k: tensor<?x64xf32>) {
  // expected-error@+1 {{gives rows as its queries are}}
  %a = llm.attention %q, %k, %k in @kv.0 {heads = 4, kv_heads = 2, head_dim = 32, scale = 1.0}
         : tensor<?x128xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 2, head_dim = 16, positions = 512, type = f16}
func.func @attention_quantized(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>) {
  // expected-error@+1 {{cannot quantize its result: head_dim 16 is no multiple of 32}}
  %a = llm.attention %q, %k, %k in @kv.0 {heads = 4, kv_heads = 2, head_dim = 16, scale = 1.0}
         : tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32> -> !llm.acts<?x64, i8 per 32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}
func.func @half_appended(%q: tensor<?x128xf32>, %k: tensor<?x64xf32>) {
  %t = llm.append %k to @kv.0 {part = keys} : tensor<?x64xf32>
  // expected-error@+1 {{appends both keys and values, or neither}}
  %a = llm.attention %q, %t, %k in @kv.0 {heads = 4, kv_heads = 2, head_dim = 32, scale = 1.0}
         : tensor<?x128xf32>, !llm.appended, tensor<?x64xf32> -> tensor<?x128xf32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 512, type = f16}
func.func @key_width(%q: tensor<?x128xf32>, %k: tensor<?x128xf32>) {
  // expected-error@+1 {{needs keys and values of 64 elements, not 'tensor<?x128xf32>'}}
  %a = llm.attention %q, %k, %k in @kv.0 {heads = 4, kv_heads = 2, head_dim = 32, scale = 1.0}
         : tensor<?x128xf32>, tensor<?x128xf32>, tensor<?x128xf32> -> tensor<?x128xf32>
  return
}

// -----

llm.kv_cache @kv.0 {heads = 4, head_dim = 16, positions = 512, type = f16}
func.func @cache_shape(%q: tensor<?x128xf32>, %k: tensor<?x64xf32>) {
  // expected-error@+1 {{has 2 kv_heads of 32, but @kv.0 has 4 of 16}}
  %a = llm.attention %q, %k, %k in @kv.0 {heads = 4, kv_heads = 2, head_dim = 32, scale = 1.0}
         : tensor<?x128xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x128xf32>
  return
}

// -----

func.func @targets(%l: tensor<?x300xf32>, %t: tensor<4xi32>) {
  // expected-error@+1 {{needs one target and gives one score a token}}
  %s = llm.log_likelihood %l, %t : tensor<?x300xf32>, tensor<4xi32> -> tensor<?xf32>
  return
}

// -----

func.func @score_width(%x: tensor<?x64xf32>, %w: !llm.weight<300x128, q8_0>, %t: tensor<?xi32>) {
  // expected-error@+1 {{multiplies rows of 64 elements with 128 columns}}
  %s = llm.linear_score %x, %w, %t : tensor<?x64xf32>, !llm.weight<300x128, q8_0>, tensor<?xi32> -> tensor<?xf32>
  return
}

// -----

func.func @score_format(%x: !llm.acts<?x64, i8 per 32>, %w: !llm.weight<300x64, f16>, %t: tensor<?xi32>) {
  // expected-error@+1 {{multiplies quantized activations with integer formats, not f16}}
  %s = llm.linear_score %x, %w, %t : !llm.acts<?x64, i8 per 32>, !llm.weight<300x64, f16>, tensor<?xi32> -> tensor<?xf32>
  return
}

// -----

// expected-error@+1 {{attribute 'llm.context' must be a positive i64}}
module attributes {llm.context = 0} {}

// -----

// expected-error@+1 {{attribute 'llm.kv_type' must be f16, f32 or i8}}
module attributes {llm.kv_type = i16} {}

// -----

// expected-error@+1 {{attribute 'llm.name' must be a string}}
module attributes {llm.name = 3} {}

// -----

// expected-error@+1 {{has attribute 'llm.contxt', which the llm dialect does not know}}
module attributes {llm.contxt = 3} {}

// -----

// expected-error@+1 {{has attribute 'llm.context', which belongs on a module}}
func.func private @attribute() attributes {llm.context = 512}
