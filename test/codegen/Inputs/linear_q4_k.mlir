// The same layer in Q4_K: two levels of scales and minima, which the totals of the activations weigh.
tile.kernel @linear_q4_k(%w: !tile.packed<64x512, q4_k>, %x: !tile.acts<512>, %y: !tile.rows<64>)
    grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %blocks = arith.constant 16 : index
  %rows = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : vector<1x32xf32>
  %none = arith.constant dense<0> : vector<1x32xi32>
  %sum = scf.for %k = %c0 to %blocks step %c1 iter_args(%acc = %zero) -> vector<1x32xf32> {
    %b = tile.load_packed %w[%tile, %k] row %c0 : !tile.packed<64x512, q4_k> -> !tile.block<q4_k, 32>
    %q:8 = tile.unpack %b : !tile.block<q4_k, 32> -> vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>,
                                                     vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>
    %codes, %scale, %start, %low, %high, %total = tile.load_acts %x[%c0, %k] : !tile.acts<512>
        -> vector<1x8xi32>, vector<1x1xf32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xi32>, vector<1x1xf32>
    %dot = tile.dot %none, [%q#0, %q#1, %q#2, %q#3, %q#4, %q#5, %q#6, %q#7], %codes bits 4
        : [vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>,
           vector<32xi32>, vector<32xi32>], vector<1x8xi32> -> vector<1x32xi32>
    %d = tile.scale %b : !tile.block<q4_k, 32> -> vector<32xf32>
    %scaled = tile.scale_accumulate %acc, %dot, %d, %scale
        : vector<1x32xi32>, vector<32xf32>, vector<1x1xf32> -> vector<1x32xf32>
    %m = tile.minimum %b : !tile.block<q4_k, 32> -> vector<32xf32>
    %negative = arith.negf %m : vector<32xf32>
    %minimum = tile.broadcast %negative : vector<32xf32> -> vector<1x32xf32>
    %totals = tile.broadcast %total : vector<1x1xf32> -> vector<1x32xf32>
    %next = math.fma %minimum, %totals, %scaled : vector<1x32xf32>
    scf.yield %next : vector<1x32xf32>
  }
  %row = arith.muli %tile, %rows : index
  tile.store_row %sum, %y[%c0, %row] : vector<1x32xf32>, !tile.rows<64>
}
