// RUN: sinter-opt %s --print-glsl --split-input-file --verify-diagnostics -o /dev/null > /dev/null

// Products are of two signed bytes.
tile.kernel @unsigned(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %q = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
  %u = tile.load_uniform %x[%tile] : !tile.bytes -> vector<8xi32>
  // expected-error@+1 {{'tile.dot' has no GLSL form yet: both operands of its products are signed}}
  %d = tile.dot %q, [%q], %u bits 8 unsigned : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  tile.store %d, %x[%tile] : vector<32xi32>, !tile.bytes
}

// -----

tile.kernel @crossed(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %q = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
  %u = tile.load_uniform %x[%tile] : !tile.bytes -> vector<8xi32>
  // expected-error@+1 {{'tile.dot' has no GLSL form yet: both operands of its products are signed}}
  %d = tile.dot %q, [%q, %q], %u bits 8 crossed : [vector<32xi32>, vector<32xi32>], vector<8xi32> -> vector<32xi32>
  tile.store %d, %x[%tile] : vector<32xi32>, !tile.bytes
}
