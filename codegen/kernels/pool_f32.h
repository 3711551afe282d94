/* pool_f32.h: max and average pooling, channels last.
 *
 * x is not padded: windows are clipped to the image. The average divides by the cells that are left, or, with
 * count_include_pad, by the cells inside the padded image [-pt, ih + pb) x [-pl, iw + pr). A window that hangs out
 * further (ceil_mode) counts less. The maximum ignores NaN; the average keeps it.
 * Global average pooling is kh = ih, kw = iw. x and y are floats or bytes; of bytes only the maximum is one. */
#ifndef DNNC_POOL_F32_H
#define DNNC_POOL_F32_H

#include "bytes.h"

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
  int x_bytes, y_bytes;      /* 1: whole numbers from 0 to 255 in bytes, 0: floats */
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

/* Operands at a place: the number of the first channel's element, of x in the first row and column of its image. */
typedef struct {
  const void *x;
  void *y;
  ptrdiff_t at_x, at_y;
} pool_operands;

/* What the sum, or the maximum, of no cells is. */
DNNC_INLINE float pool_nothing(pool_shape s, int average) { return average || s.y_bytes ? 0.0f : -s_infinity(); }

/* `channels` <= 16 of one window, from channel c on. */
DNNC_INLINE void pool_f32_portable_panel(const pool_operands o, const pool_shape s, int average, pool_range rows,
                                         pool_range cols, int c, int channels) {
  float acc[DNNC_PANEL];
  for (int l = 0; l < DNNC_PANEL; l++) acc[l] = pool_nothing(s, average);

  for (int i = rows.from; i < rows.to; i++)
    for (int j = cols.from; j < cols.to; j++) {
      const ptrdiff_t cell = o.at_x + (rows.start + i * s.dh) * s.xh + (cols.start + j * s.dw) * s.xw + c;
      DNNC_KEEP_LOOP
      for (int l = 0; l < channels; l++) {
        const float value = dnnc_number(o.x, cell + l, s.x_bytes);
        acc[l] = average ? acc[l] + value : s_max(acc[l], value);
      }
    }

  const float divisor = average ? (float)pool_count(s, rows, cols) : 1.0f;
  for (int l = 0; l < channels; l++) {
    const float value = average ? acc[l] / divisor : acc[l];
    if (s.y_bytes) ((uint8_t *)o.y)[o.at_y + c + l] = (uint8_t)value;
    else ((float *)o.y)[o.at_y + c + l] = value;
  }
}

DNNC_INLINE void pool_f32_portable(const void *x, void *y, const pool_shape s, int average) {
  const int rest = s.c % DNNC_PANEL;
  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++) {
      const pool_range rows = pool_clip(oy * s.sh - s.pt, s.kh, s.dh, s.ih);
      for (int ox = 0; ox < s.ow; ox++) {
        const pool_range cols = pool_clip(ox * s.sw - s.pl, s.kw, s.dw, s.iw);
        const pool_operands o = {x, y, n * s.xn, n * s.yn + oy * s.yh + ox * s.yw};
        int c = 0;
        for (; c + DNNC_PANEL <= s.c; c += DNNC_PANEL)
          pool_f32_portable_panel(o, s, average, rows, cols, c, DNNC_PANEL);
        if (rest) pool_f32_portable_panel(o, s, average, rows, cols, c, rest);
      }
    }
}

DNNC_INLINE void maxpool_f32_portable(const void *x, void *y, const pool_shape s) { pool_f32_portable(x, y, s, 0); }
DNNC_INLINE void avgpool_f32_portable(const void *x, void *y, const pool_shape s) { pool_f32_portable(x, y, s, 1); }

/* ---- simd: up to 8 vectors of channels at once, so that additions do not wait for each other ---- */

#if DNNC_LANES > 1

enum { POOL_VECTORS = 8 };
#define DNNC_EACH_VECTOR_OF_8(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)

/* `channels` <= POOL_VECTORS * DNNC_LANES of one window from channel c on; its clipped ranges may be literals. */
DNNC_INLINE void pool_f32_block(const pool_operands o, const pool_shape s, int average, pool_range rows,
                                pool_range cols, int c, int channels) {
  const dnnc_v first = v_set(pool_nothing(s, average));
  const dnnc_v divisor = v_set(average ? (float)pool_count(s, rows, cols) : 1.0f);

#define DNNC_START(v) dnnc_v acc##v = first;
  DNNC_EACH_VECTOR_OF_8(DNNC_START)
#undef DNNC_START

  for (int i = rows.from; i < rows.to; i++)
    for (int j = cols.from; j < cols.to; j++) {
      const ptrdiff_t cell = o.at_x + (rows.start + i * s.dh) * s.xh + (cols.start + j * s.dw) * s.xw + c;
#define DNNC_STEP(v)                                                                                \
  if (v * DNNC_LANES < channels) {                                                                  \
    const dnnc_v value = dnnc_read(o.x, cell + v * DNNC_LANES, s.x_bytes, channels - v * DNNC_LANES); \
    acc##v = average ? v_add(acc##v, value) : v_max(acc##v, value);                                 \
  }
      DNNC_EACH_VECTOR_OF_8(DNNC_STEP)
#undef DNNC_STEP
    }

#define DNNC_FINISH(v)                                                                              \
  if (v * DNNC_LANES < channels)                                                                    \
    dnnc_write(o.y, o.at_y + c + v * DNNC_LANES, s.y_bytes, average ? v_div(acc##v, divisor) : acc##v,   \
               channels - v * DNNC_LANES);
  DNNC_EACH_VECTOR_OF_8(DNNC_FINISH)
#undef DNNC_FINISH
}

/* All channels of one window. */
DNNC_INLINE void pool_f32_window(const pool_operands o, const pool_shape s, int average, pool_range rows,
                                 pool_range cols) {
  const int block = dnnc_min(s.c, POOL_VECTORS * DNNC_LANES);
  const int rest = s.c % block;
  int c = 0;
  for (; c + block <= s.c; c += block) pool_f32_block(o, s, average, rows, cols, c, block);
  if (rest) pool_f32_block(o, s, average, rows, cols, c, rest);
}

DNNC_INLINE void pool_f32_simd(const void *x, void *y, const pool_shape s, int average) {
  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++)
      for (int ox = 0; ox < s.ow; ox++) {
        pool_range rows = pool_clip(oy * s.sh - s.pt, s.kh, s.dh, s.ih);
        pool_range cols = pool_clip(ox * s.sw - s.pl, s.kw, s.dw, s.iw);
        const pool_operands o = {x, y, n * s.xn, n * s.yn + oy * s.yh + ox * s.yw};
        if (rows.to - rows.from == s.kh && cols.to - cols.from == s.kw) {
          /* inside the image: the loops are literal */
          rows.from = 0, rows.to = s.kh;
          cols.from = 0, cols.to = s.kw;
          pool_f32_window(o, s, average, rows, cols);
        } else {
          pool_f32_window(o, s, average, rows, cols);
        }
      }
}

DNNC_INLINE void maxpool_f32_simd(const void *x, void *y, const pool_shape s) { pool_f32_simd(x, y, s, 0); }
DNNC_INLINE void avgpool_f32_simd(const void *x, void *y, const pool_shape s) { pool_f32_simd(x, y, s, 1); }

#endif
#endif
