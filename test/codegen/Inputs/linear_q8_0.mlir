// One Q8_0 linear layer for one token, as a tile program: 64 rows of 256. The same file becomes machine code, GLSL and
// HVX C in the tests of this folder and in test/unit/backends.
tile.kernel @linear_q8_0(%w: !tile.packed<64x256, q8_0>, %x: !tile.acts<256>, %y: !tile.rows<64>)
    grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %blocks = arith.constant 8 : index
  %rows = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : vector<1x32xf32>
  %none = arith.constant dense<0> : vector<1x32xi32>
  %sum = scf.for %k = %c0 to %blocks step %c1 iter_args(%acc = %zero) -> vector<1x32xf32> {
    %b = tile.load_packed %w[%tile, %k] row %c0 : !tile.packed<64x256, q8_0> -> !tile.block<q8_0, 32>
    %q:8 = tile.unpack %b : !tile.block<q8_0, 32> -> vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>,
                                                     vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>
    %codes, %scale, %start, %low, %high, %total = tile.load_acts %x[%c0, %k] : !tile.acts<256>
        -> vector<1x8xi32>, vector<1x1xf32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xf32>
    %dot = tile.dot %none, [%q#0, %q#1, %q#2, %q#3, %q#4, %q#5, %q#6, %q#7], %codes start %start : vector<1x1xi32> bits 8
        : [vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>,
           vector<32xi32>, vector<32xi32>], vector<1x8xi32> -> vector<1x32xi32>
    %d = tile.scale %b : !tile.block<q8_0, 32> -> vector<32xf32>
    %next = tile.scale_accumulate %acc, %dot, %d, %scale
        : vector<1x32xi32>, vector<32xf32>, vector<1x1xf32> -> vector<1x32xf32>
    scf.yield %next : vector<1x32xf32>
  }
  %row = arith.muli %tile, %rows : index
  tile.store_row %sum, %y[%c0, %row] : vector<1x32xf32>, !tile.rows<64>
}
