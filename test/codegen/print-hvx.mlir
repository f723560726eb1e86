// RUN: sinter-opt %S/Inputs/linear_q8_0.mlir -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(tile.kernel(expand-formats,unroll-tokens,canonicalize,cse),print-hvx)' \
// RUN:   | FileCheck %s
// RUN: sinter-opt %S/Inputs/linear_q4_k.mlir -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(tile.kernel(expand-formats,unroll-tokens,canonicalize,cse),print-hvx)' \
// RUN:   | FileCheck %s --check-prefix=Q4
// RUN: sinter-opt %s --print-hvx -o /dev/null | FileCheck %s --check-prefix=LANES
// RUN: sinter-opt %s --print-hvx -o /dev/null | FileCheck %s --check-prefix=POSITIVE

// The linear layer. vrmpy takes unsigned bytes: two's complement codes go in with the top bit flipped.
// CHECK:      #include "sinter/kernel_abi.h"
// CHECK:      static inline HVX_Vector dot_signed(HVX_Vector acc, HVX_Vector w, uint32_t x) {
// CHECK-NEXT:   return Q6_Vw_vrmpyacc_VwVubRb(acc, Q6_V_vxor_VV(w, Q6_V_vsplat_R(0x80808080)), x);
// What is only read is const.
// CHECK:      static void linear_q8_0_tile(const uint8_t *binding0, const uint8_t *binding1, uint8_t *binding2,
// CHECK:        HVX_Vector [[ACC:v[0-9]+]] = Q6_V_vzero();
// CHECK:        for (uint32_t [[K:v[0-9]+]] = 0u; [[K]] < 8u; [[K]] += 1u) {
// CHECK:          uint32_t [[TILE:v[0-9]+]] = tile * 8704u;
// CHECK:          uint32_t [[BLOCK:v[0-9]+]] = [[K]] * 1088u;
// CHECK:          uint32_t [[DAT:v[0-9]+]] = [[TILE]] + [[BLOCK]];
// CHECK:          uint32_t [[AT:v[0-9]+]] = [[DAT]] + 64u;
// CHECK:          HVX_Vector [[Q0:v[0-9]+]] = load_words(binding0 + [[AT]]);
// CHECK:          const uint32_t [[X:v[0-9]+]][8] = {load_word(
// CHECK:          float [[XSCALE:v[0-9]+]] = load_float(binding1 +
// CHECK:          uint32_t [[START:v[0-9]+]] = load_word(binding1 +
// CHECK:          HVX_Vector [[DOT:v[0-9]+]] = Q6_V_vzero();
// CHECK-NEXT:     [[DOT]] = dot_signed([[DOT]], [[Q0]], [[X]][0]);
// CHECK-COUNT-7:  [[DOT]] = dot_signed([[DOT]],
// 128 times the sum of the activations was added that way; the start is -8 times it.
// CHECK-NEXT:     [[DOT]] = Q6_Vw_vadd_VwVw([[DOT]], Q6_V_vsplat_R([[START]] << 4));
// CHECK:          HVX_Vector [[D:v[0-9]+]] = load_halves(binding0 + [[DAT]]
// Floats are the scalar core's.
// CHECK:          for (uint32_t lane = 0; lane < 32; ++lane) r.f[lane] = __builtin_fmaf(a0.f[lane], a1.f[lane], a2.f[lane]);
// CHECK:          [[ACC]] = {{v[0-9]+}};
// CHECK-NEXT:   }
// CHECK:        store_words(binding2 + {{v[0-9]+}}, [[ACC]], 32);
// CHECK:      void linear_q8_0(const sinter_kernel_args *args) {
// CHECK-NEXT:   for (uint32_t tile = args->tile_begin; tile < args->tile_end; ++tile)

