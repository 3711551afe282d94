/* depthwise_f32.h: 2-D convolution of each channel with its own kernel, channels last.
 *
 *   y[n][oy][ox][c] = f(b[c] + sum over i, j of x[n][oy*sh + i*dh][ox*sw + j*dw][c] * w[i][j][c], e0, e1)
 *
 * x is padded already. w is [ceil(c / 16)][kh][kw][16] and b [ceil(c / 16) * 16], zero-filled. Channels of x beyond c
 * are not read. x, y and the extras are floats or bytes, w floats or signed bytes. e0 may be y itself. */
#ifndef DNNC_DEPTHWISE_F32_H
#define DNNC_DEPTHWISE_F32_H

#include "bytes.h"
#include "weights.h"

typedef struct {
  int n, oh, ow, c;          /* output: batch, rows, columns, channels */
  int kh, kw;                /* kernel rows, columns */
  int sh, sw, dh, dw;        /* strides, dilations */
  ptrdiff_t xn, xh, xw;      /* strides of x and y in elements; channels are adjacent */
  ptrdiff_t yn, yh, yw;
  int extras;                /* 0, 1 or 2 further operands for the epilogue */
  ptrdiff_t e0n, e0h, e0w, e0c; /* channel stride 1, or 0: one value for all channels */
  ptrdiff_t e1n, e1h, e1w, e1c;
  int x_bytes, y_bytes, e0_bytes, e1_bytes; /* 1: whole numbers from 0 to 255 in bytes, 0: floats */
  int w_bytes;               /* 1: whole numbers from -128 to 127 in bytes, 0: floats */
} depthwise_shape;

/* Operands at a place: those of either type by the number of their element. */
typedef struct {
  const void *x, *w, *b;
  void *y;
  const void *e0, *e1;
  ptrdiff_t at_x, at_y, at_e0, at_e1;
} depthwise_operands;

/* The operands moved to an image, a row and a column. */
DNNC_INLINE depthwise_operands depthwise_at(depthwise_operands o, depthwise_shape s, int n, int y, int x) {
  o.at_x = n * s.xn + y * s.sh * s.xh + x * s.sw * s.xw;
  o.at_y = n * s.yn + y * s.yh + x * s.yw;
  o.at_e0 = n * s.e0n + y * s.e0h + x * s.e0w;
  o.at_e1 = n * s.e1n + y * s.e1h + x * s.e1w;
  return o;
}

/* Weight `at` of the panels, and DNNC_LANES of them. */
DNNC_INLINE float depthwise_weight(const void *w, ptrdiff_t at, int bytes) {
  return bytes ? (float)((const int8_t *)w)[at] : ((const float *)w)[at];
}
#if DNNC_LANES > 1
DNNC_INLINE dnnc_v depthwise_weights(const void *w, ptrdiff_t at, int bytes) {
  return bytes ? v_weights((const int8_t *)w + at, DNNC_I8, 0) : v_load((const float *)w + at);
}
#endif

/* Stores a finished sum: column p, `count` channels from c on. */
DNNC_INLINE void depthwise_store(dnnc_v acc, depthwise_operands o, depthwise_shape s, dnnc_epilogue f, int p, int c,
                                 int count) {
  const dnnc_v zero = v_set(0.0f);
  const dnnc_v a0 = s.extras < 1 ? zero
    : dnnc_read_extra(o.e0, o.at_e0 + p * s.e0w + c * s.e0c, s.e0_bytes, s.e0c, count);
  const dnnc_v a1 = s.extras < 2 ? zero
    : dnnc_read_extra(o.e1, o.at_e1 + p * s.e1w + c * s.e1c, s.e1_bytes, s.e1c, count);
  dnnc_write(o.y, o.at_y + p * s.yw + c, s.y_bytes, f(acc, a0, a1), count);
}

/* ---- portable: the reference ---- */

/* `points` output columns, `channels` <= 16 channels from c on. */
DNNC_INLINE void depthwise_f32_portable_tile(const depthwise_operands o, const depthwise_shape s, dnnc_epilogue f,
                                             int points, int c, int channels) {
  ptrdiff_t w = (ptrdiff_t)c * s.kh * s.kw;
  float acc[DNNC_PORTABLE_POINTS][DNNC_PANEL];
  for (int p = 0; p < points; p++)
    for (int l = 0; l < DNNC_PANEL; l++) acc[p][l] = ((const float *)o.b)[c + l];

  for (int i = 0; i < s.kh; i++)
    for (int j = 0; j < s.kw; j++) {
      const ptrdiff_t x = o.at_x + i * s.dh * s.xh + j * s.dw * s.xw + c;
      DNNC_KEEP_LOOP
      for (int l = 0; l < channels; l++)
        for (int p = 0; p < points; p++) acc[p][l] += dnnc_number(o.x, x + p * s.sw * s.xw + l, s.x_bytes) * depthwise_weight(o.w, w + l, s.w_bytes);
      w += DNNC_PANEL;
    }

  for (int p = 0; p < points; p++)
    for (int l = 0; l < channels; l += DNNC_LANES)
      depthwise_store(v_load(acc[p] + l), o, s, f, p, c + l, dnnc_min(channels - l, DNNC_LANES));
}

