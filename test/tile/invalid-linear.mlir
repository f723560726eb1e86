// RUN: sinter-opt %s --split-input-file --verify-diagnostics

tile.kernel @block_format(%w: !tile.packed<64x256, q8_0>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  // expected-error@+1 {{gives a block of another format}}
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q8_0> -> !tile.block<q4_0, 32>
}

// -----
tile.kernel @block_rows(%w: !tile.packed<64x256, q8_0>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  // expected-error@+1 {{reads a power of two of rows, at most 32, not 24}}
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 24>
}

// -----
tile.kernel @unpack_words(%w: !tile.packed<64x256, q8_0>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 8>
  // expected-error@+1 {{gives 8 words, not 2}}
  %q:2 = tile.unpack %b : !tile.block<q8_0, 8> -> vector<8xi32>, vector<8xi32>
}

// -----
// Codes of an integer format are words, values of a float format floats; a word is as wide as the block has rows.
tile.kernel @unpack_type(%w: !tile.packed<64x256, f16>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, f16> -> !tile.block<f16, 8>
  // expected-error@+1 {{of '!tile.block<f16, 8>' gives vector<8x'f32'>}}
  %q:8 = tile.unpack %b : !tile.block<f16, 8> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>,
                                                 vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
}

// -----
tile.kernel @scale_float(%w: !tile.packed<64x256, f16>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, f16> -> !tile.block<f16, 8>
  // expected-error@+1 {{has no meaning for f16, a float format}}
  %d = tile.scale %b : !tile.block<f16, 8> -> vector<8xf32>
}

// -----
tile.kernel @lookup_table(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %c = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
  // expected-error@+1 {{takes a table of 16 bytes, not 3}}
  %v = tile.lookup %c in [1, -2, 3] : vector<32xi32>
}

// -----
// q6_k has two groups of 16 in a block of 32, all others one.
tile.kernel @scale_group(%w: !tile.packed<64x256, q6_k>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q6_k> -> !tile.block<q6_k, 8>
  %fits = tile.scale %b group 1 : !tile.block<q6_k, 8> -> vector<8xf32>
  // expected-error@+1 {{has groups 0 .. 1 in a block of q6_k, not 2}}
  %d = tile.scale %b group 2 : !tile.block<q6_k, 8> -> vector<8xf32>
}

// -----
tile.kernel @one_group(%w: !tile.packed<64x256, q4_k>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q4_k> -> !tile.block<q4_k, 8>
  // expected-error@+1 {{has groups 0 .. 0 in a block of q4_k, not 1}}
  %d = tile.minimum %b group 1 : !tile.block<q4_k, 8> -> vector<8xf32>
}

// -----
tile.kernel @scale_rows(%w: !tile.packed<64x256, q8_0>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 8>
  // expected-error@+1 {{of '!tile.block<q8_0, 8>' gives 'vector<8xf32>'}}
  %d = tile.scale %b : !tile.block<q8_0, 8> -> vector<32xf32>
}

// -----
tile.kernel @no_minima(%w: !tile.packed<64x256, q4_0>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q4_0> -> !tile.block<q4_0, 8>
  // expected-error@+1 {{reads '!tile.block<q4_0, 8>', whose format has no minima}}
  %d = tile.minimum %b : !tile.block<q4_0, 8> -> vector<8xf32>
}

// -----
tile.kernel @acts_words(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  // expected-error@+1 {{gives 8 words of codes a token}}
  %c, %d, %s, %l, %h, %t = tile.load_acts %x[%tile, %tile] : !tile.acts<256>
      -> vector<2x4xi32>, vector<2x1xf32>, vector<2x1xi32>, vector<2x1xi32>, vector<2x1xi32>, vector<2x1xf32>
}

// -----
tile.kernel @acts_tokens(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  // expected-error@+1 {{gives one scale, three starts and one total for each of 2 tokens}}
  %c, %d, %s, %l, %h, %t = tile.load_acts %x[%tile, %tile] : !tile.acts<256>
      -> vector<2x8xi32>, vector<2x1xf32>, vector<2x1xi32>, vector<1x1xi32>, vector<2x1xi32>, vector<2x1xf32>
}