// Codes of four bits are unsigned as they are; their masks and shifts are vector instructions.
// Q4-NOT: dot_signed
// Q4:     HVX_Vector [[LOW:v[0-9]+]] = Q6_V_vand_VV([[LINE:v[0-9]+]], Q6_V_vsplat_R(0x0f0f0f0fu));
// Q4:     HVX_Vector [[HIGH:v[0-9]+]] = Q6_Vuw_vlsr_VuwR([[LINE]], 4u);
// Q4:     = Q6_Vw_vrmpyacc_VwVubRb({{v[0-9]+}}, [[LOW]], {{v[0-9]+}}[0]);

// Activations without a sign are the unsigned bytes.
// POSITIVE:     uint32_t [[X:v[0-9]+]][8] = {load_word(
// POSITIVE:     [[DOT:v[0-9]+]] = Q6_Vw_vrmpyacc_VwVubVb([[DOT]], Q6_V_vsplat_R([[X]][2]), [[Q:v[0-9]+]]);
// POSITIVE-NOT: Vw_vadd
tile.kernel @positive(%x: !tile.bytes) grid(%tile, %tokens, %position) scratch(%s : 0) tokens 1 {
  %q = tile.load %x[%tile] : !tile.bytes -> vector<32xi32>
  %u = tile.load_uniform %x[%tile] : !tile.bytes -> vector<8xi32>
  %d = tile.dot %q, [%q], %u from 2 bits 8 positive : [vector<32xi32>], vector<8xi32> -> vector<32xi32>
  tile.store %d, %x[%tile] : vector<32xi32>, !tile.bytes
}

// LANES: // lanes: the rows of a tile
tile.kernel @lanes(%x: !tile.bytes, %y: !tile.bytes) grid(%tile, %tokens, %position)
    scratch(%scratch : 64) tokens 1 {
  %c0 = arith.constant 0 : index
  // LANES: HVX_Vector [[A:v[0-9]+]] = load_words(binding0 + tile);
  %a = tile.load %x[%tile] : !tile.bytes -> vector<16xi32>
  // LANES: HVX_Vector [[B:v[0-9]+]] = Q6_Vw_vasr_VwR([[A]], 4u);
  %four = arith.constant dense<4> : vector<16xi32>
  %b = arith.shrsi %a, %four : vector<16xi32>
  // LANES: HVX_Vector [[C:v[0-9]+]] = join_lanes([[A]], 16, [[B]]);
  %c = tile.concat %a, %b : vector<16xi32>, vector<16xi32> -> vector<32xi32>
  // LANES: uint32_t [[SUM:v[0-9]+]] = reduce_add_i32([[C]], 16);
  %sum = tile.reduce <add> %c lanes 16 : vector<32xi32> -> i32
  // LANES: *(word_at *)(scratch + 0u) = [[SUM]];
  tile.store_uniform %sum, %scratch[%c0] : i32, !tile.bytes
  // A comparison is a predicate register, kept as words of ones.
  // LANES: HVX_Vector [[LESS:v[0-9]+]] = Q6_V_vand_QR(Q6_Q_vcmp_gt_VwVw([[C]], Q6_V_vzero()), -1);
  %zero = arith.constant dense<0> : vector<32xi32>
  %less = arith.cmpi slt, %zero, %c : vector<32xi32>
  // LANES: HVX_Vector [[D:v[0-9]+]] = Q6_V_vmux_QVV(Q6_Q_vand_VR([[LESS]], -1), [[C]], Q6_V_vzero());
  %d = arith.select %less, %c, %zero : vector<32xi1>, vector<32xi32>
  // No instruction multiplies words by words, and none divides.
  // LANES: HVX_Vector [[E:v[0-9]+]] = multiply_words([[D]], [[C]]);
  %e = arith.muli %d, %c : vector<32xi32>
  // LANES: r.u[lane] = divide_unsigned(a0.u[lane], a1.u[lane]);
  %f = arith.divui %e, %c : vector<32xi32>
  // LANES: store_words(binding1 + 0u, {{v[0-9]+}}, 32);
  tile.store %f, %y[%c0] : vector<32xi32>, !tile.bytes
}
