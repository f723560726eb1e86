// RUN: sinter-opt %s --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline='builtin.module(tile.kernel(unroll-tokens,canonicalize,cse))' | FileCheck %s

// Rows of 64 int8 activations are 128 bytes apart: codes, 2 scales at 64, 2 starts at 72, 4 half starts at 80, 2 totals at
// 96. Four tokens are one unit: starts at 0 (4 times each, 64 bytes), codes at 64 (128 bytes), scales at 192. A group is 208
// bytes; two groups become four, whose numbers are loaded at once. The view starts at byte 64 of the scratch, so that group
// 0 has its starts there, its codes at 128, its scales at 256; group 1 has its codes at 336. Codes lie word after word, 16
// bytes of 4 tokens each, words 0 4 1 5 2 6 3 7: words 0 and 1 at 128 and 160, 4 at 144.
// CHECK-LABEL: tile.kernel @arrange
// CHECK:         %[[R:.*]] = arith.muli %position, %c128
// CHECK:         %[[AT:.*]] = arith.addi %[[R]], %c64
// CHECK:         %[[D0:.*]] = tile.load %{{.*}}[%[[AT]]] : !tile.acts<64> -> vector<4xf32>
// CHECK:         %[[D1:.*]] = tile.load %{{.*}} : !tile.acts<64> -> vector<4xf32>
// CHECK:         %[[D2:.*]] = tile.load %{{.*}} : !tile.acts<64> -> vector<4xf32>
// CHECK:         %[[D3:.*]] = tile.load %{{.*}} : !tile.acts<64> -> vector<4xf32>
// CHECK:         %[[AT:.*]] = arith.addi %[[R]], %c72
// CHECK:         %[[S0:.*]] = tile.load %{{.*}}[%[[AT]]] : !tile.acts<64> -> vector<4xi32>
// One token's start four times; a word of all four tokens; a scale of each token.
// CHECK:         %[[S:.*]] = vector.shuffle %[[S0]], %[[S0]] [0, 0, 0, 0]
// CHECK-NEXT:    tile.store %[[S]], %scratch[%c64] : vector<4xi32>
// CHECK:         %[[X0:.*]] = tile.load %{{.*}}[%[[R]]] : !tile.acts<64> -> vector<8xi32>
// CHECK-NEXT:    %[[X1:.*]] = tile.load %{{.*}} -> vector<8xi32>
// CHECK-NEXT:    %[[X2:.*]] = tile.load %{{.*}} -> vector<8xi32>
// CHECK-NEXT:    %[[X3:.*]] = tile.load %{{.*}} -> vector<8xi32>
// CHECK-NEXT:    %[[LOW:.*]] = vector.shuffle %[[X0]], %[[X1]] [0, 8, 1, 9]
// CHECK-NEXT:    %[[HIGH:.*]] = vector.shuffle %[[X2]], %[[X3]] [0, 8, 1, 9]
// CHECK-NEXT:    %[[W0:.*]] = vector.shuffle %[[LOW]], %[[HIGH]] [0, 1, 4, 5]
// CHECK-NEXT:    %[[W1:.*]] = vector.shuffle %[[LOW]], %[[HIGH]] [2, 3, 6, 7]
// CHECK:         %[[LOW:.*]] = vector.shuffle %[[X0]], %[[X1]] [4, 12, 5, 13]
// CHECK-NEXT:    %[[HIGH:.*]] = vector.shuffle %[[X2]], %[[X3]] [4, 12, 5, 13]
// CHECK-NEXT:    %[[W4:.*]] = vector.shuffle %[[LOW]], %[[HIGH]] [0, 1, 4, 5]
// CHECK:         tile.store %[[W0]], %scratch[%c128]
// CHECK-NEXT:    tile.store %[[W1]], %scratch[%c160]
// CHECK:         tile.store %[[W4]], %scratch[%c144]
// CHECK:         %[[LOW:.*]] = vector.shuffle %[[D0]], %[[D1]] [0, 4]
// CHECK-NEXT:    %[[HIGH:.*]] = vector.shuffle %[[D2]], %[[D3]] [0, 4]
// CHECK-NEXT:    %[[D:.*]] = vector.shuffle %[[LOW]], %[[HIGH]] [0, 1, 2, 3]
// CHECK-NEXT:    tile.store %[[D]], %scratch[%c256] : vector<4xf32>
// The next group: elements 1 of the same vectors.
// CHECK:         vector.shuffle %[[S0]], %[[S0]] [1, 1, 1, 1]
// CHECK:         tile.store %{{.*}}, %scratch[%c336] : vector<4xi32>
// CHECK:         vector.shuffle %[[D0]], %[[D1]] [1, 5]
// Totals and half starts were not asked for: what is loaded behind the numbers is codes, of 4 groups of 4 tokens.
// CHECK-NOT:     [0, 2, 4, 6]
// CHECK:       tile.kernel
tile.kernel @arrange(%x: !tile.acts<64>) grid(%tile, %tokens, %position) scratch(%scratch : 1024) tokens 4 {
  %side = tile.view %scratch[64] : !tile.arranged<64, 4 by 1, starts>
  tile.arrange_acts %x[%position], %side : !tile.acts<64>, !tile.arranged<64, 4 by 1, starts>
}
tile.kernel @next() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
}