/* `points` output columns, all channels. */
DNNC_INLINE void depthwise_f32_portable_columns(const depthwise_operands o, const depthwise_shape s, dnnc_epilogue f,
                                                int points) {
  const int rest = s.c % DNNC_PANEL;
  for (int c = 0; c + DNNC_PANEL <= s.c; c += DNNC_PANEL)
    depthwise_f32_portable_tile(o, s, f, points, c, DNNC_PANEL);
  if (rest) depthwise_f32_portable_tile(o, s, f, points, s.c - rest, rest);
}

DNNC_INLINE void depthwise_f32_portable(const void *x, const void *w, const float *b, void *y, const void *e0,
                                        const void *e1, const depthwise_shape s, dnnc_epilogue f) {
  const depthwise_operands o = {x, w, b, y, e0, e1, 0, 0, 0, 0};
  const int points = dnnc_min(DNNC_PORTABLE_POINTS, s.ow), rest = s.ow % points;
  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++) {
      for (int ox = 0; ox + points <= s.ow; ox += points)
        depthwise_f32_portable_columns(depthwise_at(o, s, n, oy, ox), s, f, points);
      if (rest) depthwise_f32_portable_columns(depthwise_at(o, s, n, oy, s.ow - rest), s, f, rest);
    }
}

/* ---- simd: tiles of up to 8 columns x one vector of channels ---- */

#if DNNC_LANES > 1

#define DNNC_EACH_POINT(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)

/* `points` output columns, `count` channels from c on. */
DNNC_INLINE void depthwise_f32_tile(const depthwise_operands o, const depthwise_shape s, dnnc_epilogue f, int points,
                                    int c, int count) {
  const ptrdiff_t x = o.at_x + c;
  const ptrdiff_t w = (ptrdiff_t)(c / DNNC_PANEL) * s.kh * s.kw * DNNC_PANEL + c % DNNC_PANEL;
  const dnnc_v bias = v_load((const float *)o.b + c);

#define DNNC_START(p) dnnc_v acc##p = bias;
  DNNC_EACH_POINT(DNNC_START)
#undef DNNC_START

  for (int i = 0; i < s.kh; i++) {
    DNNC_UNROLL(8)
    for (int j = 0; j < s.kw; j++) {
      const dnnc_v wij = depthwise_weights(o.w, w + (i * s.kw + j) * DNNC_PANEL, s.w_bytes);
      const ptrdiff_t xij = x + i * s.dh * s.xh + j * s.dw * s.xw;
#define DNNC_STEP(p) \
  if (p < points) acc##p = v_fma(dnnc_read(o.x, xij + p * s.sw * s.xw, s.x_bytes, count), wij, acc##p);
      DNNC_EACH_POINT(DNNC_STEP)
#undef DNNC_STEP
    }
  }

#define DNNC_FINISH(p) \
  if (p < points) depthwise_store(acc##p, o, s, f, p, c, count);
  DNNC_EACH_POINT(DNNC_FINISH)
#undef DNNC_FINISH
}

/* `points` output columns, all channels. */
DNNC_INLINE void depthwise_f32_columns(const depthwise_operands o, const depthwise_shape s, dnnc_epilogue f,
                                       int points) {
  const int rest = s.c % DNNC_LANES;
  for (int c = 0; c + DNNC_LANES <= s.c; c += DNNC_LANES) depthwise_f32_tile(o, s, f, points, c, DNNC_LANES);
  if (rest) depthwise_f32_tile(o, s, f, points, s.c - rest, rest);
}

DNNC_INLINE void depthwise_f32_simd(const void *x, const void *w, const float *b, void *y, const void *e0,
                                    const void *e1, const depthwise_shape s, dnnc_epilogue f) {
  const depthwise_operands o = {x, w, b, y, e0, e1, 0, 0, 0, 0};
  const int points = s.ow < 8 ? s.ow : s.ow % 8 && s.ow % 7 == 0 ? 7 : 8;
  const int rest = s.ow % points;
  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++) {
      for (int ox = 0; ox + points <= s.ow; ox += points)
        depthwise_f32_columns(depthwise_at(o, s, n, oy, ox), s, f, points);
      if (rest) depthwise_f32_columns(depthwise_at(o, s, n, oy, s.ow - rest), s, f, rest);
    }
}

#endif
#endif
