// RUN: sinter-opt %s --phase-fuse --phase-tile | FileCheck %s
// RUN: sed -e 's/<96/<80/g' -e 's/x96/x80/g' -e 's/heads = 6/heads = 5/' %s | sinter-opt --phase-fuse --phase-tile \
// RUN:   | FileCheck %s --check-prefix=FEW --implicit-check-not=tile.dot_halves
// RUN: sed -e 's/type = f16/type = f32/g' %s | sinter-opt --phase-fuse --phase-tile \
// RUN:   | FileCheck %s --check-prefix=FLOATS --implicit-check-not=tile.dot_halves
// RUN: sed -e 's/160/16384/g' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=LONG

// One token of six heads that share their keys: an f16 cache is multiplied as halves without being staged. A head's queries are
// packed once for its slices.
// CHECK-LABEL:   tile.kernel @attention_f16_h6kv1d16_slice128_t1(
// CHECK:           tile.once %[[HEAD:.*]] at
// CHECK:             math.sqrt
// CHECK:             tile.store %{{.*}}, %scratch[%[[OF:.*]]] : vector<1xi32>
// CHECK:           scf.for %[[FIRST:.*]] = %{{.*}} to %[[END:.*]] step %c64 {
// The next block, or this one where the sequence ends.
// CHECK:             %[[BEHIND:.*]] = arith.addi %[[FIRST]], %c64
// CHECK:             %[[NEXT:.*]] = arith.select %{{.*}}, %[[BEHIND]], %[[FIRST]] : index
// Largest numbers that are not known yet: of keys those of the sequence.
// CHECK:             %[[KNOWN:.*]] = tile.load_uniform %scratch[%[[OF]]]
// CHECK:             arith.cmpi ne, %[[KNOWN]]
// CHECK:             scf.if
// CHECK:               %[[MASK:.*]] = arith.select %{{.*}} : vector<32xi1>, vector<32xi16>
// CHECK:               %[[LINE:.*]] = tile.load %bytes[%{{.*}}] : !tile.bytes -> vector<32xi16>
// CHECK-NEXT:          %[[NUMBERS:.*]] = arith.andi %[[LINE]], %[[MASK]]
// CHECK-NEXT:          arith.maxui %{{.*}}, %[[NUMBERS]]
// CHECK:               tile.load %bytes_0[%{{.*}}] : !tile.bytes -> vector<32xi16>
// CHECK:               arith.maxui
// CHECK-COUNT-2:     tile.reduce <max>
// Words 0 .. 7 are elements d and d + 8; those of the next block are looked at.
// CHECK:             scf.for %{{.*}} = %c0 to %c8 step %c1 iter_args({{.*}}) -> (vector<6x32xi32>, vector<32xi16>) {
// CHECK-COUNT-2:       arith.extf %{{.*}} : vector<32xf16> to vector<32xf32>
// CHECK-COUNT-2:       arith.maxui
// CHECK-NOT:           math.fma
// CHECK:               tile.dot_halves
// CHECK:             scf.for %{{.*}} = %c0 to %{{.*}} step %c1 iter_args({{.*}}) -> (vector<6x32xi32>, vector<32xi16>) {
// CHECK-COUNT-2:       arith.maxui
// CHECK-NOT:           math.fma
// CHECK:               tile.dot_halves

// A head has 64 slices at most, with partials of 192 bytes: of longer sequences each is several of 128 positions, and what
// is not the first of them has nothing to do.
// LONG:        exec.buffer transient @[[PARTIALS:decode.[0-9]+]] in @decode bytes 73728
// LONG:        exec.dispatch @attention_f16_h6kv1d16_slice128_t1({{.*}}, write @[[PARTIALS]]) tiles<1 per 128 positions>
// LONG-LABEL:  tile.kernel @attention_f16_h6kv1d16_slice128_t1(
// LONG:          %[[TOGETHER:.*]] = arith.divui %{{.*}}, %c64
// LONG:          %[[SLICE:.*]] = arith.divui %[[PART:.*]], %[[TOGETHER]] : index
// LONG:          %[[OTHER:.*]] = arith.remui %[[PART]], %[[TOGETHER]] : index
// LONG-NEXT:     %[[FIRST:.*]] = arith.cmpi ult, %[[OTHER]], %c1
// LONG-NEXT:     scf.if %[[FIRST]] {
// LONG-NEXT:       tile.once

// FEW-LABEL:   tile.kernel @attention_f16_h5kv1d16_slice128_t1(
// FEW:           tile.once
// FEW-LABEL:   tile.kernel @attention_join_
// FLOATS-LABEL:   tile.kernel @attention_f32_h6kv1d16_slice128_t1(
module attributes {llm.architecture = "llama", llm.name = "t", llm.source = "t.gguf", llm.context = 160 : i64,
                   llm.trained_context = 160 : i64, llm.chunk = 1 : i64, llm.vocabulary = 64 : i64,
                   llm.layers = 1 : i64, llm.embedding = 32 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  module @x attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"zen4">]>} {
  llm.kv_cache @kv {heads = 1, head_dim = 16, positions = 160, type = f16}
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x32xf32> {
    %e = llm.weight "token_embd.weight" : !llm.weight<64x32, q8_0>
    %x = llm.embed %tokens, %e : tensor<?xi32>, !llm.weight<64x32, q8_0> -> tensor<?x32xf32>
    %a = llm.quantize_acts %x : tensor<?x32xf32>
    %qw = llm.weight "q" : !llm.weight<96x32, q8_0>
    %q = llm.linear %a, [%qw] : !llm.acts<?x32, i8 per 32>, !llm.weight<96x32, q8_0> -> tensor<?x96xf32>
    %kw = llm.weight "k" : !llm.weight<16x32, q8_0>
    %k = llm.linear %a, [%kw] : !llm.acts<?x32, i8 per 32>, !llm.weight<16x32, q8_0> -> tensor<?x16xf32>
    %v = llm.linear %a, [%kw] : !llm.acts<?x32, i8 per 32>, !llm.weight<16x32, q8_0> -> tensor<?x16xf32>
    %h = llm.attention %q, %k, %v in @kv {heads = 6, kv_heads = 1, head_dim = 16, scale = 0.25}
        : tensor<?x96xf32>, tensor<?x16xf32>, tensor<?x16xf32> -> tensor<?x96xf32>
    %ow = llm.weight "o" : !llm.weight<32x96, f32>
    %y = llm.linear %h, [%ow] : tensor<?x96xf32>, !llm.weight<32x96, f32> -> tensor<?x32xf32>
    return %y : tensor<?x32xf32>
  }
  func.func @head(%h: tensor<?x32xf32>) -> tensor<1x64xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<64x32, q8_0>
    %l = llm.last_token %h : tensor<?x32xf32> -> tensor<1x32xf32>
    %q = llm.quantize_acts %l : tensor<1x32xf32>
    %y = llm.linear %q, [%w] : !llm.acts<1x32, i8 per 32>, !llm.weight<64x32, q8_0> -> tensor<1x64xf32>
    return %y : tensor<1x64xf32>
  }
  func.func @score(%h: tensor<?x32xf32>, %targets: tensor<?xi32>) -> tensor<?xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<64x32, q8_0>
    %q = llm.quantize_acts %h : tensor<?x32xf32>
    %y = llm.linear %q, [%w] : !llm.acts<?x32, i8 per 32>, !llm.weight<64x32, q8_0> -> tensor<?x64xf32>
    %s = llm.log_likelihood %y, %targets : tensor<?x64xf32>, tensor<?xi32> -> tensor<?xf32>
    return %s : tensor<?xf32>
  }
  }
}
