// RUN: sinter-opt %s --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline='builtin.module(tile.kernel(unroll-tokens,canonicalize,cse))' | FileCheck %s

// The picture at the head of the pass: rows become bytes, a block of two tokens two vectors. Rows of 2048 floats are 8192 + 128 bytes apart.
// Token 0 is below the limit by the loop that made the block; token 1 asks.
// CHECK-LABEL: tile.kernel @square
// CHECK-DAG:     %[[ONE:.*]] = arith.constant 1 : index
// CHECK-DAG:     %[[STRIDE:.*]] = arith.constant 8320 : index
// CHECK-DAG:     %[[FLOAT:.*]] = arith.constant 4 : index
// CHECK:         %[[R0:.*]] = arith.muli %[[M:.*]], %[[STRIDE]] : index
// CHECK-NEXT:    %[[C:.*]] = arith.muli %[[COLUMN:.*]], %[[FLOAT]] : index
// CHECK-NEXT:    %[[A0:.*]] = arith.addi %[[R0]], %[[C]] : index
// CHECK-NEXT:    %[[X0:.*]] = tile.load %[[X:.*]][%[[A0]]] : !tile.rows<2048> -> vector<32xf32>
// The next row is the same place and a constant.
// CHECK-NEXT:    %[[R1:.*]] = arith.addi %[[R0]], %[[STRIDE]] : index
// CHECK-NEXT:    %[[A1:.*]] = arith.addi %[[R1]], %[[C]] : index
// CHECK-NEXT:    %[[X1:.*]] = tile.load %[[X]][%[[A1]]] : !tile.rows<2048> -> vector<32xf32>
// CHECK-NEXT:    %[[Y0:.*]] = arith.mulf %[[X0]], %[[X0]] : vector<32xf32>
// CHECK-NEXT:    %[[Y1:.*]] = arith.mulf %[[X1]], %[[X1]] : vector<32xf32>
// CHECK-NEXT:    tile.store %[[Y0]], %[[Y:.*]][%[[A0]]]
// CHECK-NEXT:    %[[M1:.*]] = arith.addi %[[M]], %[[ONE]] : index
// CHECK-NEXT:    %[[BELOW:.*]] = arith.cmpi ult, %[[M1]], %[[LIMIT:.*]] : index
// CHECK-NEXT:    scf.if %[[BELOW]] {
// CHECK-NEXT:      tile.store %[[Y1]], %[[Y]][%[[A1]]]
// CHECK-NEXT:    }
// CHECK-NEXT:  }
tile.kernel @square(%x: !tile.rows<2048>, %y: !tile.rows<2048>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %v = tile.load_row %x[%position, %tile] : !tile.rows<2048> -> vector<2x32xf32>
  %w = arith.mulf %v, %v : vector<2x32xf32>
  tile.store_row %w, %y[%position, %tile] limit %tokens : vector<2x32xf32>, !tile.rows<2048>
}

