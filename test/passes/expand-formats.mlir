// RUN: sinter-opt %s --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline='builtin.module(tile.kernel(expand-formats,canonicalize,cse))' | FileCheck %s

// One block of each format, from the layout that compiler/weights/Format.h describes. Rows 16 .. 23 of tile 0 are read: in
// a line of 32-bit words they start at byte 64, in one of 16 bits at byte 32. Offsets are constants, so they can be checked
// against the text there.

// A block has a line of 64 bytes, d, and 8 of 128 bytes. Block 3 is at 3 * 1088; word 5: line 5, all eight bits of a code,
// nothing to mask.
// CHECK-LABEL: tile.kernel @q8_0
// CHECK-DAG:     %[[AT:.*]] = arith.constant 4032 : index
// CHECK-DAG:     %[[DAT:.*]] = arith.constant 3296 : index
// CHECK:         %[[Q:.*]] = tile.load %{{.*}}[%[[AT]]] : !tile.packed<64x256, q8_0> -> vector<8xi32>
// CHECK-NEXT:    %[[H:.*]] = tile.load %{{.*}}[%[[DAT]]] : !tile.packed<64x256, q8_0> -> vector<8xf16>
// CHECK-NEXT:    %[[D:.*]] = arith.extf %[[H]] : vector<8xf16> to vector<8xf32>
// CHECK-NEXT:    tile.store %[[Q]]
// CHECK-NEXT:    tile.store %[[D]]
tile.kernel @q8_0(%w: !tile.packed<64x256, q8_0>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 3 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 8>
  %q:8 = tile.unpack %b : !tile.block<q8_0, 8> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>,
                                                  vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  %d = tile.scale %b : !tile.block<q8_0, 8> -> vector<8xf32>
  tile.store %q#5, %out[%c0] : vector<8xi32>, !tile.bytes
  tile.store %d, %out[%c0] : vector<8xf32>, !tile.bytes
}

// -----
// Two words a line: words 1 and 5 lie in the low and the high halves of line 1 of block 3, at 3 * 576 + 64 + 128 + 64. They
// are loaded once. d is the block's first line.
// CHECK-LABEL: tile.kernel @q4_0
// CHECK-DAG:     %[[LOW:.*]] = arith.constant dense<252645135> : vector<8xi32>
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant dense<4> : vector<8xi32>
// CHECK-DAG:     %[[AT:.*]] = arith.constant 1984 : index
// CHECK-DAG:     %[[DAT:.*]] = arith.constant 1760 : index
// CHECK:         %[[L:.*]] = tile.load %{{.*}}[%[[AT]]] : {{.*}} -> vector<8xi32>
// CHECK-NEXT:    %[[Q1:.*]] = arith.andi %[[L]], %[[LOW]]
// CHECK-NEXT:    %[[S:.*]] = arith.shrui %[[L]], %[[FOUR]]
// CHECK-NEXT:    %[[Q5:.*]] = arith.andi %[[S]], %[[LOW]]
// CHECK-NEXT:    %[[H:.*]] = tile.load %{{.*}}[%[[DAT]]] : {{.*}} -> vector<8xf16>
// CHECK-NEXT:    %[[D:.*]] = arith.extf %[[H]]
// CHECK-NEXT:    tile.store %[[Q1]]
// CHECK-NEXT:    tile.store %[[Q5]]
// CHECK-NEXT:    tile.store %[[D]]
tile.kernel @q4_0(%w: !tile.packed<64x256, q4_0>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 3 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<64x256, q4_0> -> !tile.block<q4_0, 8>
  %q:8 = tile.unpack %b : !tile.block<q4_0, 8> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>,
                                                  vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  %d = tile.scale %b : !tile.block<q4_0, 8> -> vector<8xf32>
  tile.store %q#1, %out[%c0] : vector<8xi32>, !tile.bytes
  tile.store %q#5, %out[%c0] : vector<8xi32>, !tile.bytes
  tile.store %d, %out[%c0] : vector<8xf32>, !tile.bytes
}

