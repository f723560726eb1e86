// RUN: sinter-opt %s --split-input-file --verify-diagnostics

tile.kernel @broadcast_type() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 8 {
  %v = arith.constant dense<0> : vector<32xi32>
  // expected-error@+1 {{changes the element type}}
  %b = tile.broadcast %v : vector<32xi32> -> vector<8x32xf32>
}

// -----
// 16 rows are neither a number a row of 32 nor one a token of 8.
tile.kernel @broadcast_shape() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 8 {
  %v = arith.constant dense<0.0> : vector<16xf32>
  // expected-error@+1 {{takes one number a row or one a token of 'vector<8x32xf32>', not 'vector<16xf32>'}}
  %b = tile.broadcast %v : vector<16xf32> -> vector<8x32xf32>
}

// -----
tile.kernel @broadcast_tokens() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 8 {
  %v = arith.constant dense<0.0> : vector<4x1xf32>
  // expected-error@+1 {{takes one number a row or one a token of 'vector<8x32xf32>', not 'vector<4x1xf32>'}}
  %b = tile.broadcast %v : vector<4x1xf32> -> vector<8x32xf32>
}

// -----
tile.kernel @reduce_result() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 8 {
  %v = arith.constant dense<0.0> : vector<8x32xf32>
  // expected-error@+1 {{of 'vector<8x32xf32>' gives 'vector<8x1xf32>'}}
  %r = tile.reduce <add> %v : vector<8x32xf32> -> f32
}

// -----
tile.kernel @reduce_lanes_result() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %v = arith.constant dense<0> : vector<32xi32>
  // expected-error@+1 {{of 'vector<32xi32>' gives 'i32'}}
  %r = tile.reduce <max> %v : vector<32xi32> -> f32
}

// -----
tile.kernel @reduce_too_many() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %v = arith.constant dense<0> : vector<32xi32>
  // expected-error@+1 {{joins 1 .. 32 lanes}}
  %r = tile.reduce <add> %v lanes 64 : vector<32xi32> -> i32
}

// -----
tile.kernel @reduce_none() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %v = arith.constant dense<0> : vector<32xi32>
  // expected-error@+1 {{joins 1 .. 32 lanes}}
  %r = tile.reduce <add> %v lanes 0 : vector<32xi32> -> i32
}

// -----
// Half of 24 is 12, 6, 3: and then a lane is left over.
tile.kernel @reduce_odd() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %v = arith.constant dense<0> : vector<32xi32>
  // expected-error@+1 {{halves its lanes until one is left: 24 is no power of two}}
  %r = tile.reduce <add> %v lanes 24 : vector<32xi32> -> i32
}

// -----
tile.kernel @reduce_odd_block() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %v = arith.constant dense<0> : vector<1x3xi32>
  // expected-error@+1 {{halves its lanes until one is left: 3 is no power of two}}
  %r = tile.reduce <add> %v : vector<1x3xi32> -> vector<1x1xi32>
}

// -----
tile.kernel @swap() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %v = arith.constant dense<0.0> : vector<2x7xf32>
  // expected-error@+1 {{needs an even number of lanes}}
  %s = tile.swap_pairs %v : vector<2x7xf32>
}

// -----
tile.kernel @concat_tokens() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 4 {
  %a = arith.constant dense<0.0> : vector<4x16xf32>
  %b = arith.constant dense<0.0> : vector<2x16xf32>
  // expected-error@+1 {{joins rows of the same tokens and element type}}
  %c = tile.concat %a, %b : vector<4x16xf32>, vector<2x16xf32> -> vector<4x32xf32>
}

// -----
tile.kernel @concat_lanes() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 4 {
  %a = arith.constant dense<0.0> : vector<4x8xf32>
  // expected-error@+1 {{has 16 lanes in its parts and 32 in its result}}
  %c = tile.concat %a, %a : vector<4x8xf32>, vector<4x8xf32> -> vector<4x32xf32>
}

// -----
// A word has four codes.
tile.kernel @spread_lanes() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %w = arith.constant dense<0> : vector<1xi32>
  // expected-error@+1 {{of 2 words gives 8 lanes, not 32}}
  %c = tile.spread %w, %w : vector<1xi32>, vector<1xi32> -> vector<32xi32>
}

// -----
tile.kernel @spread_values() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %w = arith.constant dense<0.0> : vector<1xf32>
  // expected-error@+1 {{of 2 words gives 2 lanes, not 8}}
  %c = tile.spread %w, %w : vector<1xf32>, vector<1xf32> -> vector<8xf32>
}

// -----
tile.kernel @spread_rows() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %w = arith.constant dense<0> : vector<2xi32>
  // expected-error@+1 {{takes words of one row, vector<1x'i32'>, not 'vector<2xi32>'}}
  %c = tile.spread %w : vector<2xi32> -> vector<4xi32>
}

// -----
tile.kernel @spread_elements() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %w = arith.constant dense<0.0> : vector<1xf32>
  // expected-error@+1 {{takes words of one row, vector<1x'i32'>, not 'vector<1xf32>'}}
  %c = tile.spread %w : vector<1xf32> -> vector<4xi32>
}

// -----
tile.kernel @spread_nothing() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  // expected-error@+1 {{needs words}}
  %c = "tile.spread"() : () -> vector<4xi32>
}

// -----
tile.kernel @spread_signed_floats() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %w = arith.constant dense<0.0> : vector<1xf32>
  // expected-error@+1 {{has signed codes of integer words only}}
  %c = tile.spread %w {signed_codes} : vector<1xf32> -> vector<1xf32>
}
