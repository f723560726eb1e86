// RUN: sinter-opt %s --outline-kernels | FileCheck %s
// RUN: sinter-opt %s --outline-kernels | FileCheck %s --check-prefix=ONCE
// RUN: sinter-opt %s --outline-kernels | FileCheck %s --check-prefix=KERNELS
// RUN: sinter-opt %s --outline-kernels | FileCheck %s --check-prefix=ORDER
// RUN: sinter-opt %s --outline-kernels | FileCheck %s --check-prefix=HALVES
// RUN: sed -e 's/kv_type = f16/kv_type = i8/' -e 's/type = f16}/type = i8}/' %s | sinter-opt --outline-kernels \
// RUN:   | FileCheck %s --check-prefix=INT8
// RUN: sinter-opt %s --outline-kernels | FileCheck %s --check-prefix=STARTS --implicit-check-not=totals
// RUN: sed -e 's/q4_0/q4_1/g' %s | sinter-opt --outline-kernels | FileCheck %s --check-prefix=TOTALS

// Of activations those sums are stored that the weights behind them ask for: of Q4_0 neither, of Q4_1, which has minima, totals.
// STARTS: tile.store_acts %{{.*}}] : vector
// TOTALS: tile.store_acts %{{.*}}] totals : vector

// One token reads weights line by line, all rows of a tile and scales first, of four tiles in turn; its attention whole lines of
// keys and whole values: both are streams that the hardware fetches ahead. AVX2 takes half a line of a key, half a value at a time,
// and asks.
// Of a chunk the rows of 8 tokens that will be added are asked for in front of their product; what becomes int8 is computed for all
// of them, then their largest magnitudes, then they are rounded. Few tokens' blocks do both at once.
// ORDER-LABEL: module @avx512vnni {
// ORDER-LABEL:   tile.kernel @linear_q4_0_i8_add_64x64_tn(
// ORDER:           scf.for %[[ROW:.*]] = %c0{{.*}} step %c8
// ORDER-COUNT-16:  tile.prefetch %rows[{{.*}}] {locality = 3 : i32} : !tile.rows<64>
// ORDER:           tile.accumulate_levels
// ORDER-LABEL:   tile.kernel @linear_q4_0_i8_glu_quantize_96x64_tn(
// ORDER:           tile.accumulate_levels
// ORDER:           tile.accumulate_levels
// ORDER:           scf.for %{{.*}} to %[[END:[0-9]+]] step %c1_
// ORDER-NOT:         step
// ORDER:             arith.mulf {{.*}} : vector<1x32xf32>
// ORDER-NEXT:        tile.store_row
// ORDER-NEXT:      }
// ORDER:           scf.for %{{.*}} to %[[END]] step %c1_
// ORDER-NOT:         arith.mulf
// ORDER:             %[[MOST:.*]] = tile.reduce <max>
// ORDER-NEXT:        tile.store_row %[[MOST]], %[[LARGEST:.*]][
// ORDER-NEXT:      }
// ORDER:           scf.for %{{.*}} to %[[END]] step %c1_
// ORDER:             %[[KNOWN:.*]] = tile.load_row %[[LARGEST]][
// ORDER:             tile.store_acts {{.*}} largest %[[KNOWN]] : {{.*}} : vector<1x32xf32>
// ORDER:           arith.mulf {{.*}} : vector<8x32xf32>
// ORDER-NEXT:      tile.store_acts
// ORDER-LABEL:   tile.kernel @linear_q4_0_i8_rope_64x64_t1(
// ORDER:           tile.for_tiles %{{.*}}, %[[PLACE:.*]] {
// ORDER:             tile.store_row %{{.*}}, %[[SUMS:.*]][%[[PLACE]], %c0{{.*}}] : vector<1x32xf32>
// ORDER:           scf.for %[[BLOCK:.*]] = %c0{{.*}} to %c2
// ORDER-NEXT:        tile.for_tiles %[[TILE:.*]], %[[PLACE:.*]] {
// ORDER:               %[[SUM:.*]] = tile.load_row %[[SUMS]][%[[PLACE]],
// ORDER-COUNT-3:       tile.prefetch
// ORDER:               tile.load_packed %weight[%[[TILE]], %{{.*}} : <64x64, q4_0> -> <q4_0, 32>
// ORDER-NEXT:          tile.scale
// ORDER-NEXT:          tile.unpack
// ORDER:               %[[NEXT:.*]] = tile.scale_accumulate %[[SUM]]
// ORDER:               tile.store_row %[[NEXT]], %[[SUMS]][%[[PLACE]],
// ORDER:           tile.for_tiles %{{.*}}, %[[PLACE:.*]] {
// ORDER:             tile.load_row %[[SUMS]][%[[PLACE]],
// ORDER:             tile.store_row
// ORDER-LABEL:   tile.kernel @attention_f16_h2kv1d32_slice128_t1(
// ORDER-NOT:       tile.prefetch
// ORDER-LABEL:   tile.kernel @attention_join_
// Of two weights half as many tiles.
// ORDER-LABEL:   tile.kernel @linear_q4_0_i8_glu_quantize_96x64_t1(
// ORDER-SAME:      strip 2 apart
// ORDER:           scf.for
// ORDER-NEXT:        tile.for_tiles
// ORDER:               tile.load_packed %weight[
// ORDER:               tile.load_packed %weight_0[
// ORDER-LABEL: module @avx2 {
// ORDER-LABEL:   tile.kernel @attention_f16_h2kv1d32_slice128_t1(
// ORDER:           tile.prefetch %bytes[
// ORDER:           tile.prefetch %bytes_0[
// ORDER-LABEL:   tile.kernel @attention_join_