// -----
// Two tokens in turn by 8 bytes; their numbers as t u t u. Low and high halves lie in turn in the row. A unit is low starts
// at 0, high starts at 16, codes at 32, scales at 96, totals at 112.
// CHECK-LABEL: tile.kernel @arrange_pairs
// CHECK:         %[[H0:.*]] = tile.load %{{.*}} -> vector<8xi32>
// CHECK:         %[[H1:.*]] = tile.load %{{.*}} -> vector<8xi32>
// CHECK:         %[[L0:.*]] = vector.shuffle %[[H0]], %[[H0]] [0, 2, 4, 6]
// CHECK:         %[[U0:.*]] = vector.shuffle %[[H0]], %[[H0]] [1, 3, 5, 7]
// CHECK:         %[[L1:.*]] = vector.shuffle %[[H1]], %[[H1]] [0, 2, 4, 6]
// CHECK:         %[[TWO:.*]] = vector.shuffle %[[L0]], %[[L1]] [0, 4, 1, 5]
// CHECK-NEXT:    %[[WORDS:.*]] = vector.bitcast %[[TWO]] : vector<4xi32> to vector<2xi64>
// CHECK-NEXT:    %[[TUTU:.*]] = vector.shuffle %[[WORDS]], %[[WORDS]] [0, 0]
// CHECK-NEXT:    tile.store %[[TUTU]], %scratch[%c0] : vector<2xi64>
// CHECK:         tile.store %{{.*}}, %scratch[%c16] : vector<2xi64>
// CHECK:         %[[T:.*]] = tile.load %{{.*}} -> vector<4xi64>
// CHECK:         %[[U:.*]] = tile.load %{{.*}} -> vector<4xi64>
// CHECK:         %[[X:.*]] = vector.interleave %[[T]], %[[U]] : vector<4xi64> -> vector<8xi64>
// CHECK-NEXT:    tile.store %[[X]], %scratch[%c32] : vector<8xi64>
// CHECK:         tile.store %{{.*}}, %scratch[%c96] : vector<2xi64>
// CHECK:         tile.store %{{.*}}, %scratch[%c112] : vector<2xi64>
// The second group has the other half of the same words.
// CHECK:         %[[TUTU:.*]] = vector.shuffle %[[WORDS]], %[[WORDS]] [1, 1]
// CHECK-NEXT:    tile.store %[[TUTU]], %scratch[%c128] : vector<2xi64>
tile.kernel @arrange_pairs(%x: !tile.acts<64>) grid(%tile, %tokens, %position) scratch(%scratch : 1024) tokens 2 {
  %side = tile.view %scratch[0] : !tile.arranged<64, 2 by 2, halves, totals>
  tile.arrange_acts %x[%position], %side : !tile.acts<64>, !tile.arranged<64, 2 by 2, halves, totals>
}

