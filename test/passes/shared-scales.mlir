// RUN: sinter-opt %s --phase-fuse --phase-tile | FileCheck %s

// One scale for 256 columns: the largest of them is known before the first 32 are rounded.
// CHECK:       tile.kernel @quantize_512(%{{.*}}: !tile.rows<512>, %{{.*}}: !tile.acts<512, per 256>)
// CHECK:         scf.for %[[FIRST:.*]] = %c0 to %c512 step %c256 {
// CHECK:           %[[LINE:.*]] = scf.for %{{.*}} = %[[FIRST]] to %[[LAST:.*]] step %c32 iter_args(
// CHECK:             math.absf
// CHECK:           %[[LARGEST:.*]] = tile.reduce <max> %[[LINE]]
// CHECK:           scf.for %{{.*}} = %[[FIRST]] to %[[LAST]] step %c32 {
// CHECK:             tile.store_acts %{{.*}} largest %[[LARGEST]]

// The chunk's unpacked weights: minima first, of all 16 blocks; then 8 blocks at a time, whose sum is scaled once.
// CHECK:       tile.kernel @linear_q4_k_i8_quantize_512x512_tn(
// CHECK:         scf.for %{{.*}} = %c0 to %c16 step %c1 iter_args(
// CHECK-NOT:       tile.dot
// CHECK:           math.fma
// CHECK:           scf.yield
// CHECK:         scf.for %[[GROUP:.*]] = %c0 to %c16 step %c8 {
// CHECK:           %[[END:.*]] = arith.addi %[[GROUP]], %c8
// CHECK:           scf.for %{{.*}} = %[[GROUP]] to %[[END]] step %c1 iter_args(
// CHECK:             tile.dot
// CHECK-NOT:         tile.scale_accumulate
// CHECK:             arith.sitofp
// CHECK-NEXT:        math.fma
// CHECK-NEXT:        scf.yield
// CHECK:           tile.load_acts %{{.*}}[%{{.*}}, %[[GROUP]]]
// CHECK:           math.fma
// CHECK:           tile.store_row

// Fewer tokens than are staged are scaled for every 32 columns, and so are activations of short groups.
// CHECK:         tile.scale_accumulate
// CHECK:       tile.kernel @linear_q5_k_i8_512x512_tn(
// CHECK-NOT:     arith.sitofp
// CHECK:         tile.scale_accumulate
module attributes {llm.architecture = "llama", llm.name = "t", llm.source = "t.gguf", llm.context = 64 : i64,
                   llm.trained_context = 64 : i64, llm.chunk = 32 : i64, llm.vocabulary = 64 : i64,
                   llm.layers = 1 : i64, llm.embedding = 512 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  module @x attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx512vnni">]>} {
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x512xf32> {
    %e = llm.weight "token_embd.weight" : !llm.weight<64x512, q4_k>
    %x = llm.embed %tokens, %e : tensor<?xi32>, !llm.weight<64x512, q4_k> -> tensor<?x512xf32>
    %q = llm.quantize_acts %x : tensor<?x512xf32> per 256
    %w = llm.weight "long" : !llm.weight<512x512, q4_k>
    %y = llm.linear %q, [%w] : !llm.acts<?x512, i8 per 256>, !llm.weight<512x512, q4_k> -> tensor<?x512xf32>
    %r = llm.quantize_acts %y : tensor<?x512xf32>
    %v = llm.weight "short" : !llm.weight<512x512, q5_k>
    %z = llm.linear %r, [%v] : !llm.acts<?x512, i8 per 32>, !llm.weight<512x512, q5_k> -> tensor<?x512xf32>
    return %z : tensor<?x512xf32>
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
