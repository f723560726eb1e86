// RUN: sinter-opt %s --split-input-file --verify-diagnostics

// The parser writes scratch and grid itself; only the generic form can leave them away.
// expected-error@+1 {{needs scratch, tile, tokens and position after its bindings}}
"tile.kernel"() ({
^bb0(%tile: index, %tokens: index, %position: index):
}) {sym_name = "short", tokens = 1 : i64, scratch = 0 : i64} : () -> ()

// -----
// expected-error@+1 {{binding 1 has type 'tensor<32xf32>', which is no binding type}}
"tile.kernel"() ({
^bb0(%x: !tile.bytes, %y: tensor<32xf32>, %scratch: !tile.bytes, %tile: index, %tokens: index, %position: index):
}) {sym_name = "tensor", tokens = 1 : i64, scratch = 0 : i64} : () -> ()

// -----
// expected-error@+1 {{the scratch argument must be !tile.bytes}}
"tile.kernel"() ({
^bb0(%scratch: !tile.rows<32>, %tile: index, %tokens: index, %position: index):
}) {sym_name = "scratch_rows", tokens = 1 : i64, scratch = 0 : i64} : () -> ()

// -----
// expected-error@+1 {{tile, tokens and position must be of type index}}
"tile.kernel"() ({
^bb0(%scratch: !tile.bytes, %tile: index, %tokens: i32, %position: index):
}) {sym_name = "narrow", tokens = 1 : i64, scratch = 0 : i64} : () -> ()

// -----
// expected-error@+1 {{needs at least one token and no negative scratch}}
tile.kernel @no_tokens() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 0 {
}

// -----
// expected-error@+1 {{needs at least one token and no negative scratch}}
tile.kernel @negative() grid(%tile, %tokens, %position) scratch(%scratch : -4) tokens 1 {
}