// -----
// Pairs of words, for dots of two rows by two tokens: 4 rows of the lines above, interleaved before the halves of their bytes
// are taken out of them. Words 0 and 1 are in the low halves of lines 0 and 1, words 4 and 5 in their high halves.
// CHECK-LABEL: tile.kernel @q4_0_pairs
// CHECK-DAG:     %[[LOW:.*]] = arith.constant dense<252645135> : vector<8xi32>
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant dense<4> : vector<8xi32>
// CHECK:         %[[L0:.*]] = tile.load %{{.*}}[%c1856] : {{.*}} -> vector<4xi32>
// CHECK-NEXT:    %[[L1:.*]] = tile.load %{{.*}}[%c1984] : {{.*}} -> vector<4xi32>
// CHECK-NEXT:    %[[L:.*]] = vector.interleave %[[L0]], %[[L1]] : vector<4xi32> -> vector<8xi32>
// CHECK-NEXT:    %[[Q0:.*]] = arith.andi %[[L]], %[[LOW]]
// CHECK-NEXT:    %[[S:.*]] = arith.shrui %[[L]], %[[FOUR]]
// CHECK-NEXT:    %[[Q2:.*]] = arith.andi %[[S]], %[[LOW]]
// CHECK-NEXT:    tile.store %[[Q0]]
// CHECK-NEXT:    tile.store %[[Q2]]
tile.kernel @q4_0_pairs(%w: !tile.packed<64x256, q4_0>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 3 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<64x256, q4_0> -> !tile.block<q4_0, 4>
  %q:4 = tile.unpack %b pairs : !tile.block<q4_0, 4> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  tile.store %q#0, %out[%c0] : vector<8xi32>, !tile.bytes
  tile.store %q#2, %out[%c0] : vector<8xi32>, !tile.bytes
}

// -----
// All fifth bits are in one line: words 0 and 1 are taken out of it before they are interleaved.
// CHECK-LABEL: tile.kernel @q5_0_pairs
// CHECK:         %[[LOW:.*]] = arith.andi %{{.*}} : vector<8xi32>
// CHECK:         %[[B:.*]] = tile.load %{{.*}}[%c2752] : {{.*}} -> vector<4xi32>
// CHECK-NEXT:    %[[M0:.*]] = arith.shli %[[B]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:    %[[T0:.*]] = arith.andi %[[M0]], %[[FIFTH:.*]] : vector<4xi32>
// CHECK-NEXT:    %[[M1:.*]] = arith.shli %[[B]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:    %[[T1:.*]] = arith.andi %[[M1]], %[[FIFTH]] : vector<4xi32>
// CHECK-NEXT:    %[[T:.*]] = vector.interleave %[[T0]], %[[T1]] : vector<4xi32> -> vector<8xi32>
// CHECK-NEXT:    arith.ori %[[LOW]], %[[T]]
tile.kernel @q5_0_pairs(%w: !tile.packed<64x256, q5_0>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 3 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<64x256, q5_0> -> !tile.block<q5_0, 4>
  %q:4 = tile.unpack %b pairs : !tile.block<q5_0, 4> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  tile.store %q#0, %out[%c0] : vector<8xi32>, !tile.bytes
}

