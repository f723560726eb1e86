// RUN: sinter-opt %s | sinter-opt | FileCheck %s
// RUN: sinter-opt %s --mlir-print-op-generic | sinter-opt | FileCheck %s

// Every op and type of the dialect, printed, read and printed again; the generic form says the same.

// What a kernel binds, its scratch and its register block are part of its head; other attributes follow.
// CHECK:      tile.kernel @head(
// CHECK-SAME:   !tile.packed<8192x2048, q4_0>,
// CHECK-SAME:   !tile.acts<2048>,
// CHECK-SAME:   !tile.rows<2048>,
// A stride of the width rounded up to 32 floats is not written, any other is.
// CHECK-SAME:   !tile.rows<80>,
// CHECK-SAME:   !tile.rows<80, stride 320>,
// CHECK-SAME:   !tile.bytes)
// CHECK-SAME: grid({{.*}}, {{.*}}, {{.*}}) scratch({{.*}} : 4096) tokens 8
// CHECK-SAME: attributes {contract = "q4_0 in tiles of 32 rows"}
tile.kernel @head(%w: !tile.packed<8192x2048, q4_0>, %a: !tile.acts<2048>, %x: !tile.rows<2048>,
                  %padded: !tile.rows<80, stride 384>, %tight: !tile.rows<80, stride 320>, %kv: !tile.bytes)
    grid(%tile, %tokens, %position) scratch(%scratch : 4096) tokens 8
    attributes {contract = "q4_0 in tiles of 32 rows"} {
}

