/* bytes.h: whole numbers from 0 to 255 in bytes, beside the floats of simd.h; and exact sums of products of bytes.
 *
 * dnnc_vi holds DNNC_LANES numbers of 32 bits. vi_dot adds to each the products of four bytes of x (0 to 255) with four
 * of w (-128 to 127). Nothing saturates on the way, so every target has the same sums. */
#ifndef DNNC_BYTES_H
#define DNNC_BYTES_H

#include "simd.h"

/* The instruction by name: around the intrinsic function gcc 12 moves every sum to the stack and back. */
#define DNNC_DOT(instruction)                                                                                                  \
  DNNC_INLINE dnnc_vi vi_dot(dnnc_vi acc, dnnc_vi x, dnnc_vi w) {                                                    \
    __asm__(instruction " %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));                                                     \
    return acc;                                                                                                      \
  }

/* Lanes [0, count) of a byte operand as floats, and back: a number from 0 to 255, which is rounded, halves to even. */
#if DNNC_LANES == 16

DNNC_INLINE dnnc_v v_load_bytes(const uint8_t *p, int count) {
  const __m128i bytes = count >= 16 ? _mm_loadu_si128((const __m128i *)(const void *)p)
                                    : _mm_maskz_loadu_epi8(dnnc_first(count), p);
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}
DNNC_INLINE void v_store_bytes(uint8_t *p, dnnc_v a, int count) {
  const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a));
  if (count >= 16) _mm_storeu_si128((__m128i *)(void *)p, bytes);
  else _mm_mask_storeu_epi8(p, dnnc_first(count), bytes);
}

typedef __m512i dnnc_vi;
DNNC_INLINE dnnc_vi vi_load(const void *p) { return _mm512_loadu_si512(p); }
DNNC_INLINE dnnc_vi vi_repeat(uint32_t four) { return _mm512_set1_epi32((int)four); }
DNNC_INLINE dnnc_v v_from_int(dnnc_vi a) { return _mm512_cvtepi32_ps(a); }
#if defined(__AVX512VNNI__)
#define DNNC_DOT_VECTORS 28 /* accumulators that a tile may hold */
DNNC_DOT("vpdpbusd")
#else
#define DNNC_DOT_VECTORS 20
/* Bytes 0 and 2, then 1 and 3 of each lane, as numbers of 16 bits. */
DNNC_INLINE dnnc_vi vi_dot(dnnc_vi acc, dnnc_vi x, dnnc_vi w) {
  const dnnc_vi even = _mm512_srai_epi16(_mm512_slli_epi16(w, 8), 8), odd = _mm512_srai_epi16(w, 8);
  acc = _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_and_si512(x, _mm512_set1_epi16(255)), even));
  return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_srli_epi16(x, 8), odd));
}
#endif

#elif DNNC_LANES == 8

DNNC_INLINE dnnc_v v_load_bytes(const uint8_t *p, int count) {
  uint64_t eight = 0;
  memcpy(&eight, p, (size_t)dnnc_min(count, 8));
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)eight)));
}
DNNC_INLINE void v_store_bytes(uint8_t *p, dnnc_v a, int count) {
  const __m256i words = _mm256_cvtps_epi32(a);
  const __m128i halves = _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  const int64_t eight = _mm_cvtsi128_si64(_mm_packus_epi16(halves, halves));
  memcpy(p, &eight, (size_t)dnnc_min(count, 8));
}

typedef __m256i dnnc_vi;
DNNC_INLINE dnnc_vi vi_load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
DNNC_INLINE dnnc_vi vi_repeat(uint32_t four) { return _mm256_set1_epi32((int)four); }
DNNC_INLINE dnnc_v v_from_int(dnnc_vi a) { return _mm256_cvtepi32_ps(a); }
#if defined(__AVXVNNI__)
#define DNNC_DOT_VECTORS 12
DNNC_DOT("%{vex%} vpdpbusd")
#else
#define DNNC_DOT_VECTORS 8
DNNC_INLINE dnnc_vi vi_dot(dnnc_vi acc, dnnc_vi x, dnnc_vi w) {
  const dnnc_vi even = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), odd = _mm256_srai_epi16(w, 8);
  acc = _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(255)), even));
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_srli_epi16(x, 8), odd));
}
#endif