// -----
// The fifth bits are a plane of their own, behind the low four: one line a block, bit q of a byte for word q. Word 1 moves its
// bit left to bit 4 by three, word 5 right by one; both are masked after it (0x10101010) and joined with the low four.
// CHECK-LABEL: tile.kernel @q5_0
// CHECK-DAG:     %[[ONE:.*]] = arith.constant dense<1> : vector<8xi32>
// CHECK-DAG:     %[[THREE:.*]] = arith.constant dense<3> : vector<8xi32>
// CHECK-DAG:     %[[FIFTH:.*]] = arith.constant dense<269488144> : vector<8xi32>
// CHECK-DAG:     %[[AT:.*]] = arith.constant 2752 : index
// CHECK:         %[[B:.*]] = tile.load %{{.*}}[%[[AT]]] : {{.*}} -> vector<8xi32>
// CHECK-NEXT:    %[[M1:.*]] = arith.shli %[[B]], %[[THREE]]
// CHECK-NEXT:    %[[T1:.*]] = arith.andi %[[M1]], %[[FIFTH]]
// CHECK-NEXT:    %[[Q1:.*]] = arith.ori %{{.*}}, %[[T1]]
// CHECK-NEXT:    %[[M5:.*]] = arith.shrui %[[B]], %[[ONE]]
// CHECK-NEXT:    %[[T5:.*]] = arith.andi %[[M5]], %[[FIFTH]]
// CHECK-NEXT:    %[[Q5:.*]] = arith.ori %{{.*}}, %[[T5]]
// CHECK-NEXT:    tile.store %[[Q1]]
// CHECK-NEXT:    tile.store %[[Q5]]
tile.kernel @q5_0(%w: !tile.packed<64x256, q5_0>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 3 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<64x256, q5_0> -> !tile.block<q5_0, 8>
  %q:8 = tile.unpack %b : !tile.block<q5_0, 8> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>,
                                                  vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  tile.store %q#1, %out[%c0] : vector<8xi32>, !tile.bytes
  tile.store %q#5, %out[%c0] : vector<8xi32>, !tile.bytes
}

// -----
// Two super-blocks of 4608 bytes: d and dmin (2 * 64), scales (low plane 128, high 64), minima (the same), codes 8 * 512.
// Scale 2 of super-block 1 is at bit 8 of the low plane's only line, at 4608 + 128, and at bit 4 of the high plane's, 128
// behind it; d at 4608. It is (low | high << 4) * d.
// CHECK-LABEL: tile.kernel @q4_k
// CHECK-DAG:     %[[LOWAT:.*]] = arith.constant 4800 : index
// CHECK-DAG:     %[[HIGHAT:.*]] = arith.constant 4896 : index
// CHECK-DAG:     %[[DAT:.*]] = arith.constant 4640 : index
// CHECK-DAG:     %[[EIGHT:.*]] = arith.constant dense<8> : vector<8xi32>
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant dense<4> : vector<8xi32>
// CHECK-DAG:     %[[M4:.*]] = arith.constant dense<15> : vector<8xi32>
// CHECK-DAG:     %[[M2:.*]] = arith.constant dense<3> : vector<8xi32>
// CHECK:         %[[H:.*]] = tile.load %{{.*}}[%[[DAT]]] : {{.*}} -> vector<8xf16>
// CHECK-NEXT:    %[[D:.*]] = arith.extf %[[H]]
// CHECK-NEXT:    %[[L:.*]] = tile.load %{{.*}}[%[[LOWAT]]] : {{.*}} -> vector<8xi32>
// CHECK-NEXT:    %[[L1:.*]] = arith.shrui %[[L]], %[[EIGHT]]
// CHECK-NEXT:    %[[L2:.*]] = arith.andi %[[L1]], %[[M4]]
// Eight integers of two bits are 16: a line of halves.
// CHECK-NEXT:    %[[U:.*]] = tile.load %{{.*}}[%[[HIGHAT]]] : {{.*}} -> vector<8xi16>
// CHECK-NEXT:    %[[U0:.*]] = arith.extui %[[U]]
// CHECK-NEXT:    %[[U1:.*]] = arith.shrui %[[U0]], %[[FOUR]]
// CHECK-NEXT:    %[[U2:.*]] = arith.andi %[[U1]], %[[M2]]
// CHECK-NEXT:    %[[U3:.*]] = arith.shli %[[U2]], %[[FOUR]]
// CHECK-NEXT:    %[[N:.*]] = arith.ori %[[L2]], %[[U3]]
// CHECK-NEXT:    %[[F:.*]] = arith.sitofp %[[N]]
// CHECK-NEXT:    %[[S:.*]] = arith.mulf %[[D]], %[[F]]
// The minimum is the same chain from its own lines: dmin behind d, integers behind the scales'.
// CHECK:         arith.mulf
// CHECK:         tile.store %[[S]]
tile.kernel @q4_k(%w: !tile.packed<64x512, q4_k>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 10 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<64x512, q4_k> -> !tile.block<q4_k, 8>
  %s = tile.scale %b : !tile.block<q4_k, 8> -> vector<8xf32>
  %m = tile.minimum %b : !tile.block<q4_k, 8> -> vector<8xf32>
  tile.store %s, %out[%c0] : vector<8xf32>, !tile.bytes
  tile.store %m, %out[%c0] : vector<8xf32>, !tile.bytes
}