// -----
// More than four groups, more than one unit: loops over both. 16 tokens are 4 units of 208 bytes; each has 64 bytes of starts
// beside those of the others, and 16 of each word.
// CHECK-LABEL: tile.kernel @arrange_loops
// CHECK:         scf.for %[[UNIT:.*]] = %c0 to %c4 step %c1 {
// CHECK:           scf.for %[[GROUP:.*]] = %c0 to %c8 step %c4 {
// CHECK-DAG:         arith.muli %[[GROUP]], %c832
// CHECK-DAG:         arith.muli %[[UNIT]], %c64
// CHECK-DAG:         arith.muli %[[UNIT]], %c16
tile.kernel @arrange_loops(%x: !tile.acts<256>) grid(%tile, %tokens, %position) scratch(%scratch : 8192) tokens 16 {
  %side = tile.view %scratch[0] : !tile.arranged<256, 16 by 1, starts>
  tile.arrange_acts %x[%position], %side : !tile.acts<256>, !tile.arranged<256, 16 by 1, starts>
}

// -----
// What is read lies at one place and constants. Starts come two tokens at a time, as the halves of one load; the four
// tokens' scales are one. A token's word is an element of the four tokens' word: words 0 and 4 at 64, neighbours in one load.
// In a loop all dots stand together. What is loaded for the sums comes in front of them; behind them a token's steps come
// together.
// CHECK-LABEL: tile.kernel @tokens
// CHECK:         scf.for
// CHECK:           %[[G:.*]] = arith.muli %{{.*}}, %c208
// CHECK:           %[[S:.*]] = tile.load_uniform %scratch[%[[G]]] : !tile.bytes -> vector<8xi32>
// CHECK:           %[[S0:.*]] = vector.shuffle %[[S]], %[[S]] [0, 1, 2, 3]
// CHECK:           %[[AT:.*]] = arith.addi %[[G]], %c64
// CHECK-NEXT:      %[[W:.*]] = tile.load_uniform %scratch[%[[AT]]] : !tile.bytes -> vector<8xi32>
// CHECK-NEXT:      %[[W0:.*]] = vector.shuffle %[[W]], %[[W]] [0, 1, 2, 3]
// CHECK-NEXT:      %[[W4:.*]] = vector.shuffle %[[W]], %[[W]] [4, 5, 6, 7]
// CHECK:           %[[X00:.*]] = vector.extract %[[W0]][0]
// CHECK:           %[[X04:.*]] = vector.extract %[[W4]][0]
// CHECK:           %[[X0:.*]] = vector.from_elements %[[X00]], %{{.*}}, %{{.*}}, %{{.*}}, %[[X04]], %{{.*}} : vector<8xi32>
// CHECK:           %[[D:.*]] = tile.load_uniform %scratch[%{{.*}}] : !tile.bytes -> vector<4xi32>
// CHECK:           %[[DF:.*]] = arith.bitcast %[[D]] : vector<4xi32> to vector<4xf32>
// CHECK:           vector.extract %[[DF]][0]
// CHECK:           %[[I0:.*]] = tile.dot %{{.*}}, [%[[Q:.*]]], %[[X0]] from 7 bits 4
// CHECK-NEXT:      %[[I1:.*]] = tile.dot %{{.*}}, [%[[Q]]], %{{.*}} from 7 bits 4
// CHECK-NEXT:      tile.dot
// CHECK-NEXT:      tile.dot
// CHECK-NEXT:      %[[F0:.*]] = arith.sitofp %[[I0]]
// CHECK-NEXT:      arith.mulf %[[F0]]
// CHECK-NEXT:      arith.sitofp %[[I1]]
// CHECK:           scf.yield
tile.kernel @tokens(%w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 1024) tokens 4 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %side = tile.view %scratch[0] : !tile.arranged<64, 4 by 1, starts>
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %zero = arith.constant dense<0.0> : vector<4x4xf32>
  %sum = scf.for %k = %c0 to %position step %c1 iter_args(%acc = %zero) -> (vector<4x4xf32>) {
    %codes, %scale, %start, %low, %high, %total = tile.load_arranged %side[%k] : !tile.arranged<64, 4 by 1, starts>
        -> vector<4x8xi32>, vector<4x1xf32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x1xf32>
    %i = tile.dot %start, [%q], %codes from 7 bits 4 : [vector<4xi32>], vector<4x8xi32> -> vector<4x4xi32>
    %f = arith.sitofp %i : vector<4x4xi32> to vector<4x4xf32>
    %x = tile.broadcast %scale : vector<4x1xf32> -> vector<4x4xf32>
    %v = arith.mulf %f, %x : vector<4x4xf32>
    %next = arith.addf %acc, %v : vector<4x4xf32>
    scf.yield %next : vector<4x4xf32>
  }
  tile.store_row %sum, %y[%c0, %c0] : vector<4x4xf32>, !tile.rows<64>
}

