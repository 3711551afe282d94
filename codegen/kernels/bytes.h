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

#if DNNC_LANES >= 8
/* 16 bytes: as they lie, or in two pieces. */
DNNC_INLINE __m128i vi_sixteen(const uint8_t *p, int piece, ptrdiff_t step) {
  if (piece == 8)
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)p),
                              _mm_loadl_epi64((const __m128i *)(const void *)(p + step)));
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}
#endif

/* Lanes [0, count) of a byte operand as floats, and back: rounded, halves to even, and kept within 0 to 255; NaN gives 0.
 * v_store_bytes4 stores four whole vectors, one behind the other.
 *
 * Channels with kernels of their own have one product per byte of a row, so four rows are interleaved: lane l of out[q] of
 * vi_interleave has the four bytes of channel 16 (l / 4) + 4 q + l % 4. vi_natural puts sums in that order back into that of
 * the channels. vi_bytes loads 4 DNNC_LANES bytes: the first `count`, the rest zero; vi_pieces, in pieces of 8, 16 or 32
 * bytes (or all), each `step` bytes behind the one before. */
#if DNNC_LANES == 16

DNNC_INLINE dnnc_v v_load_bytes(const uint8_t *p, int count) {
  const __m128i bytes = count >= 16 ? _mm_loadu_si128((const __m128i *)(const void *)p)
                                    : _mm_maskz_loadu_epi8(dnnc_first(count), p);
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}
/* The largest float that rounds to a byte bounds it before it is an integer, where beyond 2^31 all are alike. */
DNNC_INLINE __m512i v_to_int(dnnc_v a) { return _mm512_cvtps_epi32(v_min(a, v_set(255.0f))); }
DNNC_INLINE __m512i v_to_byte(dnnc_v a) { return _mm512_max_epi32(v_to_int(a), _mm512_setzero_si512()); }
DNNC_INLINE void v_store_bytes(uint8_t *p, dnnc_v a, int count) {
  const __m128i bytes = _mm512_cvtepi32_epi8(v_to_byte(a));
  if (count >= 16) _mm_storeu_si128((__m128i *)(void *)p, bytes);
  else _mm_mask_storeu_epi8(p, dnnc_first(count), bytes);
}

/* Packing works within 128 bits: four numbers of each vector side by side, which the permutation sorts by vector. */
DNNC_INLINE void v_store_bytes4(uint8_t *p, dnnc_v a, dnnc_v b, dnnc_v c, dnnc_v d) {
  const __m512i low = _mm512_packs_epi32(v_to_int(a), v_to_int(b)), high = _mm512_packs_epi32(v_to_int(c), v_to_int(d));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high)));
}

typedef __m512i dnnc_vi;
DNNC_INLINE dnnc_vi vi_zero(void) { return _mm512_setzero_si512(); }
DNNC_INLINE dnnc_vi vi_bytes(const uint8_t *p, int count) {
  return count >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(((__mmask64)1 << (count & 63)) - 1, p);
}
DNNC_INLINE __m256i vi_thirtytwo(const uint8_t *p, int piece, ptrdiff_t step) {
  if (piece >= 32) return _mm256_loadu_si256((const __m256i *)(const void *)p);
  return _mm256_inserti128_si256(_mm256_castsi128_si256(vi_sixteen(p, piece, step)),
                                 vi_sixteen(p + 16 / piece * step, piece, step), 1);
}
DNNC_INLINE dnnc_vi vi_pieces(const uint8_t *p, int piece, ptrdiff_t step) {
  if (piece >= 64 || step == piece) return _mm512_loadu_si512(p);
  return _mm512_inserti64x4(_mm512_castsi256_si512(vi_thirtytwo(p, piece, step)),
                            vi_thirtytwo(p + 32 / piece * step, piece, step), 1);
}
DNNC_INLINE void vi_interleave(dnnc_vi r0, dnnc_vi r1, dnnc_vi r2, dnnc_vi r3, dnnc_vi out[4]) {
  const dnnc_vi a = _mm512_unpacklo_epi8(r0, r1), b = _mm512_unpacklo_epi8(r2, r3);
  const dnnc_vi c = _mm512_unpackhi_epi8(r0, r1), d = _mm512_unpackhi_epi8(r2, r3);
  out[0] = _mm512_unpacklo_epi16(a, b), out[1] = _mm512_unpackhi_epi16(a, b);
  out[2] = _mm512_unpacklo_epi16(c, d), out[3] = _mm512_unpackhi_epi16(c, d);
}
DNNC_INLINE void vi_natural(dnnc_vi v[4]) {
  const dnnc_vi a = _mm512_shuffle_i32x4(v[0], v[1], 0x44), b = _mm512_shuffle_i32x4(v[2], v[3], 0x44);
  const dnnc_vi c = _mm512_shuffle_i32x4(v[0], v[1], 0xee), d = _mm512_shuffle_i32x4(v[2], v[3], 0xee);
  v[0] = _mm512_shuffle_i32x4(a, b, 0x88), v[1] = _mm512_shuffle_i32x4(a, b, 0xdd);
  v[2] = _mm512_shuffle_i32x4(c, d, 0x88), v[3] = _mm512_shuffle_i32x4(c, d, 0xdd);
}
/* Eight numbers, and the same again. */
DNNC_INLINE dnnc_v v_load_twice(const float *p) {
  return _mm512_castpd_ps(_mm512_broadcast_f64x4(_mm256_loadu_pd((const double *)(const void *)p)));
}
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
DNNC_INLINE __m256i v_to_int(dnnc_v a) { return _mm256_cvtps_epi32(v_min(a, v_set(255.0f))); }
DNNC_INLINE void v_store_bytes(uint8_t *p, dnnc_v a, int count) {
  const __m256i words = v_to_int(a);
  const __m128i halves = _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  const int64_t eight = _mm_cvtsi128_si64(_mm_packus_epi16(halves, halves));
  memcpy(p, &eight, (size_t)dnnc_min(count, 8));
}

