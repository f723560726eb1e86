// RUN: sinter-opt %s --verify-imported --split-input-file --verify-diagnostics

// A model of one layer, as it should be.
module attributes {llm.architecture = "llama", llm.name = "tiny", llm.source = "tiny.gguf", llm.context = 128 : i64,
                   llm.trained_context = 256 : i64, llm.chunk = 32 : i64, llm.vocabulary = 100 : i64,
                   llm.layers = 1 : i64, llm.embedding = 64 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 128, type = f16}
  func.func @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<100x64, q8_0>
    %x = llm.embed %tokens, %w : tensor<?xi32>, !llm.weight<100x64, q8_0> -> tensor<?x64xf32>
    %y = llm.attention %x, %x, %x in @kv.0 {heads = 2, kv_heads = 2, head_dim = 32, scale = 0.125}
           : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
  func.func @head(%h: tensor<?x64xf32>) -> tensor<1x100xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<100x64, q8_0>
    %l = llm.last_token %h : tensor<?x64xf32> -> tensor<1x64xf32>
    %y = llm.linear %l, [%w] : tensor<1x64xf32>, !llm.weight<100x64, q8_0> -> tensor<1x100xf32>
    return %y : tensor<1x100xf32>
  }
  func.func @score(%h: tensor<?x64xf32>, %targets: tensor<?xi32>) -> tensor<?xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<100x64, q8_0>
    %y = llm.linear %h, [%w] : tensor<?x64xf32>, !llm.weight<100x64, q8_0> -> tensor<?x100xf32>
    %s = llm.log_likelihood %y, %targets : tensor<?x100xf32>, tensor<?xi32> -> tensor<?xf32>
    return %s : tensor<?xf32>
  }
}

// -----
// expected-error @+1 {{the module has no attribute 'llm.architecture' of the right type}}
module {
}

// -----
// expected-error @+1 {{the model has no function @head}}
module attributes {llm.architecture = "llama", llm.name = "", llm.source = "tiny.gguf", llm.context = 128 : i64,
                   llm.trained_context = 256 : i64, llm.chunk = 32 : i64, llm.vocabulary = 100 : i64,
                   llm.layers = 1 : i64, llm.embedding = 64 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  func.func private @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32>
}

// -----
module attributes {llm.architecture = "llama", llm.name = "", llm.source = "tiny.gguf", llm.context = 128 : i64,
                   llm.trained_context = 256 : i64, llm.chunk = 32 : i64, llm.vocabulary = 100 : i64,
                   llm.layers = 1 : i64, llm.embedding = 64 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  // expected-error @+1 {{is of type '(tensor<?xi32>) -> tensor<?x32xf32>'; with the sizes of this model it is '(tensor<?xi32>) -> tensor<?x64xf32>'}}
  func.func private @body(%tokens: tensor<?xi32>) -> tensor<?x32xf32>
}

// -----
module attributes {llm.architecture = "llama", llm.name = "", llm.source = "tiny.gguf", llm.context = 128 : i64,
                   llm.trained_context = 256 : i64, llm.chunk = 32 : i64, llm.vocabulary = 100 : i64,
                   llm.layers = 1 : i64, llm.embedding = 64 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  // expected-error @+1 {{has 64 positions; llm.context is 128}}
  llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 64, type = f16}
  func.func private @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32>
  func.func private @head(%h: tensor<?x64xf32>) -> tensor<1x100xf32>
  func.func private @score(%h: tensor<?x64xf32>, %targets: tensor<?xi32>) -> tensor<?xf32>
}

// -----
module attributes {llm.architecture = "llama", llm.name = "", llm.source = "tiny.gguf", llm.context = 128 : i64,
                   llm.trained_context = 256 : i64, llm.chunk = 32 : i64, llm.vocabulary = 100 : i64,
                   llm.layers = 1 : i64, llm.embedding = 64 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  // expected-error @+1 {{holds 'f32'; llm.kv_type is 'f16'}}
  llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 128, type = f32}
  func.func private @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32>
  func.func private @head(%h: tensor<?x64xf32>) -> tensor<1x100xf32>
  func.func private @score(%h: tensor<?x64xf32>, %targets: tensor<?xi32>) -> tensor<?xf32>
}

// -----
module attributes {llm.architecture = "llama", llm.name = "", llm.source = "tiny.gguf", llm.context = 128 : i64,
                   llm.trained_context = 256 : i64, llm.chunk = 32 : i64, llm.vocabulary = 100 : i64,
                   llm.layers = 1 : i64, llm.embedding = 64 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  // expected-error @+1 {{is appended to by 0 attentions, not by one}}
  llm.kv_cache @kv.0 {heads = 2, head_dim = 32, positions = 128, type = f16}
  func.func private @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32>
  func.func private @head(%h: tensor<?x64xf32>) -> tensor<1x100xf32>
  func.func private @score(%h: tensor<?x64xf32>, %targets: tensor<?xi32>) -> tensor<?xf32>
}

// -----
module attributes {llm.architecture = "llama", llm.name = "", llm.source = "tiny.gguf", llm.context = 128 : i64,
                   llm.trained_context = 256 : i64, llm.chunk = 32 : i64, llm.vocabulary = 100 : i64,
                   llm.layers = 1 : i64, llm.embedding = 64 : i64, llm.parameters = 6400 : i64, llm.kv_type = f16} {
  func.func private @body(%tokens: tensor<?xi32>) -> tensor<?x64xf32>
  func.func private @head(%h: tensor<?x64xf32>) -> tensor<1x100xf32>
  func.func @score(%h: tensor<?x64xf32>, %targets: tensor<?xi32>) -> tensor<?xf32> {
    %w = llm.weight "token_embd.weight" : !llm.weight<100x64, q8_0>
    // expected-error @+1 {{belongs to a later phase: nothing is fused, quantized or packed by import}}
    %s = llm.linear_score %h, %w, %targets : tensor<?x64xf32>, !llm.weight<100x64, q8_0>, tensor<?xi32> -> tensor<?xf32>
    return %s : tensor<?xf32>
  }
}
