// RUN: sinter-opt %s --plan-memory --split-input-file --verify-diagnostics | FileCheck %s

// States first: 4 and 100 bytes take 64 and 128; then the KV cache, whose share is told apart. @y takes @x's place; @z lives
// beside both. The fixed part ends with 256 bytes of read margin: 4288 + 1280 + 256.
// CHECK-LABEL: module @all
// CHECK:         exec.buffer constant @v bytes 128 at 0
// CHECK:         exec.buffer constant @w bytes 128 at 256
// CHECK:         exec.memory_plan state 4288 kv 4096 fixed 5824 scratch 192 {
// CHECK-NEXT:      exec.interval @tokens bytes 4 at 0
// CHECK-NEXT:      exec.interval @in bytes 100 at 64
// CHECK-NEXT:      exec.interval @kv bytes 4096 at 192
// CHECK-NEXT:      exec.interval @x bytes 256 in @p live[0, 1] at 5312
// CHECK-NEXT:      exec.interval @y bytes 200 in @p live[1, 2] over [@x] at 5312
// CHECK-NEXT:      exec.interval @z bytes 1000 in @p live[1, 2] at 4288
module @all attributes {exec.target = #exec.target<"t", activations = f32, variants = [<"a">, <"b">]>} {
  // Scratch is the largest of all variants, in whole lines of 64 bytes.
  module @a { func.func private @k() attributes {exec.bindings = 0 : i64, exec.scratch_bytes = 64 : i64} }
  module @b { func.func private @k() attributes {exec.bindings = 0 : i64, exec.scratch_bytes = 130 : i64} }
  exec.buffer state @kv bytes 4096 role kv_cache
  exec.buffer constant @v bytes 128 {
    %0 = llm.parameter "a" : tensor<32xf32>
    exec.constant_yield %0 : tensor<32xf32>
  }
  exec.buffer constant @w bytes 128 {
    %0 = llm.parameter "b" : tensor<32xf32>
    exec.constant_yield %0 : tensor<32xf32>
  }
  // expected-remark@+1 {{arena of 1280 bytes; 1280 are alive at once, 1 buffers take the place of an operand}}
  exec.memory_plan {
    exec.interval @tokens bytes 4
    exec.interval @in bytes 100
    exec.interval @kv bytes 4096
    exec.interval @x bytes 256 in @p live[0, 1]
    exec.interval @y bytes 200 in @p live[1, 2] over [@x]
    exec.interval @z bytes 1000 in @p live[1, 2]
  }
}

// -----
// Programs share the arena: only one runs at a time.
// CHECK-LABEL: module @two_programs
// CHECK:         exec.memory_plan state 0 kv 0 fixed 512 scratch 0 {
// CHECK-NEXT:      exec.interval @x bytes 256 in @p live[0, 5] at 0
// CHECK-NEXT:      exec.interval @y bytes 256 in @q live[0, 5] at 0
module @two_programs {
  // expected-remark@+1 {{arena of 256 bytes}}
  exec.memory_plan {
    exec.interval @x bytes 256 in @p live[0, 5]
    exec.interval @y bytes 256 in @q live[0, 5]
  }
}

// -----
// The result is larger than the operand: in its place it would run over whatever is behind.
// CHECK-LABEL: module @too_large
// CHECK:         exec.interval @y bytes 512 in @p live[1, 1] over [@x] at 0
module @too_large {
  // expected-remark@+1 {{0 buffers take the place}}
  exec.memory_plan {
    exec.interval @x bytes 256 in @p live[0, 1]
    exec.interval @y bytes 512 in @p live[1, 1] over [@x]
  }
}

// -----
// Two results may take @x's place; one gets it.
// CHECK-LABEL: module @one_heir
// CHECK:         exec.interval @x bytes 256 in @p live[0, 1] at [[X:[0-9]+]]
// CHECK-NEXT:    exec.interval @y bytes 256 in @p live[1, 1] over [@x] at [[X]]
// CHECK-NOT:     at [[X]]{{$}}
module @one_heir {
  // expected-remark@+1 {{1 buffers take the place}}
  exec.memory_plan {
    exec.interval @x bytes 256 in @p live[0, 1]
    exec.interval @y bytes 256 in @p live[1, 1] over [@x]
    exec.interval @z bytes 256 in @p live[1, 1] over [@x]
  }
}

// -----
// The largest first; what lives after @a shares its place.
// CHECK-LABEL: module @gaps
// CHECK:         exec.interval @a bytes 256 in @p live[0, 1] at 0
// CHECK-NEXT:    exec.interval @b bytes 128 in @p live[0, 3] at 256
// CHECK-NEXT:    exec.interval @c bytes 192 in @p live[2, 3] at 0
// CHECK-NEXT:    exec.interval @d bytes 64 in @p live[2, 3] at 192
module @gaps {
  // expected-remark@+1 {{arena of 384 bytes; 384 are alive at once}}
  exec.memory_plan {
    exec.interval @a bytes 256 in @p live[0, 1]
    exec.interval @b bytes 128 in @p live[0, 3]
    exec.interval @c bytes 192 in @p live[2, 3]
    exec.interval @d bytes 64 in @p live[2, 3]
  }
}
