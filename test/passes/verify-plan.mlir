// RUN: sinter-opt %s --verify-plan --split-input-file --verify-diagnostics

// A right plan, in place and all: no message.
module @right {
  exec.buffer state @in bytes 100
  exec.buffer transient @x in @p bytes 256
  exec.buffer transient @y in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(read @in, write @x) tiles<1> }
    exec.group { exec.dispatch @b(read @x, write @y over [0]) tiles<1> }
    exec.group { exec.dispatch @c(read @y, write @in) tiles<1> }
  }
  exec.memory_plan state 128 kv 0 fixed 640 scratch 0 {
    exec.interval @in bytes 100 at 0
    exec.interval @x bytes 256 in @p live[0, 1] at 128
    exec.interval @y bytes 256 in @p live[1, 2] at 128
  }
}

// -----
// expected-error@+1 {{has 0 memory plans; one is wanted}}
module @none {
}

// -----
module @unplanned {
  // expected-error@+1 {{is not made: run plan-memory before}}
  exec.memory_plan {
  }
}

// -----
// @y is written over @x, which is read afterwards.
module @clobbered {
  exec.buffer transient @x in @p bytes 256
  exec.buffer transient @y in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
    exec.group { exec.dispatch @b(write @y) tiles<1> }
    // expected-error@+1 {{reads @x, but @y lies there by then}}
    exec.group { exec.dispatch @c(read @x, read @y) tiles<1> }
  }
  exec.memory_plan state 0 kv 0 fixed 640 scratch 0 {
    exec.interval @x bytes 256 in @p live[0, 2] at 0
    exec.interval @y bytes 256 in @p live[1, 2] at 128
  }
}

// -----
// In place without the kernel's word.
module @not_allowed {
  exec.buffer transient @x in @p bytes 256
  exec.buffer transient @y in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
    // expected-error@+1 {{writes @y over its operand @x, which its kernel does not allow}}
    exec.group { exec.dispatch @b(read @x, write @y) tiles<1> }
  }
  exec.memory_plan state 0 kv 0 fixed 512 scratch 0 {
    exec.interval @x bytes 256 in @p live[0, 1] at 0
    exec.interval @y bytes 256 in @p live[1, 1] at 0
  }
}

// -----
// Allowed, but at another address: rows would run over each other.
module @shifted {
  exec.buffer transient @x in @p bytes 256
  exec.buffer transient @y in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
    // expected-error@+1 {{writes @y over its operand @x, which its kernel does not allow}}
    exec.group { exec.dispatch @b(read @x, write @y over [0]) tiles<1> }
  }
  exec.memory_plan state 0 kv 0 fixed 576 scratch 0 {
    exec.interval @x bytes 256 in @p live[0, 1] at 0
    exec.interval @y bytes 256 in @p live[1, 1] at 64
  }
}

// -----
// Dispatches of one group run at the same time.
module @race {
  exec.buffer transient @x in @p bytes 256
  exec.buffer transient @y in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group {
      exec.dispatch @a(write @x) tiles<1>
      // expected-error@+1 {{touches @y at the place of @x, which @a writes in the same group}}
      exec.dispatch @b(write @y) tiles<1>
    }
  }
  exec.memory_plan state 0 kv 0 fixed 512 scratch 0 {
    exec.interval @x bytes 256 in @p live[0, 0] at 0
    exec.interval @y bytes 256 in @p live[0, 0] at 0
  }
}

// -----
module @states {
  exec.buffer state @x bytes 256
  exec.buffer state @y bytes 256
  exec.memory_plan state 512 kv 0 fixed 768 scratch 0 {
    exec.interval @x bytes 256 at 0
    // expected-error@+1 {{is a state that overlaps another one}}
    exec.interval @y bytes 256 at 192
  }
}

// -----
module @outside {
  exec.buffer transient @x in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
  }
  // The last 256 bytes are the margin that kernels may read, no place for a buffer.
  exec.memory_plan state 0 kv 0 fixed 320 scratch 0 {
    // expected-error@+1 {{is at [0, 256), outside its part [0, 64) of the memory}}
    exec.interval @x bytes 256 in @p live[0, 0] at 0
  }
}

// -----
module @in_the_states {
  exec.buffer state @s bytes 64
  exec.buffer transient @x in @p bytes 64
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
  }
  exec.memory_plan state 64 kv 0 fixed 384 scratch 0 {
    exec.interval @s bytes 64 at 0
    // expected-error@+1 {{is at [0, 64), outside its part [64, 128) of the memory}}
    exec.interval @x bytes 64 in @p live[0, 0] at 0
  }
}

// -----
module @unaligned {
  exec.buffer state @s bytes 64
  exec.memory_plan state 128 kv 0 fixed 384 scratch 0 {
    // expected-error@+1 {{is at 32, which is not a multiple of 64}}
    exec.interval @s bytes 64 at 32
  }
}

// -----
module @size {
  exec.buffer state @s bytes 128
  exec.memory_plan state 64 kv 0 fixed 320 scratch 0 {
    // expected-error@+1 {{has 64 bytes, its buffer 128}}
    exec.interval @s bytes 64 at 0
  }
}

// -----
module @nobody {
  exec.memory_plan state 64 kv 0 fixed 320 scratch 0 {
    // expected-error@+1 {{is of no buffer}}
    exec.interval @s bytes 64 at 0
  }
}

// -----
module @missing {
  exec.buffer transient @x in @p bytes 64
  // expected-error@+1 {{uses @x, which has no place}}
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
  }
  exec.memory_plan state 0 kv 0 fixed 256 scratch 0 {
  }
}

// -----
module @lifetime {
  exec.buffer transient @x in @p bytes 64
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
    exec.group { exec.dispatch @b(read @x) tiles<1> }
  }
  exec.memory_plan state 0 kv 0 fixed 320 scratch 0 {
    // expected-error@+1 {{lives in [0, 0], its buffer in [0, 1]}}
    exec.interval @x bytes 64 in @p live[0, 0] at 0
  }
}

// -----
module @kv {
  exec.buffer state @keys bytes 128 role kv_cache
  // expected-error@+1 {{multiples of 64 are wanted, and kv 128}}
  exec.memory_plan state 128 kv 0 fixed 384 scratch 0 {
    exec.interval @keys bytes 128 at 0
  }
}

// -----
module @scratch attributes {exec.target = #exec.target<"t", activations = f32, variants = [<"a">]>} {
  module @a {
    // expected-error@+1 {{wants 128 bytes of scratch, the plan has 64}}
    func.func private @k() attributes {exec.scratch_bytes = 128 : i64}
  }
  exec.memory_plan state 0 kv 0 fixed 256 scratch 64 {
  }
}

// -----
module @constants {
  exec.buffer constant @v bytes 512 at 0 {
    %0 = llm.parameter "a" : tensor<128xf32>
    exec.constant_yield %0 : tensor<128xf32>
  }
  // expected-error@+1 {{overlaps the constant before it}}
  exec.buffer constant @w bytes 128 at 256 {
    %0 = llm.parameter "b" : tensor<32xf32>
    exec.constant_yield %0 : tensor<32xf32>
  }
  exec.memory_plan state 0 kv 0 fixed 256 scratch 0 {
  }
}

// -----
module @constant_without_place {
  // expected-error@+1 {{has no place in the weights}}
  exec.buffer constant @v bytes 128 {
    %0 = llm.parameter "a" : tensor<32xf32>
    exec.constant_yield %0 : tensor<32xf32>
  }
  exec.memory_plan state 0 kv 0 fixed 256 scratch 0 {
  }
}
