//===- HVXHelpers.cpp - C functions that a printed kernel may call ------------===//
#include "codegen/hexagon/HVXHelpers.h"

using namespace sinter;

static constexpr TextHelper kHelpers[] = {
    {"float_of_bits",
     R"(static inline float float_of_bits(uint32_t bits) { float f; __builtin_memcpy(&f, &bits, 4); return f; }
)"},
    {"bits_of_float",
     R"(static inline uint32_t bits_of_float(float f) { uint32_t bits; __builtin_memcpy(&bits, &f, 4); return bits; }
)"},
    {"float_of_half",
     R"(static inline float float_of_half(uint32_t h) {
  uint32_t magnitude = h & 0x7fffu;
  float value = magnitude < 0x400u ? (float)magnitude * 0x1p-24f
              : float_of_bits((magnitude << 13) + (magnitude < 0x7c00u ? 0x38000000u : 0x70000000u));
  return h & 0x8000u ? -value : value;
}
)"},
    {"half_of_float",
     R"(static inline uint32_t half_of_float(float value) {
  uint32_t bits = bits_of_float(value), sign = (bits >> 16) & 0x8000u;
  bits &= 0x7fffffffu;
  if (bits > 0x7f800000u) return sign | 0x7e00u;
  if (bits >= 0x47800000u) return sign | 0x7c00u;
  if (bits < 0x38800000u) return sign | (bits_of_float(float_of_bits(bits) + 0.5f) - 0x3f000000u);
  return sign | ((bits + 0xfffu + ((bits >> 13) & 1u) - 0x38000000u) >> 13);
}
)"},
    {"round_to_half",
     R"(static inline float round_to_half(float value) { return float_of_half(half_of_float(value)); }
)"},
    // Above 2^22 in magnitude the constant would round integers away; those have no fraction to
    // round.
    {"round_even",
     R"(static inline float round_even(float value) {
  if (!(__builtin_fabsf(value) < 0x1p22f)) return value;
  float rounded = __builtin_fabsf(value) + 0x1p23f - 0x1p23f;
  return __builtin_copysignf(rounded, value);
}
)"},
    // One bit of the quotient a step; the 25th and what is left over round it.
    {"divide_float",
     R"(static inline float divide_float(float a, float b) {
  uint32_t x = bits_of_float(a), y = bits_of_float(b), sign = (x ^ y) & 0x80000000u;
  x &= 0x7fffffffu, y &= 0x7fffffffu;
  if (x > 0x7f800000u || y > 0x7f800000u) return a + b;
  if (x == y && (x == 0 || x == 0x7f800000u)) return float_of_bits(0x7fc00000u);
  if (x == 0x7f800000u || y == 0) return float_of_bits(sign | 0x7f800000u);
  if (x == 0 || y == 0x7f800000u) return float_of_bits(sign);
  int32_t ex = (int32_t)(x >> 23), ey = (int32_t)(y >> 23);
  x = ex ? (x & 0x7fffffu) | 0x800000u : x, y = ey ? (y & 0x7fffffu) | 0x800000u : y;
  for (ex += !ex; x < 0x800000u; --ex) x <<= 1;
  for (ey += !ey; y < 0x800000u; --ey) y <<= 1;
  int32_t e = ex - ey + 127;
  if (x < y) x <<= 1, --e;
  uint32_t q = 0;
  for (int i = 0; i < 25; ++i) {
    q <<= 1;
    if (x >= y) x -= y, q |= 1;
    x <<= 1;
  }
  q = q << 1 | (x != 0);
  if (e >= 255) return float_of_bits(sign | 0x7f800000u);
  if (e <= 0) {
    uint32_t shift = e < -26 ? 27 : (uint32_t)(1 - e);
    q = q >> shift | ((q & ((1u << shift) - 1u)) != 0);
    e = 1;
  }
  uint32_t rounded = (q >> 2) + ((q & 2u) && (q & 5u));
  return float_of_bits(sign | (((uint32_t)(e - 1) << 23) + rounded));
}
)"},
    // Out of line: clang 19 at -O2 gets the root of 1 wrong where it is inlined into a large kernel.
    {"square_root",
     R"(static __attribute__((noinline)) float square_root(float a) {
  uint32_t x = bits_of_float(a);
  if (x == 0 || x == 0x80000000u || x == 0x7f800000u || a != a) return a;
  if (x >> 31) return float_of_bits(0x7fc00000u);
  int32_t e = (int32_t)(x >> 23);
  x = e ? (x & 0x7fffffu) | 0x800000u : x;
  for (e += !e; x < 0x800000u; --e) x <<= 1;
  e -= 127;
  uint64_t square = (uint64_t)x << (e & 1 ? 26 : 25), root = 0;
  for (int bit = 24; bit >= 0; --bit) {
    uint64_t next = root | 1u << bit;
    if (next * next <= square) root = next;
  }
  uint32_t q = (uint32_t)root << 1 | (root * root != square);
  uint32_t rounded = (q >> 2) + ((q & 2u) && (q & 5u));
  return float_of_bits(((uint32_t)((e >> 1) + 126) << 23) + rounded);
}
)"},
    // 2^n times a polynomial on -ln2/2 .. ln2/2 (Cephes, expf); what would be denormal is zero.
    {"exponential",
     R"(static inline float exponential(float x) {
  if (x != x) return x;
  if (x > 88.7228393f) return float_of_bits(0x7f800000u);
  if (x < -87.3365479f) return 0.0f;
  float n = round_even(x * 1.44269504f);
  float r = __builtin_fmaf(n, 2.12194440e-4f, __builtin_fmaf(n, -0.693359375f, x));
  float p = 1.9875691500e-4f;
  p = __builtin_fmaf(p, r, 1.3981999507e-3f);
  p = __builtin_fmaf(p, r, 8.3334519073e-3f);
  p = __builtin_fmaf(p, r, 4.1665795894e-2f);
  p = __builtin_fmaf(p, r, 1.6666665459e-1f);
  p = __builtin_fmaf(p, r, 5.0000001201e-1f);
  p = __builtin_fmaf(p, r * r, r) + 1.0f;
  int32_t whole = (int32_t)n, half = whole >> 1;
  return p * float_of_bits((uint32_t)(half + 127) << 23) * float_of_bits((uint32_t)(whole - half + 127) << 23);
}
)"},
    // The core has no division: one bit of the quotient a step.
    {"divide_unsigned",
     R"(static inline uint32_t divide_unsigned(uint32_t a, uint32_t b) {
  uint32_t quotient = 0, rest = 0;
  for (int bit = 31; bit >= 0; --bit) {
    uint32_t top = rest >> 31;
    rest = rest << 1 | (a >> bit & 1u);
    if (top || rest >= b) {
      rest -= b;
      quotient |= 1u << bit;
    }
  }
  return quotient;
}
)"},
    {"remainder_unsigned",
     R"(static inline uint32_t remainder_unsigned(uint32_t a, uint32_t b) {
  return a - divide_unsigned(a, b) * b;
}
)"},
    {"divide_signed",
     R"(static inline uint32_t divide_signed(uint32_t a, uint32_t b) {
  uint32_t quotient = divide_unsigned(a >> 31 ? -a : a, b >> 31 ? -b : b);
  return (a ^ b) >> 31 ? -quotient : quotient;
}
)"},
    {"load_word",
     R"(static inline uint32_t load_word(const uint8_t *p) { return *(const word_at *)p; }
)"},
    {"load_float",
     R"(static inline float load_float(const uint8_t *p) { return *(const float_at *)p; }
)"},
    {"load_words",
     R"(static inline HVX_Vector load_words(const uint8_t *p) { return *(const vector_at *)p; }
)"},
    {"load_halfwords",
     R"(static inline HVX_Vector load_halfwords(const uint8_t *p) {
  return Q6_V_lo_W(Q6_Wuw_vunpack_Vuh(load_words(p)));
}
)"},
    {"load_bytes",
     R"(static inline HVX_Vector load_bytes(const uint8_t *p) {
  return Q6_V_lo_W(Q6_Wuw_vunpack_Vuh(Q6_V_lo_W(Q6_Wuh_vunpack_Vub(load_words(p)))));
}
)"},
    {"load_halves",
     R"(static inline HVX_Vector load_halves(const uint8_t *p) {
  lanes_of a = {load_halfwords(p)}, r;
  for (uint32_t lane = 0; lane < 32; ++lane) r.f[lane] = float_of_half(a.u[lane]);
  return r.v;
}
)"},
    {"store_bytes_of",
     R"(static inline void store_bytes_of(uint8_t *p, HVX_Vector value, uint32_t bytes) {
  lanes_of a = {value};
  for (uint32_t i = 0; i < bytes; ++i) p[i] = a.b[i];
}
)"},
    {"store_words",
     R"(static inline void store_words(uint8_t *p, HVX_Vector value, uint32_t lanes) {
  if (lanes == 32) *(vector_at *)p = value;
  else store_bytes_of(p, value, 4 * lanes);
}
)"},
    {"store_halfwords",
     R"(static inline void store_halfwords(uint8_t *p, HVX_Vector value, uint32_t lanes) {
  store_bytes_of(p, Q6_Vh_vpacke_VwVw(value, value), 2 * lanes);
}
)"},
    {"store_bytes",
     R"(static inline void store_bytes(uint8_t *p, HVX_Vector value, uint32_t lanes) {
  HVX_Vector h = Q6_Vh_vpacke_VwVw(value, value);
  store_bytes_of(p, Q6_Vb_vpacke_VhVh(h, h), lanes);
}
)"},
    {"store_halves",
     R"(static inline void store_halves(uint8_t *p, HVX_Vector value, uint32_t lanes) {
  lanes_of a = {value}, r = {value};
  for (uint32_t lane = 0; lane < lanes; ++lane) r.u[lane] = half_of_float(a.f[lane]);
  store_halfwords(p, r.v, lanes);
}
)"},
    {"splat_float",
     R"(static inline HVX_Vector splat_float(float value) { return Q6_V_vsplat_R(bits_of_float(value)); }
)"},
    // The upper half times, moved up, plus the lower half times: what a 32-bit product keeps.
    {"multiply_words",
     R"(static inline HVX_Vector multiply_words(HVX_Vector a, HVX_Vector b) {
  return Q6_Vw_vmpyieacc_VwVwVuh(Q6_Vw_vasl_VwR(Q6_Vw_vmpyio_VwVh(a, b), 16), a, b);
}
)"},
    // acc + w.x for four signed bytes w and x a lane: the instruction takes w as unsigned, so w +
    // 128 goes in.
    {"dot_signed",
     R"(static inline HVX_Vector dot_signed(HVX_Vector acc, HVX_Vector w, uint32_t x) {
  return Q6_Vw_vrmpyacc_VwVubRb(acc, Q6_V_vxor_VV(w, Q6_V_vsplat_R(0x80808080)), x);
}
)"},
    {"multiply_add_float",
     R"(static inline HVX_Vector multiply_add_float(HVX_Vector acc, HVX_Vector w, float x) {
  lanes_of a = {acc}, b = {w};
  for (uint32_t lane = 0; lane < 32; ++lane) a.f[lane] = __builtin_fmaf(b.f[lane], x, a.f[lane]);
  return a.v;
}
)"},
    {"reduce_add_f32",
     R"(static inline float reduce_add_f32(HVX_Vector value, uint32_t lanes) {
  lanes_of a = {value};
  for (uint32_t lane = lanes; lane < 32; ++lane) a.f[lane] = 0.0f;
  for (uint32_t half = 16; half; half >>= 1)
    for (uint32_t lane = 0; lane < half; ++lane) a.f[lane] += a.f[lane + half];
  return a.f[0];
}
)"},
    {"reduce_max_f32",
     R"(static inline float reduce_max_f32(HVX_Vector value, uint32_t lanes) {
  lanes_of a = {value};
  for (uint32_t lane = 1; lane < lanes; ++lane) a.f[0] = __builtin_fmaxf(a.f[0], a.f[lane]);
  return a.f[0];
}
)"},
    {"reduce_add_i32",
     R"(static inline uint32_t reduce_add_i32(HVX_Vector value, uint32_t lanes) {
  lanes_of a = {value};
  for (uint32_t lane = 1; lane < lanes; ++lane) a.u[0] += a.u[lane];
  return a.u[0];
}
)"},
    {"reduce_max_i32",
     R"(static inline uint32_t reduce_max_i32(HVX_Vector value, uint32_t lanes) {
  lanes_of a = {value};
  for (uint32_t lane = 1; lane < lanes; ++lane)
    if ((int32_t)a.u[lane] > (int32_t)a.u[0]) a.u[0] = a.u[lane];
  return a.u[0];
}
)"},
    {"lane_numbers",
     R"(static inline HVX_Vector lane_numbers(void) {
  lanes_of r;
  for (uint32_t lane = 0; lane < 32; ++lane) r.u[lane] = lane;
  return r.v;
}
)"},
    {"swap_pairs",
     R"(static inline HVX_Vector swap_pairs(HVX_Vector value) {
  lanes_of a = {value}, r;
  for (uint32_t lane = 0; lane < 32; ++lane) r.u[lane] = a.u[lane ^ 1];
  return r.v;
}
)"},
    // Lanes below `lanes` of a, then b from its first lane on.
    {"join_lanes",
     R"(static inline HVX_Vector join_lanes(HVX_Vector a, uint32_t lanes, HVX_Vector b) {
  return Q6_V_vmux_QVV(Q6_Q_vsetq_R(4 * lanes), a, Q6_V_vror_VR(b, 128 - 4 * lanes));
}
)"},
};

llvm::ArrayRef<TextHelper> sinter::hvxHelpers() { return kHelpers; }