// -----
// A tile and a block that are known only when the kernel runs: the same chain with computed places. A tile has 9216 bytes.
// CHECK-LABEL: tile.kernel @q4_k_computed
// CHECK-DAG:     %[[TILEBYTES:.*]] = arith.constant 9216 : index
// CHECK-DAG:     %[[BLOCKS:.*]] = arith.constant 8 : index
// CHECK-DAG:     %[[BITS:.*]] = arith.constant 4 : index
// CHECK-DAG:     arith.divui %[[K:.*]], %[[BLOCKS]]
// CHECK-DAG:     arith.muli %{{.*}}, %[[TILEBYTES]]
// CHECK:         %[[I:.*]] = arith.remui %[[K]], %[[BLOCKS]]
// CHECK:         %[[BIT:.*]] = arith.muli %[[I]], %[[BITS]]
// CHECK:         %[[SHIFT:.*]] = arith.remui %[[BIT]]
// CHECK:         %[[NARROW:.*]] = arith.index_castui %[[SHIFT]] : index to i32
// CHECK:         %[[ALL:.*]] = vector.broadcast %[[NARROW]] : i32 to vector<32xi32>
// CHECK:         arith.shrui %{{.*}}, %[[ALL]]
tile.kernel @q4_k_computed(%w: !tile.packed<64x512, q4_k>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %b = tile.load_packed %w[%tile, %position] row %c0 : !tile.packed<64x512, q4_k> -> !tile.block<q4_k, 32>
  %s = tile.scale %b : !tile.block<q4_k, 32> -> vector<32xf32>
  tile.store %s, %out[%c0] : vector<32xf32>, !tile.bytes
}

