// RUN: sinter-opt %s --phase-fuse --phase-tile | FileCheck %s
// RUN: sed -e 's/avx512vnni/avx2/' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=PLAIN
// RUN: sed -e 's/q4_k/q8_0/g' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=STARTS
// RUN: sed -e 's/q4_k/q4_0/g' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=SAME
// RUN: sed -e 's/avx512vnni/zen4/' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=CROSSED
// RUN: sed -e 's/avx512vnni/zen4/' -e 's/q4_k/q5_k/g' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=STEPPED
// RUN: sed -e 's/avx512vnni/zen4/' -e 's/q4_k/q6_k/g' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=SIXTEENTHS
// RUN: sed -e 's/llm.chunk = 32/llm.chunk = 512/' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=SOME
// RUN: sed -e 's/q4_k/q8_0/g' -e 's/\b512/384/g' -e 's/\([0-9?]\)x512/\1x384/g' %s | sinter-opt --phase-fuse --phase-tile | FileCheck %s --check-prefix=REST

// A chunk of 24 tokens and more: levels of its activations' scales, once for all tiles: 16 groups, 2 bytes each, and the unit.
// CHECK:       tile.kernel @linear_q4_k_i8_512x512_tn({{.*}} tokens 8 {
// CHECK:         scf.if %[[ENOUGH:.*]] {
// CHECK-NEXT:      tile.once %c0 at
// CHECK-NEXT:      scf.for %{{.*}} = %c0 to %tokens step %c1 {
// CHECK:             tile.reduce <max>
// CHECK:             tile.store %{{.*}} : vector<1xf32>
// CHECK:             tile.store %{{.*}} : vector<16xi16>

// Of a chunk of more than 256 tokens a tile has 256 at most, and levels are those of its tokens.
// SOME:       exec.dispatch @linear_q4_k_i8_512x512_tn({{.*}}) tiles<16 per 256 tokens>
// SOME:       tile.kernel @linear_q4_k_i8_512x512_tn({{.*}} tokens 8 {
// SOME:         %[[NUMBER:.*]] = arith.divui %tile, %c16
// SOME-NEXT:    %[[TILE:.*]] = arith.muli %[[NUMBER]], %c16
// SOME-NEXT:    %[[FIRST:.*]] = arith.muli %[[NUMBER]], %c256
// SOME-NEXT:    %[[PAST:.*]] = arith.addi %[[FIRST]], %c256
// SOME-NEXT:    %[[END:.*]] = arith.minui %tokens, %[[PAST]]
// SOME-NEXT:    %[[COUNT:.*]] = arith.subi %[[END]], %[[FIRST]]
// SOME-NEXT:    arith.cmpi ugt, %[[COUNT]], %c23
// SOME:           tile.once %[[FIRST]] at
// SOME-NEXT:        scf.for %[[TOKEN:.*]] = %[[FIRST]] to %[[END]] step %c1 {
// SOME:               arith.subi %[[TOKEN]], %[[FIRST]]
// SOME-NOT:       %tokens
// SOME:           arith.subi %tile, %[[TILE]]
// SOME-NOT:       %tokens
// SOME:       tile.kernel

// A tile's weights, pair by pair of blocks, its largest scales on the way; then levels of all scales, two to a word.
// CHECK:           scf.if %[[ENOUGH]] {
// CHECK:             %[[LARGEST:.*]] = scf.for %{{.*}} = %c0 to %c8 step %c1 iter_args
// CHECK-COUNT-2:       tile.load_packed
// CHECK:             arith.divf %{{.*}}, %[[LARGEST]]
// CHECK:             scf.for %{{.*}} = %c0 to %c8 step %c1 {
// CHECK:               arith.shli
// CHECK-NEXT:          arith.ori
// CHECK:               tile.store

// In the last quarter of the steps, 4 for every 8 tokens, the 144 lines of the next tile are asked for, some in each.
// CHECK:             %[[MORE:.*]] = arith.addi %[[STEPS:.*]], %c575 : index
// CHECK-NEXT:        %[[LINES:.*]] = arith.divui %[[MORE]], %[[STEPS]]
// CHECK:             %[[AHEAD:.*]] = arith.divui %{{.*}}, %[[LINES]]
// CHECK-NEXT:        %[[LATE:.*]] = arith.subi %[[STEPS]], %[[AHEAD]]