// Kernels that take strips of tiles say how many; which tile is computed says the loop.
// CHECK:      tile.kernel @strips
// CHECK-SAME: tokens 8 strip 4 attributes {contract = "none"} {
// CHECK-NEXT:   tile.for_tiles %[[T:.*]] {
// CHECK-NEXT:     tile.load_row %{{.*}}[%[[T]], %[[T]]]
tile.kernel @strips(%x: !tile.rows<2048>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 8 strip 4
    attributes {contract = "none"} {
  tile.for_tiles %t {
    %v = tile.load_row %x[%t, %t] : !tile.rows<2048> -> vector<8x32xf32>
  }
}

// Tiles apart; a loop may ask for a tile's place in its strip.
// CHECK:      tile.kernel @apart
// CHECK-SAME: tokens 1 strip 4 apart {
// CHECK:        scf.for
// CHECK-NEXT:     tile.for_tiles %[[T:.*]], %[[PLACE:.*]] {
// CHECK-NEXT:       tile.load_row %{{.*}}[%[[T]], %[[PLACE]]]
tile.kernel @apart(%x: !tile.rows<2048>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 4 apart {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %tokens step %c1 {
    tile.for_tiles %t, %place {
      %v = tile.load_row %x[%t, %place] : !tile.rows<2048> -> vector<1x32xf32>
    }
  }
}

// Strips that keep within 16 tiles: outside of the loop the tile is one of theirs.
// CHECK:      tile.kernel @within
// CHECK-SAME: tokens 8 strip 4 within 16 {
// CHECK-NEXT:   tile.prefetch %{{.*}}[%tile]
// CHECK-NEXT:   tile.for_tiles
tile.kernel @within(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 8 strip 4 within 16 {
  tile.prefetch %x[%tile] : !tile.bytes
  tile.for_tiles %t {
    tile.prefetch %x[%t] : !tile.bytes
  }
}

// What is done once for a worker's tiles.
// CHECK:      tile.kernel @once
// CHECK-NEXT:   tile.once %tokens at 60 {
// CHECK-NEXT:     tile.prefetch
tile.kernel @once(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 64) tokens 8 {
  tile.once %tokens at 60 {
    tile.prefetch %x[%tile] : !tile.bytes
  }
}

// Structured form: blocks of T tokens by R rows. Where an op takes one type of binding only, its name is not printed.
// CHECK: tile.kernel @rows
tile.kernel @rows(%x: !tile.rows<2048>, %y: !tile.rows<2048>) grid(%tile, %tokens, %position)
    scratch(%scratch : 4096) tokens 8 {
  %c0 = arith.constant 0 : index
  %columns = arith.constant dense<3> : vector<32xi32>
  // CHECK: tile.view %{{.*}}[1024] : !tile.rows<64>
  %view = tile.view %scratch[1024] : !tile.rows<64>
  // CHECK: %[[V:.*]] = tile.load_row %{{.*}}[%{{.*}}, %{{.*}}] : <2048> -> vector<8x32xf32>
  %v = tile.load_row %x[%c0, %tile] : !tile.rows<2048> -> vector<8x32xf32>
  // CHECK: tile.load_row %{{.*}}[%{{.*}}, %{{.*}}] uniform : <2048> -> vector<8x8xf32>
  %u = tile.load_row %x[%c0, %tile] uniform : !tile.rows<2048> -> vector<8x8xf32>
  // CHECK: tile.load_row %{{.*}} : <64> -> vector<8x1xi32>
  %id = tile.load_row %view[%c0, %c0] : !tile.rows<64> -> vector<8x1xi32>
  // CHECK: tile.gather_row %{{.*}}[%{{.*}}, %{{.*}}] : <2048>, vector<32xi32> -> vector<8x32xf32>
  %g = tile.gather_row %x[%position, %columns] : !tile.rows<2048>, vector<32xi32> -> vector<8x32xf32>
  // CHECK: tile.swap_pairs %[[V]] : vector<8x32xf32>
  %s = tile.swap_pairs %v : vector<8x32xf32>
  // A number a token: vector<Tx1>; the lanes of each token joined, all of them or the first few.
  // CHECK: %[[SUM:.*]] = tile.reduce <add> %[[V]] : vector<8x32xf32> -> vector<8x1xf32>
  %sum = tile.reduce <add> %v : vector<8x32xf32> -> vector<8x1xf32>
  // CHECK: tile.reduce <max> %[[V]] lanes 16 : vector<8x32xf32> -> vector<8x1xf32>
  %max = tile.reduce <max> %v lanes 16 : vector<8x32xf32> -> vector<8x1xf32>
  // CHECK: tile.broadcast %[[SUM]] : vector<8x1xf32> -> vector<8x32xf32>
  %b0 = tile.broadcast %sum : vector<8x1xf32> -> vector<8x32xf32>
  // CHECK: tile.broadcast %{{.*}} : vector<32xi32> -> vector<8x32xi32>
  %b1 = tile.broadcast %columns : vector<32xi32> -> vector<8x32xi32>
  %gain = tile.load_row %x[%c0, %tile] : !tile.rows<2048> -> vector<1x32xf32>
  // CHECK: tile.broadcast %{{.*}} : vector<1x32xf32> -> vector<8x32xf32>
  %b2 = tile.broadcast %gain : vector<1x32xf32> -> vector<8x32xf32>
  // Parts of 8 rows side by side.
  // CHECK: tile.concat %{{.*}}, %{{.*}} : vector<8x8xf32>, vector<8x8xf32> -> vector<8x16xf32>
  %cat = tile.concat %u, %u : vector<8x8xf32>, vector<8x8xf32> -> vector<8x16xf32>
  // CHECK: tile.store_row %[[V]], %{{.*}}[%{{.*}}, %{{.*}}] : vector<8x32xf32>, <2048>
  tile.store_row %v, %y[%c0, %tile] : vector<8x32xf32>, !tile.rows<2048>
  // CHECK: tile.store_row %[[V]], %{{.*}}[%{{.*}}, %{{.*}}] limit %{{.*}} : vector<8x32xf32>, <2048>
  tile.store_row %v, %y[%c0, %tile] limit %tokens : vector<8x32xf32>, !tile.rows<2048>
}

// The linear layer's words; q6_k has two scale groups of 16 in an activation group.
// CHECK: tile.kernel @linear
tile.kernel @linear(%w: !tile.packed<64x512, q6_k>, %m: !tile.packed<64x512, q4_k>, %f: !tile.packed<100x172, bf16>,
                    %x: !tile.acts<512>, %y: !tile.acts<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 4 {
  %c0 = arith.constant 0 : index
  %none = arith.constant dense<0> : vector<4x16xi32>
  %zero = arith.constant dense<0.0> : vector<4x16xf32>
  // CHECK: %[[A:.*]], %[[SCALE:.*]], %[[START:.*]], %{{.*}}, %{{.*}}, %{{.*}} = tile.load_acts %{{.*}}[%{{.*}}, %{{.*}}] : <512> -> vector<4x8xi32>, vector<4x1xf32>, vector<4x1xi32>, vector<4x1xi32>, vector<4x1xi32>, vector<4x1xf32>
  %codes, %scale, %begin, %low, %high, %total = tile.load_acts %x[%c0, %c0] : !tile.acts<512>
      -> vector<4x8xi32>, vector<4x1xf32>, vector<4x1xi32>, vector<4x1xi32>, vector<4x1xi32>, vector<4x1xf32>
  // CHECK: %[[B:.*]] = tile.load_packed %{{.*}}[%{{.*}}, %{{.*}}] row %{{.*}} : <64x512, q6_k> -> <q6_k, 16>
  %b = tile.load_packed %w[%tile, %c0] row %c0 : !tile.packed<64x512, q6_k> -> !tile.block<q6_k, 16>
  // CHECK: %[[Q:.*]]:8 = tile.unpack %[[B]] : <q6_k, 16> -> vector<16xi32>,
  %q:8 = tile.unpack %b : !tile.block<q6_k, 16> -> vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>,
                                                   vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>
  // CHECK: %[[D:.*]] = tile.scale %[[B]] : <q6_k, 16> -> vector<16xf32>
  %d0 = tile.scale %b : !tile.block<q6_k, 16> -> vector<16xf32>
  // CHECK: tile.scale %[[B]] group 1 : <q6_k, 16> -> vector<16xf32>
  %d1 = tile.scale %b group 1 : !tile.block<q6_k, 16> -> vector<16xf32>
  // CHECK: tile.dot %{{.*}}, [%[[Q]]#0, %[[Q]]#1], %[[A]] bits 6 : [vector<16xi32>, vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  %i0 = tile.dot %none, [%q#0, %q#1], %codes bits 6 : [vector<16xi32>, vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  // CHECK: tile.dot %{{.*}}, [%[[Q]]#0], %[[A]] bits 8 unsigned in_turn : [vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  %i2 = tile.dot %none, [%q#0], %codes bits 8 unsigned in_turn : [vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  // CHECK: tile.dot %{{.*}}, [%[[Q]]#0, %[[Q]]#1], %[[A]] bits 8 in_turn crossed : [vector<16xi32>, vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  %i3 = tile.dot %none, [%q#0, %q#1], %codes bits 8 in_turn crossed
      : [vector<16xi32>, vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  // CHECK: tile.dot %{{.*}}, [%[[Q]]#0], %[[A]] bits 8 positive : [vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  %i4 = tile.dot %none, [%q#0], %codes bits 8 positive : [vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  // CHECK: %[[I:.*]] = tile.dot %{{.*}}, [%[[Q]]#6, %[[Q]]#7], %[[A]] from 6 start %[[START]] : vector<4x1xi32> bits 8 :
  %i1 = tile.dot %none, [%q#6, %q#7], %codes from 6 start %begin : vector<4x1xi32> bits 8
      : [vector<16xi32>, vector<16xi32>], vector<4x8xi32> -> vector<4x16xi32>
  // CHECK: tile.scale_accumulate %{{.*}}, %[[I]], %[[D]], %[[SCALE]] : vector<4x16xi32>, vector<16xf32>, vector<4x1xf32> -> vector<4x16xf32>
  %acc = tile.scale_accumulate %zero, %i1, %d0, %scale
      : vector<4x16xi32>, vector<16xf32>, vector<4x1xf32> -> vector<4x16xf32>

  // Two dots at once, scales in 16 bits.
  %words = arith.constant dense<65537> : vector<16xi32>
  %word = arith.constant dense<65537> : vector<4x1xi32>
  // CHECK: tile.accumulate_levels %{{.*}}, %[[I]], %{{.*}}, %{{.*}}, %{{.*}} shift 1 : vector<16xi32>, vector<4x1xi32> -> vector<4x16xi32>
  %levels = tile.accumulate_levels %none, %i1, %none, %words, %word shift 1
      : vector<16xi32>, vector<4x1xi32> -> vector<4x16xi32>

  // CHECK: tile.accumulate_levels %[[LEVELS:.*]], %{{.*}}, %{{.*}}, %[[W:.*]], %{{.*}} shift 0 offsets %[[W]] : vector<16xi32> : vector<16xi32>, vector<4x1xi32>
  %more = tile.accumulate_levels %levels, %none, %none, %words, %word shift 0 offsets %words : vector<16xi32>
      : vector<16xi32>, vector<4x1xi32> -> vector<4x16xi32>
  // Levels of a table, dots shifted.
  // CHECK: %[[LINES:.*]] = tile.load_levels %{{.*}}[%{{.*}}] low %[[WORD:.*]] high %[[WORD]] : !tile.bytes, vector<4x1xi32> -> vector<4x16xi32>
  %lines = tile.load_levels %scratch[%c0] low %word high %word : !tile.bytes, vector<4x1xi32> -> vector<4x16xi32>
  // CHECK: tile.accumulate_shifted %{{.*}}, %{{.*}}, %{{.*}}, %[[LINES]] right %[[WORD]] left %[[WORD]] : vector<4x1xi32>, vector<4x1xi32> -> vector<4x16xi32>
  %shifted = tile.accumulate_shifted %more, %i1, %none, %lines right %word left %word
      : vector<4x1xi32>, vector<4x1xi32> -> vector<4x16xi32>

  // Two integers of 16 bits a word.
  // CHECK: tile.dot_halves %{{.*}}, %{{.*}}, %{{.*}} : vector<16xi32>, vector<4x1xi32> -> vector<4x16xi32>
  %halves = tile.dot_halves %none, %words, %word : vector<16xi32>, vector<4x1xi32> -> vector<4x16xi32>

  // CHECK: %[[M:.*]] = tile.load_packed %{{.*}} -> <q4_k, 32>
  %k = tile.load_packed %m[%tile, %c0] row %c0 : !tile.packed<64x512, q4_k> -> !tile.block<q4_k, 32>
  // CHECK: tile.minimum %[[M]] : <q4_k, 32> -> vector<32xf32>
  %min = tile.minimum %k : !tile.block<q4_k, 32> -> vector<32xf32>

  // Float formats: a block is 8 columns, a word a value.
  // CHECK: %[[F:.*]] = tile.load_packed %{{.*}} : <100x172, bf16> -> <bf16, 8>
  %fb = tile.load_packed %f[%tile, %c0] row %c0 : !tile.packed<100x172, bf16> -> !tile.block<bf16, 8>
  // CHECK: tile.unpack %[[F]] : <bf16, 8> -> vector<8xf32>,
  %v:8 = tile.unpack %fb : !tile.block<bf16, 8> -> vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>,
                                                   vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
  %start = arith.constant dense<0.0> : vector<1x8xf32>
  %line = arith.constant dense<1.0> : vector<1x8xf32>
  // CHECK: tile.dot %{{.*}}, [{{.*}}], %{{.*}} bits 32 : [vector<8xf32>], vector<1x8xf32> -> vector<1x8xf32>
  %p = tile.dot %start, [%v#0], %line bits 32 : [vector<8xf32>], vector<1x8xf32> -> vector<1x8xf32>

  %values = arith.constant dense<0.5> : vector<4x32xf32>
  // CHECK: tile.store_acts %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] : vector<4x32xf32>, <64>
  tile.store_acts %values, %y[%c0, %tile] : vector<4x32xf32>, !tile.acts<64>
  // CHECK: tile.store_acts %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] limit %{{.*}} : vector<4x32xf32>, <64>
  tile.store_acts %values, %y[%c0, %tile] limit %tokens : vector<4x32xf32>, !tile.acts<64>
  %most = arith.constant dense<0.5> : vector<4x1xf32>
  // CHECK: tile.store_acts %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] limit %{{.*}} largest %{{.*}} : vector<4x1xf32> halves totals : vector<4x32xf32>, <64>
  tile.store_acts %values, %y[%c0, %tile] limit %tokens largest %most : vector<4x1xf32> halves totals : vector<4x32xf32>, !tile.acts<64>
}

// Arranged activations: single tokens, with 4 times each start, and pairs, whose numbers are t u t u. A group of 16 tokens
// with starts is 4 times 64 bytes of starts, 128 of codes, 16 of scales; one of 4 pairs 4 times 16, 64 and 16.
// CHECK: tile.kernel @arranged
tile.kernel @arranged(%w: !tile.packed<64x512, q4_0>, %x: !tile.acts<512>) grid(%tile, %tokens, %position)
    scratch(%scratch : 16384) tokens 16 {
  %c0 = arith.constant 0 : index
  %none = arith.constant dense<0> : vector<4x8xi32>
  %zero = arith.constant dense<0.0> : vector<4x8xf32>
  %d = arith.constant dense<1.0> : vector<8xf32>
  // CHECK: %[[ONES:.*]] = tile.view %{{.*}}[64] : !tile.arranged<512, 16 by 1, starts>
  %ones = tile.view %scratch[64] : !tile.arranged<512, 16 by 1, starts>
  // CHECK: tile.arrange_acts %{{.*}}[%{{.*}}], %[[ONES]] : <512>, <512, 16 by 1, starts>
  tile.arrange_acts %x[%position], %ones : !tile.acts<512>, !tile.arranged<512, 16 by 1, starts>
  // CHECK: tile.load_arranged %[[ONES]][%{{.*}}] : <512, 16 by 1, starts> -> vector<16x8xi32>, vector<16x1xf32>, vector<16x4xi32>, vector<16x4xi32>, vector<16x4xi32>, vector<16x1xf32>
  %c, %s, %n, %l, %h, %t = tile.load_arranged %ones[%c0] : !tile.arranged<512, 16 by 1, starts>
      -> vector<16x8xi32>, vector<16x1xf32>, vector<16x4xi32>, vector<16x4xi32>, vector<16x4xi32>, vector<16x1xf32>
  // CHECK: %[[PAIRS:.*]] = tile.view %{{.*}}[0] : !tile.arranged<512, 8 by 2, starts, halves, totals>
  %pairs = tile.view %scratch[0] : !tile.arranged<512, 8 by 2, starts, halves, totals>
  // CHECK: %[[X:.*]], %[[SCALE:.*]], %[[START:.*]], %{{.*}}, %{{.*}}, %{{.*}} = tile.load_arranged %[[PAIRS]][%{{.*}}] :
  %codes, %scale, %start, %low, %high, %total = tile.load_arranged %pairs[%c0]
      : !tile.arranged<512, 8 by 2, starts, halves, totals>
      -> vector<4x16xi32>, vector<4x4xf32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x4xf32>
  // CHECK: tile.broadcast %[[START]] : vector<4x4xi32> -> vector<4x8xi32>
  %init = tile.broadcast %start : vector<4x4xi32> -> vector<4x8xi32>
  %b = tile.load_packed %w[%tile, %c0] row %c0 : !tile.packed<64x512, q4_0> -> !tile.block<q4_0, 4>
  // CHECK: %[[Q:.*]]:4 = tile.unpack %{{.*}} pairs : <q4_0, 4> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  %q:4 = tile.unpack %b pairs : !tile.block<q4_0, 4> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  // CHECK: tile.dot_pairs %{{.*}}, [%[[Q]]#0, %[[Q]]#1, %[[Q]]#2, %[[Q]]#3], %[[X]] : [
  %i0 = tile.dot_pairs %init, [%q#0, %q#1, %q#2, %q#3], %codes
      : [vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>], vector<4x16xi32> -> vector<4x8xi32>
  // CHECK: %[[I:.*]] = tile.dot_pairs %{{.*}}, [%[[Q]]#2, %[[Q]]#3], %[[X]] from 4 : [vector<8xi32>, vector<8xi32>], vector<4x16xi32> -> vector<4x8xi32>
  %i1 = tile.dot_pairs %none, [%q#2, %q#3], %codes from 4
      : [vector<8xi32>, vector<8xi32>], vector<4x16xi32> -> vector<4x8xi32>
  // CHECK: %[[ACC:.*]] = tile.scale_accumulate %{{.*}}, %[[I]], %{{.*}}, %[[SCALE]] : vector<4x8xi32>, vector<8xf32>, vector<4x4xf32> -> vector<4x8xf32>
  %acc = tile.scale_accumulate %zero, %i1, %d, %scale
      : vector<4x8xi32>, vector<8xf32>, vector<4x4xf32> -> vector<4x8xf32>
  // CHECK: tile.split_pairs %[[ACC]] : vector<4x8xf32> -> vector<8x4xf32>
  %y = tile.split_pairs %acc : vector<4x8xf32> -> vector<8x4xf32>
}

// Lane form: bytes at offsets, a row a lane.
// CHECK: tile.kernel @lanes
tile.kernel @lanes(%w: !tile.packed<64x256, q8_0>, %x: !tile.bytes, %y: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 64) tokens 1 {
  // CHECK: %[[V:.*]] = tile.load %{{.*}}[%{{.*}}] : !tile.packed<64x256, q8_0> -> vector<32xi32>
  %v = tile.load %w[%tile] : !tile.packed<64x256, q8_0> -> vector<32xi32>
  // CHECK: %[[H:.*]] = tile.load %{{.*}}[%{{.*}}] : !tile.bytes -> vector<32xf16>
  %h = tile.load %x[%tile] : !tile.bytes -> vector<32xf16>
  // CHECK: %[[N:.*]] = tile.load_uniform %{{.*}}[%{{.*}}] : !tile.bytes -> f32
  %n = tile.load_uniform %x[%tile] : !tile.bytes -> f32
  // CHECK: %[[U:.*]] = tile.load_uniform %{{.*}}[%{{.*}}] : !tile.bytes -> vector<8xi32>
  %u = tile.load_uniform %x[%tile] : !tile.bytes -> vector<8xi32>
  // CHECK: %[[L:.*]] = tile.lanes : vector<32xi32>
  %lanes = tile.lanes : vector<32xi32>
  // CHECK: tile.gather %{{.*}}[%{{.*}} + %[[L]]] : !tile.bytes, vector<32xi32> -> vector<32xf32>
  %g = tile.gather %x[%tile + %lanes] : !tile.bytes, vector<32xi32> -> vector<32xf32>
  // CHECK: tile.scatter %[[H]], %{{.*}}[%{{.*}} + %[[L]]] lanes %{{.*}} : vector<32xf16>, !tile.bytes, vector<32xi32>
  tile.scatter %h, %y[%tile + %lanes] lanes %tokens : vector<32xf16>, !tile.bytes, vector<32xi32>
  // CHECK: tile.store %[[V]], %{{.*}}[%{{.*}}] : vector<32xi32>, !tile.bytes
  tile.store %v, %scratch[%tile] : vector<32xi32>, !tile.bytes
  // CHECK: tile.store_uniform %[[N]], %{{.*}}[%{{.*}}] : f32, !tile.bytes
  tile.store_uniform %n, %y[%tile] : f32, !tile.bytes
  // CHECK: tile.prefetch %{{.*}}[%{{.*}}] : !tile.packed<64x256, q8_0>
  tile.prefetch %w[%tile] : !tile.packed<64x256, q8_0>
  // CHECK: tile.prefetch %{{.*}}[%{{.*}}] {locality = 3 : i32} : !tile.packed<64x256, q8_0>
  tile.prefetch %w[%tile] {locality = 3 : i32} : !tile.packed<64x256, q8_0>
  // CHECK: tile.reduce <max> %[[V]] : vector<32xi32> -> i32
  %max = tile.reduce <max> %v : vector<32xi32> -> i32
  // CHECK: tile.lookup %[[V]] in [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] : vector<32xi32>
  %levels = tile.lookup %v in [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] : vector<32xi32>
  // CHECK: tile.swap_pairs %[[V]] : vector<32xi32>
  %s = tile.swap_pairs %v : vector<32xi32>
  // CHECK: tile.concat %[[V]], %[[V]] : vector<32xi32>, vector<32xi32> -> vector<64xi32>
  %cat = tile.concat %v, %v : vector<32xi32>, vector<32xi32> -> vector<64xi32>
  %zero = arith.constant 0 : i32
  // CHECK: tile.dot %[[V]], [%[[V]]], %[[U]] from 3 start %{{.*}} : i32 bits 8 : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  %dot = tile.dot %v, [%v], %u from 3 start %zero : i32 bits 8 : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  // 8-bit codes for a target that multiplies signed bytes.
  // CHECK: tile.dot %[[V]], [%[[V]]], %[[U]] bits 8 : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  %signed = tile.dot %v, [%v], %u bits 8 : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  %u16 = tile.load_uniform %scratch[%tile] : !tile.bytes -> vector<16xi32>
  // CHECK: tile.dot_pairs %[[V]], [%[[V]]], %{{.*}} : [vector<32xi32>], vector<16xi32> -> vector<32xi32>
  %pairs = tile.dot_pairs %v, [%v], %u16 : [vector<32xi32>], vector<16xi32> -> vector<32xi32>
  // One row read out of a packed matrix: two words are eight codes.
  %w0 = tile.load %w[%tile] : !tile.packed<64x256, q8_0> -> vector<1xi32>
  // CHECK: tile.spread %{{.*}}, %{{.*}} {signed_codes} : vector<1xi32>, vector<1xi32> -> vector<8xi32>
  %codes = tile.spread %w0, %w0 {signed_codes} : vector<1xi32>, vector<1xi32> -> vector<8xi32>
  %f0 = tile.load %x[%tile] : !tile.bytes -> vector<1xf32>
  // CHECK: tile.spread %{{.*}}, %{{.*}} : vector<1xf32>, vector<1xf32> -> vector<2xf32>
  %floats = tile.spread %f0, %f0 : vector<1xf32>, vector<1xf32> -> vector<2xf32>
}