// Attention of a chunk, AVX-512: q, keys and values become halves with units, so do a block's weights; 32 elements of a head are
// 16 words, and 16 words a key tile's positions. AVX2 multiplies floats, and so does one token.
// HALVES-LABEL: module @avx512vnni {
// HALVES-LABEL:   tile.kernel @attention_f16_h2kv1d32_quantize_tn(
// HALVES:           math.sqrt {{.*}} : vector<1x1xf32>
// HALVES:           arith.bitcast {{.*}} : vector<1x8xf32> to vector<1x8xi32>
// HALVES:           math.sqrt {{.*}} : vector<32xf32>
// HALVES:           scf.for {{.*}} to %c16
// HALVES:           arith.bitcast {{.*}} : vector<32xf32> to vector<32xi32>
// HALVES:           math.absf {{.*}} : vector<32xf32>
// HALVES:           scf.for {{.*}} to %c16
// HALVES:           arith.bitcast {{.*}} : vector<32xf32> to vector<32xi32>
// HALVES:           %[[SCORES:.*]] = scf.for {{.*}} to %c16{{.*}} -> (vector<8x32xi32>) {
// HALVES-NOT:         math.fma
// HALVES:             tile.dot_halves
// HALVES-NEXT:        scf.yield
// HALVES:           arith.sitofp %[[SCORES]]
// HALVES-COUNT-2:   math.exp
// HALVES:           arith.bitcast {{.*}} : vector<4x16xf32> to vector<4x16xi32>
// HALVES:           %[[SUM:.*]] = scf.for {{.*}} -> (vector<8x32xi32>) {
// HALVES-NOT:         math.fma
// HALVES:             tile.dot_halves
// HALVES-NEXT:        scf.yield
// HALVES:           arith.sitofp %[[SUM]]
// HALVES-LABEL:   tile.kernel @attention_f16_h2kv1d32_slice128_t1(
// HALVES-NOT:     tile.dot_halves
// HALVES-LABEL: module @avx2 {
// HALVES-NOT:     tile.dot_halves

// A model of two layers as the fuse phase leaves it: width 64, two query heads and one key head of 32, a vocabulary of 100
// whose matrix is embedding and output at once. Chunks have 32 tokens.

