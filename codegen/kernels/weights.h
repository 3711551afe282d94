/* weights.h: weights as they are stored, read as floats.
 *
 * A panel is 16 output channels side by side at each step of a sum. It holds floats, half-width floats (their bits),
 * integers of 8 bits, or of 4: even channels are the 32-bit word of bytes 0 to 3, odd ones that of bytes 4 to 7, from the
 * low bits up, so that each channel is one shift away. With scales, each `group` steps in turn multiply what was read by a
 * row of their own: the product is what a weight of f32 would be.
 *
 * A sum over narrow weights is to the last bit the sum over the floats that they stand for. */
#ifndef DNNC_WEIGHTS_H
#define DNNC_WEIGHTS_H

#include "simd.h"

enum { DNNC_F32, DNNC_F16, DNNC_BF16, DNNC_I8, DNNC_I4 };

typedef struct {
  const void *data;    /* panels, each a run of steps of 16 weights */
  int type;            /* one of the above */
  const float *scales; /* [panel][ceil(steps / group)][16], where group is not 0 */
  int group;
} dnnc_weights;

DNNC_INLINE dnnc_weights dnnc_weights_f32(const float *w) {
  const dnnc_weights weights = {w, DNNC_F32, 0, 0};
  return weights;
}

/* `count` weights, an even number, after p. */
DNNC_INLINE const void *dnnc_weights_after(const void *p, int type, ptrdiff_t count) {
  const unsigned char *bytes = (const unsigned char *)p;
  return type == DNNC_F32 ? bytes + 4 * count : type == DNNC_I4 ? bytes + count / 2 : bytes + (type == DNNC_I8 ? 1 : 2) * count;
}

/* The panel after `panels` others of so many steps. */
DNNC_INLINE dnnc_weights dnnc_weights_at(dnnc_weights w, ptrdiff_t panels, int steps) {
  w.data = dnnc_weights_after(w.data, w.type, panels * steps * DNNC_PANEL);
  if (w.group) w.scales += panels * dnnc_ceil_div(steps, w.group) * DNNC_PANEL;
  return w;
}

/* ---- one step of a panel as 16 floats: the reference ---- */

/* Without scales. */
DNNC_INLINE void dnnc_widen(float *to, const void *p, int type) {
  uint16_t halves[DNNC_PANEL];
  int8_t bytes[DNNC_PANEL];
  uint32_t words[2];
  if (type == DNNC_F16 || type == DNNC_BF16) {
    memcpy(halves, p, sizeof halves);
    DNNC_KEEP_LOOP
    for (int lane = 0; lane < DNNC_PANEL; lane++)
      to[lane] = type == DNNC_F16 ? cast_f16_f32(halves[lane]) : cast_bf16_f32(halves[lane]);
  } else if (type == DNNC_I8) {
    memcpy(bytes, p, sizeof bytes);
    DNNC_KEEP_LOOP
    for (int lane = 0; lane < DNNC_PANEL; lane++) to[lane] = (float)bytes[lane];
  } else {
    memcpy(words, p, sizeof words);
    for (int j = 0; j < DNNC_PANEL / 2; j++)
      for (int odd = 0; odd < 2; odd++) to[2 * j + odd] = (float)((int32_t)(words[odd] << (28 - 4 * j)) >> 28);
  }
}

/* Step `step` of the panel that w begins with, which p points at. */
DNNC_INLINE void dnnc_weights_step(float *to, const void *p, dnnc_weights w, int step) {
  dnnc_widen(to, p, w.type);
  if (!w.group) return;
  const float *scales = w.scales + step / w.group * DNNC_PANEL;
  for (int lane = 0; lane < DNNC_PANEL; lane++) to[lane] *= scales[lane];
}

/* ---- one vector: DNNC_LANES weights of the step at p, from `lane` on ---- */

#if DNNC_LANES == 16

DNNC_INLINE dnnc_v v_weights(const void *p, int type, int lane) {
  (void)lane;
  if (type == DNNC_F16) return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
  if (type == DNNC_BF16)
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
  if (type == DNNC_I8) return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
  /* Permutations look at the low 4 bits of each index. */
  int64_t words;
  memcpy(&words, p, sizeof words);
  const __m512i shifts = _mm512_setr_epi32(0, 0, 4, 4, 8, 8, 12, 12, 16, 16, 20, 20, 24, 24, 28, 28);
  const __m512 values = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
  return _mm512_permutexvar_ps(_mm512_srlv_epi32(_mm512_set1_epi64(words), shifts), values);
}

#elif DNNC_LANES == 8

DNNC_INLINE dnnc_v v_weights(const void *p, int type, int lane) {
  const void *from = dnnc_weights_after(p, type, lane);
  if (type == DNNC_F16) {
#if defined(__F16C__)
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
#else
    float wide[DNNC_PANEL];
    dnnc_widen(wide, p, type);
    return v_load(wide + lane);
#endif
  }
  if (type == DNNC_BF16)
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)from)), 16));
  if (type == DNNC_I8) return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)from)));
  int64_t words;
  memcpy(&words, p, sizeof words);
  const __m256i shifts = lane ? _mm256_setr_epi32(12, 12, 8, 8, 4, 4, 0, 0) : _mm256_setr_epi32(28, 28, 24, 24, 20, 20, 16, 16);
  return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_sllv_epi32(_mm256_set1_epi64x(words), shifts), 28));
}

#elif DNNC_LANES == 4

DNNC_INLINE dnnc_v v_weights(const void *p, int type, int lane) {
  const void *from = dnnc_weights_after(p, type, lane);
  if (type == DNNC_I8)
    return v_from_whole(wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(from))));
  if (type == DNNC_BF16) return wasm_i32x4_shl(wasm_u32x4_load16x4(from), 16);
  if (type == DNNC_F16) { /* as cast_f16_f32 */
    const v128_t half = wasm_u32x4_load16x4(from);
    const v128_t size = wasm_i32x4_shl(wasm_v128_and(half, wasm_i32x4_splat(0x7fff)), 13);
    const v128_t sign = wasm_i32x4_shl(wasm_v128_and(half, wasm_i32x4_splat(0x8000)), 16);
    const v128_t beyond = wasm_v128_and(wasm_i32x4_ge(size, wasm_i32x4_splat(0x0f800000)), wasm_i32x4_splat(0x7f800000));
    return wasm_v128_or(wasm_v128_or(v_mul(size, v_set(0x1p112f)), beyond), sign);
  }
  /* There is no shift by lane: a product moves the four bits of each channel to the top. */
  const int shift = 28 - 2 * lane;
  const v128_t tops = wasm_i32x4_make(1 << shift, 1 << shift, 1 << (shift - 4), 1 << (shift - 4));
  return wasm_f32x4_convert_i32x4(wasm_i32x4_shr(wasm_i32x4_mul(wasm_v128_load64_splat(p), tops), 28));
}

#endif
#endif
