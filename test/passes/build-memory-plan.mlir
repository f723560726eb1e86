// RUN: sinter-opt %s --build-memory-plan --split-input-file --verify-diagnostics | FileCheck %s

// States live always, transients from their first group to their last, constants are not in the session's memory. @y may
// take @x's place: the kernel allows it and nobody reads @x afterwards.
// CHECK-LABEL: module @chain
// CHECK:         exec.memory_plan {
// CHECK-NEXT:      exec.interval @in bytes 100
// CHECK-NEXT:      exec.interval @x bytes 256 in @decode live[0, 1]
// CHECK-NEXT:      exec.interval @y bytes 256 in @decode live[1, 2] over [@x]
// CHECK-NEXT:      exec.interval @z bytes 64 in @prefill live[0, 0]
// CHECK-NEXT:    }
module @chain {
  exec.buffer state @in bytes 100
  exec.buffer constant @w bytes 128 {
    %0 = llm.parameter "a" : tensor<32xf32>
    exec.constant_yield %0 : tensor<32xf32>
  }
  exec.buffer transient @x in @decode bytes 256
  exec.buffer transient @y in @decode bytes 256
  exec.buffer transient @z in @prefill bytes 64
  exec.buffer transient @unused in @prefill bytes 64
  exec.program @decode max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(read @w, read @in, write @x) tiles<1> }
    exec.group { exec.dispatch @b(read @x, write @y over [0]) tiles<1> }
    exec.group { exec.dispatch @c(read @y, write @in) tiles<1> }
  }
  exec.program @prefill max_tokens 8 ports [] {
    exec.group { exec.dispatch @d(write @z) tiles<1> }
  }
  // An old plan is replaced.
  exec.memory_plan {
    exec.interval @gone bytes 64
  }
}

// -----
// @x is read again later: no place to take.
// CHECK-LABEL: module @read_later
// CHECK:         exec.interval @y bytes 256 in @p live[1, 2]{{$}}
module @read_later {
  exec.buffer transient @x in @p bytes 256
  exec.buffer transient @y in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
    exec.group { exec.dispatch @b(read @x, write @y over [0]) tiles<1> }
    exec.group { exec.dispatch @c(read @x, read @y) tiles<1> }
  }
}

// -----
// Another dispatch of the same group reads @x, at the same time.
// CHECK-LABEL: module @read_beside
// CHECK:         exec.interval @y bytes 256 in @p live[1, 1]{{$}}
module @read_beside {
  exec.buffer transient @x in @p bytes 256
  exec.buffer transient @y in @p bytes 256
  exec.buffer transient @z in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
    exec.group {
      exec.dispatch @b(read @x, write @y over [0]) tiles<1>
      exec.dispatch @c(read @x, write @z) tiles<1>
    }
  }
}

// -----
// The kernel reads @x through a second binding that it does not allow to be overwritten.
// CHECK-LABEL: module @read_twice
// CHECK:         exec.interval @y bytes 256 in @p live[1, 1]{{$}}
module @read_twice {
  exec.buffer transient @x in @p bytes 256
  exec.buffer transient @y in @p bytes 256
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @a(write @x) tiles<1> }
    exec.group { exec.dispatch @b(read @x, read @x, write @y over [0]) tiles<1> }
  }
}

// -----
// An index that a kernel wrote lives until the dispatch that is indexed by it.
// CHECK-LABEL: module @index
// CHECK:         exec.interval @choice bytes 64 in @p live[0, 2]
module @index {
  exec.buffer state @experts bytes 512
  exec.buffer transient @choice in @p bytes 64
  exec.buffer transient @x in @p bytes 64
  exec.program @p max_tokens 1 ports [] {
    exec.group { exec.dispatch @route(write @choice) tiles<1> }
    exec.group { exec.dispatch @a(write @x) tiles<1> }
    exec.group { exec.dispatch @b(read @experts size 64 at (@choice[0] * 64 below 8), update @x) tiles<1> }
  }
}

// -----
module @read_first {
  exec.buffer transient @x in @p bytes 64
  exec.program @p max_tokens 1 ports [] {
    exec.group {
      // expected-error@+1 {{reads @x, which nothing has written}}
      exec.dispatch @a(update @x) tiles<1>
    }
  }
}