#elif DNNC_LANES == 4

DNNC_INLINE dnnc_v v_load_bytes(const uint8_t *p, int count) {
  uint32_t four = 0;
  memcpy(&four, p, (size_t)dnnc_min(count, 4));
  return v_from_whole(wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_i32x4_make((int)four, 0, 0, 0))));
}
/* A sum with 1.5 * 2^23 holds the rounded number in its low bits. */
DNNC_INLINE void v_store_bytes(uint8_t *p, dnnc_v a, int count) {
  const v128_t sum = v_add(a, v_set(12582912.0f));
  const v128_t bytes = wasm_i8x16_shuffle(sum, sum, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  const int32_t four = wasm_i32x4_extract_lane(bytes, 0);
  memcpy(p, &four, (size_t)dnnc_min(count, 4));
}

typedef v128_t dnnc_vi;
DNNC_INLINE dnnc_vi vi_load(const void *p) { return wasm_v128_load(p); }
DNNC_INLINE dnnc_vi vi_repeat(uint32_t four) { return wasm_i32x4_splat((int)four); }
DNNC_INLINE dnnc_v v_from_int(dnnc_vi a) { return wasm_f32x4_convert_i32x4(a); }
#define DNNC_DOT_VECTORS 8
DNNC_INLINE dnnc_vi vi_dot(dnnc_vi acc, dnnc_vi x, dnnc_vi w) {
  const dnnc_vi even = wasm_i16x8_shr(wasm_i16x8_shl(w, 8), 8), odd = wasm_i16x8_shr(w, 8);
  acc = wasm_i32x4_add(acc, wasm_i32x4_dot_i16x8(wasm_v128_and(x, wasm_i16x8_splat(255)), even));
  return wasm_i32x4_add(acc, wasm_i32x4_dot_i16x8(wasm_u16x8_shr(x, 8), odd));
}

#else

#define DNNC_DOT_VECTORS 0
DNNC_INLINE dnnc_v v_load_bytes(const uint8_t *p, int count) { return count > 0 ? (float)*p : 0.0f; }
DNNC_INLINE void v_store_bytes(uint8_t *p, dnnc_v a, int count) {
  if (count > 0) *p = (uint8_t)s_round(a);
}

#endif

/* Element `at` of floats or, if `bytes`, of bytes; then `count` lanes from there on. */
DNNC_INLINE float dnnc_number(const void *p, ptrdiff_t at, int bytes) {
  return bytes ? (float)((const uint8_t *)p)[at] : ((const float *)p)[at];
}
DNNC_INLINE dnnc_v dnnc_read(const void *p, ptrdiff_t at, int bytes, int count) {
  return bytes ? v_load_bytes((const uint8_t *)p + at, count) : v_load_part((const float *)p + at, count);
}
DNNC_INLINE void dnnc_write(void *p, ptrdiff_t at, int bytes, dnnc_v a, int count) {
  if (bytes) v_store_bytes((uint8_t *)p + at, a, count);
  else v_store_part((float *)p + at, a, count);
}
/* The same of an extra operand: consecutive elements, or with stride 0 one value for all. */
DNNC_INLINE dnnc_v dnnc_read_extra(const void *p, ptrdiff_t at, int bytes, ptrdiff_t stride, int count) {
  if (stride == 0) return v_set(dnnc_number(p, at, bytes));
  return dnnc_read(p, at, bytes, count);
}

/* Up to four bytes as one number, the first lowest; none beyond `count` is touched. */
DNNC_INLINE uint32_t dnnc_four(const uint8_t *p, int count) {
  uint32_t four = 0;
  memcpy(&four, p, (size_t)dnnc_min(count, 4));
  return four;
}

#endif