// -----
// A super-block is d and scales (64 + 512) and 8 * 768 bytes of codes. Codes: low four bits as in q4_0, of block 2 of
// super-block 1 at 6720 + 576 + 2 * 768 + 128 + 64 for word 5; the upper two in lines of four words each, 512 behind the
// first, where those of word 5 are at bits 4 and 5 already: masked (0x30303030), not moved.
// Scales are bytes, 16 a super-block in four lines: group 1 of that block is integer 5, bit 8 of line 1, at
// 6720 + 64 + 128 + 64. They are signed: 24 up and down again. d at 6720 + 32.
// CHECK-LABEL: tile.kernel @q6_k
// CHECK-DAG:     %[[LOWAT:.*]] = arith.constant 9024 : index
// CHECK-DAG:     %[[HIGHAT:.*]] = arith.constant 9536 : index
// CHECK-DAG:     %[[SAT:.*]] = arith.constant 6976 : index
// CHECK-DAG:     %[[DAT:.*]] = arith.constant 6752 : index
// CHECK-DAG:     %[[M4:.*]] = arith.constant dense<252645135> : vector<8xi32>
// CHECK-DAG:     %[[M2:.*]] = arith.constant dense<808464432> : vector<8xi32>
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant dense<4> : vector<8xi32>
// CHECK-DAG:     %[[EIGHT:.*]] = arith.constant dense<8> : vector<8xi32>
// CHECK-DAG:     %[[BYTE:.*]] = arith.constant dense<255> : vector<8xi32>
// CHECK-DAG:     %[[SIGN:.*]] = arith.constant dense<24> : vector<8xi32>
// CHECK:         %[[L:.*]] = tile.load %{{.*}}[%[[LOWAT]]]
// CHECK-NEXT:    %[[L1:.*]] = arith.shrui %[[L]], %[[FOUR]]
// CHECK-NEXT:    %[[L2:.*]] = arith.andi %[[L1]], %[[M4]]
// CHECK-NEXT:    %[[U:.*]] = tile.load %{{.*}}[%[[HIGHAT]]]
// CHECK-NEXT:    %[[U1:.*]] = arith.andi %[[U]], %[[M2]]
// CHECK-NEXT:    %[[Q:.*]] = arith.ori %[[L2]], %[[U1]]
// CHECK-NEXT:    %[[H:.*]] = tile.load %{{.*}}[%[[DAT]]]
// CHECK-NEXT:    %[[D:.*]] = arith.extf %[[H]]
// CHECK-NEXT:    %[[W:.*]] = tile.load %{{.*}}[%[[SAT]]]
// CHECK-NEXT:    %[[W1:.*]] = arith.shrui %[[W]], %[[EIGHT]]
// CHECK-NEXT:    %[[W2:.*]] = arith.andi %[[W1]], %[[BYTE]]
// CHECK-NEXT:    %[[W3:.*]] = arith.shli %[[W2]], %[[SIGN]]
// CHECK-NEXT:    %[[W4:.*]] = arith.shrsi %[[W3]], %[[SIGN]]
// CHECK-NEXT:    %[[F:.*]] = arith.sitofp %[[W4]]
// CHECK-NEXT:    %[[S:.*]] = arith.mulf %[[D]], %[[F]]
// CHECK-NEXT:    tile.store %[[Q]]
// CHECK-NEXT:    tile.store %[[S]]
tile.kernel @q6_k(%w: !tile.packed<64x512, q6_k>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 10 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<64x512, q6_k> -> !tile.block<q6_k, 8>
  %q:8 = tile.unpack %b : !tile.block<q6_k, 8> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>,
                                                  vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  %s = tile.scale %b group 1 : !tile.block<q6_k, 8> -> vector<8xf32>
  tile.store %q#5, %out[%c0] : vector<8xi32>, !tile.bytes
  tile.store %s, %out[%c0] : vector<8xf32>, !tile.bytes
}

// -----
// Two super-blocks of 64 + 192 + 8 * 512 bytes. Codes lie as in q4_0, at 4352 + 256 + 2 * 512 + 128 + 64 for word 5 of block 2
// of super-block 1, and choose from the codebook. Its scale 2 lies as in q4_k, at 4352 + 64 + 64 and 128 + 32 behind d; 32 comes
// off it. d at 4352 + 32.
// CHECK-LABEL: tile.kernel @iq4_xs
// CHECK-DAG:     %[[AT:.*]] = arith.constant 5824 : index
// CHECK-DAG:     %[[LOWAT:.*]] = arith.constant 4480 : index
// CHECK-DAG:     %[[HIGHAT:.*]] = arith.constant 4576 : index
// CHECK-DAG:     %[[DAT:.*]] = arith.constant 4384 : index
// CHECK-DAG:     %[[OFFSET:.*]] = arith.constant dense<32> : vector<8xi32>
// CHECK:         %[[L:.*]] = tile.load %{{.*}}[%[[AT]]] : {{.*}} -> vector<8xi32>
// CHECK-NEXT:    %[[I:.*]] = arith.shrui %[[L]]
// CHECK-NEXT:    %[[J:.*]] = arith.andi %[[I]]
// CHECK-NEXT:    %[[Q:.*]] = tile.lookup %[[J]] in [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] : vector<8xi32>
// CHECK-NEXT:    %[[H:.*]] = tile.load %{{.*}}[%[[DAT]]]
// CHECK-NEXT:    %[[D:.*]] = arith.extf %[[H]]
// CHECK:         tile.load %{{.*}}[%[[LOWAT]]]
// CHECK:         tile.load %{{.*}}[%[[HIGHAT]]]
// CHECK:         %[[N:.*]] = arith.ori
// CHECK-NEXT:    %[[M:.*]] = arith.subi %[[N]], %[[OFFSET]]
// CHECK-NEXT:    %[[F:.*]] = arith.sitofp %[[M]]
// CHECK-NEXT:    %[[S:.*]] = arith.mulf %[[D]], %[[F]]
// CHECK-NEXT:    tile.store %[[Q]]
// CHECK-NEXT:    tile.store %[[S]]
tile.kernel @iq4_xs(%w: !tile.packed<64x512, iq4_xs>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 10 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<64x512, iq4_xs> -> !tile.block<iq4_xs, 8>
  %q:8 = tile.unpack %b : !tile.block<iq4_xs, 8> -> vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>,
                                                    vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<8xi32>
  %s = tile.scale %b : !tile.block<iq4_xs, 8> -> vector<8xf32>
  tile.store %q#5, %out[%c0] : vector<8xi32>, !tile.bytes
  tile.store %s, %out[%c0] : vector<8xf32>, !tile.bytes
}