// -----
// Without a limit all rows are stored: the planner's padding takes them.
// CHECK-LABEL: tile.kernel @no_limit
// CHECK-NOT:     scf.if
// CHECK-COUNT-2: tile.store
tile.kernel @no_limit(%y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 2 {
  %v = arith.constant dense<1.0> : vector<2x32xf32>
  tile.store_row %v, %y[%position, %tile] : vector<2x32xf32>, !tile.rows<64>
}

// -----
// A number a token is a scalar; it goes to all rows by a splat, and a number a row to all tokens by nothing.
// CHECK-LABEL: tile.kernel @numbers
// CHECK:         %[[X0:.*]] = tile.load %{{.*}} -> vector<32xf32>
// CHECK:         %[[X1:.*]] = tile.load %{{.*}} -> vector<32xf32>
// CHECK:         %[[S0:.*]] = tile.load_uniform %{{.*}} -> f32
// CHECK:         %[[S1:.*]] = tile.load_uniform %{{.*}} -> f32
// CHECK:         %[[G:.*]] = tile.load %{{.*}} -> vector<32xf32>
// CHECK-DAG:     %[[SUM0:.*]] = tile.reduce <add> %[[X0]] : vector<32xf32> -> f32
// CHECK-DAG:     %[[SUM1:.*]] = tile.reduce <add> %[[X1]] : vector<32xf32> -> f32
// CHECK-DAG:     %[[P0:.*]] = arith.mulf %[[SUM0]], %[[S0]] : f32
// CHECK-DAG:     %[[P1:.*]] = arith.mulf %[[SUM1]], %[[S1]] : f32
// CHECK-DAG:     %[[B0:.*]] = vector.broadcast %[[P0]] : f32 to vector<32xf32>
// CHECK-DAG:     %[[B1:.*]] = vector.broadcast %[[P1]] : f32 to vector<32xf32>
// CHECK-DAG:     arith.mulf %[[B0]], %[[G]] : vector<32xf32>
// CHECK-DAG:     arith.mulf %[[B1]], %[[G]] : vector<32xf32>
tile.kernel @numbers(%x: !tile.rows<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %v = tile.load_row %x[%c0, %tile] : !tile.rows<64> -> vector<2x32xf32>
  %s = tile.load_row %x[%c0, %position] : !tile.rows<64> -> vector<2x1xf32>
  %g = tile.load_row %x[%tokens, %tile] : !tile.rows<64> -> vector<1x32xf32>
  %sum = tile.reduce <add> %v : vector<2x32xf32> -> vector<2x1xf32>
  %p = arith.mulf %sum, %s : vector<2x1xf32>
  %all = tile.broadcast %p : vector<2x1xf32> -> vector<2x32xf32>
  %gain = tile.broadcast %g : vector<1x32xf32> -> vector<2x32xf32>
  %w = arith.mulf %all, %gain : vector<2x32xf32>
  tile.store_row %w, %y[%c0, %tile] : vector<2x32xf32>, !tile.rows<64>
}

// -----
// A loop carries a value a token; its attributes and its bounds stay.
// CHECK-LABEL: tile.kernel @loop
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<32xf32>
// CHECK:         %[[F:.*]]:3 = scf.for %[[K:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[A0:.*]] = %[[ZERO]], %[[A1:.*]] = %[[ZERO]], %[[N:.*]] = %{{.*}}) -> (vector<32xf32>, vector<32xf32>, index) {
// CHECK-DAG:       %[[B0:.*]] = arith.addf %[[A0]], %{{.*}} : vector<32xf32>
// CHECK-DAG:       %[[B1:.*]] = arith.addf %[[A1]], %{{.*}} : vector<32xf32>
// CHECK-DAG:       %[[NEXT:.*]] = arith.addi %[[N]], %[[K]]
// CHECK:           scf.yield %[[B0]], %[[B1]], %[[NEXT]] : vector<32xf32>, vector<32xf32>, index
// CHECK-NEXT:    } {kept}
// CHECK:         tile.store %[[F]]#0
// CHECK:         tile.store %[[F]]#1
tile.kernel @loop(%x: !tile.rows<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<2x32xf32>
  %sum, %count = scf.for %k = %c0 to %tokens step %c1 iter_args(%acc = %zero, %n = %tile) -> (vector<2x32xf32>, index) {
    %v = tile.load_row %x[%k, %c0] : !tile.rows<64> -> vector<2x32xf32>
    %next = arith.addf %acc, %v : vector<2x32xf32>
    %m = arith.addi %n, %k : index
    scf.yield %next, %m : vector<2x32xf32>, index
  } {kept}
  tile.store_row %sum, %y[%count, %c0] : vector<2x32xf32>, !tile.rows<64>
}

// -----
// A row of 64 int8 activations is 64 codes, 2 scales (at 64), 2 starts (at 72), 4 half starts (at 80), 2 totals (at 96),
// padded to 128 bytes. The dot of each token takes that token's words and start.
// CHECK-LABEL: tile.kernel @acts
// CHECK-DAG:     %[[INIT:.*]] = arith.constant dense<0> : vector<8xi32>
// CHECK-DAG:     %[[STRIDE:.*]] = arith.constant 128 : index
// CHECK-DAG:     %[[SCALES:.*]] = arith.constant 64 : index
// CHECK-DAG:     %[[STARTS:.*]] = arith.constant 72 : index
// CHECK:         %[[X0:.*]] = tile.load_uniform %{{.*}} : !tile.acts<64> -> vector<8xi32>
// CHECK:         %[[AT0:.*]] = arith.addi %{{.*}}, %[[STARTS]]
// CHECK-NEXT:    %[[S0:.*]] = tile.load_uniform %{{.*}}[%[[AT0]]] : !tile.acts<64> -> i32
// CHECK:         %[[X1:.*]] = tile.load_uniform %{{.*}} : !tile.acts<64> -> vector<8xi32>
// CHECK:         %[[AT1:.*]] = arith.addi %{{.*}}, %[[STARTS]]
// CHECK-NEXT:    %[[S1:.*]] = tile.load_uniform %{{.*}}[%[[AT1]]] : !tile.acts<64> -> i32
// CHECK:         tile.dot %[[INIT]], [%[[W:.*]]], %[[X0]] from 3 start %[[S0]] : i32 bits 8 : [vector<8xi32>], vector<8xi32> -> vector<8xi32>
// CHECK:         tile.dot %[[INIT]], [%[[W]]], %[[X1]] from 3 start %[[S1]] : i32 bits 8 :
tile.kernel @acts(%x: !tile.acts<64>, %w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %init = arith.constant dense<0> : vector<2x8xi32>
  %word = tile.load %w[%tile] : !tile.bytes -> vector<8xi32>
  %codes, %scale, %start, %low, %high, %total = tile.load_acts %x[%position, %tile] : !tile.acts<64>
      -> vector<2x8xi32>, vector<2x1xf32>, vector<2x1xi32>, vector<2x1xi32>, vector<2x1xi32>, vector<2x1xf32>
  %v = tile.dot %init, [%word], %codes from 3 start %start : vector<2x1xi32> bits 8
      : [vector<8xi32>], vector<2x8xi32> -> vector<2x8xi32>
  tile.store_row %v, %y[%c0, %c0] : vector<2x8xi32>, !tile.rows<64>
  tile.store_row %scale, %y[%c0, %position] : vector<2x1xf32>, !tile.rows<64>
}

// -----
// Quantizing 32 values: largest magnitude, codes rounded to even, sums of the codes as they are stored: -8
// times all of them, -32 times each half, and the scale times all.
// CHECK-LABEL: tile.kernel @quantize
// CHECK:         %[[V:.*]] = tile.load %{{.*}} -> vector<32xf32>
// CHECK:         %[[ABS:.*]] = math.absf %[[V]]
// CHECK:         tile.reduce <max> %[[ABS]] : vector<32xf32> -> f32
// CHECK:         %[[R:.*]] = math.roundeven
// CHECK:         %[[Q:.*]] = arith.fptosi %[[R]] : vector<32xf32> to vector<32xi32>
// CHECK:         %[[SUM:.*]] = tile.reduce <add> %[[Q]] : vector<32xi32> -> i32
// CHECK:         %[[BYTES:.*]] = arith.trunci %[[Q]] : vector<32xi32> to vector<32xi8>
// CHECK:         tile.store %[[BYTES]], %{{.*}} : vector<32xi8>, !tile.acts<64>
// CHECK:         tile.store_uniform %[[SCALE:.*]], %{{.*}} : f32, !tile.acts<64>
// CHECK:         %[[START:.*]] = arith.muli %[[SUM]], %{{.*}} : i32
// CHECK:         tile.store_uniform %[[START]], %{{.*}} : i32, !tile.acts<64>
// CHECK:         %[[HALF:.*]] = tile.reduce <add> %[[Q]] lanes 16 : vector<32xi32> -> i32
// CHECK:         %[[SECOND:.*]] = arith.subi %[[SUM]], %[[HALF]] : i32
// CHECK:         %[[LOW:.*]] = arith.muli %[[HALF]], %{{.*}} : i32
// CHECK:         tile.store_uniform %[[LOW]], %{{.*}} : i32, !tile.acts<64>
// CHECK:         %[[HIGH:.*]] = arith.muli %[[SECOND]], %{{.*}} : i32
// CHECK:         tile.store_uniform %[[HIGH]], %{{.*}} : i32, !tile.acts<64>
// CHECK:         %[[F:.*]] = arith.sitofp %[[SUM]]
// CHECK:         %[[TOTAL:.*]] = arith.mulf %[[F]], %[[SCALE]] : f32
// CHECK:         tile.store_uniform %[[TOTAL]], %{{.*}} : f32, !tile.acts<64>
tile.kernel @quantize(%x: !tile.rows<64>, %y: !tile.acts<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %v = tile.load_row %x[%tile, %position] : !tile.rows<64> -> vector<1x32xf32>
  tile.store_acts %v, %y[%tile, %position] halves totals : vector<1x32xf32>, !tile.acts<64>
}

// -----
// Sums that nobody reads are not computed.
// CHECK-LABEL: tile.kernel @quantize_starts
// CHECK-COUNT-1: tile.reduce <add>
// CHECK-NOT:     tile.reduce <add>
// CHECK-NOT:     arith.sitofp
// CHECK-COUNT-2: tile.store_uniform
// CHECK-NOT:     tile.store_uniform
tile.kernel @quantize_starts(%x: !tile.rows<64>, %y: !tile.acts<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %v = tile.load_row %x[%tile, %position] : !tile.rows<64> -> vector<1x32xf32>
  tile.store_acts %v, %y[%tile, %position] : vector<1x32xf32>, !tile.acts<64>
}

// -----
// What is known is not searched for again.
// CHECK-LABEL: tile.kernel @quantize_known
// CHECK:         %[[MOST:.*]] = tile.load_uniform %{{.*}} : !tile.rows<1> -> f32
// CHECK-NOT:     tile.reduce <max>
// CHECK:         arith.mulf %[[MOST]], %{{.*}} : f32
tile.kernel @quantize_known(%x: !tile.rows<64>, %m: !tile.rows<1>, %y: !tile.acts<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %v = tile.load_row %x[%tile, %position] : !tile.rows<64> -> vector<1x32xf32>
  %most = tile.load_row %m[%tile, %c0] : !tile.rows<1> -> vector<1x1xf32>
  tile.store_acts %v, %y[%tile, %position] largest %most : vector<1x1xf32> : vector<1x32xf32>, !tile.acts<64>
}

// -----
// Rows that crossed dots read: codes up to 120, of which words 0, 2, 4 are moved up by 128 and stored once more as they are, with
// word 6, and -sum((a + 128) * b) of those and the words behind them, of words 6 and 7 -sum(8 * (a + b)).
// CHECK-LABEL: tile.kernel @quantize_crossed
// CHECK-DAG:     %[[MORE:.*]] = arith.constant dense<[-128, {{.*}}-8, -8, -8, -8]> : vector<16xi32>
// CHECK-DAG:     %[[PAIRS:.*]] = arith.constant dense<[-1, {{.*}}0, 0, 0, 0]> : vector<16xi32>
// CHECK-DAG:     %[[LAST:.*]] = arith.constant dense<[0, {{.*}}-1, -1, -1, -1]> : vector<16xi32>
// CHECK-DAG:     %[[MOST:.*]] = arith.constant 1.200000e+02 : f32
// CHECK-DAG:     %[[UP:.*]] = arith.constant dense<[-128, -128, -128, -128, 0, 0, 0, 0, -128, {{.*}}, -128, 0, {{.*}}, 0]> : vector<32xi8>
// CHECK:         arith.divf %[[MOST]], %{{.*}} : f32
// CHECK:         %[[Q:.*]] = arith.fptosi
// CHECK-DAG:     %[[A:.*]] = vector.shuffle %[[Q]], %[[Q]] [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
// CHECK-DAG:     %[[CROSSED:.*]] = arith.andi %[[A]], %[[PAIRS]]
// CHECK-DAG:     %[[S:.*]] = arith.subi %[[MORE]], %[[CROSSED]]
// CHECK-DAG:     %[[B:.*]] = vector.shuffle %[[Q]], %[[Q]] [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]
// CHECK-DAG:     %[[EVEN:.*]] = arith.trunci %[[A]] : vector<16xi32> to vector<16xi8>
// CHECK-DAG:     tile.store %[[EVEN]], %{{.*}} : vector<16xi8>, !tile.acts<64, crossed>
// CHECK-DAG:     %[[REST:.*]] = arith.andi %[[A]], %[[LAST]]
// CHECK-DAG:     %[[T:.*]] = arith.addi %[[B]], %[[REST]]
// CHECK:         %[[P:.*]] = arith.muli %[[S]], %[[T]]
// CHECK:         %[[SUM:.*]] = tile.reduce <add> %[[P]] : vector<16xi32> -> i32
// CHECK:         tile.store_uniform %[[SUM]], %{{.*}} : i32, !tile.acts<64, crossed>
// CHECK:         %[[MOVED:.*]] = arith.xori %{{.*}}, %[[UP]] : vector<32xi8>
// CHECK:         tile.store %[[MOVED]], %{{.*}} : vector<32xi8>, !tile.acts<64, crossed>
tile.kernel @quantize_crossed(%x: !tile.rows<64>, %y: !tile.acts<64, crossed>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %v = tile.load_row %x[%tile, %position] : !tile.rows<64> -> vector<1x32xf32>
  tile.store_acts %v, %y[%tile, %position] : vector<1x32xf32>, !tile.acts<64, crossed>
}

// -----
// Scales of two bits behind the first, rounded up in lanes; codes are multiples of them.
// CHECK-LABEL: tile.kernel @quantize_stepped
// CHECK-DAG:     %[[REST:.*]] = arith.constant dense<2097151> : vector<4xi32>
// CHECK-DAG:     %[[KEPT:.*]] = arith.constant dense<-2097152> : vector<4xi32>
// CHECK-DAG:     %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK:         %[[ALL:.*]] = vector.broadcast %{{.*}} : f32 to vector<4xf32>
// CHECK:         %[[BITS:.*]] = vector.bitcast %[[ALL]] : vector<4xf32> to vector<4xi32>
// CHECK:         %[[MORE:.*]] = arith.addi %[[BITS]], %[[REST]]
// CHECK:         %[[LESS:.*]] = arith.andi %[[MORE]], %[[KEPT]]
// CHECK:         %[[LANES:.*]] = vector.bitcast %[[LESS]] : vector<4xi32> to vector<4xf32>
// CHECK:         %[[SCALE:.*]] = vector.extract %[[LANES]][0]
// CHECK:         %[[ENOUGH:.*]] = arith.cmpf ogt, %[[SCALE]], %[[LEAST:.*]] : f32
// CHECK:         %[[DIVISOR:.*]] = arith.select %[[ENOUGH]], %[[SCALE]], %[[LEAST]] : f32
// CHECK:         arith.divf %[[ONE]], %[[DIVISOR]] : f32
// CHECK:         %[[STORED:.*]] = arith.select %{{.*}}, %{{.*}}, %[[SCALE]] : f32
// CHECK:         tile.store_uniform %[[STORED]], %{{.*}} : f32, !tile.acts<64, stepped>
tile.kernel @quantize_stepped(%x: !tile.rows<64>, %y: !tile.acts<64, stepped>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %v = tile.load_row %x[%tile, %position] : !tile.rows<64> -> vector<1x32xf32>
  tile.store_acts %v, %y[%tile, %position] : vector<1x32xf32>, !tile.acts<64, stepped>
}

// -----
// Each token has its lines; of two the halves are put together. Where both are one nothing is.
// CHECK-LABEL: tile.kernel @lines
// CHECK-DAG:     %[[LOWER:.*]] = arith.constant dense<65535> : vector<4xi32>
// CHECK-DAG:     %[[UPPER:.*]] = arith.constant dense<-65536> : vector<4xi32>
// CHECK:         %[[I:.*]] = arith.index_castui %{{.*}} : i32 to index
// CHECK:         %[[AT:.*]] = arith.addi %[[TILE:.*]], %[[I]]
// CHECK:         %[[FIRST:.*]] = tile.load %{{.*}}[%[[AT]]] : !tile.bytes -> vector<4xi32>
// CHECK:         %[[A:.*]] = arith.andi %[[FIRST]], %[[LOWER]]
// CHECK:         %[[SECOND:.*]] = tile.load %{{.*}} : !tile.bytes -> vector<4xi32>
// CHECK:         %[[B:.*]] = arith.andi %[[SECOND]], %[[UPPER]]
// CHECK:         %[[W:.*]] = arith.ori %[[A]], %[[B]]
// CHECK:         tile.accumulate_shifted %{{.*}}, %{{.*}}, %{{.*}}, %[[W]] right %{{.*}} left %{{.*}} : i32, i32 -> vector<4xi32>
// CHECK:         tile.accumulate_shifted %{{.*}} : i32, i32 -> vector<4xi32>
// CHECK:         %[[FIRST:.*]] = tile.load %{{.*}} : !tile.bytes -> vector<4xi32>
// CHECK-NOT:     arith.andi
// CHECK:         %[[SECOND:.*]] = tile.load %{{.*}} : !tile.bytes -> vector<4xi32>
// CHECK-NOT:     arith.andi
// CHECK-DAG:     tile.store %[[FIRST]]
// CHECK-DAG:     tile.store %[[SECOND]]
tile.kernel @lines(%w: !tile.bytes, %a: !tile.rows<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %none = arith.constant dense<0> : vector<2x4xi32>
  %low = tile.load_row %a[%c0, %c0] : !tile.rows<64> -> vector<2x1xi32>
  %high = tile.load_row %a[%c0, %c1] : !tile.rows<64> -> vector<2x1xi32>
  %levels = tile.load_levels %w[%tile] low %low high %high : !tile.bytes, vector<2x1xi32> -> vector<2x4xi32>
  %sum = tile.accumulate_shifted %none, %none, %none, %levels right %low left %high
      : vector<2x1xi32>, vector<2x1xi32> -> vector<2x4xi32>
  tile.store_row %sum, %y[%c0, %c0] : vector<2x4xi32>, !tile.rows<64>
  %same = tile.load_levels %w[%tile] low %low high %low : !tile.bytes, vector<2x1xi32> -> vector<2x4xi32>
  tile.store_row %same, %y[%c0, %c0] : vector<2x4xi32>, !tile.rows<64>
}

// -----
// What a dot is stays with each token's. Its words are the row's; other dots find those that are moved up where they are not.
// CHECK-LABEL: tile.kernel @crossed
// CHECK:         tile.load_uniform %{{.*}} : !tile.acts<64, crossed> -> vector<8xi32>
// CHECK-NOT:     vector.shuffle
// CHECK:         tile.load_uniform %{{.*}} : !tile.acts<64, crossed> -> vector<8xi32>
// CHECK-NOT:     vector.shuffle
// CHECK-COUNT-2: tile.dot %{{.*}}, [%{{.*}}, %{{.*}}], %{{.*}} from 2 bits 8 in_turn crossed : [vector<4xi32>, vector<4xi32>], vector<8xi32> -> vector<4xi32>
tile.kernel @crossed(%a: !tile.acts<64, crossed>, %w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %none = arith.constant dense<0> : vector<2x4xi32>
  %codes, %scale, %start, %low, %high, %total = tile.load_acts %a[%position, %tile] crossed : !tile.acts<64, crossed>
      -> vector<2x8xi32>, vector<2x1xf32>, vector<2x1xi32>, vector<2x1xi32>, vector<2x1xi32>, vector<2x1xf32>
  %i = tile.dot %none, [%q, %q], %codes from 2 bits 8 in_turn crossed
      : [vector<4xi32>, vector<4xi32>], vector<2x8xi32> -> vector<2x4xi32>
  tile.store_row %i, %y[%c0, %c0] : vector<2x4xi32>, !tile.rows<64>
}

// -----
// CHECK-LABEL: tile.kernel @beside_crossed
// CHECK:         %[[ALL:.*]] = tile.load_uniform %{{.*}} : !tile.acts<64, crossed> -> vector<8xi32>
// CHECK:         %[[EVEN:.*]] = tile.load_uniform %{{.*}} : !tile.acts<64, crossed> -> vector<4xi32>
// CHECK:         %[[ODD:.*]] = vector.shuffle %[[ALL]], %[[ALL]] [1, 3, 5, 7]
// CHECK:         %[[X:.*]] = vector.interleave %[[EVEN]], %[[ODD]]
// CHECK:         tile.dot %{{.*}}, [%{{.*}}], %[[X]] bits 4
tile.kernel @beside_crossed(%a: !tile.acts<64, crossed>, %w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %none = arith.constant dense<0> : vector<1x4xi32>
  %codes, %scale, %start, %low, %high, %total = tile.load_acts %a[%position, %tile] : !tile.acts<64, crossed>
      -> vector<1x8xi32>, vector<1x1xf32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xf32>
  %i = tile.dot %none, [%q], %codes bits 4 : [vector<4xi32>], vector<1x8xi32> -> vector<1x4xi32>
  tile.store_row %i, %y[%c0, %c0] : vector<1x4xi32>, !tile.rows<64>
}

// -----
// A view is read through: 64 bytes into the scratch. `uniform` words are the same in all lanes.
// CHECK-LABEL: tile.kernel @view
// CHECK-NOT:     tile.view
// CHECK:         %[[BASE:.*]] = arith.constant 64 : index
// CHECK-NOT:     tile.view
// CHECK:         tile.load_uniform %{{.*}}[%[[BASE]]] : !tile.bytes -> vector<8xf32>
tile.kernel @view(%y: !tile.rows<64>) grid(%tile, %tokens, %position) scratch(%scratch : 256) tokens 1 {
  %c0 = arith.constant 0 : index
  %rows = tile.view %scratch[64] : !tile.rows<32>
  %v = tile.load_row %rows[%c0, %c0] uniform : !tile.rows<32> -> vector<1x8xf32>
  tile.store_row %v, %y[%tile, %c0] : vector<1x8xf32>, !tile.rows<64>
}

// -----
// Lane form already: nothing to do.
// CHECK-LABEL: tile.kernel @lanes
// CHECK-NEXT:    %[[V:.*]] = tile.load
// CHECK-NEXT:    %[[W:.*]] = arith.addf %[[V]], %[[V]]
// CHECK-NEXT:    tile.store %[[W]]
// CHECK-NEXT:  }
tile.kernel @lanes(%x: !tile.bytes, %y: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %v = tile.load %x[%tile] : !tile.bytes -> vector<32xf32>
  %w = arith.addf %v, %v : vector<32xf32>
  tile.store %w, %y[%tile] : vector<32xf32>, !tile.bytes
}

// -----
// Refused, at their place: what mixes tokens, and what yields a block.
tile.kernel @transpose(%x: !tile.rows<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %v = tile.load_row %x[%tile, %tile] : !tile.rows<64> -> vector<2x2xf32>
  // expected-error@+1 {{'vector.transpose' op has no form without a token dimension}}
  %t = vector.transpose %v, [1, 0] : vector<2x2xf32> to vector<2x2xf32>
  tile.store_row %t, %y[%tile, %tile] : vector<2x2xf32>, !tile.rows<64>
}

// -----
tile.kernel @choice(%x: !tile.rows<64>, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %v = tile.load_row %x[%tile, %tile] : !tile.rows<64> -> vector<2x32xf32>
  %less = arith.cmpi ult, %tile, %tokens : index
  // expected-error@+1 {{with a block of tokens as its result has no form without a token dimension}}
  %w = scf.if %less -> vector<2x32xf32> {
    %d = arith.addf %v, %v : vector<2x32xf32>
    scf.yield %d : vector<2x32xf32>
  } else {
    scf.yield %v : vector<2x32xf32>
  }
  tile.store_row %w, %y[%tile, %tile] : vector<2x32xf32>, !tile.rows<64>
}

// -----
tile.kernel @extract(%x: !tile.rows<64>, %y: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %v = tile.load_row %x[%tile, %tile] : !tile.rows<64> -> vector<2x32xf32>
  // A number of one row of one token is no number a token.
  // expected-error@+1 {{takes one token's row or number out of a block}}
  %n = vector.extract %v[1, 5] : f32 from vector<2x32xf32>
  tile.store_uniform %n, %y[%tile] : f32, !tile.bytes
}

// -----
// So many dots that they go in turn leave no registers for what becomes of them all: behind the dots it comes token after token.
// CHECK-LABEL: tile.kernel @many
// CHECK:         scf.for
// CHECK:           %[[I0:.*]] = tile.dot {{.*}} bits 4 in_turn
// CHECK-COUNT-10:  tile.dot
// CHECK:           %[[I11:.*]] = tile.dot
// CHECK-NEXT:      %[[F0:.*]] = arith.sitofp %[[I0]]
// CHECK-NEXT:      %[[X0:.*]] = vector.broadcast
// CHECK-NEXT:      %[[V0:.*]] = arith.mulf %[[F0]], %[[X0]]
// CHECK-NEXT:      arith.addf %{{.*}}, %[[V0]]
// CHECK-NEXT:      arith.sitofp
// CHECK:           %[[F11:.*]] = arith.sitofp %[[I11]]
// CHECK-NEXT:      vector.broadcast
// CHECK-NEXT:      arith.mulf %[[F11]]
// CHECK-NEXT:      arith.addf
// CHECK-NEXT:      scf.yield
tile.kernel @many(%a: !tile.acts<64>, %w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 12 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %zero = arith.constant dense<0.0> : vector<12x4xf32>
  %none = arith.constant dense<0> : vector<12x4xi32>
  %sum = scf.for %k = %c0 to %position step %c1 iter_args(%acc = %zero) -> (vector<12x4xf32>) {
    %codes, %scale, %start, %low, %high, %total = tile.load_acts %a[%c0, %k] : !tile.acts<64>
        -> vector<12x8xi32>, vector<12x1xf32>, vector<12x1xi32>, vector<12x1xi32>, vector<12x1xi32>, vector<12x1xf32>
    %i = tile.dot %none, [%q], %codes from 7 bits 4 in_turn : [vector<4xi32>], vector<12x8xi32> -> vector<12x4xi32>
    %f = arith.sitofp %i : vector<12x4xi32> to vector<12x4xf32>
    %x = tile.broadcast %scale : vector<12x1xf32> -> vector<12x4xf32>
    %v = arith.mulf %f, %x : vector<12x4xf32>
    %next = arith.addf %acc, %v : vector<12x4xf32>
    scf.yield %next : vector<12x4xf32>
  }
  tile.store_row %sum, %y[%c0, %c0] : vector<12x4xf32>, !tile.rows<64>
}

// -----
// Others stay together: a loop over few tokens has registers enough.
// CHECK-LABEL: tile.kernel @few
// CHECK:           tile.dot
// CHECK-NEXT:      tile.dot
// CHECK-NEXT:      arith.sitofp
// CHECK-NEXT:      arith.sitofp
// CHECK-NEXT:      arith.addf
tile.kernel @few(%a: !tile.acts<64>, %w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %q = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %half = arith.constant dense<0.5> : vector<2x4xf32>
  %none = arith.constant dense<0> : vector<2x4xi32>
  %codes, %scale, %start, %low, %high, %total = tile.load_acts %a[%c0, %position] : !tile.acts<64>
      -> vector<2x8xi32>, vector<2x1xf32>, vector<2x1xi32>, vector<2x1xi32>, vector<2x1xi32>, vector<2x1xf32>
  %i = tile.dot %none, [%q], %codes from 7 bits 4 : [vector<4xi32>], vector<2x8xi32> -> vector<2x4xi32>
  %f = arith.sitofp %i : vector<2x4xi32> to vector<2x4xf32>
  %v = arith.addf %f, %half : vector<2x4xf32>
  tile.store_row %v, %y[%c0, %c0] : vector<2x4xf32>, !tile.rows<64>
}

// -----
// A word of levels is a number a token; the rows' words serve both.
// CHECK-LABEL: tile.kernel @levels
// CHECK:           %[[A0:.*]] = tile.load_uniform %{{.*}} -> i32
// CHECK:           %[[A1:.*]] = tile.load_uniform %{{.*}} -> i32
// CHECK:           tile.accumulate_levels %{{.*}}, %{{.*}}, %{{.*}}, %[[W:.*]], %[[A0]] shift 1 : vector<4xi32>, i32 -> vector<4xi32>
// CHECK-NEXT:      tile.accumulate_levels %{{.*}}, %{{.*}}, %{{.*}}, %[[W]], %[[A1]] shift 1 : vector<4xi32>, i32 -> vector<4xi32>
// CHECK-COUNT-2:   tile.accumulate_levels %{{.*}}, %{{.*}}, %{{.*}}, %[[W]], %{{.*}} shift 1 offsets %[[W]] : vector<4xi32> : vector<4xi32>, i32
tile.kernel @levels(%a: !tile.rows<64>, %w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %none = arith.constant dense<0> : vector<2x4xi32>
  %words = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %levels = tile.load_row %a[%c0, %position] : !tile.rows<64> -> vector<2x1xi32>
  %i = tile.accumulate_levels %none, %none, %none, %words, %levels shift 1
      : vector<4xi32>, vector<2x1xi32> -> vector<2x4xi32>
  %j = tile.accumulate_levels %i, %none, %none, %words, %levels shift 1 offsets %words : vector<4xi32>
      : vector<4xi32>, vector<2x1xi32> -> vector<2x4xi32>
  %f = arith.sitofp %j : vector<2x4xi32> to vector<2x4xf32>
  tile.store_row %f, %y[%c0, %c0] : vector<2x4xf32>, !tile.rows<64>
}

// CHECK-LABEL: tile.kernel @halves
// CHECK:           %[[X0:.*]] = tile.load_uniform %{{.*}} -> i32
// CHECK:           %[[X1:.*]] = tile.load_uniform %{{.*}} -> i32
// CHECK:           tile.dot_halves %{{.*}}, %[[LINE:.*]], %[[X0]] : vector<4xi32>, i32 -> vector<4xi32>
// CHECK-NEXT:      tile.dot_halves %{{.*}}, %[[LINE]], %[[X1]] : vector<4xi32>, i32 -> vector<4xi32>
tile.kernel @halves(%a: !tile.rows<64>, %w: !tile.bytes, %y: !tile.rows<64>) grid(%tile, %tokens, %position)
    scratch(%scratch : 0) tokens 2 {
  %c0 = arith.constant 0 : index
  %none = arith.constant dense<0> : vector<2x4xi32>
  %line = tile.load %w[%tile] : !tile.bytes -> vector<4xi32>
  %x = tile.load_row %a[%c0, %position] : !tile.rows<64> -> vector<2x1xi32>
  %i = tile.dot_halves %none, %line, %x : vector<4xi32>, vector<2x1xi32> -> vector<2x4xi32>
  %f = arith.sitofp %i : vector<2x4xi32> to vector<2x4xf32>
  tile.store_row %f, %y[%c0, %c0] : vector<2x4xf32>, !tile.rows<64>
}