// What a session keeps: rows of 64 floats for 32 tokens, logits padded to 128 floats, and of each layer one head of keys
// and of values, 160 positions of 32 halves.
// CHECK:      exec.buffer state @step bytes 16 role step
// CHECK-NEXT: exec.buffer state @tokens bytes 128
// CHECK-NEXT: exec.buffer state @targets bytes 128
// CHECK-NEXT: exec.buffer state @logits bytes 512
// CHECK-NEXT: exec.buffer state @scores bytes 128
// CHECK-NEXT: exec.buffer state @hidden bytes 8192
// CHECK-NEXT: exec.buffer state @kv.0.keys bytes 12288 role kv_cache
// CHECK-NEXT: exec.buffer state @kv.0.values bytes 12288 role kv_cache
// CHECK-NEXT: exec.buffer state @kv.1.keys bytes 12288 role kv_cache
// CHECK-NEXT: exec.buffer state @kv.1.values bytes 12288 role kv_cache

// The same of int8: codes and one scale for each position, whose number is rounded up to 192.
// INT8:      exec.buffer state @kv.0.keys bytes 6912 role kv_cache
// INT8-NEXT: exec.buffer state @kv.0.values bytes 6912 role kv_cache
// INT8:      exec.dispatch @attention_i8_h2kv1d32_quantize_tn(
// A chunk's makes numbers of a block's codes, four to a word, then halves of these in their places.
// INT8-LABEL: tile.kernel @attention_i8_h2kv1d32_quantize_tn(
// INT8-COUNT-4: tile.store_row {{.*}}, %[[KEYS:[0-9]+]][{{.*}}] : vector<1x32xf32>, <32>
// INT8-COUNT-4: tile.store_row {{.*}}, %[[VALUES:[0-9]+]][{{.*}}] : vector<1x32xf32>, <32>
// INT8:         tile.load_row %[[KEYS]][
// INT8:         math.sqrt {{.*}} : vector<32xf32>
// INT8:         tile.load_row %[[KEYS]][
// INT8:         arith.bitcast {{.*}} : vector<32xf32> to vector<32xi32>
// INT8:         tile.store_row {{.*}}, %[[KEYS]][{{.*}}] : vector<1x32xi32>
// INT8:         tile.load_row %[[VALUES]][
// INT8-NEXT:    vector.extract
// INT8-NEXT:    math.absf
// INT8:         tile.store_row {{.*}}, %[[VALUES]][{{.*}}] : vector<1x32xi32>
// INT8-COUNT-2: tile.dot_halves
// One token's attention multiplies the cache's codes, q's with keys', then weights', which are 0 where no position is, with
// values'.
// INT8:      tile.kernel @attention_i8_h2kv1d32_slice128_t1(
// INT8:        tile.dot {{.*}} start {{.*}} bits 8
// INT8-NEXT:   tile.scale_accumulate
// INT8:        math.exp
// INT8:        %[[SOME:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : vector<32xi32>
// INT8:        %[[SCALES:.*]] = arith.select %[[SOME]], %{{.*}}, %{{.*}} : vector<32xi1>, vector<32xf32>
// INT8:        %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[SCALES]] : vector<32xf32>
// INT8:        tile.reduce <max> %[[SCALED]]
// INT8:        %[[STEPS:.*]] = math.fma %[[SCALED]],
// INT8-NEXT:   arith.bitcast %[[STEPS]] : vector<32xf32> to vector<32xi32>
// INT8-NOT:    tile.reduce <add>
// INT8:        tile.dot {{.*}} bits 8 positive
// INT8-NOT:    tile.dot
// INT8:      tile.kernel @attention_join_h2d32_quantize_slice128(

// A constant's recipe moves with it. Rows of the RoPE table past the last position may be read by a register block, so
// there are 16 more.
// CHECK:      exec.buffer constant @token_embd bytes 8704 {
// CHECK-NEXT:   %[[E:.*]] = llm.weight "token_embd.weight"
// CHECK-NEXT:   %[[P:.*]] = llm.pack %[[E]]
// CHECK-NEXT:   exec.constant_yield %[[P]]
// CHECK:      exec.buffer constant @rope bytes 22528 {
// CHECK-NEXT:   llm.rope_frequencies
// CHECK-NEXT:   llm.rope_table %{{.*}} -> tensor<176x32xf32>