// -----
// A scale needs all 32 values: half a group cannot be stored.
tile.kernel @store_half(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %v = arith.constant dense<0.0> : vector<2x16xf32>
  // expected-error@+1 {{stores whole groups of 32 values, not 16}}
  tile.store_acts %v, %x[%tile, %tile] : vector<2x16xf32>, !tile.acts<256>
}

// -----
tile.kernel @store_largest(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %v = arith.constant dense<0.0> : vector<2x32xf32>
  %most = arith.constant dense<0.0> : vector<1x1xf32>
  // expected-error@+1 {{takes the largest magnitude of each token}}
  tile.store_acts %v, %x[%tile, %tile] largest %most : vector<1x1xf32> : vector<2x32xf32>, !tile.acts<256>
}

// -----
tile.kernel @dot_words() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  %x = arith.constant dense<0> : vector<2x8xi32>
  // expected-error@+1 {{takes words 7 .. 8 of 8}}
  %d = tile.dot %i, [%q, %q], %x from 7 bits 4 : [vector<8xi32>, vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_rows() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<16xi32>
  %x = arith.constant dense<0> : vector<2x8xi32>
  // expected-error@+1 {{has weights of other rows or elements than its result}}
  %d = tile.dot %i, [%q], %x bits 4 : [vector<16xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_tokens() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  %x = arith.constant dense<0> : vector<4x8xi32>
  // expected-error@+1 {{has activations of other tokens than its result}}
  %d = tile.dot %i, [%q], %x bits 4 : [vector<8xi32>], vector<4x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_elements() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  %x = arith.constant dense<0.0> : vector<2x8xf32>
  // expected-error@+1 {{has activations of other elements than its result}}
  %d = tile.dot %i, [%q], %x bits 4 : [vector<8xi32>], vector<2x8xf32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_bits() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  // expected-error@+1 {{has codes of 1 to 8 bits, not 9}}
  %d = tile.dot %i, [%q], %i bits 9 : [vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_unsigned() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  // expected-error@+1 {{says 'unsigned' of codes that have no sign}}
  %d = tile.dot %i, [%q], %i bits 7 unsigned : [vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_positive() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %s = arith.constant dense<0> : vector<2x1xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  // expected-error@+1 {{says 'positive' of what is no dot of signed codes alone}}
  %d = tile.dot %i, [%q], %i start %s : vector<2x1xi32> bits 8 positive : [vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_positive_bits() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  // expected-error@+1 {{says 'positive' of what is no dot of signed codes alone}}
  %d = tile.dot %i, [%q], %i bits 4 positive : [vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @load_crossed(%x: !tile.acts<64>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  // expected-error@+1 {{for crossed dots reads crossed rows, not '!tile.acts<64>'}}
  %c, %s, %a, %l, %h, %t = tile.load_acts %x[%position, %tile] crossed : !tile.acts<64>
      -> vector<1x8xi32>, vector<1x1xf32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xf32>
}

// -----
tile.kernel @arrange_crossed(%x: !tile.acts<64, crossed>) grid(%tile, %tokens, %position) scratch(%s : 4096) tokens 16 {
  %side = tile.view %s[0] : !tile.arranged<64, 16 by 1>
  // expected-error@+1 {{copies codes as they are, not those of '!tile.acts<64, crossed>'}}
  tile.arrange_acts %x[%position], %side : !tile.acts<64, crossed>, !tile.arranged<64, 16 by 1>
}

// -----
tile.kernel @levels_of_tokens(%w: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<3x1xi32>
  // expected-error@+1 {{takes one offset a token}}
  %l = tile.load_levels %w[%tile] low %i high %i : !tile.bytes, vector<3x1xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @shifts_of_rows() grid(%tile, %tokens, %position) scratch(%s : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %n = arith.constant dense<0> : vector<2x1xi32>
  // expected-error@+1 {{takes one shift a token for each dot}}
  %a = tile.accumulate_shifted %i, %i, %i, %i right %n left %i : vector<2x1xi32>, vector<2x8xi32> -> vector<2x8xi32>
}

// -----
// expected-error@+1 {{expected 'crossed' and then 'stepped', or one of them}}
tile.kernel @acts_backwards(%x: !tile.acts<64, stepped, crossed>) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
}

// -----
tile.kernel @dot_crossed_words() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  // expected-error@+1 {{says 'crossed' of what are no pairs of words of 8 bits}}
  %d = tile.dot %i, [%q, %q, %q], %i bits 8 crossed
      : [vector<8xi32>, vector<8xi32>, vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_crossed_odd() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  // expected-error@+1 {{says 'crossed' of what are no pairs of words of 8 bits}}
  %d = tile.dot %i, [%q, %q], %i from 1 bits 8 crossed : [vector<8xi32>, vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_crossed_bits() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  // expected-error@+1 {{says 'crossed' of what are no pairs of words of 8 bits}}
  %d = tile.dot %i, [%q, %q], %i bits 4 crossed : [vector<8xi32>, vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @dot_sum_type() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  %s = arith.constant 0 : i32
  // expected-error@+1 {{takes one start a token, 'vector<2x1xi32>', not 'i32'}}
  %d = tile.dot %i, [%q], %i start %s : i32 bits 8 : [vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
}

// -----
tile.kernel @accumulate_dot() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %acc = arith.constant dense<0.0> : vector<2x8xf32>
  %dot = arith.constant dense<0> : vector<2x16xi32>
  %w = arith.constant dense<0.0> : vector<8xf32>
  %x = arith.constant dense<0.0> : vector<2x1xf32>
  // expected-error@+1 {{has a dot of other tokens or rows than its sum}}
  %y = tile.scale_accumulate %acc, %dot, %w, %x : vector<2x16xi32>, vector<8xf32>, vector<2x1xf32> -> vector<2x8xf32>
}

// -----
tile.kernel @accumulate_rows() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %acc = arith.constant dense<0.0> : vector<2x8xf32>
  %dot = arith.constant dense<0> : vector<2x8xi32>
  %w = arith.constant dense<0.0> : vector<16xf32>
  %x = arith.constant dense<0.0> : vector<2x1xf32>
  // expected-error@+1 {{takes one weight scale a row}}
  %y = tile.scale_accumulate %acc, %dot, %w, %x : vector<2x8xi32>, vector<16xf32>, vector<2x1xf32> -> vector<2x8xf32>
}

// -----
tile.kernel @accumulate_tokens() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %acc = arith.constant dense<0.0> : vector<2x8xf32>
  %dot = arith.constant dense<0> : vector<2x8xi32>
  %w = arith.constant dense<0.0> : vector<8xf32>
  %x = arith.constant dense<0.0> : vector<1x1xf32>
  // expected-error@+1 {{takes one activation scale a token, or four a pair of tokens}}
  %y = tile.scale_accumulate %acc, %dot, %w, %x : vector<2x8xi32>, vector<8xf32>, vector<1x1xf32> -> vector<2x8xf32>
}

// -----
tile.kernel @unpack_pairs_words(%w: !tile.packed<64x256, q8_0>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 4>
  // expected-error@+1 {{gives 4 words, not 2}}
  %q:2 = tile.unpack %b pairs : !tile.block<q8_0, 4> -> vector<8xi32>, vector<8xi32>
}

// -----
// Two words of a row lie side by side.
tile.kernel @unpack_pairs_rows(%w: !tile.packed<64x256, q8_0>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 4>
  // expected-error@+1 {{of '!tile.block<q8_0, 4>' gives vector<8x'i32'>}}
  %q:4 = tile.unpack %b pairs : !tile.block<q8_0, 4> -> vector<4xi32>, vector<4xi32>, vector<4xi32>, vector<4xi32>
}

// -----
tile.kernel @unpack_pairs_float(%w: !tile.packed<64x256, f16>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %b = tile.load_packed %w[%tile, %tile] row %tile : !tile.packed<64x256, f16> -> !tile.block<f16, 4>
  // expected-error@+1 {{has pairs of words of integer formats only, not of f16}}
  %q:4 = tile.unpack %b pairs : !tile.block<f16, 4> -> vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
}

// -----
tile.kernel @arrange_width(%x: !tile.acts<64>) grid(%tile, %tokens, %position) scratch(%scratch : 4096) tokens 4 {
  %v = tile.view %scratch[0] : !tile.arranged<128, 4 by 1>
  // expected-error@+1 {{has '!tile.arranged<128, 4 by 1>' for rows of '!tile.acts<64>'}}
  tile.arrange_acts %x[%tile], %v : !tile.acts<64>, !tile.arranged<128, 4 by 1>
}

// -----
tile.kernel @arranged_codes() grid(%tile, %tokens, %position) scratch(%scratch : 4096) tokens 4 {
  %v = tile.view %scratch[0] : !tile.arranged<64, 4 by 2>
  // expected-error@+1 {{of '!tile.arranged<64, 4 by 2>' gives 16 words of codes for each of 2}}
  %c, %s, %n, %l, %h, %t = tile.load_arranged %v[%tile] : !tile.arranged<64, 4 by 2>
      -> vector<4x8xi32>, vector<2x4xf32>, vector<2x4xi32>, vector<2x4xi32>, vector<2x4xi32>, vector<2x4xf32>
}

// -----
tile.kernel @arranged_scales() grid(%tile, %tokens, %position) scratch(%scratch : 4096) tokens 4 {
  %v = tile.view %scratch[0] : !tile.arranged<64, 4 by 1>
  // expected-error@+1 {{of '!tile.arranged<64, 4 by 1>' gives 1 scales and totals for each of 4}}
  %c, %s, %n, %l, %h, %t = tile.load_arranged %v[%tile] : !tile.arranged<64, 4 by 1>
      -> vector<4x8xi32>, vector<4x4xf32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x1xf32>
}

// -----
tile.kernel @arranged_starts() grid(%tile, %tokens, %position) scratch(%scratch : 4096) tokens 4 {
  %v = tile.view %scratch[0] : !tile.arranged<64, 4 by 1, starts>
  // expected-error@+1 {{of '!tile.arranged<64, 4 by 1, starts>' gives 4 starts for each of 4}}
  %c, %s, %n, %l, %h, %t = tile.load_arranged %v[%tile] : !tile.arranged<64, 4 by 1, starts>
      -> vector<4x8xi32>, vector<4x1xf32>, vector<4x1xi32>, vector<4x1xi32>, vector<4x1xi32>, vector<4x1xf32>
}

// -----
// Totals are not among what is arranged: what would be read there is something else.
tile.kernel @arranged_absent(%y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 4096) tokens 4 {
  %v = tile.view %scratch[0] : !tile.arranged<64, 4 by 1, starts>
  // expected-error@+1 {{gives numbers that '!tile.arranged<64, 4 by 1, starts>' does not have}}
  %c, %s, %n, %l, %h, %t = tile.load_arranged %v[%tile] : !tile.arranged<64, 4 by 1, starts>
      -> vector<4x8xi32>, vector<4x1xf32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x1xf32>
  tile.store_row %t, %y[%tile, %tile] : vector<4x1xf32>, !tile.rows<64>
}

// -----
tile.kernel @pairs_rows() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<1x6xi32>
  %q = arith.constant dense<0> : vector<6xi32>
  %x = arith.constant dense<0> : vector<1x16xi32>
  // expected-error@+1 {{takes rows by two, not 3}}
  %d = tile.dot_pairs %i, [%q], %x : [vector<6xi32>], vector<1x16xi32> -> vector<1x6xi32>
}

// -----
tile.kernel @pairs_words() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<1x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  %x = arith.constant dense<0> : vector<1x16xi32>
  // expected-error@+1 {{takes words 6 .. 9 of 8, by two}}
  %d = tile.dot_pairs %i, [%q, %q], %x from 6 : [vector<8xi32>, vector<8xi32>], vector<1x16xi32> -> vector<1x8xi32>
}

// -----
tile.kernel @pairs_odd() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<1x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  %x = arith.constant dense<0> : vector<1x16xi32>
  // expected-error@+1 {{takes words 3 .. 4 of 8, by two}}
  %d = tile.dot_pairs %i, [%q], %x from 3 : [vector<8xi32>], vector<1x16xi32> -> vector<1x8xi32>
}

// -----
tile.kernel @pairs_codes() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<1x8xi32>
  %q = arith.constant dense<0> : vector<4xi32>
  %x = arith.constant dense<0> : vector<1x16xi32>
  // expected-error@+1 {{has weights of other rows than its result}}
  %d = tile.dot_pairs %i, [%q], %x : [vector<4xi32>], vector<1x16xi32> -> vector<1x8xi32>
}

// -----
tile.kernel @pairs_tokens() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<1x8xi32>
  %q = arith.constant dense<0> : vector<8xi32>
  %x = arith.constant dense<0> : vector<2x16xi32>
  // expected-error@+1 {{has activations of other tokens than its result}}
  %d = tile.dot_pairs %i, [%q], %x : [vector<8xi32>], vector<2x16xi32> -> vector<1x8xi32>
}

// -----
tile.kernel @split() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %s = arith.constant dense<0.0> : vector<2x8xf32>
  // expected-error@+1 {{makes two tokens of each pair, not 'vector<4x8xf32>' of 'vector<2x8xf32>'}}
  %y = tile.split_pairs %s : vector<2x8xf32> -> vector<4x8xf32>
}

