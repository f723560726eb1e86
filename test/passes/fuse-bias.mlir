// RUN: sinter-opt %s --fuse-bias | FileCheck %s
// RUN: sinter-opt %s --fuse-bias=remarks --verify-diagnostics -o /dev/null

// CHECK-LABEL: func @bias(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[W:[a-z0-9]+]]: !llm.weight<128x64, q8_0>, %[[B:[a-z0-9]+]]: tensor<128xf32>)
func.func @bias(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q8_0>, %b: tensor<128xf32>) -> tensor<?x128xf32> {
  // CHECK-NEXT: %[[Y:[a-z0-9]+]] = llm.linear %[[X]], [%[[W]]] bias(%[[B]]) epilogue(%[[P:[a-z0-9]+]], %[[C:[a-z0-9]+]]) {
  // CHECK-NEXT:   %[[S:[a-z0-9]+]] = arith.addf %[[P]], %[[C]]
  // CHECK-NEXT:   llm.yield %[[S]]
  // CHECK-NEXT: } : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // CHECK-NEXT: return %[[Y]]
  %l = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{bias added in the epilogue of the linear layer}}
  %y = llm.add_bias %l, %b : tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// A second bias goes on from what the first one made: the epilogue grows at its end.
// CHECK-LABEL: func @twice
// CHECK-SAME:    %[[B:[a-z0-9]+]]: tensor<128xf32>, %[[C:[a-z0-9]+]]: tensor<128xf32>)
func.func @twice(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q8_0>, %b: tensor<128xf32>, %c: tensor<128xf32>)
    -> tensor<?x128xf32> {
  // CHECK-NEXT: llm.linear %{{.*}} bias(%[[B]], %[[C]]) epilogue(%[[P:[a-z0-9]+]], %[[D:[a-z0-9]+]], %[[E:[a-z0-9]+]]) {
  // CHECK-NEXT:   %[[S:[a-z0-9]+]] = arith.addf %[[P]], %[[D]]
  // CHECK-NEXT:   %[[T:[a-z0-9]+]] = arith.addf %[[S]], %[[E]]
  // CHECK-NEXT:   llm.yield %[[T]]
  %l = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{bias added}}
  %y = llm.add_bias %l, %b : tensor<?x128xf32>
  // expected-remark @+1 {{bias added}}
  %z = llm.add_bias %y, %c : tensor<?x128xf32>
  return %z : tensor<?x128xf32>
}

// Somebody needs the product without the bias.
// CHECK-LABEL: func @read_twice
func.func @read_twice(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q8_0>, %b: tensor<128xf32>)
    -> (tensor<?x128xf32>, tensor<?x128xf32>) {
  // CHECK-NEXT: %[[L:[a-z0-9]+]] = llm.linear %{{.*}}, [%{{.*}}] :
  // CHECK-NEXT: llm.add_bias %[[L]]
  %l = llm.linear %x, [%w] : tensor<?x64xf32>, !llm.weight<128x64, q8_0> -> tensor<?x128xf32>
  // expected-remark @+1 {{left alone: another op reads the linear layer's result without the bias}}
  %y = llm.add_bias %l, %b : tensor<?x128xf32>
  return %l, %y : tensor<?x128xf32>, tensor<?x128xf32>
}

// No linear layer before: nothing to say.
// CHECK-LABEL: func @no_linear
// CHECK-NEXT:    llm.add_bias
func.func @no_linear(%x: tensor<?x64xf32>, %b: tensor<64xf32>) -> tensor<?x64xf32> {
  %y = llm.add_bias %x, %b : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
