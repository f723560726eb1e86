// RUN: sinter-opt %s --fold-broadcasts | FileCheck %s

// CHECK-LABEL: func.func @line
// CHECK-SAME:      (%[[BASE:.*]]: !llvm.ptr, %[[I:.*]]: i64, %[[W:.*]]: vector<32xf32>, %[[ACC:.*]]: vector<32xf32>)
// CHECK:         %[[COPY:.*]] = llvm.inline_asm {{.*}}"", "=r,0" %[[BASE]]
// CHECK:         %[[AT:.*]] = llvm.getelementptr %[[BASE]][%[[I]]]
// CHECK:         %[[P:.*]] = llvm.getelementptr %[[AT]][64]
// CHECK:         %[[X:.*]] = llvm.load %[[P]] : !llvm.ptr -> f32
// CHECK:         %[[AT2:.*]] = llvm.getelementptr %[[COPY]][%[[I]]]
// CHECK:         %[[P2:.*]] = llvm.getelementptr %[[AT2]][64]
// CHECK:         %[[Y:.*]] = llvm.load %[[P2]] : !llvm.ptr -> f32
// CHECK:         %[[XS:.*]] = vector.broadcast %[[X]] : f32 to vector<16xf32>
// CHECK-DAG:     %[[W0:.*]] = vector.extract_strided_slice %[[W]] {offsets = [0]
// CHECK-DAG:     %[[A0:.*]] = vector.extract_strided_slice %[[ACC]] {offsets = [0]
// CHECK:         math.fma %[[W0]], %[[XS]], %[[A0]] : vector<16xf32>
// CHECK:         %[[YS:.*]] = vector.broadcast %[[Y]] : f32 to vector<16xf32>
// CHECK-DAG:     %[[W1:.*]] = vector.extract_strided_slice %[[W]] {offsets = [16]
// CHECK-DAG:     %[[A1:.*]] = vector.extract_strided_slice %[[ACC]] {offsets = [16]
// CHECK:         math.fma %[[W1]], %[[YS]], %[[A1]] : vector<16xf32>
func.func @line(%base: !llvm.ptr, %i: i64, %w: vector<32xf32>, %acc: vector<32xf32>) -> vector<32xf32> {
  %at = llvm.getelementptr %base[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  %p = llvm.getelementptr %at[64] : (!llvm.ptr) -> !llvm.ptr, i8
  %x = llvm.load %p : !llvm.ptr -> f32
  %b = vector.broadcast %x : f32 to vector<32xf32>
  %f = math.fma %w, %b, %acc : vector<32xf32>
  return %f : vector<32xf32>
}

// Each register has a base of its own, a copy of the one before: two copies of one base would be one.
// CHECK-LABEL: func.func @four
// CHECK-SAME:      (%[[BASE:.*]]: !llvm.ptr,
// CHECK:         %[[C1:.*]] = llvm.inline_asm {{.*}} %[[BASE]]
// CHECK:         %[[C2:.*]] = llvm.inline_asm {{.*}} %[[C1]]
// CHECK:         %[[C3:.*]] = llvm.inline_asm {{.*}} %[[C2]]
// CHECK-COUNT-4: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT:     math.fma
func.func @four(%base: !llvm.ptr, %w: vector<64xf32>, %acc: vector<64xf32>) -> vector<64xf32> {
  %x = llvm.load %base : !llvm.ptr -> f32
  %b = vector.broadcast %x : f32 to vector<64xf32>
  %f = math.fma %b, %w, %acc : vector<64xf32>
  return %f : vector<64xf32>
}

// Left alone: one register; a number that others use too, or that was not loaded here.
// CHECK-LABEL: func.func @others
// CHECK-NOT:     llvm.inline_asm
// CHECK:         math.fma %{{.*}} : vector<16xf32>
// CHECK:         math.fma %{{.*}} : vector<32xf32>
// CHECK:         math.fma %{{.*}} : vector<32xf32>
// CHECK:         math.fma %{{.*}} : vector<32xf32>
func.func @others(%base: !llvm.ptr, %n: f32, %w: vector<32xf32>, %v: vector<16xf32>) -> (vector<16xf32>, vector<32xf32>) {
  %x = llvm.load %base : !llvm.ptr -> f32
  %short = vector.broadcast %x : f32 to vector<16xf32>
  %a = math.fma %v, %short, %v : vector<16xf32>
  %y = llvm.load %base : !llvm.ptr -> f32
  %twice = vector.broadcast %y : f32 to vector<32xf32>
  %b = math.fma %w, %twice, %w : vector<32xf32>
  %c = math.fma %w, %twice, %b : vector<32xf32>
  %given = vector.broadcast %n : f32 to vector<32xf32>
  %d = math.fma %w, %given, %c : vector<32xf32>
  return %a, %d : vector<16xf32>, vector<32xf32>
}
