// RUN: sinter-opt %s --in-place-conversions=lanes=8 | FileCheck %s

// CHECK-LABEL: func.func @words
// CHECK-SAME:      (%[[W:.*]]: vector<8xi32>)
// CHECK:         %[[S:.*]] = vector.scalable.insert %[[W]], %{{.*}}[0] : vector<8xi32> into vector<[4]xi32>
// CHECK:         %[[F:.*]] = vector.bitcast %[[S]] : vector<[4]xi32> to vector<[4]xf32>
// CHECK:         %[[P:.*]] = llvm.call_intrinsic "llvm.aarch64.sve.ptrue.nxv4i1"
// CHECK:         %[[C:.*]] = llvm.call_intrinsic "llvm.aarch64.sve.scvtf.nxv4f32.nxv4i32"(%[[F]], %[[P]], %[[S]])
// CHECK:         vector.scalable.extract %[[C]][0] : vector<8xf32> from vector<[4]xf32>
func.func @words(%w: vector<8xi32>) -> vector<8xf32> {
  %f = arith.sitofp %w : vector<8xi32> to vector<8xf32>
  return %f : vector<8xf32>
}

// A half in each word, as ld1h loads them; 16 of them are two registers.
// CHECK-LABEL: func.func @halves
// CHECK:         vector.bitcast %{{.*}} : vector<16xf16> to vector<16xi16>
// CHECK:         arith.extui %{{.*}} : vector<16xi16> to vector<16xi32>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.aarch64.sve.fcvt.f32f16"
func.func @halves(%h: vector<16xf16>) -> vector<16xf32> {
  %f = arith.extf %h : vector<16xf16> to vector<16xf32>
  return %f : vector<16xf32>
}

// Left alone: scalars, vectors that fill no register, other types.
// CHECK-LABEL: func.func @others
// CHECK-NOT:     call_intrinsic
// CHECK:         return
func.func @others(%i: i32, %w: vector<4xi32>, %b: vector<8xbf16>, %s: vector<8xi16>)
    -> (f32, vector<4xf32>, vector<8xf32>, vector<8xf32>) {
  %0 = arith.sitofp %i : i32 to f32
  %1 = arith.sitofp %w : vector<4xi32> to vector<4xf32>
  %2 = arith.extf %b : vector<8xbf16> to vector<8xf32>
  %3 = arith.sitofp %s : vector<8xi16> to vector<8xf32>
  return %0, %1, %2, %3 : f32, vector<4xf32>, vector<8xf32>, vector<8xf32>
}