// -----
// A float format's block is 8 columns, a line of 32 values each: column 3 * 8 + 5 at 29 * 64 + 32.
// CHECK-LABEL: tile.kernel @f16
// CHECK-DAG:     %[[AT:.*]] = arith.constant 1888 : index
// CHECK:         %[[H:.*]] = tile.load %{{.*}}[%[[AT]]] : !tile.packed<100x172, f16> -> vector<8xf16>
// CHECK-NEXT:    %[[V:.*]] = arith.extf %[[H]] : vector<8xf16> to vector<8xf32>
// CHECK-NEXT:    tile.store %[[V]]
tile.kernel @f16(%w: !tile.packed<100x172, f16>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 3 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<100x172, f16> -> !tile.block<f16, 8>
  %q:8 = tile.unpack %b : !tile.block<f16, 8> -> vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>,
                                                 vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
  tile.store %q#5, %out[%c0] : vector<8xf32>, !tile.bytes
}

// -----
// bf16 becomes f32 by a shift: no target needs the type.
// CHECK-LABEL: tile.kernel @bf16
// CHECK-DAG:     %[[AT:.*]] = arith.constant 1888 : index
// CHECK-DAG:     %[[HALF:.*]] = arith.constant dense<16> : vector<8xi32>
// CHECK:         %[[H:.*]] = tile.load %{{.*}}[%[[AT]]] : !tile.packed<100x172, bf16> -> vector<8xi16>
// CHECK-NEXT:    %[[I:.*]] = arith.extui %[[H]] : vector<8xi16> to vector<8xi32>
// CHECK-NEXT:    %[[S:.*]] = arith.shli %[[I]], %[[HALF]]
// CHECK-NEXT:    %[[V:.*]] = arith.bitcast %[[S]] : vector<8xi32> to vector<8xf32>
// CHECK-NEXT:    tile.store %[[V]]
tile.kernel @bf16(%w: !tile.packed<100x172, bf16>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 3 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<100x172, bf16> -> !tile.block<bf16, 8>
  %q:8 = tile.unpack %b : !tile.block<bf16, 8> -> vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>,
                                                  vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
  tile.store %q#5, %out[%c0] : vector<8xf32>, !tile.bytes
}

