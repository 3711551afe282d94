/* matmul_f32.h: batched matrix product of two activations.
 *
 *   y[i][j][r][c] = f(sum over k of a[i*a0 + j*a1 + r*am + k*ak] * x[i*x0 + j*x1 + k*xk + c],
 *                     e0[i*e00 + j*e01 + r*e0m + c*e0n], e1[...])
 *
 * Columns of x and y are adjacent; a may be transposed (am = 1). A batch stride may be 0. e0 may be y itself. */
#ifndef DNNC_MATMUL_F32_H
#define DNNC_MATMUL_F32_H

#include "tile_f32.h"

typedef struct {
  int b0, b1, m, n, k;                /* two batch dimensions, rows, columns, length of the sum */
  ptrdiff_t a0, a1, am, ak;           /* strides in elements */
  ptrdiff_t x0, x1, xk;
  ptrdiff_t y0, y1, ym;
  int extras;                         /* 0, 1 or 2 further operands for the epilogue */
  ptrdiff_t e00, e01, e0m, e0n;       /* column stride 1, or 0: one value for all columns */
  ptrdiff_t e10, e11, e1m, e1n;
} matmul_shape;

typedef struct {
  const float *a, *x;
  float *y;
  const float *e0, *e1;
} matmul_operands;

/* The operands of batch (i, j), moved to row r and column c. */
DNNC_INLINE matmul_operands matmul_at(matmul_operands o, matmul_shape s, int i, int j, int r, int c) {
  o.a += i * s.a0 + j * s.a1 + r * s.am;
  o.x += i * s.x0 + j * s.x1 + c;
  o.y += i * s.y0 + j * s.y1 + r * s.ym + c;
  if (s.extras > 0) o.e0 += i * s.e00 + j * s.e01 + r * s.e0m + c * s.e0n;
  if (s.extras > 1) o.e1 += i * s.e10 + j * s.e11 + r * s.e1m + c * s.e1n;
  return o;
}

/* ---- portable: the reference ---- */

/* `rows` x `cols` <= 16 elements. */
DNNC_INLINE void matmul_f32_portable_tile(const matmul_operands o, const matmul_shape s, dnnc_epilogue f, int rows,
                                          int cols) {
  float acc[DNNC_PORTABLE_POINTS][DNNC_PANEL];
  for (int r = 0; r < rows; r++)
    for (int l = 0; l < DNNC_PANEL; l++) acc[r][l] = 0.0f;

  for (int k = 0; k < s.k; k++) {
    const float *DNNC_RESTRICT a = o.a + k * s.ak;
    const float *DNNC_RESTRICT x = o.x + k * s.xk;
    DNNC_KEEP_LOOP
    for (int l = 0; l < cols; l++)
      for (int r = 0; r < rows; r++) acc[r][l] += a[r * s.am] * x[l];
  }

  const dnnc_v zero = v_set(0.0f);
  for (int r = 0; r < rows; r++)
    for (int l = 0; l < cols; l += DNNC_LANES) {
      const int count = dnnc_min(cols - l, DNNC_LANES);
      const dnnc_v a0 = s.extras < 1 ? zero : dnnc_extra(o.e0 + r * s.e0m + l * s.e0n, s.e0n, count);
      const dnnc_v a1 = s.extras < 2 ? zero : dnnc_extra(o.e1 + r * s.e1m + l * s.e1n, s.e1n, count);
      v_store_part(o.y + r * s.ym + l, f(v_load(acc[r] + l), a0, a1), count);
    }
}

DNNC_INLINE void matmul_f32_portable(const float *a, const float *x, float *y, const float *e0, const float *e1,
                                     const matmul_shape s, dnnc_epilogue f) {
  const matmul_operands o = {a, x, y, e0, e1};
  const int rows = dnnc_min(DNNC_PORTABLE_POINTS, s.m), rest = s.m % rows;
  for (int i = 0; i < s.b0; i++)
    for (int j = 0; j < s.b1; j++)
      for (int c = 0; c < s.n; c += DNNC_PANEL) {
        const int cols = dnnc_min(s.n - c, DNNC_PANEL);
        for (int r = 0; r + rows <= s.m; r += rows) {
          const matmul_operands at = matmul_at(o, s, i, j, r, c);
          if (cols == DNNC_PANEL) matmul_f32_portable_tile(at, s, f, rows, DNNC_PANEL);
          else matmul_f32_portable_tile(at, s, f, rows, s.n % DNNC_PANEL);
        }
        if (rest) matmul_f32_portable_tile(matmul_at(o, s, i, j, s.m - rest, c), s, f, rest, cols);
      }
}

/* ---- simd: register tiles of rows x cols ---- */

#if DNNC_LANES > 1

/* All rows of `cols` columns from c on, in batch (i, j). */
DNNC_INLINE void matmul_f32_columns(const matmul_operands o, const matmul_shape s, dnnc_epilogue f, int i, int j, int c,
                                    int rows, int cols) {
  const int rest = s.m % rows;

  dnnc_tile t;
  t.lines = 1;
  t.points = rows;
  t.cols = cols;
  t.k0 = 1;
  t.k1 = 1;
  t.k2 = s.k;
  t.x_line = 0;
  t.x_point = s.am;
  t.x_k0 = 0;
  t.x_k1 = 0;
  t.x_k2 = s.ak;
  t.w_k = s.xk;
  t.w_panel = DNNC_PANEL;
  t.w_padded = 0;
  t.y_line = 0;
  t.y_point = s.ym;
  t.extras = s.extras;
  t.e0_line = 0;
  t.e0_point = s.e0m;
  t.e0_col = s.e0n;
  t.e1_line = 0;
  t.e1_point = s.e1m;
  t.e1_col = s.e1n;

  for (int r = 0; r + rows <= s.m; r += rows) {
    const matmul_operands at = matmul_at(o, s, i, j, r, c);
    dnnc_tile_f32(at.a, at.x, NULL, at.y, at.e0, at.e1, t, f);
  }
  if (rest) {
    const matmul_operands at = matmul_at(o, s, i, j, s.m - rest, c);
    t.points = rest;
    dnnc_tile_f32(at.a, at.x, NULL, at.y, at.e0, at.e1, t, f);
  }
}

DNNC_INLINE void matmul_f32_simd(const float *a, const float *x, float *y, const float *e0, const float *e1,
                                 const matmul_shape s, dnnc_epilogue f) {
  const matmul_operands o = {a, x, y, e0, e1};
  /* Few rows: wide, for enough independent sums. Many: two vectors, so that each broadcast serves two products. */
  const int widest = s.m < 4 ? dnnc_min(8, DNNC_TILE_VECTORS / s.m) : 2;
  const int vectors = dnnc_min(widest, dnnc_ceil_div(s.n, DNNC_LANES));
  const int cols = dnnc_min(vectors * DNNC_LANES, s.n);
  const int rows = dnnc_min(DNNC_TILE_VECTORS / vectors, s.m);
  const int rest = s.n % cols;
  for (int i = 0; i < s.b0; i++)
    for (int j = 0; j < s.b1; j++) {
      for (int c = 0; c + cols <= s.n; c += cols) matmul_f32_columns(o, s, f, i, j, c, rows, cols);
      if (rest) matmul_f32_columns(o, s, f, i, j, s.n - rest, rows, rest);
    }
}

#endif
#endif
