/* simd.h: the one vector abstraction. dnnc_v holds DNNC_LANES floats; a target is one block of this file.
 *
 * Kernels and epilogues are written against these names only. To add a target, define DNNC_LANES (a divisor of
 * DNNC_PANEL), DNNC_TILE_VECTORS and the primitives below; the functions of elementary.h follow from them.
 * The meaning of each function is that of its scalar twin in scalar.h: v_max and v_min keep a NaN in their first
 * operand. With one lane dnnc_v is float and v_name is s_name. */
#ifndef DNNC_SIMD_H
#define DNNC_SIMD_H

#include "scalar.h"

#if defined(__AVX512F__)
/* As C++, gcc up to 12 takes the undefined lanes of its own intrinsics for a mistake (its bug 105593). */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

#define DNNC_LANES 16
#define DNNC_TILE_VECTORS 28 /* accumulators that a tile may hold, of 32 registers */
typedef __m512 dnnc_v;

DNNC_INLINE dnnc_v v_set(float a) { return _mm512_set1_ps(a); }
DNNC_INLINE dnnc_v v_load(const float *p) { return _mm512_loadu_ps(p); }
DNNC_INLINE void v_store(float *p, dnnc_v a) { _mm512_storeu_ps(p, a); }
/* the first `count` lanes, the rest zero; nothing beyond them is touched */
DNNC_INLINE __mmask16 dnnc_first(int count) { return (__mmask16)((1u << (count & 15)) - 1u); }
DNNC_INLINE dnnc_v v_load_part(const float *p, int count) {
  return count >= DNNC_LANES ? v_load(p) : _mm512_maskz_loadu_ps(dnnc_first(count), p);
}
DNNC_INLINE void v_store_part(float *p, dnnc_v a, int count) {
  if (count >= DNNC_LANES) v_store(p, a);
  else _mm512_mask_storeu_ps(p, dnnc_first(count), a);
}
DNNC_INLINE dnnc_v v_fma(dnnc_v a, dnnc_v b, dnnc_v c) { return _mm512_fmadd_ps(a, b, c); }
DNNC_INLINE dnnc_v v_add(dnnc_v a, dnnc_v b) { return _mm512_add_ps(a, b); }
DNNC_INLINE dnnc_v v_sub(dnnc_v a, dnnc_v b) { return _mm512_sub_ps(a, b); }
DNNC_INLINE dnnc_v v_mul(dnnc_v a, dnnc_v b) { return _mm512_mul_ps(a, b); }
DNNC_INLINE dnnc_v v_div(dnnc_v a, dnnc_v b) { return _mm512_div_ps(a, b); }
DNNC_INLINE dnnc_v v_max(dnnc_v a, dnnc_v b) { return _mm512_max_ps(b, a); }
DNNC_INLINE dnnc_v v_min(dnnc_v a, dnnc_v b) { return _mm512_min_ps(b, a); }
DNNC_INLINE dnnc_v v_sqrt(dnnc_v a) { return _mm512_sqrt_ps(a); }
DNNC_INLINE dnnc_v v_round(dnnc_v a) { return _mm512_roundscale_ps(a, 8); }
DNNC_INLINE dnnc_v v_floor(dnnc_v a) { return _mm512_roundscale_ps(a, 9); }
DNNC_INLINE dnnc_v v_ceil(dnnc_v a) { return _mm512_roundscale_ps(a, 10); }
DNNC_INLINE dnnc_v v_neg(dnnc_v a) {
  return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN)));
}
DNNC_INLINE dnnc_v v_abs(dnnc_v a) {
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MAX)));
}
DNNC_INLINE dnnc_v v_select_lt(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
DNNC_INLINE dnnc_v v_select_le(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LE_OQ), y, x);
}
DNNC_INLINE dnnc_v v_select_eq(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), y, x);
}
DNNC_INLINE dnnc_v v_table(const float *table, dnnc_v at) { return _mm512_i32gather_ps(_mm512_cvttps_epi32(at), table, 4); }
DNNC_INLINE dnnc_v v_ldexp(dnnc_v a, dnnc_v n) { return _mm512_scalef_ps(a, n); }
DNNC_INLINE dnnc_v v_split(dnnc_v a, dnnc_v *exponent) {
  const __m512i i = _mm512_castps_si512(a);
  const __m512i e = _mm512_srai_epi32(_mm512_sub_epi32(i, _mm512_set1_epi32(0x3f3504f3)), 23);
  *exponent = _mm512_cvtepi32_ps(e);
  return _mm512_castsi512_ps(_mm512_sub_epi32(i, _mm512_slli_epi32(e, 23)));
}

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#define DNNC_LANES 8
#define DNNC_TILE_VECTORS 12 /* of 16 registers */
typedef __m256 dnnc_v;

