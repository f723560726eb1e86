// RUN: sinter-opt %s --phase-fuse --phase-tile | FileCheck %s
// RUN: sed -e 's/x86-64/aarch64/' -e 's/avx512vnni/dotprod/' %s | sinter-opt --phase-fuse --phase-tile \
// RUN:   | FileCheck %s --check-prefix=PARTS
// RUN: sed -e 's/q4_k/q6_k/g' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=INTEGERS

// One token of a K-quant, two super-blocks of 256 columns. Where the target's table says so, all 32 rows of a tile go
// through a super-block together, and lines are read in order: a super-block of one tile, then one of a tile apart.
// CHECK:         tile.kernel @linear_q4_k_i8_64x512_t1({{.*}} strip 2 apart {
// CHECK:           tile.for_tiles
// CHECK:           scf.for %{{.*}} = %c0 to %c2 step %c1 {
// CHECK-NEXT:        tile.for_tiles %[[TILE:.*]], %[[PLACE:.*]] {
// CHECK:               tile.load_row %[[SUMS:.*]][%[[PLACE]], %{{.*}}] : <32> -> vector<1x32xf32>
// CHECK-NOT:           scf.for
// CHECK-NOT:           tile.store_row
// CHECK-COUNT-8:       tile.load_packed %weight[%[[TILE]], {{.*}} -> <q4_k, 32>
// CHECK-NOT:           tile.load_packed
// CHECK:               tile.store_row %{{.*}}, %[[SUMS]][%[[PLACE]], %{{.*}}] : vector<1x32xf32>, <32>
// CHECK:           tile.for_tiles
// CHECK:             tile.store_row {{.*}} : vector<1x32xf32>, <64>

// Integer scales of later blocks, here 8 lines, are asked for before the codes behind them.
// INTEGERS:      tile.kernel @linear_q6_k_i8_64x512_t1(
// INTEGERS:        scf.for
// INTEGERS:          tile.for_tiles
// INTEGERS-NOT:        tile.load_packed
// INTEGERS-COUNT-8:    tile.prefetch {{.*}} {locality = 3 : i32}
// INTEGERS-NOT:        tile.prefetch {{.*}} {locality = 3 : i32}
// INTEGERS:            tile.load_packed
// INTEGERS-NOT:        tile.prefetch {{.*}} {locality = 3 : i32}
// INTEGERS:            tile.store_row

// Elsewhere a loop over parts of 8 rows is inside, whose sums wait in scratch.
// PARTS:       tile.kernel @linear_q4_k_i8_64x512_t1(
// PARTS:         scf.for
// PARTS-NEXT:      tile.store_row {{.*}} : vector<1x8xf32>, <32>
// PARTS:         scf.for %{{.*}} = %c0 to %c2 step %c1 {
// PARTS:           scf.for %{{.*}} = %c0 to %c32 step %c8 {
// PARTS:             tile.load_row {{.*}} -> vector<1x8xf32>
// PARTS-COUNT-8:     tile.load_packed {{.*}} -> <q4_k, 8>
// PARTS:             tile.store_row {{.*}} : vector<1x8xf32>, <32>
module attributes {llm.architecture = "llama", llm.name = "t", llm.source = "t.gguf", llm.context = 64 : i64,
                   llm.trained_context = 64 : i64, llm.chunk = 32 : i64, llm.vocabulary = 64 : i64,
                   llm.layers = 1 : i64, llm.embedding = 512 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  module @x attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx512vnni">]>} {
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x512xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<64x512, q4_k>
    %x = llm.embed %tokens, %w : tensor<?xi32>, !llm.weight<64x512, q4_k> -> tensor<?x512xf32>
    return %x : tensor<?x512xf32>
  }
  func.func @head(%h: tensor<?x512xf32>) -> tensor<1x64xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<64x512, q4_k>
    %l = llm.last_token %h : tensor<?x512xf32> -> tensor<1x512xf32>
    %q = llm.quantize_acts %l : tensor<1x512xf32>
    %y = llm.linear %q, [%w] : !llm.acts<1x512, i8 per 32>, !llm.weight<64x512, q4_k> -> tensor<1x64xf32>
    return %y : tensor<1x64xf32>
  }
  func.func @score(%h: tensor<?x512xf32>, %targets: tensor<?xi32>) -> tensor<?xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<64x512, q4_k>
    %q = llm.quantize_acts %h : tensor<?x512xf32>
    %y = llm.linear %q, [%w] : !llm.acts<?x512, i8 per 32>, !llm.weight<64x512, q4_k> -> tensor<?x64xf32>
    %s = llm.log_likelihood %y, %targets : tensor<?x64xf32>, tensor<?xi32> -> tensor<?xf32>
    return %s : tensor<?xf32>
  }
  }
}
