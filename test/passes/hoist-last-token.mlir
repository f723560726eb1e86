// RUN: sinter-opt %s --hoist-last-token | FileCheck %s
// RUN: sinter-opt %s --hoist-last-token=remarks --verify-diagnostics -o /dev/null

// Norm, sum, bias and linear layer are computed for one row instead of all.
// CHECK-LABEL: func @head(
// CHECK-SAME:    %[[H:[a-z0-9]+]]: tensor<?x64xf32>, %[[R:[a-z0-9]+]]: tensor<?x64xf32>
func.func @head(%h: tensor<?x64xf32>, %r: tensor<?x64xf32>, %g: tensor<64xf32>, %w: !llm.weight<100x64, q8_0>,
                %b: tensor<100xf32>) -> tensor<1x100xf32> {
  // CHECK-DAG:  %[[HL:[a-z0-9]+]] = llm.last_token %[[H]] : tensor<?x64xf32> -> tensor<1x64xf32>
  // CHECK-DAG:  %[[RL:[a-z0-9]+]] = llm.last_token %[[R]] : tensor<?x64xf32> -> tensor<1x64xf32>
  // CHECK:      %[[A:[a-z0-9]+]] = llm.add %[[HL]], %[[RL]] : tensor<1x64xf32>
  // CHECK-NEXT: %[[N:[a-z0-9]+]] = llm.rms_norm %[[A]], %{{.*}} : tensor<1x64xf32>
  // CHECK-NEXT: %[[O:[a-z0-9]+]] = llm.linear %[[N]], [%{{.*}}] : tensor<1x64xf32>, !llm.weight<100x64, q8_0> -> tensor<1x100xf32>
  // CHECK-NEXT: %[[C:[a-z0-9]+]] = llm.add_bias %[[O]], %{{.*}} : tensor<1x100xf32>
  // CHECK-NEXT: return %[[C]]
  %a = llm.add %h, %r : tensor<?x64xf32>
  %n = llm.rms_norm %a, %g {eps = 1.0e-5} : tensor<?x64xf32>
  %o = llm.linear %n, [%w] : tensor<?x64xf32>, !llm.weight<100x64, q8_0> -> tensor<?x100xf32>
  %c = llm.add_bias %o, %b : tensor<?x100xf32>
  // Once for each of the four ops that it passes.
  // expected-remark @+1 {{chosen before the op that computed all rows}}
  %l = llm.last_token %c : tensor<?x100xf32> -> tensor<1x100xf32>
  return %l : tensor<1x100xf32>
}

// Import draws it like this: there is nothing to do.
// CHECK-LABEL: func @chosen
// CHECK-NEXT:    llm.last_token
// CHECK-NEXT:    llm.rms_norm
func.func @chosen(%h: tensor<?x64xf32>, %g: tensor<64xf32>) -> tensor<1x64xf32> {
  %l = llm.last_token %h : tensor<?x64xf32> -> tensor<1x64xf32>
  %n = llm.rms_norm %l, %g {eps = 1.0e-5} : tensor<1x64xf32>
  return %n : tensor<1x64xf32>
}

// All rows are needed.
// CHECK-LABEL: func @read_twice
// CHECK-NEXT:    llm.rms_norm
// CHECK-NEXT:    llm.last_token
func.func @read_twice(%h: tensor<?x64xf32>, %g: tensor<64xf32>) -> (tensor<?x64xf32>, tensor<1x64xf32>) {
  %n = llm.rms_norm %h, %g {eps = 1.0e-5} : tensor<?x64xf32>
  // expected-remark @+1 {{left alone: the rows before it are read by another op as well}}
  %l = llm.last_token %n : tensor<?x64xf32> -> tensor<1x64xf32>
  return %n, %l : tensor<?x64xf32>, tensor<1x64xf32>
}

// Attention reads other rows than its own.
llm.kv_cache @kv.0 {heads = 1, head_dim = 64, positions = 128, type = f16}
// CHECK-LABEL: func @attention
// CHECK:         llm.attention
// CHECK-NEXT:    llm.last_token
func.func @attention(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<1x64xf32> {
  %o = llm.attention %q, %k, %v in @kv.0 {heads = 1, kv_heads = 1, head_dim = 64, scale = 0.125}
         : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  %l = llm.last_token %o : tensor<?x64xf32> -> tensor<1x64xf32>
  return %l : tensor<1x64xf32>
}
