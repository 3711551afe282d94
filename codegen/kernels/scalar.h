/* scalar.h: element-wise functions on one float, the twins of the v_ functions in simd.h.
 *
 * No branches and no libm, so gcc -O3 vectorises loops that call them. Do not compile with -ffast-math: s_round and
 * s_exp count on additions being done as written, and on NaN.
 *
 * NaN: s_max and s_min keep a NaN in their first operand and drop one in the second. So write s_max(x, 0) for Relu.
 * The functions of elementary.h keep NaN. */
#ifndef DNNC_SCALAR_H
#define DNNC_SCALAR_H

#include "dnnc.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The bits of a float, and back. */
DNNC_INLINE int32_t s_bits(float a) {
  int32_t i;
  memcpy(&i, &a, sizeof i);
  return i;
}
DNNC_INLINE float s_from_bits(int32_t i) {
  float a;
  memcpy(&a, &i, sizeof a);
  return a;
}

/* Half-width floats, given by their bits. */
DNNC_INLINE float cast_f16_f32(uint16_t a) {
  const int32_t size = (a & 0x7fff) << 13;
  const uint32_t bits = (uint32_t)s_bits(s_from_bits(size) * 0x1p112f) | (size >= 0x0f800000 ? 0x7f800000u : 0u);
  return s_from_bits((int32_t)(bits | (uint32_t)(a & 0x8000) << 16));
}
DNNC_INLINE float cast_bf16_f32(uint16_t a) { return s_from_bits((int32_t)((uint32_t)a << 16)); }

DNNC_INLINE float s_infinity(void) { return s_from_bits(0x7f800000); }
DNNC_INLINE float s_nan(void) { return s_from_bits(0x7fc00000); }

DNNC_INLINE float s_set(float a) { return a; }
DNNC_INLINE float s_add(float a, float b) { return a + b; }
DNNC_INLINE float s_sub(float a, float b) { return a - b; }
DNNC_INLINE float s_mul(float a, float b) { return a * b; }
DNNC_INLINE float s_div(float a, float b) { return a / b; }
DNNC_INLINE float s_neg(float a) { return -a; }
DNNC_INLINE float s_max(float a, float b) { return b > a ? b : a; }
DNNC_INLINE float s_min(float a, float b) { return b < a ? b : a; }
DNNC_INLINE float s_abs(float a) { return s_from_bits(s_bits(a) & INT32_MAX); }
DNNC_INLINE float s_select_lt(float a, float b, float x, float y) { return a < b ? x : y; }
DNNC_INLINE float s_select_le(float a, float b, float x, float y) { return a <= b ? x : y; }
DNNC_INLINE float s_select_eq(float a, float b, float x, float y) { return a == b ? x : y; }

/* a * b + c, fused only where the machine has it: a call of fmaf would cost more than all the rest. */
DNNC_INLINE float s_fma(float a, float b, float c) {
#if defined(__FMA__) || defined(__FP_FAST_FMAF) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

/* Element `at`, a whole number, of a table. */
DNNC_INLINE float s_table(const float *table, float at) { return table[(int)at]; }

/* sqrtf of libm sets errno, so a compiler that cares about errno calls it. */
DNNC_INLINE float s_sqrt(float a) {
#if defined(__SSE2__) && !defined(__NO_MATH_ERRNO__)
  return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a)));
#else
  return __builtin_sqrtf(a);
#endif
}

/* Nearest integer, halves to even, and the integers below and above. They keep the sign of zero. */
#if defined(__wasm__) /* which has instructions for them, on every engine */
DNNC_INLINE float s_round(float a) { return __builtin_nearbyintf(a); }
DNNC_INLINE float s_floor(float a) { return __builtin_floorf(a); }
DNNC_INLINE float s_ceil(float a) { return __builtin_ceilf(a); }
#else
/* Adding 2^23 leaves no bits for a fraction. */
DNNC_INLINE float s_round(float a) {
  const float two23 = 8388608.0f;
  const float size = s_abs(a);
  const float rounded = (size + two23) - two23;
  return s_from_bits(s_bits(size < two23 ? rounded : size) | (s_bits(a) & INT32_MIN));
}
DNNC_INLINE float s_floor(float a) {
  const float r = s_round(a);
  return r > a ? r - 1.0f : r;
}
DNNC_INLINE float s_ceil(float a) {
  const float r = s_round(a);
  return s_from_bits(s_bits(r < a ? r + 1.0f : r) | (s_bits(a) & INT32_MIN));
}
#endif

/* a * 2^n for an integral n, |n| <= 252. In two factors, so that results which are subnormal or overflow come out
 * right. The sum with 1.5 * 2^23 holds n in its low bits: unlike a cast to int this is defined for NaN too. */
DNNC_INLINE float s_ldexp(float a, float n) {
  const float magic = 12582912.0f;
  const int32_t i = (int32_t)((uint32_t)s_bits(n + magic) - (uint32_t)s_bits(magic));
  const int32_t half = i >> 1;
  const float low = s_from_bits((int32_t)((uint32_t)(half + 127) << 23));
  const float high = s_from_bits((int32_t)((uint32_t)(i - half + 127) << 23));
  return a * low * high;
}

/* Splits a normal a > 0 into mantissa * 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)). */
DNNC_INLINE float s_split(float a, float *exponent) {
  const int32_t sqrt_half = 0x3f3504f3;
  const int32_t i = s_bits(a);
  const int32_t e = (int32_t)((uint32_t)i - (uint32_t)sqrt_half) >> 23;
  *exponent = (float)e;
  return s_from_bits((int32_t)((uint32_t)i - ((uint32_t)e << 23)));
}

#define DNNC_T float
#define DNNC_F(name) s_##name
#include "elementary.h"
#undef DNNC_T
#undef DNNC_F

#endif