// -----
// f32 is read as it is, at 29 * 128 + 64.
// CHECK-LABEL: tile.kernel @f32
// CHECK-DAG:     %[[AT:.*]] = arith.constant 3776 : index
// CHECK:         %[[V:.*]] = tile.load %{{.*}}[%[[AT]]] : !tile.packed<100x172, f32> -> vector<8xf32>
// CHECK-NEXT:    tile.store %[[V]]
tile.kernel @f32(%w: !tile.packed<100x172, f32>, %out: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %block = arith.constant 3 : index
  %row = arith.constant 16 : index
  %b = tile.load_packed %w[%c0, %block] row %row : !tile.packed<100x172, f32> -> !tile.block<f32, 8>
  %q:8 = tile.unpack %b : !tile.block<f32, 8> -> vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>,
                                                 vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
  tile.store %q#5, %out[%c0] : vector<8xf32>, !tile.bytes
}

// -----
// The scales are multiplied first, and with the dot in one rounding: the same bits on every target.
// CHECK-LABEL: tile.kernel @accumulate
// CHECK:         %[[I:.*]] = arith.sitofp %[[DOT:.*]] : vector<2x8xi32> to vector<2x8xf32>
// CHECK-NEXT:    %[[W:.*]] = tile.broadcast %{{.*}} : vector<8xf32> -> vector<2x8xf32>
// CHECK-NEXT:    %[[A:.*]] = tile.broadcast %{{.*}} : vector<2x1xf32> -> vector<2x8xf32>
// CHECK-NEXT:    %[[S:.*]] = arith.mulf %[[W]], %[[A]]
// CHECK-NEXT:    %[[Y:.*]] = math.fma %[[I]], %[[S]], %{{.*}}
// CHECK-NEXT:    tile.store_row %[[Y]]
tile.kernel @accumulate(%x: !tile.rows<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %acc = tile.load_row %x[%c0, %c0] : !tile.rows<64> -> vector<2x8xf32>
  %dot = tile.load_row %x[%c0, %tile] : !tile.rows<64> -> vector<2x8xi32>
  %act = tile.load_row %x[%c0, %position] : !tile.rows<64> -> vector<2x1xf32>
  %weight = tile.load %x[%c0] : !tile.rows<64> -> vector<8xf32>
  %v = tile.scale_accumulate %acc, %dot, %weight, %act
      : vector<2x8xi32>, vector<8xf32>, vector<2x1xf32> -> vector<2x8xf32>
  tile.store_row %v, %y[%c0, %c0] : vector<2x8xf32>, !tile.rows<64>
}

// -----
// Nothing of a format: nothing changes. Dots are the targets' own.
// CHECK-LABEL: tile.kernel @alone
// CHECK:         tile.load_acts
// CHECK-NEXT:    tile.dot
// CHECK-NEXT:    tile.store_row
tile.kernel @alone(%x: !tile.acts<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %init = arith.constant dense<0> : vector<1x8xi32>
  %w = arith.constant dense<1> : vector<8xi32>
  %codes, %scale, %start, %low, %high, %total = tile.load_acts %x[%c0, %c0] : !tile.acts<64>
      -> vector<1x8xi32>, vector<1x1xf32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xf32>
  %v = tile.dot %init, [%w], %codes bits 4 : [vector<8xi32>], vector<1x8xi32> -> vector<1x8xi32>
  tile.store_row %v, %y[%c0, %c0] : vector<1x8xi32>, !tile.rows<64>
}

// -----
// A block is a place: it must be seen where it lies.
tile.kernel @chosen(%w: !tile.packed<64x256, q8_0>, %out: !tile.bytes, %choice: !tile.bytes)
    grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %a = tile.load_packed %w[%c0, %tile] row %c0 : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 32>
  %b = tile.load_packed %w[%c0, %position] row %c0 : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 32>
  %less = arith.cmpi ult, %tile, %tokens : index
  %either = arith.select %less, %a, %b : !tile.block<q8_0, 32>
  // expected-error@+1 {{reads a block that no tile.load_packed names}}
  %d = tile.scale %either : !tile.block<q8_0, 32> -> vector<32xf32>
  tile.store %d, %out[%c0] : vector<32xf32>, !tile.bytes
}