DNNC_INLINE dnnc_v v_set(float a) { return _mm256_set1_ps(a); }
DNNC_INLINE dnnc_v v_load(const float *p) { return _mm256_loadu_ps(p); }
DNNC_INLINE void v_store(float *p, dnnc_v a) { _mm256_storeu_ps(p, a); }
/* the first `count` lanes, the rest zero; nothing beyond them is touched */
DNNC_INLINE __m256i dnnc_first(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
DNNC_INLINE dnnc_v v_load_part(const float *p, int count) {
  return count >= DNNC_LANES ? v_load(p) : _mm256_maskload_ps(p, dnnc_first(count));
}
DNNC_INLINE void v_store_part(float *p, dnnc_v a, int count) {
  if (count >= DNNC_LANES) v_store(p, a);
  else _mm256_maskstore_ps(p, dnnc_first(count), a);
}
DNNC_INLINE dnnc_v v_fma(dnnc_v a, dnnc_v b, dnnc_v c) { return _mm256_fmadd_ps(a, b, c); }
DNNC_INLINE dnnc_v v_add(dnnc_v a, dnnc_v b) { return _mm256_add_ps(a, b); }
DNNC_INLINE dnnc_v v_sub(dnnc_v a, dnnc_v b) { return _mm256_sub_ps(a, b); }
DNNC_INLINE dnnc_v v_mul(dnnc_v a, dnnc_v b) { return _mm256_mul_ps(a, b); }
DNNC_INLINE dnnc_v v_div(dnnc_v a, dnnc_v b) { return _mm256_div_ps(a, b); }
DNNC_INLINE dnnc_v v_max(dnnc_v a, dnnc_v b) { return _mm256_max_ps(b, a); }
DNNC_INLINE dnnc_v v_min(dnnc_v a, dnnc_v b) { return _mm256_min_ps(b, a); }
DNNC_INLINE dnnc_v v_sqrt(dnnc_v a) { return _mm256_sqrt_ps(a); }
DNNC_INLINE dnnc_v v_round(dnnc_v a) { return _mm256_round_ps(a, 8); }
DNNC_INLINE dnnc_v v_floor(dnnc_v a) { return _mm256_round_ps(a, 9); }
DNNC_INLINE dnnc_v v_ceil(dnnc_v a) { return _mm256_round_ps(a, 10); }
DNNC_INLINE dnnc_v v_neg(dnnc_v a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
DNNC_INLINE dnnc_v v_abs(dnnc_v a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
DNNC_INLINE dnnc_v v_select_lt(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) {
  return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
DNNC_INLINE dnnc_v v_select_le(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) {
  return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LE_OQ));
}
DNNC_INLINE dnnc_v v_select_eq(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) {
  return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_EQ_OQ));
}
DNNC_INLINE dnnc_v v_table(const float *table, dnnc_v at) { return _mm256_i32gather_ps(table, _mm256_cvttps_epi32(at), 4); }
DNNC_INLINE dnnc_v v_ldexp(dnnc_v a, dnnc_v n) {
  const __m256i i = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(i, 1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i low = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i high = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(i, half), bias), 23);
  return v_mul(v_mul(a, _mm256_castsi256_ps(low)), _mm256_castsi256_ps(high));
}
DNNC_INLINE dnnc_v v_split(dnnc_v a, dnnc_v *exponent) {
  const __m256i i = _mm256_castps_si256(a);
  const __m256i e = _mm256_srai_epi32(_mm256_sub_epi32(i, _mm256_set1_epi32(0x3f3504f3)), 23);
  *exponent = _mm256_cvtepi32_ps(e);
  return _mm256_castsi256_ps(_mm256_sub_epi32(i, _mm256_slli_epi32(e, 23)));
}