// 8 tokens x 16 rows: four pairs are added up in 32 bits, of both halves of the tile's rows, then the next four. Minima come
// behind, then units.
// CHECK:             scf.for %[[ROW:.*]] = %c0 to %{{.*}} step %c8 {
// CHECK:               scf.for %{{.*}} = %c0 to %c8 step %c4 {
// CHECK-NOT:             tile.dot
// CHECK:                 scf.for %[[PART:.*]] = %c0 to %c32 step %c16 {
// CHECK:                 %[[EARLY:.*]] = arith.cmpi ult, %{{.*}}, %[[LATE]]
// CHECK-NEXT:            %[[COUNT:.*]] = arith.select %[[EARLY]], %c0, %[[LINES]]
// CHECK-NEXT:            scf.for %{{.*}} = %c0 to %[[COUNT]] step %c1 {
// CHECK:                   tile.prefetch {{.*}} {locality = 3 : i32}
// CHECK:                 %[[SUM:.*]] = scf.for %[[PAIR:.*]] = %{{.*}} -> (vector<8x16xi32>) {
// CHECK-NOT:               arith.sitofp
// CHECK-COUNT-2:           tile.dot {{.*}} bits 4 in_turn
// CHECK-NOT:               arith.sitofp
// CHECK:                   tile.accumulate_levels {{.*}} shift 1
// CHECK-NEXT:              scf.yield
// CHECK:                 arith.sitofp %[[SUM]]
// CHECK:                 scf.for {{.*}} -> (vector<8x16xf32>) {
// CHECK-NOT:               tile.dot
// CHECK:                 math.fma
// CHECK:                 tile.store_row

// Fewer tokens, and targets whose table has no block for it: scales as they are.
// CHECK:           tile.scale_accumulate
// PLAIN:       tile.kernel @linear_q4_k_i8_512x512_tn(
// PLAIN-NOT:     tile.accumulate_levels
// PLAIN:         tile.scale_accumulate
// PLAIN-NOT:     tile.accumulate_levels

// Codes that are moved up by 128 and dots that are shifted by 4: starts are 16 of the activations' and 8 more, made with the
// levels, behind 8 words of those, and read as they are. Of Q4_0 the activations' will do.
// STARTS-LABEL: tile.kernel @linear_q8_0_i8_512x512_tn(
// STARTS-DAG:     %[[HALF:.*]] = arith.constant dense<8> : vector<16xi32>
// STARTS-DAG:     %[[TIMES:.*]] = arith.constant dense<16> : vector<16xi32>
// STARTS:         %[[GIVEN:.*]] = tile.load %acts[{{.*}}] : !tile.acts<512> -> vector<16xi32>
// STARTS:         %[[MOVED:.*]] = arith.muli %[[GIVEN]], %[[TIMES]]
// STARTS-NEXT:    %[[START:.*]] = arith.addi %[[MOVED]], %[[HALF]]
// STARTS-NEXT:    tile.store %[[START]]
// STARTS:         scf.for {{.*}} -> (vector<8x16xi32>) {
// STARTS:         %[[COLUMN:.*]] = arith.addi %{{.*}}, %c8 : index
// STARTS-NEXT:    tile.view
// STARTS-NEXT:    %[[TOKENS:.*]] = tile.load_row %{{.*}}[%{{.*}}, %[[COLUMN]]] : <25> -> vector<8x1xi32>
// STARTS-NEXT:    %[[INIT:.*]] = tile.broadcast %[[TOKENS]] : vector<8x1xi32> -> vector<8x16xi32>
// STARTS-NEXT:    tile.dot %[[INIT]],
// STARTS:         tile.accumulate_levels {{.*}} shift 4
// SAME-LABEL:   tile.kernel @linear_q4_0_i8_512x512_tn(
// SAME-NOT:       tile.load %acts[{{.*}} -> vector<16xi32>
// SAME:           %{{.*}}, %{{.*}}, %[[START:.*]], %{{.*}}, %{{.*}}, %{{.*}} = tile.load_acts {{.*}} -> vector<8x8xi32>
// SAME:           %[[INIT:.*]] = tile.broadcast %[[START]]
// SAME-NEXT:      tile.dot %[[INIT]],
// SAME:           tile.accumulate_levels {{.*}} shift 0