// A chunk. Q, K and V are one group: nobody of them reads what another writes, and there is one barrier less for each.
// A residual is added where it lies: `over [2]` lets the planner put both into one place.
// CHECK:      exec.program @prefill max_tokens 32 ports [tokens @tokens] {
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @embed_q8_0_100x64_t1(read @tokens, read @token_embd, write @[[X:prefill.[0-9]+]]) tiles<1 per 1 tokens> source "token_embd"
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @norm_quantize_64(read @[[X]], read @blk.0.attn_norm, write @[[A:prefill.[0-9]+]]) tiles<1 per 1 tokens> source "blk.0.attn_norm"
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @linear_q4_0_i8_rope_64x64_tn(read @blk.0.attn_q, read @[[A]], read @rope, write @[[Q:prefill.[0-9]+]]) tiles<2> source "blk.0.attn_q"
// CHECK-NEXT:     exec.dispatch @linear_q4_0_i8_rope_keys_32x64_tn(read @blk.0.attn_k, read @[[A]], read @rope, update @kv.0.keys) tiles<1> source "blk.0.attn_k"
// CHECK-NEXT:     exec.dispatch @linear_q4_0_i8_values_32x64_tn(read @blk.0.attn_v, read @[[A]], update @kv.0.values) tiles<1> source "blk.0.attn_v"
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @attention_f16_h2kv1d32_quantize_tn(read @[[Q]], read @kv.0.keys, read @kv.0.values, write @[[H:prefill.[0-9]+]]) tiles<1 per 32 tokens> source "blk.0.attn"
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @linear_q4_0_i8_add_64x64_tn(read @blk.0.attn_output, read @[[H]], read @[[X]], write @[[Y:prefill.[0-9]+]] over [2]) tiles<2> source "blk.0.attn_output"
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @norm_quantize_64(read @[[Y]], read @blk.0.ffn_norm,
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @linear_q4_0_i8_glu_quantize_96x64_tn(read @blk.0.ffn_gate, read @blk.0.ffn_up, {{.*}} tiles<3>
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @linear_q4_0_i8_add_64x96_tn(
// CHECK-NEXT:   }
// The second layer uses the first one's kernels on its own weights and caches. Only its gate is another function of the
// same shape: the same name with a number.
// CHECK:          exec.dispatch @linear_q4_0_i8_rope_64x64_tn(read @blk.1.attn_q,
// CHECK-NEXT:     exec.dispatch @linear_q4_0_i8_rope_keys_32x64_tn(read @blk.1.attn_k, {{.*}} update @kv.1.keys)
// CHECK:          exec.dispatch @linear_q4_0_i8_glu_quantize_96x64_tn_v2(read @blk.1.ffn_gate,
// What the function returns is written to where the next program reads it.
// CHECK:          exec.dispatch @linear_q4_0_i8_add_64x96_tn(read @blk.1.ffn_down, {{.*}}, write @hidden over [2])

// One token: body and head in a row, other kernels, and the hidden state is a transient like any other.
// CHECK:      exec.program @decode max_tokens 1 ports [tokens @tokens, logits @logits] {
// CHECK:          exec.dispatch @embed_q8_0_100x64_t1(read @tokens, read @token_embd, write @decode.0) tiles<1>
// CHECK-NOT:      @hidden
// One KV head: the cache is read in slices of 128 positions, as many tiles as the sequence has, and a tile a head joins them.
// CHECK:          exec.dispatch @attention_f16_h2kv1d32_slice128_t1(read @[[Q:decode.[0-9]+]], read @kv.0.keys, read @kv.0.values, write @[[PARTIALS:decode.[0-9]+]]) tiles<1 per 128 positions> source "blk.0.attn"
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @attention_join_h2d32_quantize_slice128(read @[[PARTIALS]], write @[[H:decode.[0-9]+]]) tiles<2> source "blk.0.attn.join"
// CHECK-NOT:      @hidden
// CHECK:          exec.dispatch @linear_q4_0_i8_add_64x96_t1(read @blk.1.ffn_down, {{.*}}, write @[[LAST:decode.[0-9]+]] over [2])
// CHECK:          exec.dispatch @norm_quantize_64(read @[[LAST]], read @output_norm, write @[[N:decode.[0-9]+]]) tiles<1>
// CHECK:          exec.dispatch @linear_q8_0_i8_100x64_t1(read @token_embd, read @[[N]], write @logits) tiles<4> source "output"

// After a chunk: the last token's row is read where it lies, by the number that the runtime keeps in the step.
// CHECK:      exec.program @head max_tokens 1 ports [logits @logits] {
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @norm_quantize_64(read @hidden size 256 at (@step[2] * 256 below 32), read @output_norm, write @head.0) tiles<1>

// 100 rows are 4 row tiles, which one tile of the score kernel takes; a second kernel joins what the tiles found.
// CHECK:      exec.program @score max_tokens 32 ports [targets @targets, scores @scores] {
// CHECK:          exec.dispatch @norm_quantize_64(read @hidden, read @output_norm, write @score.0) tiles<1 per 1 tokens>
// CHECK:          exec.dispatch @score_q8_0_100x64_tn(read @token_embd, read @score.0, read @targets, write @[[PARTS:score.[0-9]+]]) tiles<1> source "output"
// CHECK-NEXT:   }
// CHECK-NEXT:   exec.group {
// CHECK-NEXT:     exec.dispatch @score_join_100(read @[[PARTS]], read @targets, write @scores) tiles<1 per 1 tokens> source "output.join"

// The model is gone.
// CHECK-NOT:  func.func
// CHECK-NOT:  llm.kv_cache

// Three programs read the tied matrix and two the output's gains; each is one constant.
// ONCE-COUNT-1: exec.buffer constant @token_embd
// ONCE-NOT:     exec.buffer constant @token_embd
// ONCE:         exec.buffer constant @output_norm bytes
// ONCE-NOT:     exec.buffer constant @output_norm

// A kernel of each name in each variant, in the order of use, whichever number of layers use it; register blocks are the
// variant's own: 8 tokens with 32 registers, 4 with 16.
// KERNELS:      module @avx512vnni {
// KERNELS:        tile.kernel @embed_q8_0_100x64_t1({{.*}} tokens 1 {
// KERNELS:        tile.kernel @norm_quantize_64({{.*}} tokens 1 {
// KERNELS:        tile.kernel @linear_q4_0_i8_rope_64x64_tn({{.*}} tokens 8 {
// KERNELS:        tile.kernel @linear_q4_0_i8_rope_keys_32x64_tn({{.*}} tokens 8 {
// KERNELS:        tile.kernel @linear_q4_0_i8_values_32x64_tn({{.*}} tokens 8 {
// KERNELS:        tile.kernel @attention_f16_h2kv1d32_quantize_tn({{.*}} tokens 8 {
// KERNELS:        tile.kernel @linear_q4_0_i8_add_64x64_tn({{.*}} tokens 8 {
// KERNELS:        tile.kernel @linear_q4_0_i8_glu_quantize_96x64_tn({{.*}} tokens 8 {
// KERNELS:        tile.kernel @linear_q4_0_i8_add_64x96_tn({{.*}} tokens 8 {
// KERNELS:        tile.kernel @linear_q4_0_i8_glu_quantize_96x64_tn_v2({{.*}} tokens 8 {
// KERNELS-NOT:    _tn(
// KERNELS:        tile.kernel @linear_q4_0_i8_rope_64x64_t1({{.*}} tokens 1 strip 4 apart {
// KERNELS-NOT:    tile.kernel @norm_quantize_64(
// KERNELS:        tile.kernel @linear_q8_0_i8_100x64_t1({{.*}} tokens 1 strip 2 apart {
// Scores are taken of blocks that end where the padding of rows does: of 8 tokens.
// KERNELS:        tile.kernel @score_q8_0_100x64_tn({{.*}} tokens 8 {
// KERNELS:        tile.kernel @score_join_100({{.*}} tokens 1 {
// KERNELS-NOT:    tile.kernel
// KERNELS:      module @avx2 {
// KERNELS-NOT:    tile.kernel @linear_q4_0_i8_rope_64x64_tn({{.*}} tokens 12 {
// KERNELS:        tile.kernel @linear_q4_0_i8_rope_64x64_tn({{.*}} tokens 4 {
// KERNELS:        tile.kernel @score_join_100({{.*}} tokens 1 {
module attributes {llm.architecture = "llama", llm.chunk = 32 : i64, llm.context = 160 : i64, llm.embedding = 64 : i64,
                   llm.kv_type = f16, llm.layers = 2 : i64, llm.name = "small", llm.parameters = 100000 : i64,
                   llm.phase = "fuse", llm.source = "small.gguf", llm.trained_context = 160 : i64,
                   llm.vocabulary = 100 : i64} {
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8,
                                                        variants = [<"avx512vnni">, <"avx2">]>} {
  llm.kv_cache @kv.0 {heads = 1, head_dim = 32, positions = 160, type = f16}
  llm.kv_cache @kv.1 {heads = 1, head_dim = 32, positions = 160, type = f16}
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
    %ew = llm.weight "token_embd.weight" : !llm.weight<100x64, q8_0>
    %e = llm.pack %ew : !llm.weight<100x64, q8_0> -> !llm.packed<100x64, q8_0>
    %f = llm.rope_frequencies {base = 10000.0, scale = 1.0} : tensor<16xf32>
    %t = llm.rope_table %f : tensor<16xf32> -> tensor<160x32xf32>
    %x0 = llm.embed %tokens, %e : tensor<?xi32>, !llm.packed<100x64, q8_0> -> tensor<?x64xf32> loc("token_embd")
    %an0 = llm.parameter "blk.0.attn_norm.weight" : tensor<64xf32>
    %a0 = llm.norm_quantize %x0, %an0 {eps = 1.0e-5} : tensor<?x64xf32> loc("blk.0.attn_norm")
    %q0w = llm.weight "blk.0.attn_q.weight" : !llm.weight<64x64, q4_0>
    %q0 = llm.pack %q0w : !llm.weight<64x64, q4_0> -> !llm.packed<64x64, q4_0>
    %k0w = llm.weight "blk.0.attn_k.weight" : !llm.weight<32x64, q4_0>
    %k0 = llm.pack %k0w : !llm.weight<32x64, q4_0> -> !llm.packed<32x64, q4_0>
    %v0w = llm.weight "blk.0.attn_v.weight" : !llm.weight<32x64, q4_0>
    %v0 = llm.pack %v0w : !llm.weight<32x64, q4_0> -> !llm.packed<32x64, q4_0>
    %rq0 = llm.linear %a0, [%q0] rope(%t : tensor<160x32xf32>) epilogue(%p) {
      %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
      llm.yield %r : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<64x64, q4_0> -> tensor<?x64xf32> loc("blk.0.attn_q")
    %rk0 = llm.linear %a0, [%k0] rope(%t : tensor<160x32xf32>) append keys to @kv.0 epilogue(%p) {
      %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
      llm.yield %r : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<32x64, q4_0> -> !llm.appended loc("blk.0.attn_k")
    %rv0 = llm.linear %a0, [%v0] append values to @kv.0 : !llm.acts<?x64, i8 per 32>, !llm.packed<32x64, q4_0> -> !llm.appended loc("blk.0.attn_v")
    %h0 = llm.attention %rq0, %rk0, %rv0 in @kv.0 {heads = 2, kv_heads = 1, head_dim = 32, scale = 0.125}
        : tensor<?x64xf32>, !llm.appended, !llm.appended -> !llm.acts<?x64, i8 per 32> loc("blk.0.attn")
    %o0w = llm.weight "blk.0.attn_output.weight" : !llm.weight<64x64, q4_0>
    %o0 = llm.pack %o0w : !llm.weight<64x64, q4_0> -> !llm.packed<64x64, q4_0>
    %y0 = llm.linear %h0, [%o0] residual(%x0) epilogue(%p, %r) {
      %s = arith.addf %p, %r : f32
      llm.yield %s : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<64x64, q4_0> -> tensor<?x64xf32> loc("blk.0.attn_output")
    %fn0 = llm.parameter "blk.0.ffn_norm.weight" : tensor<64xf32>
    %b0 = llm.norm_quantize %y0, %fn0 {eps = 1.0e-5} : tensor<?x64xf32> loc("blk.0.ffn_norm")
    %g0w = llm.weight "blk.0.ffn_gate.weight" : !llm.weight<96x64, q4_0>
    %g0 = llm.pack %g0w : !llm.weight<96x64, q4_0> -> !llm.packed<96x64, q4_0>
    %u0w = llm.weight "blk.0.ffn_up.weight" : !llm.weight<96x64, q4_0>
    %u0 = llm.pack %u0w : !llm.weight<96x64, q4_0> -> !llm.packed<96x64, q4_0>
    %m0 = llm.linear %b0, [%g0, %u0] epilogue(%p, %q) {
      %s = arith.mulf %p, %q : f32
      llm.yield %s : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<96x64, q4_0>, !llm.packed<96x64, q4_0> -> !llm.acts<?x96, i8 per 32> loc("blk.0.ffn_gate")
    %d0w = llm.weight "blk.0.ffn_down.weight" : !llm.weight<64x96, q4_0>
    %d0 = llm.pack %d0w : !llm.weight<64x96, q4_0> -> !llm.packed<64x96, q4_0>
    %x1 = llm.linear %m0, [%d0] residual(%y0) epilogue(%p, %r) {
      %s = arith.addf %p, %r : f32
      llm.yield %s : f32
    } : !llm.acts<?x96, i8 per 32>, !llm.packed<64x96, q4_0> -> tensor<?x64xf32> loc("blk.0.ffn_down")
    %an1 = llm.parameter "blk.1.attn_norm.weight" : tensor<64xf32>
    %a1 = llm.norm_quantize %x1, %an1 {eps = 1.0e-5} : tensor<?x64xf32> loc("blk.1.attn_norm")
    %q1w = llm.weight "blk.1.attn_q.weight" : !llm.weight<64x64, q4_0>
    %q1 = llm.pack %q1w : !llm.weight<64x64, q4_0> -> !llm.packed<64x64, q4_0>
    %k1w = llm.weight "blk.1.attn_k.weight" : !llm.weight<32x64, q4_0>
    %k1 = llm.pack %k1w : !llm.weight<32x64, q4_0> -> !llm.packed<32x64, q4_0>
    %v1w = llm.weight "blk.1.attn_v.weight" : !llm.weight<32x64, q4_0>
    %v1 = llm.pack %v1w : !llm.weight<32x64, q4_0> -> !llm.packed<32x64, q4_0>
    %rq1 = llm.linear %a1, [%q1] rope(%t : tensor<160x32xf32>) epilogue(%p) {
      %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
      llm.yield %r : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<64x64, q4_0> -> tensor<?x64xf32> loc("blk.1.attn_q")
    %rk1 = llm.linear %a1, [%k1] rope(%t : tensor<160x32xf32>) append keys to @kv.1 epilogue(%p) {
      %r = llm.rotate %p {head_dim = 32, rotary_dim = 32} : f32
      llm.yield %r : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<32x64, q4_0> -> !llm.appended loc("blk.1.attn_k")
    %rv1 = llm.linear %a1, [%v1] append values to @kv.1 : !llm.acts<?x64, i8 per 32>, !llm.packed<32x64, q4_0> -> !llm.appended loc("blk.1.attn_v")
    %h1 = llm.attention %rq1, %rk1, %rv1 in @kv.1 {heads = 2, kv_heads = 1, head_dim = 32, scale = 0.125}
        : tensor<?x64xf32>, !llm.appended, !llm.appended -> !llm.acts<?x64, i8 per 32> loc("blk.1.attn")
    %o1w = llm.weight "blk.1.attn_output.weight" : !llm.weight<64x64, q4_0>
    %o1 = llm.pack %o1w : !llm.weight<64x64, q4_0> -> !llm.packed<64x64, q4_0>
    %y1 = llm.linear %h1, [%o1] residual(%x1) epilogue(%p, %r) {
      %s = arith.addf %p, %r : f32
      llm.yield %s : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<64x64, q4_0> -> tensor<?x64xf32> loc("blk.1.attn_output")
    %fn1 = llm.parameter "blk.1.ffn_norm.weight" : tensor<64xf32>
    %b1 = llm.norm_quantize %y1, %fn1 {eps = 1.0e-5} : tensor<?x64xf32> loc("blk.1.ffn_norm")
    %g1w = llm.weight "blk.1.ffn_gate.weight" : !llm.weight<96x64, q4_0>
    %g1 = llm.pack %g1w : !llm.weight<96x64, q4_0> -> !llm.packed<96x64, q4_0>
    %u1w = llm.weight "blk.1.ffn_up.weight" : !llm.weight<96x64, q4_0>
    %u1 = llm.pack %u1w : !llm.weight<96x64, q4_0> -> !llm.packed<96x64, q4_0>
    %m1 = llm.linear %b1, [%g1, %u1] epilogue(%p, %q) {
      %s = arith.addf %p, %q : f32
      llm.yield %s : f32
    } : !llm.acts<?x64, i8 per 32>, !llm.packed<96x64, q4_0>, !llm.packed<96x64, q4_0> -> !llm.acts<?x96, i8 per 32> loc("blk.1.ffn_gate")
    %d1w = llm.weight "blk.1.ffn_down.weight" : !llm.weight<64x96, q4_0>
    %d1 = llm.pack %d1w : !llm.weight<64x96, q4_0> -> !llm.packed<64x96, q4_0>
    %x2 = llm.linear %m1, [%d1] residual(%y1) epilogue(%p, %r) {
      %s = arith.addf %p, %r : f32
      llm.yield %s : f32
    } : !llm.acts<?x96, i8 per 32>, !llm.packed<64x96, q4_0> -> tensor<?x64xf32> loc("blk.1.ffn_down")
    return %x2 : tensor<?x64xf32>
  }
  func.func @head(%h: tensor<?x64xf32>) -> tensor<1x100xf32> {
    %last = llm.last_token %h : tensor<?x64xf32> -> tensor<1x64xf32>
    %g = llm.parameter "output_norm.weight" : tensor<64xf32>
    %a = llm.norm_quantize %last, %g {eps = 1.0e-5} : tensor<1x64xf32> loc("output_norm")
    %ew = llm.weight "token_embd.weight" : !llm.weight<100x64, q8_0>
    %e = llm.pack %ew : !llm.weight<100x64, q8_0> -> !llm.packed<100x64, q8_0>
    %y = llm.linear %a, [%e] : !llm.acts<1x64, i8 per 32>, !llm.packed<100x64, q8_0> -> tensor<1x100xf32> loc("output")
    return %y : tensor<1x100xf32>
  }
  func.func @score(%h: tensor<?x64xf32>, %targets: tensor<?xi32>) -> tensor<?xf32> {
    %g = llm.parameter "output_norm.weight" : tensor<64xf32>
    %a = llm.norm_quantize %h, %g {eps = 1.0e-5} : tensor<?x64xf32> loc("output_norm")
    %ew = llm.weight "token_embd.weight" : !llm.weight<100x64, q8_0>
    %e = llm.pack %ew : !llm.weight<100x64, q8_0> -> !llm.packed<100x64, q8_0>
    %y = llm.linear_score %a, %e, %targets : !llm.acts<?x64, i8 per 32>, !llm.packed<100x64, q8_0>, tensor<?xi32> -> tensor<?xf32> loc("output")
    return %y : tensor<?xf32>
  }
}
}
