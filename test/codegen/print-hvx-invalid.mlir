// RUN: sinter-opt %s --print-hvx --split-input-file --verify-diagnostics -o /dev/null > /dev/null

// Without the start of its activations a dot cannot take off what the flipped top bit of 8-bit codes adds.
tile.kernel @no_start(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %q = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
  %u = tile.load_uniform %x[%tile] : !tile.bytes -> vector<8xi32>
  // expected-error@+1 {{'tile.dot' has no HVX form yet: vrmpy takes unsigned bytes, and without the start}}
  %d = tile.dot %q, [%q], %u bits 8 : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  tile.store %d, %x[%tile] : vector<32xi32>, !tile.bytes
}

// -----

// Of fewer bits, of unsigned codes, or with activations that have no sign, nothing is flipped.
tile.kernel @unsigned(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %q = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
  %u = tile.load_uniform %x[%tile] : !tile.bytes -> vector<8xi32>
  %d = tile.dot %q, [%q], %u bits 7 : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  %e = tile.dot %d, [%q], %u bits 8 unsigned : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  %f = tile.dot %e, [%q], %u bits 8 positive : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  tile.store %f, %x[%tile] : vector<32xi32>, !tile.bytes
}

// -----

// Dots whose bytes are added in front of their products are for targets that add beside them.
tile.kernel @crossed(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %q = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
  %u = tile.load_uniform %x[%tile] : !tile.bytes -> vector<8xi32>
  // expected-error@+1 {{'tile.dot' has no HVX form yet: vrmpy multiplies as many bytes as it adds}}
  %d = tile.dot %q, [%q, %q], %u bits 8 crossed : [vector<32xi32>, vector<32xi32>], vector<8xi32> -> vector<32xi32>
  tile.store %d, %x[%tile] : vector<32xi32>, !tile.bytes
}