DNNC_INLINE void v_store_bytes4(uint8_t *p, dnnc_v a, dnnc_v b, dnnc_v c, dnnc_v d) {
  const __m256i low = _mm256_packs_epi32(v_to_int(a), v_to_int(b)), high = _mm256_packs_epi32(v_to_int(c), v_to_int(d));
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  _mm256_storeu_si256((__m256i *)(void *)p, bytes);
}

typedef __m256i dnnc_vi;
DNNC_INLINE dnnc_vi vi_zero(void) { return _mm256_setzero_si256(); }
DNNC_INLINE __m128i vi_part(const uint8_t *p, int count) {
  uint8_t part[16] = {0};
  if (count == 8) return _mm_loadl_epi64((const __m128i *)(const void *)p);
  if (count < 16) memcpy(part, p, (size_t)dnnc_max(count, 0));
  return _mm_loadu_si128((const __m128i *)(const void *)(count < 16 ? part : p));
}
DNNC_INLINE dnnc_vi vi_bytes(const uint8_t *p, int count) {
  if (count >= 32) return _mm256_loadu_si256((const __m256i *)(const void *)p);
  if (count <= 16) return _mm256_inserti128_si256(_mm256_setzero_si256(), vi_part(p, count), 0);
  return _mm256_inserti128_si256(_mm256_castsi128_si256(vi_part(p, 16)), vi_part(p + 16, count - 16), 1);
}
DNNC_INLINE dnnc_vi vi_pieces(const uint8_t *p, int piece, ptrdiff_t step) {
  if (piece >= 32 || step == piece) return _mm256_loadu_si256((const __m256i *)(const void *)p);
  return _mm256_inserti128_si256(_mm256_castsi128_si256(vi_sixteen(p, piece, step)),
                                 vi_sixteen(p + 16 / piece * step, piece, step), 1);
}
DNNC_INLINE void vi_interleave(dnnc_vi r0, dnnc_vi r1, dnnc_vi r2, dnnc_vi r3, dnnc_vi out[4]) {
  const dnnc_vi a = _mm256_unpacklo_epi8(r0, r1), b = _mm256_unpacklo_epi8(r2, r3);
  const dnnc_vi c = _mm256_unpackhi_epi8(r0, r1), d = _mm256_unpackhi_epi8(r2, r3);
  out[0] = _mm256_unpacklo_epi16(a, b), out[1] = _mm256_unpackhi_epi16(a, b);
  out[2] = _mm256_unpacklo_epi16(c, d), out[3] = _mm256_unpackhi_epi16(c, d);
}
DNNC_INLINE void vi_natural(dnnc_vi v[4]) {
  const dnnc_vi a = v[0], b = v[1], c = v[2], d = v[3];
  v[0] = _mm256_permute2x128_si256(a, b, 0x20), v[1] = _mm256_permute2x128_si256(c, d, 0x20);
  v[2] = _mm256_permute2x128_si256(a, b, 0x31), v[3] = _mm256_permute2x128_si256(c, d, 0x31);
}
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
  const v128_t sum = v_add(v_min(v_max(v_set(0.0f), a), v_set(255.0f)), v_set(12582912.0f));
  const v128_t bytes = wasm_i8x16_shuffle(sum, sum, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  const int32_t four = wasm_i32x4_extract_lane(bytes, 0);
  memcpy(p, &four, (size_t)dnnc_min(count, 4));
}

