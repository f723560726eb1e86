// RUN: sinter-opt %s --verify-tiled --split-input-file --verify-diagnostics

// A recipe may stay: it is evaluated when the bundle is written.
module @"x86-64" {
  exec.buffer constant @w bytes 128 {
    %0 = llm.parameter "blk.0.attn_norm.weight" : tensor<32xf32>
    exec.constant_yield %0 : tensor<32xf32>
  }
}

// -----

module @"x86-64" {
  func.func @body(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
    // expected-error @below {{is left after the tile phase: no kernel computes it}}
    %0 = llm.add %x, %x : tensor<?x32xf32>
    return %0 : tensor<?x32xf32>
  }
}

// -----

module @"x86-64" {
  module @avx2 {
    // expected-error @below {{is run by no dispatch}}
    tile.kernel @idle(%a: !tile.rows<32>) grid(%t, %n, %p) scratch(%s : 0) tokens 1 {
    }
  }
}

// -----

module @"x86-64" {
  exec.buffer state @x bytes 128
  exec.program @decode max_tokens 1 ports [] {
    exec.group {
      exec.dispatch @k(update @x) tiles<1>
    }
  }
  module @avx512vnni {
    tile.kernel @k(%a: !tile.rows<32>) grid(%t, %n, %p) scratch(%s : 0) tokens 1 {
    }
  }
  module @avx2 {
    // expected-error @below {{has other bindings than the kernel of the first variant}}
    tile.kernel @k(%a: !tile.bytes) grid(%t, %n, %p) scratch(%s : 0) tokens 1 {
    }
  }
}
