// RUN: sinter-opt %s --verify-fused --split-input-file --verify-diagnostics

// All that may stand alone, and what the fusions make.
module attributes {llm.context = 128 : i64} {
  llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 128, type = f16}
  func.func @body(%tokens: tensor<?xi32>, %w: !llm.packed<64x64, q8_0>, %f: !llm.packed<64x64, f16>,
                  %g: tensor<64xf32>, %t: tensor<128x32xf32>) -> tensor<1x64xf32> {
    %x = llm.embed %tokens, %w : tensor<?xi32>, !llm.packed<64x64, q8_0> -> tensor<?x64xf32>
    %q = llm.norm_quantize %x, %g {eps = 1.0e-5} : tensor<?x64xf32>
    %k = llm.linear %q, [%w] rope(%t : tensor<128x32xf32>) append keys to @kv.0 epilogue(%p) {
      %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
      llm.yield %r : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<64x64, q8_0> -> !llm.appended
    %v = llm.linear %q, [%w] append values to @kv.0 : !llm.acts<?x64, i8 per 32>, !llm.packed<64x64, q8_0> -> !llm.appended
    %o = llm.attention %x, %k, %v in @kv.0 {heads = 2, kv_heads = 2, head_dim = 32, scale = 0.125}
           : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
    %n = llm.rms_norm %o, %g {eps = 1.0e-5} : tensor<?x64xf32>
    %a = llm.add %n, %x : tensor<?x64xf32>
    %b = llm.add_bias %a, %g : tensor<?x64xf32>
    %s = llm.scale %b {factor = 0.5} : tensor<?x64xf32>
    %h = llm.glu %s, %b {activation = silu} : tensor<?x64xf32>
    %c = llm.quantize_acts %h : tensor<?x64xf32>
    %y = llm.linear %c, [%w] : !llm.acts<?x64, i8 per 32>, !llm.packed<64x64, q8_0> -> tensor<?x64xf32>
    %l = llm.last_token %y : tensor<?x64xf32> -> tensor<1x64xf32>
    return %l : tensor<1x64xf32>
  }
}

// -----
func.func @rope(%x: tensor<?x64xf32>, %f: tensor<16xf32>) -> tensor<?x64xf32> {
  // expected-error @+1 {{is not in the epilogue of a linear layer (canonicalize-rope, fuse-rope); there is no kernel that only rotates}}
  %r = llm.rope %x, %f {head_dim = 32, rotary_dim = 32, order = interleaved} : tensor<?x64xf32>, tensor<16xf32>
  return %r : tensor<?x64xf32>
}

// -----
llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 128, type = f16}
func.func @append(%x: tensor<?x64xf32>, %wk: !llm.packed<64x64, q8_0>) -> (!llm.appended, !llm.appended) {
  // expected-error @+1 {{is not part of a linear layer (fuse-kv-append); there is no kernel that only appends}}
  %k = llm.append %x to @kv.0 {part = keys} : tensor<?x64xf32>
  %v = llm.append %x to @kv.0 {part = values} : tensor<?x64xf32>
  return %k, %v : !llm.appended, !llm.appended
}

// -----
func.func @log_likelihood(%l: tensor<?x100xf32>, %t: tensor<?xi32>) -> tensor<?xf32> {
  // expected-error @+1 {{reads logits from memory (fuse-score); kernels score where they compute them}}
  %s = llm.log_likelihood %l, %t : tensor<?x100xf32>, tensor<?xi32> -> tensor<?xf32>
  return %s : tensor<?xf32>
}

// -----
llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 128, type = f16}
func.func @attention(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // expected-error @+1 {{appends its own rows (split-kv-append)}}
  %o = llm.attention %x, %x, %x in @kv.0 {heads = 2, kv_heads = 2, head_dim = 32, scale = 0.125}
         : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// -----
func.func @weight(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, f16>) -> tensor<?x64xf32> {
  // expected-error @+1 {{reads a weight that is not packed (pack-weights)}}
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<64x64, f16> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----
func.func @embed(%tokens: tensor<?xi32>, %w: !llm.weight<64x64, f16>) -> tensor<?x64xf32> {
  // expected-error @+1 {{reads a weight that is not packed (pack-weights)}}
  %x = llm.embed %tokens, %w : tensor<?xi32>, !llm.weight<64x64, f16> -> tensor<?x64xf32>
  return %x : tensor<?x64xf32>
}

// -----
func.func @formats(%x: tensor<?x64xf32>, %a: !llm.packed<64x64, f16>, %b: !llm.packed<64x64, bf16>) -> tensor<?x64xf32> {
  // expected-error @+1 {{has weights of different formats: f16 and bf16}}
  %y = llm.linear %x, [%a, %b] epilogue(%p, %q) {
    %s = arith.addf %p, %q : f32
    llm.yield %s : f32
  } : tensor<?x64xf32>, !llm.packed<64x64, f16>, !llm.packed<64x64, bf16> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----
// The table ends before the context does.
module attributes {llm.context = 128 : i64} {
  func.func @table(%x: tensor<?x64xf32>, %w: !llm.packed<64x64, f16>, %t: tensor<100x32xf32>) -> tensor<?x64xf32> {
    // expected-error @+1 {{rotates by a table of 100 positions; llm.context is 128}}
    %y = llm.linear %x, [%w] rope(%t : tensor<100x32xf32>) epilogue(%p) {
      %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
      llm.yield %r : f32
    } : tensor<?x64xf32>, !llm.packed<64x64, f16> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}

// -----
// Keys and values mixed up: one reads what the other wrote.
llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 128, type = f16}
func.func @swapped(%x: tensor<?x64xf32>, %w: !llm.packed<64x64, f16>) -> tensor<?x64xf32> {
  %k = llm.linear %x, [%w] append keys to @kv.0 : tensor<?x64xf32>, !llm.packed<64x64, f16> -> !llm.appended
  %v = llm.linear %x, [%w] append values to @kv.0 : tensor<?x64xf32>, !llm.packed<64x64, f16> -> !llm.appended
  // expected-error @+1 {{reads keys of @kv.0 that no linear layer appended (fuse-kv-append)}}
  %o = llm.attention %x, %v, %k in @kv.0 {heads = 2, kv_heads = 2, head_dim = 32, scale = 0.125}
         : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// -----
// The values are appended twice, which would move all later positions.
// expected-error @+1 {{has its values appended by 2 layers, not by one}}
llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 128, type = f16}
func.func @twice(%x: tensor<?x64xf32>, %w: !llm.packed<64x64, f16>) -> tensor<?x64xf32> {
  %k = llm.linear %x, [%w] append keys to @kv.0 : tensor<?x64xf32>, !llm.packed<64x64, f16> -> !llm.appended
  %v = llm.linear %x, [%w] append values to @kv.0 : tensor<?x64xf32>, !llm.packed<64x64, f16> -> !llm.appended
  %u = llm.linear %x, [%w] append values to @kv.0 : tensor<?x64xf32>, !llm.packed<64x64, f16> -> !llm.appended
  %o = llm.attention %x, %k, %v in @kv.0 {heads = 2, kv_heads = 2, head_dim = 32, scale = 0.125}
         : tensor<?x64xf32>, !llm.appended, !llm.appended -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}
