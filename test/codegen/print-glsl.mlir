// RUN: sinter-opt %S/Inputs/linear_q8_0.mlir -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(tile.kernel(expand-formats,unroll-tokens,canonicalize,cse),print-glsl)' \
// RUN:   | FileCheck %s
// RUN: sinter-opt %S/Inputs/linear_q8_0.mlir -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(tile.kernel(expand-formats,unroll-tokens,canonicalize,cse),print-glsl{integer-dot})' \
// RUN:   | FileCheck %s --check-prefix=INTDOT
// RUN: sinter-opt %s --print-glsl -o /dev/null | FileCheck %s --check-prefix=LANES

// The linear layer: what is only read says so; the weights are words, 128 bytes a line of 32 rows.
// CHECK:      #version 450
// CHECK-NOT:  GL_EXT_spirv_intrinsics
// CHECK:      layout(local_size_x = 32) in;
// CHECK:      binding = 0) readonly buffer Binding0
// CHECK:      binding = 1) readonly buffer Binding1
// CHECK:      binding = 2) buffer Binding2
// CHECK:      binding = 3) readonly buffer Step { uint tokens; uint position; }
// CHECK-NOT:  shared
// CHECK:      void main() {
// CHECK:        float [[ACC:v[0-9]+]] = 0.0;
// CHECK:        for (uint [[K:v[0-9]+]] = 0u; [[K]] < 8u; [[K]] += 1u) {
// A tile of 64x256 is 8 blocks: a line of scales of 64 bytes, 8 of codes of 128.
// CHECK:          uint [[TILE:v[0-9]+]] = tile * 8704u;
// CHECK:          uint [[BLOCK:v[0-9]+]] = [[K]] * 1088u;
// CHECK:          uint [[BASE:v[0-9]+]] = [[TILE]] + [[BLOCK]];
// CHECK:          uint [[AT:v[0-9]+]] = [[BASE]] + 64u;
// CHECK:          uint [[Q0:v[0-9]+]] = binding0[([[AT]] + 4u * lane) >> 2];
// The activations are the same for all rows: eight words in every invocation.
// CHECK:          uint [[X:v[0-9]+]][8] = uint[](binding1[
// CHECK:          float [[XSCALE:v[0-9]+]] = uintBitsToFloat(binding1[
// CHECK:          uint [[DOT:v[0-9]+]] = 0u;
// CHECK-NEXT:     [[DOT]] += dot4([[Q0]], [[X]][0]);
// CHECK-COUNT-7:  [[DOT]] += dot4(
// The scale is a half; two rows share a word.
// CHECK:          uint [[DAT:v[0-9]+]] = [[BASE]] + 2u * lane;
// CHECK-NEXT:     float [[D:v[0-9]+]] = float_of_half((binding0[[[DAT]] >> 2] >> (8u * ([[DAT]] & 2u))) & 0xffffu);
// CHECK-NEXT:     float [[I:v[0-9]+]] = float(int([[DOT]]));
// CHECK-NEXT:     float [[S:v[0-9]+]] = [[D]] * [[XSCALE]];
// CHECK-NEXT:     float [[NEXT:v[0-9]+]] = fma([[I]], [[S]], [[ACC]]);
// CHECK-NEXT:     [[ACC]] = [[NEXT]];
// CHECK-NEXT:   }
// CHECK-NEXT:   uint [[ROW:v[0-9]+]] = tile * 128u;
// CHECK-NEXT:   binding2[([[ROW]] + 4u * lane) >> 2] = floatBitsToUint([[ACC]]);

// INTDOT: #extension GL_EXT_spirv_intrinsics : require
// INTDOT: id = 4450
// INTDOT-COUNT-8: += sdot4(
// INTDOT-NOT: dot4(