// -----
// Of 8 tokens the first one's sum comes when four are begun, and so on: nothing waits for the steps of its own token.
// CHECK-LABEL: tile.kernel @ahead
// CHECK:         scf.for
// CHECK-COUNT-8:   tile.dot
// CHECK-COUNT-4:   arith.sitofp
// CHECK:           arith.addf
// CHECK-NEXT:      arith.sitofp
// CHECK-NEXT:      arith.mulf
// CHECK-NEXT:      arith.addf
// CHECK-NEXT:      arith.sitofp
// CHECK:           scf.yield
tile.kernel @ahead(%w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 2048) tokens 8 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %side = tile.view %scratch[0] : !tile.arranged<64, 8 by 1>
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %zero = arith.constant dense<0.0> : vector<8x4xf32>
  %none = arith.constant dense<0> : vector<8x4xi32>
  %sum = scf.for %k = %c0 to %position step %c1 iter_args(%acc = %zero) -> (vector<8x4xf32>) {
    %codes, %scale, %start, %low, %high, %total = tile.load_arranged %side[%k] : !tile.arranged<64, 8 by 1>
        -> vector<8x8xi32>, vector<8x1xf32>, vector<8x4xi32>, vector<8x4xi32>, vector<8x4xi32>, vector<8x1xf32>
    %i = tile.dot %none, [%q], %codes from 7 bits 4 : [vector<4xi32>], vector<8x8xi32> -> vector<8x4xi32>
    %f = arith.sitofp %i : vector<8x4xi32> to vector<8x4xf32>
    %x = tile.broadcast %scale : vector<8x1xf32> -> vector<8x4xf32>
    %v = arith.mulf %f, %x : vector<8x4xf32>
    %next = arith.addf %acc, %v : vector<8x4xf32>
    scf.yield %next : vector<8x4xf32>
  }
  tile.store_row %sum, %y[%c0, %c0] : vector<8x4xf32>, !tile.rows<64>
}

