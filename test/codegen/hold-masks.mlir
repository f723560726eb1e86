// RUN: sinter-opt %s --hold-masks=lanes=8 | FileCheck %s

// The low codes' mask is made once, in front of the loop; what it was made of is not to be seen through.
// CHECK-LABEL: func.func @codes
// CHECK:         %[[SPLAT:.*]] = arith.constant dense<252645135> : vector<[4]xi32>
// CHECK:         %[[HELD:.*]] = llvm.inline_asm "", "=w,0" %[[SPLAT]]
// CHECK:         %[[MASK:.*]] = vector.scalable.extract %[[HELD]][0] : vector<8xi32> from vector<[4]xi32>
// CHECK-NOT:     inline_asm
// CHECK:         scf.for
// CHECK:           arith.andi %{{.*}}, %[[MASK]] : vector<8xi32>
// CHECK:           arith.andi %{{.*}}, %[[MASK]] : vector<8xi32>
func.func @codes(%p: !llvm.ptr, %q: !llvm.ptr, %from: index, %to: index, %step: index) {
  %low = arith.constant dense<252645135> : vector<8xi32>
  %four = arith.constant dense<4> : vector<8xi32>
  scf.for %i = %from to %to step %step {
    %w = llvm.load %p : !llvm.ptr -> vector<8xi32>
    %a = arith.andi %w, %low : vector<8xi32>
    llvm.store %a, %q : vector<8xi32>, !llvm.ptr
    %h = arith.shrui %w, %four : vector<8xi32>
    llvm.store %h, %q : vector<8xi32>, !llvm.ptr
    %v = llvm.load %p : !llvm.ptr -> vector<8xi32>
    %b = arith.andi %v, %low : vector<8xi32>
    llvm.store %b, %q : vector<8xi32>, !llvm.ptr
    llvm.store %v, %q : vector<8xi32>, !llvm.ptr
  }
  return
}

// Two registers' words: the mask beside itself.
// CHECK-LABEL: func.func @two_registers
// CHECK:         %[[MASK:.*]] = vector.scalable.extract
// CHECK:         vector.insert_strided_slice %[[MASK]], %{{.*}} {offsets = [0]
// CHECK:         %[[BOTH:.*]] = vector.insert_strided_slice %[[MASK]], %{{.*}} {offsets = [8]
// CHECK:         arith.andi %{{.*}}, %[[BOTH]] : vector<16xi32>
func.func @two_registers(%w: vector<16xi32>) -> (vector<16xi32>, vector<16xi32>) {
  %low = arith.constant dense<252645135> : vector<16xi32>
  %a = arith.andi %w, %low : vector<16xi32>
  return %a, %w : vector<16xi32>, vector<16xi32>
}

// Left alone: a word that nothing else reads, masks that differ between lanes, and vectors that fill no register.
// CHECK-LABEL: func.func @immediates
// CHECK-NOT:     inline_asm
func.func @immediates(%w: vector<8xi32>, %v: vector<8xi32>, %s: vector<4xi32>)
    -> (vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<4xi32>, vector<4xi32>) {
  %low = arith.constant dense<252645135> : vector<8xi32>
  %lanes = arith.constant dense<[1, 2, 3, 4, 5, 6, 7, 8]> : vector<8xi32>
  %short = arith.constant dense<252645135> : vector<4xi32>
  %a = arith.andi %w, %low : vector<8xi32>
  %b = arith.andi %v, %lanes : vector<8xi32>
  %c = arith.andi %s, %short : vector<4xi32>
  return %a, %b, %v, %c, %s : vector<8xi32>, vector<8xi32>, vector<8xi32>, vector<4xi32>, vector<4xi32>
}
