/* tile_f32.h: the register tile under convolution and matrix product.
 *
 *   y[p][c] = f(b[c] + sum over k of x[p][k] * w[k][c], e0[p][c], e1[p][c])
 *
 * for `lines * points` points p and `cols` columns c. Each (point, vector of columns) has its own accumulator in a
 * named variable: gcc keeps an array of them on the stack. One step of the sum loads the vectors of w once, and
 * broadcasts one x per point.
 *
 * The weights may be narrower than floats (weights.h): a step widens its vectors of w once for all points.
 *
 * All fields are literals, so the tests on them cost nothing and every offset is part of an address. */
#ifndef DNNC_TILE_F32_H
#define DNNC_TILE_F32_H

#include "weights.h"

typedef struct {
  int lines, points;                    /* the points: `lines` lines of `points` */
  int cols;                             /* columns, lines * points * vectors of columns <= DNNC_TILE_VECTORS */
  int k0, k1, k2;                       /* the sum: three nested loops */
  ptrdiff_t x_line, x_point;            /* strides of x */
  ptrdiff_t x_k0, x_k1, x_k2;
  ptrdiff_t w_k, w_panel;               /* from one step of the sum to the next; from 16 columns to the next 16 */
  int w_padded;                         /* 1: w may be read up to a whole vector */
  ptrdiff_t y_line, y_point;
  int extras;
  ptrdiff_t e0_line, e0_point, e0_col;  /* column stride 1 or 0 */
  ptrdiff_t e1_line, e1_point, e1_col;
} dnnc_tile;

#if DNNC_LANES > 1

/* Applies M to the numbers 0 to DNNC_TILE_VECTORS - 1. */
#if DNNC_TILE_VECTORS == 28
#define DNNC_EACH_VECTOR(M)                                                 \
  M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) \
  M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23) M(24) M(25) M(26) M(27)
#elif DNNC_TILE_VECTORS == 12
#define DNNC_EACH_VECTOR(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
#else
#define DNNC_EACH_VECTOR(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)
#endif

/* Where point p starts, and where vector v of the columns starts. */
DNNC_INLINE ptrdiff_t dnnc_tile_at(dnnc_tile t, int p, ptrdiff_t line, ptrdiff_t point) {
  return p / t.points * line + p % t.points * point;
}
DNNC_INLINE ptrdiff_t dnnc_tile_w(dnnc_tile t, int v) {
  return v * DNNC_LANES / DNNC_PANEL * t.w_panel + v * DNNC_LANES % DNNC_PANEL;
}

DNNC_INLINE void dnnc_tile_store(dnnc_v acc, float *y, const float *e0, const float *e1, dnnc_tile t, int p, int v,
                                 dnnc_epilogue f) {
  const int col = v * DNNC_LANES;
  const int count = dnnc_min(t.cols - col, DNNC_LANES);
  const dnnc_v zero = v_set(0.0f);
  const dnnc_v a0 = t.extras < 1 ? zero
    : dnnc_extra(e0 + dnnc_tile_at(t, p, t.e0_line, t.e0_point) + col * t.e0_col, t.e0_col, count);
  const dnnc_v a1 = t.extras < 2 ? zero
    : dnnc_extra(e1 + dnnc_tile_at(t, p, t.e1_line, t.e1_point) + col * t.e1_col, t.e1_col, count);
  v_store_part(y + dnnc_tile_at(t, p, t.y_line, t.y_point) + col, f(acc, a0, a1), count);
}

/* Vector v of the columns at a step of the sum, which p points at; `scales` at the row of scales for it. */
DNNC_INLINE dnnc_v dnnc_tile_weights(const void *p, dnnc_weights w, const float *scales, dnnc_tile t, int v) {
  if (w.type == DNNC_F32)
    return v_load_part((const float *)p + dnnc_tile_w(t, v), t.w_padded ? DNNC_LANES : t.cols - v * DNNC_LANES);
  const int panel = v * DNNC_LANES / DNNC_PANEL, lane = v * DNNC_LANES % DNNC_PANEL;
  const dnnc_v wide = v_weights(dnnc_weights_after(p, w.type, panel * t.w_panel), w.type, lane);
  if (!w.group) return wide;
  const ptrdiff_t rows = dnnc_ceil_div(t.k0 * t.k1 * t.k2, w.group);
  return v_mul(wide, v_load(scales + panel * rows * DNNC_PANEL + lane));
}

/* x, y, e0, e1 point at the first point, w and b at the first column; b (padded to whole vectors) may be null. */
DNNC_INLINE void dnnc_tile_sums(const float *DNNC_RESTRICT x, const dnnc_weights w, const float *DNNC_RESTRICT b, float *y,
                                const float *e0, const float *e1, const dnnc_tile t, dnnc_epilogue f) {
  const int vectors = dnnc_ceil_div(t.cols, DNNC_LANES);
  const int live = t.lines * t.points * vectors;
  if (live > DNNC_TILE_VECTORS) __builtin_trap(); /* a tile that the caller should not have chosen */

#define DNNC_START(i) dnnc_v acc##i = i < live && b ? v_load(b + i % vectors * DNNC_LANES) : v_set(0.0f);
  DNNC_EACH_VECTOR(DNNC_START)
#undef DNNC_START

#define DNNC_STEP(i)                                                                                       \
  if (i < live)                                                                                            \
    acc##i = v_fma(v_set(xk[dnnc_tile_at(t, i / vectors, t.x_line, t.x_point)]),                           \
                   dnnc_tile_weights(wk, w, scales, t, i % vectors), acc##i);
  const void *DNNC_RESTRICT wk = w.data;
  const float *DNNC_RESTRICT scales = w.scales;
  int step = 0;
  for (int k0 = 0; k0 < t.k0; k0++)
    for (int k1 = 0; k1 < t.k1; k1++) {
      const float *xk = x + k0 * t.x_k0 + k1 * t.x_k1;
      if (w.group == 0)
        for (int k2 = 0; k2 < t.k2; k2++) {
          DNNC_EACH_VECTOR(DNNC_STEP)
          xk += t.x_k2;
          wk = dnnc_weights_after(wk, w.type, t.w_k);
        }
      else
        for (int k2 = 0; k2 < t.k2;) {
          /* Scales stay in registers for as long as they hold. */
          const int end = dnnc_min(t.k2, k2 + w.group - step % w.group);
          scales = w.scales + step / w.group * DNNC_PANEL;
          step += end - k2;
          for (; k2 < end; k2++) {
            DNNC_EACH_VECTOR(DNNC_STEP)
            xk += t.x_k2;
            wk = dnnc_weights_after(wk, w.type, t.w_k);
          }
        }
    }
#undef DNNC_STEP

#define DNNC_FINISH(i) if (i < live) dnnc_tile_store(acc##i, y, e0, e1, t, i / vectors, i % vectors, f);
  DNNC_EACH_VECTOR(DNNC_FINISH)
#undef DNNC_FINISH
}

DNNC_INLINE void dnnc_tile_f32(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1,
                               const dnnc_tile t, dnnc_epilogue f) {
  dnnc_tile_sums(x, dnnc_weights_f32(w), b, y, e0, e1, t, f);
}

#endif
#endif
