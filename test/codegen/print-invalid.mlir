// RUN: sinter-opt %s --print-glsl --split-input-file --verify-diagnostics -o /dev/null > /dev/null
// RUN: sinter-opt %s --print-hvx --split-input-file --verify-diagnostics -o /dev/null > /dev/null

// An op without a form in the language is named, at its place; no text comes out that leaves it away.
tile.kernel @structured(%x: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  // expected-error-re@+1 {{'tile.load_row' has no {{GLSL|HVX}} form yet}}
  %v = tile.load_row %x[%tile, %tile] : !tile.rows<64> -> vector<1x32xf32>
}

// -----

tile.kernel @unknown_function(%x: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %v = tile.load %x[%tile] : !tile.rows<64> -> vector<32xf32>
  // expected-error-re@+1 {{'math.erf' has no {{GLSL|HVX}} form yet}}
  %w = math.erf %v : vector<32xf32>
}

// -----

tile.kernel @wide(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  // expected-error-re@+1 {{'tile.load' has no {{GLSL|HVX}} form yet: its type}}
  %v = tile.load %x[%tile] : !tile.bytes -> vector<64xi32>
}

// -----

// Words that are the same in all lanes are no lanes.
tile.kernel @uniform(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %v = tile.load_uniform %x[%tile] : !tile.bytes -> vector<8xi32>
  // expected-error-re@+1 {{'arith.addi' has no {{GLSL|HVX}} form yet: on words that are the same in all lanes}}
  %w = arith.addi %v, %v : vector<8xi32>
}

// -----

// Blocks of pairs are for targets that have an instruction for them; no schedule of these languages asks for one.
tile.kernel @pairs(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %q = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
  %u = tile.load_uniform %x[%tile] : !tile.bytes -> vector<16xi32>
  // expected-error-re@+1 {{'tile.dot_pairs' has no {{GLSL|HVX}} form yet}}
  %d = tile.dot_pairs %q, [%q], %u : [vector<32xi32>], vector<16xi32> -> vector<32xi32>
  tile.store %d, %x[%tile] : vector<32xi32>, !tile.bytes
}

// -----

tile.kernel @arranged(%x: !tile.acts<64>) grid(%tile, %tokens, %position) scratch(%s : 1024) tokens 4 {
  // expected-error-re@+1 {{'tile.view' has no {{GLSL|HVX}} form yet}}
  %side = tile.view %s[0] : !tile.arranged<64, 4 by 1>
  tile.arrange_acts %x[%tile], %side : !tile.acts<64>, !tile.arranged<64, 4 by 1>
}