// Where dots are crossed codes of 4 bits in words 0 to 5 are c - 8, bytes and words in turn, and what they add alone is what they
// add to zeros (of which words 0, 2, 4 are moved up): of both groups, less one bit, in 16 bits. A dot starts with what
// activations add (cross sums and starts of Q4_K, whose codes have no offset; half of 1 bit), what the rows add comes off in the
// end.
// CROSSED-LABEL: tile.kernel @quantize_512({{.*}} !tile.acts<512, crossed>)
// CROSSED:       tile.kernel @linear_q4_k_i8_512x512_tn({{.*}} !tile.acts<512, crossed>
// CROSSED-DAG:     %[[HALF:.*]] = arith.constant dense<1> : vector<16xi32>
// CROSSED-DAG:     %[[UP:.*]] = arith.constant dense<2021161080> : vector<32xi32>
// CROSSED-DAG:     %[[DOWN:.*]] = arith.constant dense<-2139062144> : vector<32xi32>
// CROSSED-DAG:     %[[EIGHTS:.*]] = arith.constant dense<134744072> : vector<32xi32>
// CROSSED-DAG:     %[[FIFTEEN:.*]] = arith.constant dense<15> : vector<32xi32>
// CROSSED-DAG:     %[[SIXTEEN:.*]] = arith.constant dense<16> : vector<32xi32>
// CROSSED-DAG:     %[[UPPER:.*]] = arith.constant dense<-65536> : vector<32xi32>
// CROSSED-DAG:     %[[ZEROS:.*]] = arith.constant dense<[-2139062144, 0, -2139062144, 0, -2139062144, 0, 0, 0]> : vector<8xi32>
// CROSSED:         %[[CROSS:.*]] = tile.load {{.*}} : !tile.acts<512, crossed> -> vector<16xi32>
// CROSSED:         %[[START:.*]] = arith.subi %[[CROSS]], %{{.*}} : vector<16xi32>
// CROSSED-NEXT:    arith.addi %[[START]], %[[HALF]] : vector<16xi32>
// CROSSED:         %[[Q:.*]]:8 = tile.unpack
// CROSSED-NEXT:    %[[C0:.*]] = arith.addi %[[Q]]#0, %[[UP]]
// CROSSED-NEXT:    %[[W0:.*]] = arith.xori %[[C0]], %[[DOWN]]
// CROSSED:         %[[W1:.*]] = arith.subi %[[Q]]#1, %[[EIGHTS]]
// CROSSED:         %[[W5:.*]] = arith.subi %[[Q]]#5, %[[EIGHTS]]
// CROSSED:         tile.store %[[W5]]
// CROSSED:         tile.store %[[Q]]#6
// CROSSED:         tile.store %[[Q]]#7
// CROSSED:         %[[ALONE:.*]] = tile.dot %{{.*}}, [%[[W0]], %[[W1]], {{.*}}, %[[W5]], %[[Q]]#6, %[[Q]]#7], %[[ZEROS]] bits 8 crossed
// CROSSED-NEXT:    %[[LESS:.*]] = arith.subi %{{.*}}, %[[ALONE]]
// CROSSED-NEXT:    %[[TOP:.*]] = arith.shli %[[LESS]], %[[FIFTEEN]]
// CROSSED-NEXT:    %[[LOW:.*]] = arith.shrui %[[TOP]], %[[SIXTEEN]]
// CROSSED:         tile.store %[[LOW]]
// CROSSED:         %[[TOP:.*]] = arith.shli %{{.*}}, %[[FIFTEEN]]
// CROSSED:         %[[BEFORE:.*]] = tile.load
// CROSSED:         %[[HIGH:.*]] = arith.andi %[[TOP]], %[[UPPER]]
// CROSSED-NEXT:    %[[BOTH:.*]] = arith.ori %[[HIGH]], %[[BEFORE]]
// CROSSED:         tile.store %[[BOTH]]
// CROSSED:         tile.load_acts {{.*}} crossed : <512, crossed>
// CROSSED:         %[[BEGIN:.*]] = tile.broadcast {{.*}} -> vector<8x16xi32>
// CROSSED:         tile.dot %[[BEGIN]], {{.*}} bits 8 in_turn crossed
// CROSSED:         tile.accumulate_levels {{.*}} shift 1 offsets %{{.*}} : vector<16xi32> : vector<16xi32>
// CROSSED:         tile.scale_accumulate
// Kernels of one token have nothing to gain, and more bits for activations.
// CROSSED:       tile.kernel @quantize_512_v2({{.*}} !tile.acts<512>)
// CROSSED-NOT:     crossed
// CROSSED:       tile.kernel @linear_q4_k_i8_512x512_t1(
// CROSSED-NOT:     crossed

