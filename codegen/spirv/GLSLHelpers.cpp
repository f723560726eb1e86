//===- GLSLHelpers.cpp - GLSL functions that a printed kernel may call -------------===//
#include "codegen/spirv/GLSLHelpers.h"

using namespace sinter;

static constexpr TextHelper kHelpers[] = {
    // Halves are taken apart by hand: unpackHalf2x16 may flush the small scales of small weights.
    {"float_of_half", R"(
float float_of_half(uint h) {
  uint magnitude = h & 0x7fffu;
  float value = magnitude < 0x400u ? float(magnitude) * 5.9604644775390625e-8
              : uintBitsToFloat((magnitude << 13) + (magnitude < 0x7c00u ? 0x38000000u : 0x70000000u));
  return (h & 0x8000u) != 0u ? -value : value;
}
)"},
    {"half_of_float", R"(
uint half_of_float(float value) {
  uint bits = floatBitsToUint(value);
  uint sign = (bits >> 16) & 0x8000u;
  bits &= 0x7fffffffu;
  if (bits > 0x7f800000u) return sign | 0x7e00u;
  if (bits >= 0x47800000u) return sign | 0x7c00u;
  if (bits < 0x38800000u) return sign | (floatBitsToUint(uintBitsToFloat(bits) + 0.5) - 0x3f000000u);
  return sign | ((bits + 0xfffu + ((bits >> 13) & 1u) - 0x38000000u) >> 13);
}
)"},
    {"round_to_half", R"(
float round_to_half(float value) { return float_of_half(half_of_float(value)); }
)"},
    {"dot4", R"(
uint dot4(uint a, uint b) {
  ivec4 x = bitfieldExtract(ivec4(int(a), int(a >> 8), int(a >> 16), int(a >> 24)), 0, 8);
  ivec4 y = bitfieldExtract(ivec4(int(b), int(b >> 8), int(b >> 16), int(b >> 24)), 0, 8);
  ivec4 p = x * y;
  return uint(p.x + p.y + p.z + p.w);
}
)"},
    {"lookup4", R"(
uint lookup4(uint codes, uvec4 table) {
  uint result = 0u;
  for (uint shift = 0u; shift < 32u; shift += 8u) {
    uint code = (codes >> shift) & 15u;
    result |= ((table[code >> 2] >> (8u * (code & 3u))) & 0xffu) << shift;
  }
  return result;
}
)"},
    {"sdot4", R"(
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018], id = 4450)
int op_sdot(int a, int b, spirv_literal int packed_4x8);
uint sdot4(uint a, uint b) { return uint(op_sdot(int(a), int(b), 0)); }
)"},
    {"reduce_add_f32", R"(
float reduce_add_f32(float value, uint rows) {
  barrier();
  shared_lanes[lane] = lane < rows ? floatBitsToUint(value) : 0u;
  for (uint half_rows = 16u; half_rows > 0u; half_rows >>= 1) {
    barrier();
    if (lane < half_rows)
      shared_lanes[lane] = floatBitsToUint(uintBitsToFloat(shared_lanes[lane]) + uintBitsToFloat(shared_lanes[lane + half_rows]));
  }
  barrier();
  return uintBitsToFloat(shared_lanes[0]);
}
)"},
    {"reduce_max_f32", R"(
float reduce_max_f32(float value, uint rows) {
  barrier();
  shared_lanes[lane] = lane < rows ? floatBitsToUint(value) : 0xff800000u;
  for (uint half_rows = 16u; half_rows > 0u; half_rows >>= 1) {
    barrier();
    if (lane < half_rows)
      shared_lanes[lane] = floatBitsToUint(max(uintBitsToFloat(shared_lanes[lane]), uintBitsToFloat(shared_lanes[lane + half_rows])));
  }
  barrier();
  return uintBitsToFloat(shared_lanes[0]);
}
)"},
    {"reduce_add_i32", R"(
uint reduce_add_i32(uint value, uint rows) {
  barrier();
  shared_lanes[lane] = lane < rows ? value : 0u;
  for (uint half_rows = 16u; half_rows > 0u; half_rows >>= 1) {
    barrier();
    if (lane < half_rows)
      shared_lanes[lane] += shared_lanes[lane + half_rows];
  }
  barrier();
  return shared_lanes[0];
}
)"},
    {"reduce_max_i32", R"(
uint reduce_max_i32(uint value, uint rows) {
  barrier();
  shared_lanes[lane] = lane < rows ? value : 0x80000000u;
  for (uint half_rows = 16u; half_rows > 0u; half_rows >>= 1) {
    barrier();
    if (lane < half_rows)
      shared_lanes[lane] = uint(max(int(shared_lanes[lane]), int(shared_lanes[lane + half_rows])));
  }
  barrier();
  return shared_lanes[0];
}
)"},
    {"row_of_lanes", R"(
uint row_of_lanes(uint value, uint row) {
  barrier();
  shared_lanes[lane] = value;
  barrier();
  return shared_lanes[row];
}
)"},
};

llvm::ArrayRef<TextHelper> sinter::glslHelpers() { return kHelpers; }