#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>

#define DNNC_LANES 4
#define DNNC_TILE_VECTORS 8 /* of the 16 registers of x86, where a product needs one of its own before it is added */
typedef v128_t dnnc_v;

DNNC_INLINE dnnc_v v_set(float a) { return wasm_f32x4_splat(a); }
DNNC_INLINE dnnc_v v_load(const float *p) { return wasm_v128_load(p); }
DNNC_INLINE void v_store(float *p, dnnc_v a) { wasm_v128_store(p, a); }
/* the first `count` lanes, the rest zero; nothing beyond them is touched */
DNNC_INLINE dnnc_v v_load_part(const float *p, int count) {
  if (count >= DNNC_LANES) return v_load(p);
  if (count == 3) return wasm_v128_load32_lane(p + 2, wasm_v128_load64_zero(p), 2);
  return count == 2 ? wasm_v128_load64_zero(p) : count == 1 ? wasm_v128_load32_zero(p) : v_set(0.0f);
}
DNNC_INLINE void v_store_part(float *p, dnnc_v a, int count) {
  if (count >= DNNC_LANES) v_store(p, a);
  else if (count >= 2) wasm_v128_store64_lane(p, a, 0);
  if (count == 1) wasm_v128_store32_lane(p, a, 0);
  if (count == 3) wasm_v128_store32_lane(p + 2, a, 2);
}
DNNC_INLINE dnnc_v v_add(dnnc_v a, dnnc_v b) { return wasm_f32x4_add(a, b); }
DNNC_INLINE dnnc_v v_sub(dnnc_v a, dnnc_v b) { return wasm_f32x4_sub(a, b); }
DNNC_INLINE dnnc_v v_mul(dnnc_v a, dnnc_v b) { return wasm_f32x4_mul(a, b); }
DNNC_INLINE dnnc_v v_div(dnnc_v a, dnnc_v b) { return wasm_f32x4_div(a, b); }
DNNC_INLINE dnnc_v v_fma(dnnc_v a, dnnc_v b, dnnc_v c) { return v_add(v_mul(a, b), c); } /* none is fused here */
DNNC_INLINE dnnc_v v_max(dnnc_v a, dnnc_v b) { return wasm_f32x4_pmax(a, b); }
DNNC_INLINE dnnc_v v_min(dnnc_v a, dnnc_v b) { return wasm_f32x4_pmin(a, b); }
DNNC_INLINE dnnc_v v_sqrt(dnnc_v a) { return wasm_f32x4_sqrt(a); }
DNNC_INLINE dnnc_v v_round(dnnc_v a) { return wasm_f32x4_nearest(a); }
DNNC_INLINE dnnc_v v_floor(dnnc_v a) { return wasm_f32x4_floor(a); }
DNNC_INLINE dnnc_v v_ceil(dnnc_v a) { return wasm_f32x4_ceil(a); }
DNNC_INLINE dnnc_v v_neg(dnnc_v a) { return wasm_f32x4_neg(a); }
DNNC_INLINE dnnc_v v_abs(dnnc_v a) { return wasm_f32x4_abs(a); }
DNNC_INLINE dnnc_v v_select_lt(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) { return wasm_v128_bitselect(x, y, wasm_f32x4_lt(a, b)); }
DNNC_INLINE dnnc_v v_select_le(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) { return wasm_v128_bitselect(x, y, wasm_f32x4_le(a, b)); }
DNNC_INLINE dnnc_v v_select_eq(dnnc_v a, dnnc_v b, dnnc_v x, dnnc_v y) { return wasm_v128_bitselect(x, y, wasm_f32x4_eq(a, b)); }
DNNC_INLINE dnnc_v v_table(const float *table, dnnc_v at) {
  const v128_t i = wasm_i32x4_trunc_sat_f32x4(at);
  return wasm_f32x4_make(table[wasm_i32x4_extract_lane(i, 0)], table[wasm_i32x4_extract_lane(i, 1)],
                         table[wasm_i32x4_extract_lane(i, 2)], table[wasm_i32x4_extract_lane(i, 3)]);
}
/* As s_ldexp: a sum with 1.5 * 2^23 holds n in its low bits, which is shorter than a conversion that saturates. */
DNNC_INLINE dnnc_v v_ldexp(dnnc_v a, dnnc_v n) {
  const v128_t magic = v_set(12582912.0f), bias = wasm_i32x4_splat(127);
  const v128_t i = wasm_i32x4_sub(v_add(n, magic), magic);
  const v128_t half = wasm_i32x4_shr(i, 1);
  const v128_t low = wasm_i32x4_shl(wasm_i32x4_add(half, bias), 23);
  const v128_t high = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_sub(i, half), bias), 23);
  return v_mul(v_mul(a, low), high);
}
DNNC_INLINE dnnc_v v_split(dnnc_v a, dnnc_v *exponent) {
  const v128_t e = wasm_i32x4_shr(wasm_i32x4_sub(a, wasm_i32x4_splat(0x3f3504f3)), 23);
  *exponent = wasm_f32x4_convert_i32x4(e);
  return wasm_i32x4_sub(a, wasm_i32x4_shl(e, 23));
}
/* Whole numbers of 32 bits as floats. Where clang sees that they were narrower, it converts them one by one. */
DNNC_INLINE dnnc_v v_from_whole(v128_t a) {
  __asm__("" : "+r"(a));
  return wasm_f32x4_convert_i32x4(a);
}

