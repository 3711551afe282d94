/* pool_f32.h: max and average pooling, channels last.
 *
 * x is not padded: windows are clipped to the image. The average divides by the cells that are left, or, with
 * count_include_pad, by the cells inside the padded image [-pt, ih + pb) x [-pl, iw + pr). A window that hangs out
 * further (ceil_mode) counts less. The maximum ignores NaN; the average keeps it.
 * Global average pooling is kh = ih, kw = iw. */
#ifndef DNNC_POOL_F32_H
#define DNNC_POOL_F32_H

#include "simd.h"

typedef struct {
  int n, oh, ow, c;          /* output: batch, rows, columns, channels */
  int ih, iw;                /* input rows, columns */
  int kh, kw;                /* window rows, columns */
  int sh, sw, dh, dw;        /* strides, dilations */
  int pt, pl;                /* padding above, to the left */
  int count_include_pad;     /* average only, and with it the padding below and to the right */
  int pb, pr;
  ptrdiff_t xn, xh, xw;      /* strides of x and y in elements; channels are adjacent */
  ptrdiff_t yn, yh, yw;
} pool_shape;

/* One dimension of a window: its first cell `start` in the image, and its cells [from, to) that are inside. */
typedef struct {
  int start, from, to;
} pool_range;

DNNC_INLINE pool_range pool_clip(int start, int cells, int dilation, int size) {
  pool_range r;
  r.start = start;
  r.from = start < 0 ? dnnc_ceil_div(-start, dilation) : 0;
  r.to = start + (cells - 1) * dilation < size ? cells : dnnc_ceil_div(size - start, dilation);
  return r;
}

/* What an average divides by. */
DNNC_INLINE int pool_count(pool_shape s, pool_range rows, pool_range cols) {
  if (!s.count_include_pad) return (rows.to - rows.from) * (cols.to - cols.from);
  return pool_clip(rows.start, s.kh, s.dh, s.ih + s.pb).to * pool_clip(cols.start, s.kw, s.dw, s.iw + s.pr).to;
}

/* ---- portable: the reference ---- */

/* `channels` <= 16 of one window. x and y point at the first channel, x in the first row and column of its image. */
DNNC_INLINE void pool_f32_portable_panel(const float *DNNC_RESTRICT x, float *DNNC_RESTRICT y, const pool_shape s,
                                         int average, pool_range rows, pool_range cols, int channels) {
  float acc[DNNC_PANEL];
  for (int l = 0; l < DNNC_PANEL; l++) acc[l] = average ? 0.0f : -s_infinity();

  for (int i = rows.from; i < rows.to; i++)
    for (int j = cols.from; j < cols.to; j++) {
      const float *cell = x + (rows.start + i * s.dh) * s.xh + (cols.start + j * s.dw) * s.xw;
      DNNC_KEEP_LOOP
      for (int l = 0; l < channels; l++) acc[l] = average ? acc[l] + cell[l] : s_max(acc[l], cell[l]);
    }

  const float divisor = average ? (float)pool_count(s, rows, cols) : 1.0f;
  for (int l = 0; l < channels; l++) y[l] = average ? acc[l] / divisor : acc[l];
}

DNNC_INLINE void pool_f32_portable(const float *x, float *y, const pool_shape s, int average) {
  const int rest = s.c % DNNC_PANEL;
  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++) {
      const pool_range rows = pool_clip(oy * s.sh - s.pt, s.kh, s.dh, s.ih);
      for (int ox = 0; ox < s.ow; ox++) {
        const pool_range cols = pool_clip(ox * s.sw - s.pl, s.kw, s.dw, s.iw);
        const float *xn = x + n * s.xn;
        float *yn = y + n * s.yn + oy * s.yh + ox * s.yw;
        int c = 0;
        for (; c + DNNC_PANEL <= s.c; c += DNNC_PANEL)
          pool_f32_portable_panel(xn + c, yn + c, s, average, rows, cols, DNNC_PANEL);
        if (rest) pool_f32_portable_panel(xn + c, yn + c, s, average, rows, cols, rest);
      }
    }
}

