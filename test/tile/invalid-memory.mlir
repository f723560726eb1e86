// RUN: sinter-opt %s --split-input-file --verify-diagnostics

tile.kernel @before(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 256) tokens 1 {
  // expected-error@+1 {{starts at a multiple of 4 bytes, not at -4}}
  %v = tile.view %scratch[-4] : !tile.rows<32>
}

// -----
tile.kernel @unaligned(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 256) tokens 1 {
  // expected-error@+1 {{starts at a multiple of 4 bytes, not at 2}}
  %v = tile.view %x[2] : !tile.rows<32>
}

// -----
// Rows of 32 floats are 128 bytes: 128 + 128 fit into the scratch, 132 + 128 do not. How long a binding is, the kernel
// does not know.
tile.kernel @past_scratch(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 256) tokens 1 {
  %binding = tile.view %x[132] : !tile.rows<32>
  %fits = tile.view %scratch[128] : !tile.rows<32>
  // expected-error@+1 {{needs 132 + 128 bytes of a scratch of 256}}
  %v = tile.view %scratch[132] : !tile.rows<32>
}

// -----
// 33 floats and their padding are 64; a tight row has no padding.
tile.kernel @load(%x: !tile.rows<33>, %t: !tile.rows<33, stride 132>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %padded = tile.load_row %x[%tile, %tile] : !tile.rows<33> -> vector<1x64xf32>
  // expected-error@+1 {{of 64 elements passes the end of '!tile.rows<33, stride 132>'}}
  %v = tile.load_row %t[%tile, %tile] : !tile.rows<33, stride 132> -> vector<1x64xf32>
}

// -----
tile.kernel @store(%x: !tile.rows<1, stride 4>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 8 {
  %v = arith.constant dense<0.0> : vector<8x32xf32>
  // expected-error@+1 {{of 32 elements passes the end of '!tile.rows<1, stride 4>'}}
  tile.store_row %v, %x[%tile, %tile] : vector<8x32xf32>, !tile.rows<1, stride 4>
}

// -----
tile.kernel @lane_load(%x: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  // Rows are blocks; lanes are loaded by tile.load.
  // expected-error@+1 {{must be vector of 32-bit float or 32-bit signless integer values of ranks 2}}
  %v = tile.load_row %x[%tile, %tile] : !tile.rows<64> -> vector<32xf32>
}

// -----
tile.kernel @gather_row(%x: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %columns = tile.lanes : vector<16xi32>
  // expected-error@+1 {{reads one element for each of its columns}}
  %v = tile.gather_row %x[%tile, %columns] : !tile.rows<64>, vector<16xi32> -> vector<1x32xf32>
}

// -----
tile.kernel @gather(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %offsets = tile.lanes : vector<16xi32>
  // expected-error@+1 {{reads one element for each of its offsets}}
  %v = tile.gather %x[%tile + %offsets] : !tile.bytes, vector<16xi32> -> vector<32xf32>
}

// -----
tile.kernel @scatter(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %offsets = tile.lanes : vector<16xi32>
  %v = tile.load %x[%tile] : !tile.bytes -> vector<32xf32>
  // expected-error@+1 {{all of {value, offsets} have same shape}}
  tile.scatter %v, %x[%tile + %offsets] lanes %tokens : vector<32xf32>, !tile.bytes, vector<16xi32>
}

// -----
// 4 groups (of which 2 are there) of 2 pairs, each 64 bytes of codes and 16 of scales.
tile.kernel @arranged_scratch() grid(%tile, %tokens, %position) scratch(%scratch : 640) tokens 4 {
  %fits = tile.view %scratch[0] : !tile.arranged<64, 4 by 2>
  // expected-error@+1 {{needs 4 + 640 bytes of a scratch of 640}}
  %v = tile.view %scratch[4] : !tile.arranged<64, 4 by 2>
}