// -----
// With half starts codes lie token after token, behind 64 bytes of low starts and 64 of high ones, and two tokens are computed
// before the next two are begun: dots beside each other, and no load of a later token in front of them.
// CHECK-LABEL: tile.kernel @halves
// CHECK:         scf.for
// CHECK:           %[[G:.*]] = arith.muli %{{.*}}, %c272
// CHECK-DAG:       %[[AT0:.*]] = arith.addi %[[G]], %c128
// CHECK-DAG:       %[[AT1:.*]] = arith.addi %[[G]], %c160
// CHECK-DAG:       %[[X0:.*]] = tile.load_uniform %scratch[%[[AT0]]] : !tile.bytes -> vector<8xi32>
// CHECK-DAG:       %[[X1:.*]] = tile.load_uniform %scratch[%[[AT1]]] : !tile.bytes -> vector<8xi32>
// CHECK:           %[[I0:.*]] = tile.dot %{{.*}}, [%[[Q:.*]]], %[[X0]] from 7 bits 4
// CHECK-NEXT:      %[[I1:.*]] = tile.dot %{{.*}}, [%[[Q]]], %[[X1]] from 7 bits 4
// CHECK:           arith.sitofp %[[I0]]
// CHECK:           tile.load_uniform %scratch[%{{.*}}] : !tile.bytes -> vector<8xi32>
// CHECK:           tile.dot
// CHECK-NEXT:      tile.dot
// CHECK:           scf.yield
tile.kernel @halves(%w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 2048) tokens 4 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %side = tile.view %scratch[0] : !tile.arranged<64, 4 by 1, halves>
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %zero = arith.constant dense<0.0> : vector<4x4xf32>
  %sum = scf.for %k = %c0 to %position step %c1 iter_args(%acc = %zero) -> (vector<4x4xf32>) {
    %codes, %scale, %start, %low, %high, %total = tile.load_arranged %side[%k] : !tile.arranged<64, 4 by 1, halves>
        -> vector<4x8xi32>, vector<4x1xf32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x1xf32>
    %i = tile.dot %high, [%q], %codes from 7 bits 4 : [vector<4xi32>], vector<4x8xi32> -> vector<4x4xi32>
    %f = arith.sitofp %i : vector<4x4xi32> to vector<4x4xf32>
    %x = tile.broadcast %scale : vector<4x1xf32> -> vector<4x4xf32>
    %v = arith.mulf %f, %x : vector<4x4xf32>
    %next = arith.addf %acc, %v : vector<4x4xf32>
    scf.yield %next : vector<4x4xf32>
  }
  tile.store_row %sum, %y[%c0, %c0] : vector<4x4xf32>, !tile.rows<64>
}

// -----
// Pairs lie word by word too: the starts of both, their words 0, 2, 1 and 3, their scales. Both dots stand together. The four
// numbers of a pair are repeated for all rows, and what belongs to one token is every second lane.
// CHECK-LABEL: tile.kernel @pairs
// CHECK:         %[[G:.*]] = arith.muli %position, %c192
// CHECK:         %[[S:.*]] = tile.load_uniform %scratch[%[[G]]] : !tile.bytes -> vector<8xi32>
// CHECK-DAG:     %[[S0:.*]] = vector.shuffle %[[S]], %[[S]] [0, 1, 2, 3]
// CHECK-DAG:     %[[S1:.*]] = vector.shuffle %[[S]], %[[S]] [4, 5, 6, 7]
// CHECK:         %[[AT:.*]] = arith.addi %[[G]], %c96
// CHECK-NEXT:    %[[W:.*]] = tile.load_uniform %scratch[%[[AT]]] : !tile.bytes -> vector<8xi32>
// CHECK-NEXT:    %[[W0:.*]] = vector.shuffle %[[W]], %[[W]] [0, 1, 2, 3]
// CHECK-NEXT:    %[[W1:.*]] = vector.shuffle %[[W]], %[[W]] [4, 5, 6, 7]
// CHECK:         arith.addi %[[G]], %c160
// CHECK-DAG:     %[[X0:.*]] = tile.concat %{{.*}}, %[[W0]], %{{.*}}, %{{.*}}
// CHECK-DAG:     %[[X1:.*]] = tile.concat %{{.*}}, %[[W1]], %{{.*}}, %{{.*}}
// CHECK-DAG:     %[[INIT0:.*]] = vector.shuffle %[[S0]], %[[S0]] [0, 1, 2, 3, 0, 1, 2, 3]
// CHECK-DAG:     %[[INIT1:.*]] = vector.shuffle %[[S1]], %[[S1]] [0, 1, 2, 3, 0, 1, 2, 3]
// CHECK:         tile.dot_pairs %[[INIT0]], [%[[Q:.*]]], %[[X0]] from 2 : [vector<8xi32>], vector<16xi32> -> vector<8xi32>
// CHECK-NEXT:    tile.dot_pairs %[[INIT1]], [%[[Q]]], %[[X1]] from 2 :
// CHECK:         %[[P0:.*]] = arith.mulf
// CHECK:         %[[P1:.*]] = arith.mulf
// CHECK:         %[[T:.*]] = vector.shuffle %[[P0]], %[[P0]] [0, 2, 4, 6]
// CHECK:         %[[U:.*]] = vector.shuffle %[[P0]], %[[P0]] [1, 3, 5, 7]
// CHECK:         tile.store %[[T]], %out[%c0]
// CHECK:         tile.store %[[U]], %out[%c256]
tile.kernel @pairs(%w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 1024) tokens 4 {
  %side = tile.view %scratch[0] : !tile.arranged<64, 4 by 2, starts>
  %q = tile.load %w[%tile] : !tile.bytes -> vector<8xi32>
  %codes, %scale, %start, %low, %high, %total = tile.load_arranged %side[%position] : !tile.arranged<64, 4 by 2, starts>
      -> vector<2x16xi32>, vector<2x4xf32>, vector<2x4xi32>, vector<2x4xi32>, vector<2x4xi32>, vector<2x4xf32>
  %init = tile.broadcast %start : vector<2x4xi32> -> vector<2x8xi32>
  %i = tile.dot_pairs %init, [%q], %codes from 2 : [vector<8xi32>], vector<2x16xi32> -> vector<2x8xi32>
  %f = arith.sitofp %i : vector<2x8xi32> to vector<2x8xf32>
  %x4 = tile.broadcast %scale : vector<2x4xf32> -> vector<2x8xf32>
  %v = arith.mulf %f, %x4 : vector<2x8xf32>
  %s = tile.split_pairs %v : vector<2x8xf32> -> vector<4x4xf32>
  %c0 = arith.constant 0 : index
  tile.store_row %s, %y[%c0, %c0] : vector<4x4xf32>, !tile.rows<64>
}

