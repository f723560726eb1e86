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

// -----
// expected-error@+1 {{takes at least one tile at a time}}
tile.kernel @no_tiles() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 0 {
}

// -----
// Which tile would the body compute?
// expected-error@+1 {{takes 4 tiles at a time without a tile.for_tiles}}
tile.kernel @no_loop() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 4 {
}

// -----
// expected-error@+1 {{takes one tile at a time, which is not apart from others}}
tile.kernel @one_apart() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 1 apart {
}

// -----
// expected-error@+1 {{has a tile.for_tiles and uses its tile elsewhere}}
tile.kernel @two_tiles(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  tile.for_tiles %t {
    tile.prefetch %x[%tile] : !tile.bytes
  }
}

// -----
// expected-error@+1 {{has no strip of neighbours to keep within 16 tiles}}
tile.kernel @no_strip() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 1 within 16 {
}

// -----
// expected-error@+1 {{has no strip of neighbours to keep within 16 tiles}}
tile.kernel @one_within() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 1 within 16 {
  tile.for_tiles %t {
  }
}

// -----
// expected-error@+1 {{has no strip of neighbours to keep within 16 tiles}}
tile.kernel @apart_within() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 4 apart within 16 {
  tile.for_tiles %t {
  }
}

// -----
// expected-error@+1 {{has no strip of neighbours to keep within -1 tiles}}
tile.kernel @negative() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 4 within -1 {
  tile.for_tiles %t {
  }
}

// -----
tile.kernel @key_behind() grid(%tile, %tokens, %position) scratch(%scratch : 64) tokens 1 {
  // expected-error@+1 {{has no room for its key at 64 of a scratch of 64}}
  tile.once %tokens at 64 {
  }
}

// -----
tile.kernel @key_between() grid(%tile, %tokens, %position) scratch(%scratch : 64) tokens 1 {
  // expected-error@+1 {{has no room for its key at 6 of a scratch of 64}}
  tile.once %tokens at 6 {
  }
}

// -----
tile.kernel @twice() grid(%tile, %tokens, %position) scratch(%scratch : 64) tokens 1 {
  // expected-error@+1 {{is not the only one of its kernel}}
  tile.once %tokens at 0 {
  }
  tile.once %tokens at 4 {
  }
}

// -----
%c0 = arith.constant 0 : index
// expected-error@+1 {{stands in a kernel}}
tile.once %c0 at 0 {
}

// -----
tile.kernel @nested() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  tile.for_tiles %t {
    // expected-error@+1 {{stands in a kernel, and in no other tile.for_tiles}}
    tile.for_tiles %u {
    }
  }
}

// -----
tile.kernel @tile_type() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  // expected-error@+1 {{has one argument, the tile, or two, the tile and its place}}
  "tile.for_tiles"() ({
  ^bb0(%t: i32):
  }) : () -> ()
}

// -----
tile.kernel @places() grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 {
  // expected-error@+1 {{has one argument, the tile, or two, the tile and its place}}
  tile.for_tiles %t, %place, %more {
  }
}
