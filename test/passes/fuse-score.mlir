// RUN: sinter-opt %s --fuse-score | FileCheck %s
// RUN: sinter-opt %s --fuse-score=remarks --verify-diagnostics -o /dev/null

// CHECK-LABEL: func @score(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: !llm.acts<?x64, i8 per 32>, %[[W:[a-z0-9]+]]: {{.*}}, %[[T:[a-z0-9]+]]: tensor<?xi32>)
func.func @score(%x: !llm.acts<?x64, i8 per 32>, %w: !llm.weight<100x64, q8_0>, %t: tensor<?xi32>) -> tensor<?xf32> {
  // CHECK-NEXT: %[[S:[a-z0-9]+]] = llm.linear_score %[[X]], %[[W]], %[[T]]
  // CHECK-NEXT: return %[[S]]
  %l = llm.linear %x, [%w] : !llm.acts<?x64, i8 per 32>, !llm.weight<100x64, q8_0> -> tensor<?x100xf32>
  // expected-remark @+1 {{scored by the linear layer itself}}
  %s = llm.log_likelihood %l, %t : tensor<?x100xf32>, tensor<?xi32> -> tensor<?xf32>
  return %s : tensor<?xf32>
}

// CHECK-LABEL: func @read_twice
// CHECK:         llm.log_likelihood
func.func @read_twice(%x: tensor<?x64xf32>, %w: !llm.weight<100x64, q8_0>, %t: tensor<?xi32>)
    -> (tensor<?x100xf32>, tensor<?xf32>) {
  %l = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<100x64, q8_0> -> tensor<?x100xf32>
  // expected-remark @+1 {{left alone: another op reads the logits}}
  %s = llm.log_likelihood %l, %t : tensor<?x100xf32>, tensor<?xi32> -> tensor<?xf32>
  return %l, %s : tensor<?x100xf32>, tensor<?xf32>
}

// CHECK-LABEL: func @bias
// CHECK:         llm.log_likelihood
func.func @bias(%x: tensor<?x64xf32>, %w: !llm.weight<100x64, q8_0>, %b: tensor<100xf32>, %t: tensor<?xi32>)
    -> tensor<?xf32> {
  %l = llm.linear %x, [%w] bias(%b) epilogue(%p, %c) {
    %s = arith.addf %p, %c : f32
    llm.yield %s : f32
  } : tensor<?x64xf32>, !llm.weight<100x64, q8_0> -> tensor<?x100xf32>
  // expected-remark @+1 {{left alone: the logits are more than the product of the linear layer}}
  %s = llm.log_likelihood %l, %t : tensor<?x100xf32>, tensor<?xi32> -> tensor<?xf32>
  return %s : tensor<?xf32>
}

// CHECK-LABEL: func @no_linear
// CHECK:         llm.log_likelihood
func.func @no_linear(%l: tensor<?x100xf32>, %t: tensor<?xi32>) -> tensor<?xf32> {
  // expected-remark @+1 {{left alone: the logits do not come from a linear layer}}
  %s = llm.log_likelihood %l, %t : tensor<?x100xf32>, tensor<?xi32> -> tensor<?xf32>
  return %s : tensor<?xf32>
}