// -----
tile.kernel @levels_of_rows(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x16xi32>
  %w = arith.constant dense<0> : vector<8xi32>
  %a = arith.constant dense<0> : vector<2x1xi32>
  // expected-error@+1 {{takes one word of weights' levels a row}}
  %s = tile.accumulate_levels %i, %i, %i, %w, %a shift 0 : vector<8xi32>, vector<2x1xi32> -> vector<2x16xi32>
}

// -----
tile.kernel @offsets_of_rows(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x16xi32>
  %w = arith.constant dense<0> : vector<16xi32>
  %o = arith.constant dense<0> : vector<8xi32>
  %a = arith.constant dense<0> : vector<2x1xi32>
  // expected-error@+1 {{takes one word of offsets a row}}
  %s = tile.accumulate_levels %i, %i, %i, %w, %a shift 0 offsets %o : vector<8xi32>
      : vector<16xi32>, vector<2x1xi32> -> vector<2x16xi32>
}

// -----
tile.kernel @levels_of_tokens(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x16xi32>
  %w = arith.constant dense<0> : vector<16xi32>
  %a = arith.constant dense<0> : vector<1x1xi32>
  // expected-error@+1 {{takes one word of activations' levels a token}}
  %s = tile.accumulate_levels %i, %i, %i, %w, %a shift 0 : vector<16xi32>, vector<1x1xi32> -> vector<2x16xi32>
}

// -----
tile.kernel @shift(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x16xi32>
  %w = arith.constant dense<0> : vector<16xi32>
  %a = arith.constant dense<0> : vector<2x1xi32>
  // expected-error@+1 {{shifts dots by up to 16 bits, not 17}}
  %s = tile.accumulate_levels %i, %i, %i, %w, %a shift 17 : vector<16xi32>, vector<2x1xi32> -> vector<2x16xi32>
}

// -----
tile.kernel @halves_of_lanes(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x16xi32>
  %line = arith.constant dense<0> : vector<8xi32>
  %a = arith.constant dense<0> : vector<2x1xi32>
  // expected-error@+1 {{takes one word of its line a lane}}
  %s = tile.dot_halves %i, %line, %a : vector<8xi32>, vector<2x1xi32> -> vector<2x16xi32>
}

// -----
tile.kernel @halves_of_tokens(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %i = arith.constant dense<0> : vector<2x16xi32>
  %line = arith.constant dense<0> : vector<16xi32>
  %a = arith.constant dense<0> : vector<1x1xi32>
  // expected-error@+1 {{takes one word of x a token}}
  %s = tile.dot_halves %i, %line, %a : vector<16xi32>, vector<1x1xi32> -> vector<2x16xi32>
}