#else

#define DNNC_LANES 1
#define DNNC_TILE_VECTORS 0 /* no tiled kernels */
typedef float dnnc_v;

DNNC_INLINE dnnc_v v_load(const float *p) { return *p; }
DNNC_INLINE void v_store(float *p, dnnc_v a) { *p = a; }
DNNC_INLINE dnnc_v v_load_part(const float *p, int count) { return count > 0 ? *p : 0.0f; }
DNNC_INLINE void v_store_part(float *p, dnnc_v a, int count) {
  if (count > 0) *p = a;
}
#define v_set s_set
#define v_fma s_fma
#define v_table s_table
#define v_add s_add
#define v_sub s_sub
#define v_mul s_mul
#define v_div s_div
#define v_max s_max
#define v_min s_min
#define v_neg s_neg
#define v_abs s_abs
#define v_sqrt s_sqrt
#define v_floor s_floor
#define v_ceil s_ceil
#define v_round s_round
#define v_select_lt s_select_lt
#define v_select_le s_select_le
#define v_select_eq s_select_eq
#define v_maximum s_maximum
#define v_minimum s_minimum
#define v_exp s_exp
#define v_log s_log
#define v_sigmoid s_sigmoid
#define v_tanh s_tanh
#define v_erf s_erf

#endif

#if DNNC_LANES > 1
#define DNNC_T dnnc_v
#define DNNC_F(name) v_##name
#include "elementary.h"
#undef DNNC_T
#undef DNNC_F
#endif

/* What a kernel does to each finished sum before it is stored. e0 and e1 are its further operands at the same place,
 * zero when the shape has fewer extras. Always inlined: pass a DNNC_INLINE function by name. */
typedef dnnc_v (*dnnc_epilogue)(dnnc_v acc, dnnc_v e0, dnnc_v e1);

DNNC_INLINE dnnc_v dnnc_identity(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  (void)e0;
  (void)e1;
  return acc;
}

/* `count` lanes of an extra operand at p: consecutive elements, or with stride 0 one value for all. */
DNNC_INLINE dnnc_v dnnc_extra(const float *p, ptrdiff_t stride, int count) {
  return stride == 0 ? v_set(*p) : v_load_part(p, count);
}

#endif
