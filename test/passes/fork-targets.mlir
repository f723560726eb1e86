// RUN: sinter-opt %s --split-input-file --fork-targets=target=aarch64:neon | FileCheck %s
// RUN: not sinter-opt %s --split-input-file --fork-targets=target=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// The model moves inside; what is known about it stays outside.
// CHECK:      module attributes {llm.context = 64 : i64} {
// CHECK-NEXT:   module @aarch64 attributes {exec.target = #exec.target<"aarch64", activations = i8, variants = [<"neon">]>} {
// CHECK-NEXT:     func.func private @body()
// UNKNOWN: error: --target=z80: unknown target 'z80'
module attributes {llm.context = 64 : i64} {
  func.func private @body()
}

// -----
// A module that is forked already keeps its target.
// CHECK: module @here attributes {exec.target = #exec.target<"t"
// CHECK-NOT: aarch64
module {
  module @here attributes {exec.target = #exec.target<"t", activations = f32, variants = [<"a">]>} {}
}
