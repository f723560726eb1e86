// RUN: sinter-opt %s --outline-kernels --split-input-file --verify-diagnostics

// Not of a recipe and not of a kernel: the op is named where it stands.
module attributes {llm.architecture = "llama", llm.chunk = 32 : i64, llm.context = 96 : i64, llm.embedding = 64 : i64,
                   llm.kv_type = f16, llm.layers = 1 : i64, llm.name = "small", llm.parameters = 100000 : i64,
                   llm.phase = "fuse", llm.source = "small.gguf", llm.trained_context = 96 : i64,
                   llm.vocabulary = 100 : i64} {
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = f32, variants = [<"avx2">]>} {
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
    %ew = llm.weight "token_embd.weight" : !llm.weight<100x64, f32>
    %e = llm.pack %ew : !llm.weight<100x64, f32> -> !llm.packed<100x64, f32>
    %f = llm.rope_frequencies {base = 10000.0, scale = 1.0} : tensor<16xf32>
    %x = llm.embed %tokens, %e : tensor<?xi32>, !llm.packed<100x64, f32> -> tensor<?x64xf32>
    // expected-error@+1 {{'llm.rope' op has no kernel}}
    %y = llm.rope %x, %f {head_dim = 32, rotary_dim = 32, order = interleaved} : tensor<?x64xf32>, tensor<16xf32>
    return %y : tensor<?x64xf32>
  }
}
}

// -----
module attributes {llm.architecture = "llama", llm.chunk = 32 : i64, llm.context = 96 : i64, llm.embedding = 64 : i64,
                   llm.kv_type = f16, llm.layers = 1 : i64, llm.name = "small", llm.parameters = 100000 : i64,
                   llm.phase = "fuse", llm.source = "small.gguf", llm.trained_context = 96 : i64,
                   llm.vocabulary = 100 : i64} {
// expected-error@+1 {{has no function @head}}
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = f32, variants = [<"avx2">]>} {
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
    %ew = llm.weight "token_embd.weight" : !llm.weight<100x64, f32>
    %e = llm.pack %ew : !llm.weight<100x64, f32> -> !llm.packed<100x64, f32>
    %x = llm.embed %tokens, %e : tensor<?xi32>, !llm.packed<100x64, f32> -> tensor<?x64xf32>
    return %x : tensor<?x64xf32>
  }
}
}

// -----
module attributes {llm.architecture = "llama", llm.chunk = 32 : i64, llm.context = 96 : i64, llm.embedding = 64 : i64,
                   llm.kv_type = f16, llm.layers = 1 : i64, llm.name = "small", llm.parameters = 100000 : i64,
                   llm.phase = "fuse", llm.source = "small.gguf", llm.trained_context = 96 : i64,
                   llm.vocabulary = 100 : i64} {
// expected-error@+1 {{names no known target in exec.target}}
module @z80 attributes {exec.target = #exec.target<"z80", activations = f32, variants = [<"base">]>} {
}
}

// -----
module attributes {llm.architecture = "llama", llm.chunk = 32 : i64, llm.context = 96 : i64, llm.embedding = 64 : i64,
                   llm.kv_type = f16, llm.layers = 1 : i64, llm.name = "small", llm.parameters = 100000 : i64,
                   llm.phase = "fuse", llm.source = "small.gguf", llm.trained_context = 96 : i64,
                   llm.vocabulary = 100 : i64} {
// expected-error@+1 {{target x86-64 has no variant "avx10"}}
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = f32, variants = [<"avx10">]>} {
}
}

// -----
// The logits are a buffer of their own: something must write them.
module attributes {llm.architecture = "llama", llm.chunk = 32 : i64, llm.context = 96 : i64, llm.embedding = 64 : i64,
                   llm.kv_type = f16, llm.layers = 1 : i64, llm.name = "small", llm.parameters = 100000 : i64,
                   llm.phase = "fuse", llm.source = "small.gguf", llm.trained_context = 96 : i64,
                   llm.vocabulary = 100 : i64} {
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = f32, variants = [<"avx2">]>} {
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
    %ew = llm.weight "token_embd.weight" : !llm.weight<100x64, f32>
    %e = llm.pack %ew : !llm.weight<100x64, f32> -> !llm.packed<100x64, f32>
    %x = llm.embed %tokens, %e : tensor<?xi32>, !llm.packed<100x64, f32> -> tensor<?x64xf32>
    return %x : tensor<?x64xf32>
  }
  // expected-error@+1 {{returns a value that no kernel of its own computes}}
  func.func @head(%h: tensor<?x64xf32>) -> tensor<1x64xf32> {
    %last = llm.last_token %h : tensor<?x64xf32> -> tensor<1x64xf32>
    return %last : tensor<1x64xf32>
  }
}
}

// -----
// Sizes of buffers come from the model's facts.
// expected-error@+1 {{the module has no attribute 'llm.architecture' of the right type}}
module attributes {llm.phase = "fuse"} {
module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = f32, variants = [<"avx2">]>} {
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
    %ew = llm.weight "token_embd.weight" : !llm.weight<100x64, f32>
    %e = llm.pack %ew : !llm.weight<100x64, f32> -> !llm.packed<100x64, f32>
    %x = llm.embed %tokens, %e : tensor<?xi32>, !llm.packed<100x64, f32> -> tensor<?x64xf32>
    return %x : tensor<?x64xf32>
  }
}
}