// LANES: // lanes: a row of the tile
// A binding that is read and written: other lanes' stores are waited for, before and after.
// LANES: coherent buffer Binding0
// LANES: shared uint scratch[16];
// LANES: shared uint shared_lanes[32];
tile.kernel @lanes(%x: !tile.bytes, %y: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 64) tokens 1 {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  // Half of the rows lie in the invocations twice.
  // LANES: uint [[A:v[0-9]+]] = binding0[(tile + 4u * (lane & 15u)) >> 2];
  %a = tile.load %x[%tile] : !tile.bytes -> vector<16xi32>
  // LANES: [[B:v[0-9]+]] = uint(int([[A]]) >> 4u);
  %four = arith.constant dense<4> : vector<16xi32>
  %b = arith.shrsi %a, %four : vector<16xi32>
  // LANES: [[C:v[0-9]+]] = lane < 16u ? [[A]] : [[B]];
  %c = tile.concat %a, %b : vector<16xi32>, vector<16xi32> -> vector<32xi32>
  // LANES: [[SWAPPED:v[0-9]+]] = row_of_lanes([[C]], lane ^ 1u);
  %swapped = tile.swap_pairs %c : vector<32xi32>
  // LANES: [[SUM:v[0-9]+]] = reduce_add_i32([[SWAPPED]], 16u);
  %sum = tile.reduce <add> %swapped lanes 16 : vector<32xi32> -> i32
  // Scratch is shared memory.
  // LANES: if (lane == 0u) {
  // LANES-NEXT: scratch[0u >> 2] = [[SUM]];
  tile.store_uniform %sum, %scratch[%c0] : i32, !tile.bytes
  // LANES: memoryBarrierBuffer(); barrier();
  // LANES-NEXT: if (lane < 16u) {
  // LANES-NEXT: binding0[(tile + 4u * (lane & 15u)) >> 2] = [[B]];
  // LANES-NEXT: }
  // LANES-NEXT: memoryBarrierBuffer(); barrier();
  tile.store %b, %x[%tile] : vector<16xi32>, !tile.bytes
  // Bytes of one word are written by four invocations.
  // LANES: [[BYTE:v[0-9]+]] = [[C]] & 0xffu;
  // LANES: atomicAnd(binding1[{{.*}}], ~(0xffu <<
  // LANES: atomicOr(binding1[{{.*}}], [[BYTE]] <<
  %byte = arith.trunci %c : vector<32xi32> to vector<32xi8>
  tile.store %byte, %y[%c0] : vector<32xi8>, !tile.bytes
  // LANES: if (lane < 32u && lane < 5u) {
  // LANES-NEXT: binding1[(0u + [[SWAPPED]]) >> 2] = [[C]];
  tile.scatter %c, %y[%c0 + %swapped] lanes %c5 : vector<32xi32>, !tile.bytes, vector<32xi32>
}

// A workgroup computes one tile: a loop over the tiles of a strip is its tile, in the first place.
tile.kernel @strip(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 0) tokens 1 strip 4 {
  // LANES-LABEL: strip
  // LANES-NOT: for (
  // LANES:     uint [[V:v[0-9]+]] = binding0[(tile + 4u * lane) >> 2];
  // LANES:     uint [[PLACE:v[0-9]+]] = tile + 0;
  // LANES:     binding0[([[PLACE]] + 4u * lane) >> 2] = [[V]];
  tile.for_tiles %t, %place {
    %v = tile.load %x[%t] : !tile.bytes -> vector<32xi32>
    %at = arith.addi %t, %place : index
    tile.store %v, %x[%at] : vector<32xi32>, !tile.bytes
  }
}

// Its memory does not outlive a tile, so what is done once for a worker's tiles is done for each.
tile.kernel @once(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 4) tokens 1 {
  // LANES-LABEL: once
  // LANES-NOT: if (
  // LANES:     uint [[V:v[0-9]+]] = binding0[(tile + 4u * lane) >> 2];
  // LANES:     binding0[(tokens + 4u * lane) >> 2] = [[V]];
  tile.once %tokens at 0 {
    %v = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
    tile.store %v, %x[%tokens] : vector<32xi32>, !tile.bytes
  }
}
