// RUN: sinter-opt %s --quantize-activations --verify-diagnostics

// Nothing says what the activations are.
// expected-error @+1 {{is in no target's module: exec.target says what activations are}}
func.func @body(%x: tensor<?x64xf32>, %w: !llm.weight<100x64, q8_0>) -> tensor<?x100xf32> {
  %y = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<100x64, q8_0> -> tensor<?x100xf32>
  return %y : tensor<?x100xf32>
}
