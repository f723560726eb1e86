// RUN: sinter-opt %s --pair-blocks | FileCheck %s

// An even number of blocks: two an iteration, one loop.
// CHECK-LABEL: func.func @even
// CHECK:         %[[TWO:.*]] = arith.constant 2 : index
// CHECK:         scf.for %{{.*}} = %{{.*}} to %{{.*}} step %[[TWO]]
// CHECK-COUNT-2:   llvm.call_intrinsic
// CHECK-NOT:       llvm.call_intrinsic
// CHECK-NOT:     scf.for
// CHECK-LABEL: func.func @odd
func.func @even(%init: vector<4xi32>, %w: vector<16xi8>) -> vector<4xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %r = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %init) -> vector<4xi32> {
    %s = llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%acc, %w, %w)
        : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
    scf.yield %s : vector<4xi32>
  }
  return %r : vector<4xi32>
}

// Left alone: an odd number, a number that is not known, and loops without dots.
// CHECK-COUNT-1: llvm.call_intrinsic
// CHECK-NOT:     llvm.call_intrinsic
// CHECK-LABEL: func.func @unknown
// CHECK-COUNT-1: llvm.call_intrinsic
// CHECK-NOT:     llvm.call_intrinsic
// CHECK-LABEL: func.func @sums
// CHECK-COUNT-1: arith.addi
// CHECK-NOT:     arith.addi
func.func @odd(%init: vector<4xi32>, %w: vector<16xi8>) -> vector<4xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %r = scf.for %k = %c0 to %c7 step %c1 iter_args(%acc = %init) -> vector<4xi32> {
    %s = llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%acc, %w, %w)
        : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
    scf.yield %s : vector<4xi32>
  }
  return %r : vector<4xi32>
}
func.func @unknown(%init: vector<4xi32>, %w: vector<16xi8>, %n: index) -> vector<4xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %k = %c0 to %n step %c1 iter_args(%acc = %init) -> vector<4xi32> {
    %s = llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%acc, %w, %w)
        : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
    scf.yield %s : vector<4xi32>
  }
  return %r : vector<4xi32>
}
func.func @sums(%init: vector<4xi32>) -> vector<4xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %r = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %init) -> vector<4xi32> {
    %s = arith.addi %acc, %init : vector<4xi32>
    scf.yield %s : vector<4xi32>
  }
  return %r : vector<4xi32>
}