// 5 bits do not fit. Scales have two bits behind the first then: what is 4 or more powers of two below the largest (exponents 23
// bits up) has the second four lines, what dots of 17 bits would have to be shifted by more than 16 for that of zeros, of 128 bytes.
// Groups 1, 3, .. are shifted to the left. Starts are half of what is shifted off.
// STEPPED-LABEL: tile.kernel @quantize_512({{.*}} !tile.acts<512, stepped>)
// STEPPED:       tile.kernel @linear_q5_k_i8_512x512_tn({{.*}} !tile.acts<512, stepped>
// STEPPED:         %[[ROWS:.*]] = arith.muli %{{.*}}, %c16 : index
// STEPPED:         scf.for %{{.*}} = %c0 to %[[ROWS]]
// STEPPED:           %[[TOP:.*]] = arith.shrui %{{.*}} : vector<1xi32>
// STEPPED:           %[[ALL:.*]] = vector.broadcast %{{.*}} : i32 to vector<16xi32>
// STEPPED:           %[[BITS:.*]] = tile.load %{{.*}} : !tile.acts<512, stepped> -> vector<16xi32>
// STEPPED-NEXT:      %[[EXP:.*]] = arith.shrui %[[BITS]]
// STEPPED-NEXT:      %[[DOWN:.*]] = arith.subi %[[ALL]], %[[EXP]]
// STEPPED:           %[[STEP:.*]] = arith.andi
// STEPPED-NEXT:      %[[SMALL:.*]] = arith.cmpi sge, %[[DOWN]]
// STEPPED-NEXT:      %[[NEXT:.*]] = arith.addi %[[STEP]]
// STEPPED-NEXT:      %[[LINE:.*]] = arith.select %[[SMALL]], %[[NEXT]], %[[STEP]]
// STEPPED:           %[[SHIFT:.*]] = arith.addi
// STEPPED-NEXT:      %[[GONE:.*]] = arith.cmpi sgt, %[[SHIFT]]
// STEPPED-NEXT:      %[[FOUND:.*]] = arith.select %[[GONE]], %{{.*}}, %[[LINE]]
// STEPPED-NEXT:      %[[BYTES:.*]] = arith.muli %[[FOUND]]
// STEPPED-NEXT:      %[[RIGHT:.*]] = arith.select %[[GONE]], %{{.*}}, %[[SHIFT]]
// STEPPED-NEXT:      %[[LEFT:.*]] = arith.subi %{{.*}}, %[[RIGHT]]
// STEPPED-NEXT:      %[[SHORT:.*]] = arith.trunci %[[BYTES]] : vector<16xi32> to vector<16xi16>
// STEPPED-NEXT:      tile.store %[[SHORT]]
// STEPPED:           %[[BOTH:.*]] = arith.select %{{.*}}, %[[LEFT]], %[[RIGHT]]
// STEPPED:           tile.store %[[BOTH]]
// STEPPED:           %[[ONE:.*]] = arith.shli %{{.*}}, %[[RIGHT]]
// STEPPED-NEXT:      %[[HALF:.*]] = arith.shrui %[[ONE]]
// STEPPED:           tile.store %[[HALF]]
// Of a pair's levels 9 lines: 4 to 7 eighths, 4 to 7 times 2^-7, zeros.
// STEPPED:         scf.if
// STEPPED:           %[[SCALE:.*]] = tile.load %scratch[%{{.*}}] : !tile.bytes -> vector<32xf32>
// STEPPED-NEXT:      %[[A:.*]] = arith.mulf %[[SCALE]]
// STEPPED:           %[[SCALE:.*]] = tile.load %scratch[%{{.*}}] : !tile.bytes -> vector<32xf32>
// STEPPED-NEXT:      %[[B:.*]] = arith.mulf %[[SCALE]]
// STEPPED-NEXT:      %[[LOW:.*]] = math.fma %[[A]], %[[F:.*]], %[[WHOLE:.*]] : vector<32xf32>
// STEPPED-NEXT:      %[[LOWS:.*]] = arith.bitcast %[[LOW]]
// STEPPED-NEXT:      %[[ROUNDED:.*]] = arith.andi %[[LOWS]]
// STEPPED-NEXT:      %[[HIGH:.*]] = math.fma %[[B]], %[[F]], %[[WHOLE]]
// STEPPED-NEXT:      %[[HIGHS:.*]] = arith.bitcast %[[HIGH]]
// STEPPED-NEXT:      %[[UP:.*]] = arith.shli %[[HIGHS]]
// STEPPED-NEXT:      %[[LEVELS:.*]] = arith.ori %[[ROUNDED]], %[[UP]]
// STEPPED:           tile.store %[[LEVELS]]
// STEPPED-COUNT-7:   arith.ori
// STEPPED:           tile.store %cst{{.*}} : vector<32xi32>
// STEPPED:           %[[X:.*]] = tile.dot
// STEPPED:           %[[Y:.*]] = tile.dot
// STEPPED:           %[[AT:.*]] = tile.load_row {{.*}} -> vector<8x1xi32>
// STEPPED-NEXT:      %[[SECOND:.*]] = arith.shrui %[[AT]]
// STEPPED-NEXT:      %[[FIRST:.*]] = arith.andi %[[AT]]
// STEPPED:           %[[L:.*]] = tile.load_row {{.*}} -> vector<8x1xi32>
// STEPPED:           %[[R:.*]] = tile.load_row {{.*}} -> vector<8x1xi32>
// STEPPED:           %[[W:.*]] = tile.load_levels %scratch[%{{.*}}] low %[[FIRST]] high %[[SECOND]]
// STEPPED-NEXT:      tile.accumulate_shifted %{{.*}}, %[[X]], %[[Y]], %[[W]] right %[[R]] left %[[L]]
// STEPPED-NOT:     tile.accumulate_levels
// STEPPED:       tile.kernel @quantize_512_v2({{.*}} !tile.acts<512>)
// STEPPED-NOT:     stepped
// STEPPED:       tile.kernel @linear_q5_k_i8_512x512_t1(