DNNC_INLINE void maxpool_f32_portable(const float *x, float *y, const pool_shape s) { pool_f32_portable(x, y, s, 0); }
DNNC_INLINE void avgpool_f32_portable(const float *x, float *y, const pool_shape s) { pool_f32_portable(x, y, s, 1); }

/* ---- simd: up to 8 vectors of channels at once, so that additions do not wait for each other ---- */

#if DNNC_LANES > 1

enum { POOL_VECTORS = 8 };
#define DNNC_EACH_VECTOR_OF_8(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)

/* `channels` <= POOL_VECTORS * DNNC_LANES of one window, whose clipped ranges may be literals. */
DNNC_INLINE void pool_f32_block(const float *DNNC_RESTRICT x, float *DNNC_RESTRICT y, const pool_shape s, int average,
                                pool_range rows, pool_range cols, int channels) {
  const dnnc_v first = v_set(average ? 0.0f : -s_infinity());
  const dnnc_v divisor = v_set(average ? (float)pool_count(s, rows, cols) : 1.0f);

#define DNNC_START(v) dnnc_v acc##v = first;
  DNNC_EACH_VECTOR_OF_8(DNNC_START)
#undef DNNC_START

  for (int i = rows.from; i < rows.to; i++)
    for (int j = cols.from; j < cols.to; j++) {
      const float *cell = x + (rows.start + i * s.dh) * s.xh + (cols.start + j * s.dw) * s.xw;
#define DNNC_STEP(v)                                                                                \
  if (v * DNNC_LANES < channels) {                                                                  \
    const dnnc_v value = v_load_part(cell + v * DNNC_LANES, channels - v * DNNC_LANES);             \
    acc##v = average ? v_add(acc##v, value) : v_max(acc##v, value);                                 \
  }
      DNNC_EACH_VECTOR_OF_8(DNNC_STEP)
#undef DNNC_STEP
    }

#define DNNC_FINISH(v)                                                                              \
  if (v * DNNC_LANES < channels)                                                                    \
    v_store_part(y + v * DNNC_LANES, average ? v_div(acc##v, divisor) : acc##v, channels - v * DNNC_LANES);
  DNNC_EACH_VECTOR_OF_8(DNNC_FINISH)
#undef DNNC_FINISH
}

/* All channels of one window. */
DNNC_INLINE void pool_f32_window(const float *x, float *y, const pool_shape s, int average, pool_range rows,
                                 pool_range cols) {
  const int block = dnnc_min(s.c, POOL_VECTORS * DNNC_LANES);
  const int rest = s.c % block;
  int c = 0;
  for (; c + block <= s.c; c += block) pool_f32_block(x + c, y + c, s, average, rows, cols, block);
  if (rest) pool_f32_block(x + c, y + c, s, average, rows, cols, rest);
}

DNNC_INLINE void pool_f32_simd(const float *x, float *y, const pool_shape s, int average) {
  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++)
      for (int ox = 0; ox < s.ow; ox++) {
        pool_range rows = pool_clip(oy * s.sh - s.pt, s.kh, s.dh, s.ih);
        pool_range cols = pool_clip(ox * s.sw - s.pl, s.kw, s.dw, s.iw);
        const float *xn = x + n * s.xn;
        float *yn = y + n * s.yn + oy * s.yh + ox * s.yw;
        if (rows.to - rows.from == s.kh && cols.to - cols.from == s.kw) {
          /* inside the image: the loops are literal */
          rows.from = 0, rows.to = s.kh;
          cols.from = 0, cols.to = s.kw;
          pool_f32_window(xn, yn, s, average, rows, cols);
        } else {
          pool_f32_window(xn, yn, s, average, rows, cols);
        }
      }
}

DNNC_INLINE void maxpool_f32_simd(const float *x, float *y, const pool_shape s) { pool_f32_simd(x, y, s, 0); }
DNNC_INLINE void avgpool_f32_simd(const float *x, float *y, const pool_shape s) { pool_f32_simd(x, y, s, 1); }

#endif
#endif