DNNC_INLINE void v_store_bytes4(uint8_t *p, dnnc_v a, dnnc_v b, dnnc_v c, dnnc_v d) {
  v_store_bytes(p, a, 4);
  v_store_bytes(p + 4, b, 4);
  v_store_bytes(p + 8, c, 4);
  v_store_bytes(p + 12, d, 4);
}

typedef v128_t dnnc_vi;
DNNC_INLINE dnnc_vi vi_zero(void) { return wasm_i32x4_splat(0); }
DNNC_INLINE dnnc_vi vi_bytes(const uint8_t *p, int count) {
  uint8_t part[16] = {0};
  if (count < 16) memcpy(part, p, (size_t)count);
  return wasm_v128_load(count < 16 ? part : p);
}
DNNC_INLINE dnnc_vi vi_pieces(const uint8_t *p, int piece, ptrdiff_t step) {
  return piece == 8 ? wasm_v128_load64_lane(p + step, wasm_v128_load64_zero(p), 1) : wasm_v128_load(p);
}
DNNC_INLINE void vi_interleave(dnnc_vi r0, dnnc_vi r1, dnnc_vi r2, dnnc_vi r3, dnnc_vi out[4]) {
  const dnnc_vi a = wasm_i8x16_shuffle(r0, r1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const dnnc_vi b = wasm_i8x16_shuffle(r2, r3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const dnnc_vi c = wasm_i8x16_shuffle(r0, r1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const dnnc_vi d = wasm_i8x16_shuffle(r2, r3, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  out[0] = wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11), out[1] = wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  out[2] = wasm_i16x8_shuffle(c, d, 0, 8, 1, 9, 2, 10, 3, 11), out[3] = wasm_i16x8_shuffle(c, d, 4, 12, 5, 13, 6, 14, 7, 15);
}
DNNC_INLINE void vi_natural(dnnc_vi v[4]) { (void)v; }
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
  if (count > 0) *p = (uint8_t)s_round(s_min(s_max(0.0f, a), 255.0f));
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

#if DNNC_LANES > 1
/* Bytes of three planes, `count` <= 16 of each, side by side: the first of each, then the second.. */
DNNC_INLINE void dnnc_interleave3(uint8_t *y, uint8_t planes[3][16], int count) {
#if defined(__SSSE3__) || defined(__wasm_simd128__)
  /* Of output j, what comes from plane c; 128: from another. */
  static const uint8_t from[3][3][16] = {
    {{0, 128, 128, 1, 128, 128, 2, 128, 128, 3, 128, 128, 4, 128, 128, 5},
     {128, 0, 128, 128, 1, 128, 128, 2, 128, 128, 3, 128, 128, 4, 128, 128},
     {128, 128, 0, 128, 128, 1, 128, 128, 2, 128, 128, 3, 128, 128, 4, 128}},
    {{128, 128, 6, 128, 128, 7, 128, 128, 8, 128, 128, 9, 128, 128, 10, 128},
     {5, 128, 128, 6, 128, 128, 7, 128, 128, 8, 128, 128, 9, 128, 128, 10},
     {128, 5, 128, 128, 6, 128, 128, 7, 128, 128, 8, 128, 128, 9, 128, 128}},
    {{128, 11, 128, 128, 12, 128, 128, 13, 128, 128, 14, 128, 128, 15, 128, 128},
     {128, 128, 11, 128, 128, 12, 128, 128, 13, 128, 128, 14, 128, 128, 15, 128},
     {10, 128, 128, 11, 128, 128, 12, 128, 128, 13, 128, 128, 14, 128, 128, 15}}};
  if (count == 16) {
    for (int j = 0; j < 3; j++) {
#if defined(__SSSE3__)
      __m128i part[3];
      for (int c = 0; c < 3; c++)
        part[c] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)planes[c]),
                                   _mm_loadu_si128((const __m128i *)(const void *)from[j][c]));
      _mm_storeu_si128((__m128i *)(void *)(y + 16 * j), _mm_or_si128(part[0], _mm_or_si128(part[1], part[2])));
#else
      v128_t part[3];
      for (int c = 0; c < 3; c++) part[c] = wasm_i8x16_swizzle(wasm_v128_load(planes[c]), wasm_v128_load(from[j][c]));
      wasm_v128_store(y + 16 * j, wasm_v128_or(part[0], wasm_v128_or(part[1], part[2])));
#endif
    }
    return;
  }
#endif
  for (int i = 0; i < count; i++)
    for (int c = 0; c < 3; c++) y[3 * i + c] = planes[c][i];
}
#endif

/* Up to four bytes as one number, the first lowest; none beyond `count` is touched. */
DNNC_INLINE uint32_t dnnc_four(const uint8_t *p, int count) {
  uint32_t four = 0;
  memcpy(&four, p, (size_t)dnnc_min(count, 4));
  return four;
}

#endif
