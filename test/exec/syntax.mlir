// RUN: sinter-opt %s | sinter-opt | FileCheck %s

// Every op and attribute once, through the printer and back.

// CHECK: module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8, variants = [<"avx512vnni" needs ["avx512f", "avx512vnni"]>, <"base">]>}
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8,
    variants = [<"avx512vnni" needs ["avx512f", "avx512vnni"]>, <"base">]>} {
  // CHECK-NEXT: exec.buffer state @step bytes 16 role step
  exec.buffer state @step bytes 16 role step
  // CHECK-NEXT: exec.buffer state @tokens bytes 4
  exec.buffer state @tokens bytes 4
  exec.buffer state @hidden bytes 65536
  // CHECK: exec.buffer state @kv.0.keys bytes 4096 role kv_cache
  exec.buffer state @kv.0.keys bytes 4096 role kv_cache
  // CHECK-NEXT: exec.buffer transient @decode.0 in @decode bytes 8192
  exec.buffer transient @decode.0 in @decode bytes 8192
  // CHECK-NEXT: exec.buffer constant @gain bytes 384 at 256
  // CHECK-NEXT:   llm.parameter "blk.0.attn_norm.weight" : tensor<70xf32>
  // CHECK-NEXT:   exec.constant_yield %{{.*}} : tensor<70xf32>
  exec.buffer constant @gain bytes 384 at 256 {
    %0 = llm.parameter "blk.0.attn_norm.weight" : tensor<70xf32>
    exec.constant_yield %0 : tensor<70xf32>
  }
  // CHECK: exec.program @decode max_tokens 1 ports [tokens @tokens] {
  // CHECK-NEXT: exec.group {
  exec.program @decode max_tokens 1 ports [tokens @tokens] {
    exec.group {
      // CHECK-NEXT: exec.dispatch @norm(read @gain, read @hidden size 8192 at (@step[2] * 8192 below 8), write @decode.0 over [1]) tiles<8 per 4 tokens per 32 positions> source "blk.0.attn_norm"
      exec.dispatch @norm(read @gain, read @hidden size 8192 at (@step[2] * 8192 below 8), write @decode.0 over [1])
        tiles<8 per 4 tokens per 32 positions> source "blk.0.attn_norm"
      // CHECK-NEXT: exec.dispatch @append(update @kv.0.keys offset 64 size 128) tiles<3>
      exec.dispatch @append(update @kv.0.keys offset 64 size 128) tiles<3>
    }
  }
  // CHECK: exec.memory_plan state 4352 kv 4096 fixed 8448 scratch 64 {
  // CHECK-NEXT: exec.interval @kv.0.keys bytes 4096 at 256
  // CHECK-NEXT: exec.interval @decode.0 bytes 8192 in @decode live[0, 3] over [@x, @y] at 4352
  exec.memory_plan state 4352 kv 4096 fixed 8448 scratch 64 {
    exec.interval @kv.0.keys bytes 4096 at 256
    exec.interval @decode.0 bytes 8192 in @decode live[0, 3] over [@x, @y] at 4352
  }
}