// Two scales of weights for one of activations: one line, and a start for each half.
// SIXTEENTHS-LABEL: tile.kernel @linear_q6_k_i8_512x512_tn(
// SIXTEENTHS:         %[[GIVEN:.*]] = tile.load %{{.*}} : !tile.acts<512, stepped> -> vector<32xi32>
// SIXTEENTHS-NEXT:    %[[TWICE:.*]] = vector.shuffle %[[S:.*]], %[[S]] [0, 0, 1, 1, {{.*}}, 15, 15]
// SIXTEENTHS-NEXT:    %[[ONE:.*]] = arith.shli %{{.*}}, %[[TWICE]]
// SIXTEENTHS-NEXT:    %[[HALF:.*]] = arith.shrui %[[ONE]]
// SIXTEENTHS-NEXT:    %[[START:.*]] = arith.addi %[[GIVEN]], %[[HALF]]
// SIXTEENTHS:         tile.store %[[START]]
// SIXTEENTHS-COUNT-2: tile.dot
// SIXTEENTHS:         %[[AT:.*]] = tile.load_row {{.*}} -> vector<8x1xi32>
// SIXTEENTHS-NOT:     arith.andi
// SIXTEENTHS:         tile.load_levels %scratch[%{{.*}}] low %[[AT]] high %[[AT]]

// Of 6 pairs the last two are added up alone.
// REST-LABEL:   tile.kernel @linear_q8_0_i8_384x384_tn(
// REST:           scf.for %[[BEGIN:.*]] = %c0 to %c6 step %c4 {
// REST:             %[[NEXT:.*]] = arith.addi %[[BEGIN]], %c4
// REST-NEXT:        %[[END:.*]] = arith.minui %[[NEXT]], %c6
// REST:             scf.for %{{.*}} = %c0 to %c32 step %c16 {
// REST:               scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1 {{.*}} -> (vector<8x16xi32>) {
module attributes {llm.architecture = "llama", llm.name = "t", llm.source = "t.gguf", llm.context = 64 : i64,
                   llm.trained_context = 64 : i64, llm.chunk = 32 : i64, llm.vocabulary = 64 : i64,
                   llm.layers = 1 : i64, llm.embedding = 512 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  module @x attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx512vnni">]>} {
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x512xf32> {
    %e = llm.weight "token_embd.weight" : !llm.weight<64x512, q4_k>
    %x = llm.embed %tokens, %e : tensor<?xi32>, !llm.weight<64x512, q4_k> -> tensor<?x512xf32>
    %q = llm.quantize_acts %x : tensor<?x512xf32>
    %w = llm.weight "w" : !llm.weight<512x512, q4_k>
    %y = llm.linear %q, [%w] : !llm.acts<?x512, i8 per 32>, !llm.weight<512x512, q4_k> -> tensor<?x512xf32>
    return %y : tensor<?x512xf32>
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
