// RUN: sinter-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{has 0 bytes}}
exec.buffer state @empty bytes 0

// -----
// expected-error@+1 {{is constant and has no recipe}}
exec.buffer constant @bare bytes 64

// -----
// expected-error@+1 {{has a recipe and is not constant}}
exec.buffer state @cooked bytes 128 {
  %0 = llm.parameter "a" : tensor<32xf32>
  exec.constant_yield %0 : tensor<32xf32>
}

// -----
// expected-error@+1 {{has 64 bytes; 'tensor<32xf32>' takes 128}}
exec.buffer constant @short bytes 64 {
  %0 = llm.parameter "a" : tensor<32xf32>
  exec.constant_yield %0 : tensor<32xf32>
}

// -----
// A weight that is not packed has no layout of its own in a bundle.
// expected-error@+1 {{a constant is !llm.packed or a vector or matrix of f32}}
exec.buffer constant @raw bytes 64 {
  %0 = llm.weight "a" : !llm.weight<32x32, q4_0>
  exec.constant_yield %0 : !llm.weight<32x32, q4_0>
}

// -----
// expected-error@+1 {{is transient and names no program}}
exec.buffer transient @lost bytes 64

// -----
// expected-error@+1 {{names the program @none, which does not exist}}
exec.buffer transient @lost in @none bytes 64

// -----
// expected-error@+1 {{has a role and is not state}}
exec.buffer transient @x in @p bytes 64 role kv_cache
exec.program @p max_tokens 1 ports [] {}

// -----
// expected-error@+1 {{has 8 bytes; the step's scalars take 16}}
exec.buffer state @step bytes 8 role step

// -----
// expected-error@+1 {{has a place; only constants have it here}}
exec.buffer state @x bytes 64 at 256

// -----
// expected-error@+1 {{is at 64, which is not a multiple of 256}}
exec.buffer constant @x bytes 128 at 64 {
  %0 = llm.parameter "a" : tensor<32xf32>
  exec.constant_yield %0 : tensor<32xf32>
}

// -----
// expected-error@+1 {{has max_tokens 0}}
exec.program @p max_tokens 0 ports [] {}

// -----
exec.buffer state @t bytes 1024
// expected-error@+1 {{has two ports 'tokens'}}
exec.program @p max_tokens 1 ports [tokens @t, tokens @t] {}

// -----
exec.buffer state @t bytes 12
// expected-error@+1 {{has the port 'tokens' in @t of 12 bytes; it takes 16}}
exec.program @p max_tokens 4 ports [tokens @t] {}

// -----
exec.buffer transient @t in @p bytes 64
// expected-error@+1 {{has the port 'logits' in @t, which is not state}}
exec.program @p max_tokens 1 ports [logits @t] {}

// -----
exec.program @p max_tokens 1 ports [] {
  // expected-error@+1 {{holds no dispatch}}
  exec.group {}
}

// -----
// One writes what the other one reads, and nobody says which is first.
exec.buffer state @x bytes 64
exec.program @p max_tokens 1 ports [] {
  exec.group {
    exec.dispatch @a(write @x) tiles<1>
    // expected-error@+1 {{and @a of the same group touch the same bytes of @x, and one writes them}}
    exec.dispatch @b(read @x) tiles<1>
  }
}

// -----
// Different bytes of one buffer are fine: no error.
exec.buffer state @x bytes 128
exec.program @p max_tokens 1 ports [] {
  exec.group {
    exec.dispatch @a(write @x offset 0 size 64) tiles<1>
    exec.dispatch @b(write @x offset 64 size 64) tiles<1>
  }
}

// -----
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{names the buffer @none, which does not exist}}
    exec.dispatch @a(read @none) tiles<1>
  }
}

// -----
exec.buffer constant @w bytes 128 {
  %0 = llm.parameter "a" : tensor<32xf32>
  exec.constant_yield %0 : tensor<32xf32>
}
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{writes binding 0, the constant @w}}
    exec.dispatch @a(update @w) tiles<1>
  }
}

// -----
exec.buffer transient @x in @q bytes 64
exec.program @q max_tokens 1 ports [] {}
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{has binding 0 in @x, a transient of @q}}
    exec.dispatch @a(write @x) tiles<1>
  }
}

// -----
exec.buffer state @x bytes 128
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{has binding 0 past the end of @x (128 bytes)}}
    exec.dispatch @a(read @x offset 64 size 65) tiles<1>
  }
}