// -----
// With half starts a pair lies after a pair. Its scales and the low starts of the next one, at 96 and 112, are one load.
// CHECK-LABEL: tile.kernel @halves_of_pairs
// CHECK:         %[[G:.*]] = arith.muli %position, %c224
// CHECK-DAG:     %[[AT:.*]] = arith.addi %[[G]], %c96
// CHECK-DAG:     %[[DS:.*]] = tile.load_uniform %scratch[%[[AT]]] : !tile.bytes -> vector<8xi32>
// CHECK-DAG:     %[[S1:.*]] = vector.shuffle %[[DS]], %[[DS]] [4, 5, 6, 7]
// CHECK-DAG:     %[[INIT1:.*]] = vector.shuffle %[[S1]], %[[S1]] [0, 1, 2, 3, 0, 1, 2, 3]
// CHECK-DAG:     %[[CODES:.*]] = arith.addi %[[G]], %c144
// CHECK-DAG:     %[[X1:.*]] = tile.load_uniform %scratch[%[[CODES]]] : !tile.bytes -> vector<16xi32>
// CHECK:         tile.dot_pairs %[[INIT1]], [%{{.*}}], %[[X1]] from 2 :
tile.kernel @halves_of_pairs(%w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 1024) tokens 4 {
  %side = tile.view %scratch[0] : !tile.arranged<64, 4 by 2, halves>
  %q = tile.load %w[%tile] : !tile.bytes -> vector<8xi32>
  %codes, %scale, %start, %low, %high, %total = tile.load_arranged %side[%position] : !tile.arranged<64, 4 by 2, halves>
      -> vector<2x16xi32>, vector<2x4xf32>, vector<2x4xi32>, vector<2x4xi32>, vector<2x4xi32>, vector<2x4xf32>
  %init = tile.broadcast %low : vector<2x4xi32> -> vector<2x8xi32>
  %i = tile.dot_pairs %init, [%q], %codes from 2 : [vector<8xi32>], vector<2x16xi32> -> vector<2x8xi32>
  %f = arith.sitofp %i : vector<2x8xi32> to vector<2x8xf32>
  %x4 = tile.broadcast %scale : vector<2x4xf32> -> vector<2x8xf32>
  %v = arith.mulf %f, %x4 : vector<2x8xf32>
  %s = tile.split_pairs %v : vector<2x8xf32> -> vector<4x4xf32>
  %c0 = arith.constant 0 : index
  tile.store_row %s, %y[%c0, %c0] : vector<4x4xf32>, !tile.rows<64>
}