// -----
exec.buffer state @x bytes 128
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{has binding 0 at offset 32, which is not a multiple of 64}}
    exec.dispatch @a(read @x offset 32) tiles<1>
  }
}

// -----
// The last index counts: 64 + 7 * 64 + 64 bytes.
exec.buffer state @step bytes 16 role step
exec.buffer state @x bytes 512
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{has binding 0 past the end of @x (512 bytes)}}
    exec.dispatch @a(read @x offset 64 size 64 at (@step[2] * 64 below 8)) tiles<1>
  }
}

// -----
// An offset that leaves 64 bits.
exec.buffer state @step bytes 16 role step
exec.buffer state @x bytes 512
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{has binding 0 past the end of @x (512 bytes)}}
    exec.dispatch @a(read @x size 64 at (@step[2] * 9223372036854775744 below 8)) tiles<1>
  }
}

// -----
exec.buffer state @step bytes 16 role step
exec.buffer state @x bytes 512
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{indexed by number 4 of @step, which has 4}}
    exec.dispatch @a(read @x size 64 at (@step[4] * 64 below 8)) tiles<1>
  }
}

// -----
exec.buffer state @step bytes 16 role step
exec.buffer state @x bytes 512
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{with stride 4, which is not a positive multiple of 64}}
    exec.dispatch @a(read @x size 64 at (@step[2] * 4 below 8)) tiles<1>
  }
}

// -----
exec.buffer state @step bytes 16 role step
exec.buffer state @x bytes 512
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{has binding 0 indirect without a size}}
    exec.dispatch @a(read @x at (@step[2] * 64 below 8)) tiles<1>
  }
}

// -----
exec.buffer state @x bytes 64
exec.buffer state @y bytes 64
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{has binding 1 over another one, which only a write can be}}
    exec.dispatch @a(read @x, update @y over [0]) tiles<1>
  }
}

// -----
exec.buffer state @x bytes 64
exec.buffer state @y bytes 64
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{has binding 1 over binding 2, which is none that is read}}
    exec.dispatch @a(read @x, write @y over [2]) tiles<1>
  }
}

// -----
module attributes {exec.target = #exec.target<"t", activations = f32, variants = [<"base">]>} {
  module @base {}
  exec.buffer state @x bytes 64
  exec.program @p max_tokens 1 ports [] {
    exec.group {
      // expected-error@+1 {{runs the kernel @a, which variant "base" does not have}}
      exec.dispatch @a(read @x) tiles<1>
    }
  }
}

// -----
module attributes {exec.target = #exec.target<"t", activations = f32, variants = [<"base">]>} {
  module @base {
    func.func private @a() attributes {exec.bindings = 2 : i64}
  }
  exec.buffer state @x bytes 64
  exec.program @p max_tokens 1 ports [] {
    exec.group {
      // expected-error@+1 {{gives 1 bindings to @a, which takes 2}}
      exec.dispatch @a(read @x) tiles<1>
    }
  }
}

// -----
// expected-error@+1 {{target "t" has no variant}}
module attributes {exec.target = #exec.target<"t", activations = f32, variants = []>} {}

// -----
// expected-error@+1 {{target "t" has variant "a" twice}}
module attributes {exec.target = #exec.target<"t", activations = f32, variants = [<"a">, <"a">]>} {}

// -----
// expected-error@+1 {{'exec.target' stands on modules only}}
func.func private @f() attributes {exec.target = #exec.target<"t", activations = f32, variants = [<"a">]>}

// -----
// expected-error@+1 {{unknown attribute 'exec.tagret'}}
module attributes {exec.tagret = 1} {}

// -----
exec.memory_plan {
  exec.interval @x bytes 64
  // expected-error@+1 {{is the second one of @x}}
  exec.interval @x bytes 64
}

// -----
exec.memory_plan {
  // expected-error@+1 {{has a place in a plan that is not made}}
  exec.interval @x bytes 64 at 0
}

// -----
exec.memory_plan state 64 kv 0 fixed 320 scratch 0 {
  // expected-error@+1 {{has no place in a plan that is made}}
  exec.interval @x bytes 64
}

// -----
exec.memory_plan {
  // expected-error@+1 {{lives from group 3 to 2}}
  exec.interval @x bytes 64 in @p live[3, 2]
}

// -----
exec.memory_plan {
  // expected-error@+1 {{takes another's place and lives always}}
  exec.interval @x bytes 64 over [@y]
}