// -----
// Where something is stored in between nothing moves: the store may be to what is loaded.
// CHECK-LABEL: tile.kernel @stores
// CHECK:         scf.for
// CHECK-COUNT-4:   tile.load_uniform %scratch[%{{.*}}] : !tile.bytes -> vector<8xi32>
// CHECK:           tile.store
// CHECK-COUNT-4:   tile.dot
// Rows of activations that are not arranged neither: x86 wants all tokens of a word beside each other.
// CHECK-LABEL: tile.kernel @rows
// CHECK:         scf.for
// CHECK-COUNT-4:   tile.load_uniform %{{.*}} : !tile.acts<64> -> vector<8xi32>
// CHECK-COUNT-4:   tile.dot
tile.kernel @stores(%w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 1024) tokens 4 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %side = tile.view %scratch[0] : !tile.arranged<64, 4 by 1>
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %zero = arith.constant dense<0> : vector<4x4xi32>
  %sum = scf.for %k = %c0 to %position step %c1 iter_args(%acc = %zero) -> (vector<4x4xi32>) {
    %codes, %scale, %start, %low, %high, %total = tile.load_arranged %side[%k] : !tile.arranged<64, 4 by 1>
        -> vector<4x8xi32>, vector<4x1xf32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x4xi32>, vector<4x1xf32>
    tile.store %q, %scratch[%k] : vector<4xi32>, !tile.bytes
    %i = tile.dot %acc, [%q], %codes from 7 bits 4 : [vector<4xi32>], vector<4x8xi32> -> vector<4x4xi32>
    scf.yield %i : vector<4x4xi32>
  }
  tile.store_row %sum, %y[%c0, %c0] : vector<4x4xi32>, !tile.rows<64>
}
tile.kernel @rows(%x: !tile.acts<64>, %w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 4 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %zero = arith.constant dense<0> : vector<4x4xi32>
  %sum = scf.for %k = %c0 to %position step %c1 iter_args(%acc = %zero) -> (vector<4x4xi32>) {
    %codes, %scale, %start, %low, %high, %total = tile.load_acts %x[%c0, %k] : !tile.acts<64>
        -> vector<4x8xi32>, vector<4x1xf32>, vector<4x1xi32>, vector<4x1xi32>, vector<4x1xi32>, vector<4x1xf32>
    %i = tile.dot %acc, [%q], %codes from 7 bits 4 : [vector<4xi32>], vector<4x8xi32> -> vector<4x4xi32>
    scf.yield %i : vector<4x4xi32>
  }
  tile.store_row %sum, %y[%c0, %c0] : vector<4x4xi32>, !tile.rows<64>
}

// -----
// Blocks inside a loop over tiles are taken apart; the loop stays for the back end.
// CHECK-LABEL: tile.kernel @strip
// CHECK-SAME:    strip 4
// CHECK:         tile.for_tiles %[[T:.*]] {
// CHECK:           %[[AT:.*]] = arith.muli %[[T]], %c256
// CHECK:           tile.load %{{.*}}[%[[AT]]] : !tile.rows<64> -> vector<32xf32>
// CHECK-COUNT-2:   tile.store
tile.kernel @strip(%x: !tile.rows<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 strip 4 {
  %c0 = arith.constant 0 : index
  tile.for_tiles %t {
    %v = tile.load_row %x[%t, %c0] : !tile.rows<64> -> vector<2x32xf32>
    tile.store_row %v, %y[%t, %c0] : vector<2x32xf32>, !tile.rows<64>
  }
}

// -----
// So are those that are computed once for a worker's tiles.
// CHECK-LABEL: tile.kernel @once
// CHECK:         tile.once %tokens at 0 {
// CHECK:           tile.load %{{.*}} : !tile.rows<64> -> vector<32xf32>
// CHECK-COUNT-2:   tile.store
tile.kernel @once(%x: !tile.rows<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 4) tokens 2 {
  %c0 = arith.constant 0 : index
  tile.once %tokens at 0 {
    %v = tile.load_row %x[%c0, %c0] : !tile.rows<64> -> vector<2x32xf32>
    tile.store_row %v, %y[%c0, %c0] : vector<2x32xf32>, !tile.rows<64>
  }
}
