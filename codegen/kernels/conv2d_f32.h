/* conv2d_f32.h: 2-D convolution with groups, channels last, weights packed in panels of 16 output channels.
 *
 *   y[n][oy][ox][g][o] = f(b[g][o] + sum over i, j, c of x[n][oy*sh + i*dh][ox*sw + j*dw][g][c] * w[g][i][j][c][o])
 *
 * x is padded already. w is [groups][ceil(oc / 16)][kh][kw][ic][16] and b [groups][ceil(oc / 16) * 16], zero-filled.
 * A fully connected layer is the case oh = kh = kw = 1, ow = batch.
 * Each element of y is written once, after the extras at its place are read: e0 may be y itself. */
#ifndef DNNC_CONV2D_F32_H
#define DNNC_CONV2D_F32_H

#include "tile_f32.h"

typedef struct {
  int n, oh, ow, oc;         /* output: batch, rows, columns, channels per group */
  int kh, kw, ic, groups;    /* kernel rows, columns, input channels per group, groups */
  int sh, sw, dh, dw;        /* strides, dilations */
  ptrdiff_t xn, xh, xw;      /* strides of x and y in elements; channels are adjacent */
  ptrdiff_t yn, yh, yw;
  int extras;                /* 0, 1 or 2 further operands for the epilogue */
  ptrdiff_t e0n, e0h, e0w, e0c; /* channel stride 1, or 0: one value for all channels */
  ptrdiff_t e1n, e1h, e1w, e1c;
  int mr, nv;                /* tile: mr output columns (or mr / ow rows, if that is 2 or more) x nv panels */
  int panels_outer;          /* 1: for panel block, for row; 0: for row, for panel block */
  int group;                 /* conv2d_narrow.h alone reads it */
} conv2d_shape;

typedef struct {
  const float *x;
  dnnc_weights w;
  const float *b;
  float *y;
  const float *e0, *e1;
} conv2d_operands;

/* A place in the output: batch, group, row, column, channel in its group. */
typedef struct {
  int n, g, y, x, c;
} conv2d_place;

/* The operands moved to place p, where p.c is the first channel of a panel. */
DNNC_INLINE conv2d_operands conv2d_at(conv2d_operands o, conv2d_shape s, conv2d_place p) {
  const ptrdiff_t panel = (ptrdiff_t)p.g * dnnc_ceil_div(s.oc, DNNC_PANEL) + p.c / DNNC_PANEL;
  const ptrdiff_t channel = p.g * s.oc + p.c;
  o.x += p.n * s.xn + p.y * s.sh * s.xh + p.x * s.sw * s.xw + p.g * s.ic;
  o.w = dnnc_weights_at(o.w, panel, s.kh * s.kw * s.ic);
  o.b += panel * DNNC_PANEL;
  o.y += p.n * s.yn + p.y * s.yh + p.x * s.yw + channel;
  if (s.extras > 0) o.e0 += p.n * s.e0n + p.y * s.e0h + p.x * s.e0w + channel * s.e0c;
  if (s.extras > 1) o.e1 += p.n * s.e1n + p.y * s.e1h + p.x * s.e1w + channel * s.e1c;
  return o;
}

/* ---- portable: the reference ---- */

/* `points` output columns of one panel, of which `channels` are real. */
DNNC_INLINE void conv2d_portable_tile(const conv2d_operands o, const conv2d_shape s, dnnc_epilogue f, int points,
                                      int channels) {
  const void *DNNC_RESTRICT at = o.w.data;
  float acc[DNNC_PORTABLE_POINTS][DNNC_PANEL], wide[DNNC_PANEL];
  int step = 0;
  for (int p = 0; p < points; p++)
    for (int l = 0; l < DNNC_PANEL; l++) acc[p][l] = o.b[l];

  for (int i = 0; i < s.kh; i++)
    for (int j = 0; j < s.kw; j++) {
      const float *DNNC_RESTRICT x = o.x + i * s.dh * s.xh + j * s.dw * s.xw;
      for (int c = 0; c < s.ic; c++) {
        const float *DNNC_RESTRICT w = o.w.type == DNNC_F32 ? (const float *)at : wide;
        if (o.w.type != DNNC_F32) dnnc_weights_step(wide, at, o.w, step);
        DNNC_KEEP_LOOP
        for (int l = 0; l < DNNC_PANEL; l++)
          for (int p = 0; p < points; p++) acc[p][l] += x[p * s.sw * s.xw + c] * w[l];
        at = dnnc_weights_after(at, o.w.type, DNNC_PANEL);
        step++;
      }
    }

  const dnnc_v zero = v_set(0.0f);
  for (int p = 0; p < points; p++)
    for (int l = 0; l < channels; l += DNNC_LANES) {
      const int count = dnnc_min(channels - l, DNNC_LANES);
      const dnnc_v a0 = s.extras < 1 ? zero : dnnc_extra(o.e0 + p * s.e0w + l * s.e0c, s.e0c, count);
      const dnnc_v a1 = s.extras < 2 ? zero : dnnc_extra(o.e1 + p * s.e1w + l * s.e1c, s.e1c, count);
      v_store_part(o.y + p * s.yw + l, f(v_load(acc[p] + l), a0, a1), count);
    }
}

DNNC_INLINE void conv2d_portable(const conv2d_operands o, const conv2d_shape s, dnnc_epilogue f) {
  const int points = dnnc_min(DNNC_PORTABLE_POINTS, s.ow);
  conv2d_place p;
  for (p.n = 0; p.n < s.n; p.n++)
    for (p.g = 0; p.g < s.groups; p.g++)
      for (p.c = 0; p.c < s.oc; p.c += DNNC_PANEL)
        for (p.y = 0; p.y < s.oh; p.y++)
          for (p.x = 0; p.x < s.ow; p.x += points) {
            const int channels = dnnc_min(s.oc - p.c, DNNC_PANEL);
            if (p.x + points <= s.ow) conv2d_portable_tile(conv2d_at(o, s, p), s, f, points, channels);
            else conv2d_portable_tile(conv2d_at(o, s, p), s, f, s.ow % points, channels);
          }
}

DNNC_INLINE void conv2d_f32_portable(const float *x, const float *w, const float *b, float *y, const float *e0,
                                     const float *e1, const conv2d_shape s, dnnc_epilogue f) {
  const conv2d_operands o = {x, dnnc_weights_f32(w), b, y, e0, e1};
  conv2d_portable(o, s, f);
}

/* ---- simd: register tiles of lines x points x cols ---- */

#if DNNC_LANES > 1

/* `lines` whole output rows from p.y on, `cols` channels from p.c on. */
DNNC_INLINE void conv2d_strip(const conv2d_operands o, const conv2d_shape s, dnnc_epilogue f, conv2d_place p,
                                  int lines, int cols) {
  const int points = dnnc_min(s.mr, s.ow);
  const int rest = s.ow % points;
  /* Where the sum runs over adjacent elements, its loops are one. */
  const int row_is_run = s.kw == 1 || (s.dw == 1 && s.xw == s.ic);
  const int run = row_is_run ? s.kw * s.ic : s.ic;
  const int all_is_run = row_is_run && (s.kh == 1 || (s.dh == 1 && s.xh == run));

  dnnc_tile t;
  t.lines = lines;
  t.points = points;
  t.cols = cols;
  t.k0 = all_is_run ? 1 : s.kh;
  t.k1 = row_is_run ? 1 : s.kw;
  t.k2 = all_is_run ? s.kh * run : run;
  t.x_line = s.sh * s.xh;
  t.x_point = s.sw * s.xw;
  t.x_k0 = s.dh * s.xh;
  t.x_k1 = s.dw * s.xw;
  t.x_k2 = 1;
  t.w_k = DNNC_PANEL;
  t.w_panel = (ptrdiff_t)s.kh * s.kw * s.ic * DNNC_PANEL;
  t.w_padded = 1;
  t.y_line = s.yh;
  t.y_point = s.yw;
  t.extras = s.extras;
  t.e0_line = s.e0h;
  t.e0_point = s.e0w;
  t.e0_col = s.e0c;
  t.e1_line = s.e1h;
  t.e1_point = s.e1w;
  t.e1_col = s.e1c;

  for (p.x = 0; p.x + points <= s.ow; p.x += points) {
    const conv2d_operands at = conv2d_at(o, s, p);
    dnnc_tile_sums(at.x, at.w, at.b, at.y, at.e0, at.e1, t, f);
  }
  if (rest) {
    const conv2d_operands at = conv2d_at(o, s, p);
    t.points = rest;
    dnnc_tile_sums(at.x, at.w, at.b, at.y, at.e0, at.e1, t, f);
  }
}

/* `strips` strips of `lines` rows from p.y on, by `blocks` blocks of `cols` channels from p.c on. */
DNNC_INLINE void conv2d_region(const conv2d_operands o, const conv2d_shape s, dnnc_epilogue f, const conv2d_place p,
                                   int strips, int lines, int blocks, int cols) {
  const int outer = s.panels_outer ? blocks : strips, inner = s.panels_outer ? strips : blocks;
  conv2d_place at = p;
  for (int i = 0; i < outer; i++)
    for (int j = 0; j < inner; j++) {
      at.y = p.y + (s.panels_outer ? j : i) * lines;
      at.c = p.c + (s.panels_outer ? i : j) * cols;
      conv2d_strip(o, s, f, at, lines, cols);
    }
}

/* Where strips and blocks leave nothing over: a quarter of the code to compile. */
DNNC_INLINE void conv2d_simd_even(const conv2d_operands o, const conv2d_shape s, dnnc_epilogue f) {
  const int lines = dnnc_max(1, dnnc_min(s.mr / s.ow, s.oh));
  const int cols = dnnc_min(s.nv * DNNC_PANEL, s.oc);
  for (int n = 0; n < s.n; n++)
    for (int g = 0; g < s.groups; g++) {
      const conv2d_place p = {n, g, 0, 0, 0};
      conv2d_region(o, s, f, p, s.oh / lines, lines, s.oc / cols, cols);
    }
}

DNNC_INLINE void conv2d_simd(const conv2d_operands o, const conv2d_shape s, dnnc_epilogue f) {
  const int lines = dnnc_max(1, dnnc_min(s.mr / s.ow, s.oh));
  const int cols = dnnc_min(s.nv * DNNC_PANEL, s.oc);
  const int strips = s.oh / lines, blocks = s.oc / cols, rest_lines = s.oh % lines, rest_cols = s.oc % cols;
  for (int n = 0; n < s.n; n++)
    for (int g = 0; g < s.groups; g++) {
      const conv2d_place p = {n, g, 0, 0, 0};
      const conv2d_place right = {n, g, 0, 0, blocks * cols};
      const conv2d_place below = {n, g, strips * lines, 0, 0};
      const conv2d_place corner = {n, g, strips * lines, 0, blocks * cols};
      conv2d_region(o, s, f, p, strips, lines, blocks, cols);
      if (rest_cols) conv2d_region(o, s, f, right, strips, lines, 1, rest_cols);
      if (rest_lines) conv2d_region(o, s, f, below, 1, rest_lines, blocks, cols);
      if (rest_lines && rest_cols) conv2d_region(o, s, f, corner, 1, rest_lines, 1, rest_cols);
    }
}

DNNC_INLINE void conv2d_f32_simd_even(const float *x, const float *w, const float *b, float *y, const float *e0,
                                      const float *e1, const conv2d_shape s, dnnc_epilogue f) {
  const conv2d_operands o = {x, dnnc_weights_f32(w), b, y, e0, e1};
  conv2d_simd_even(o, s, f);
}

DNNC_INLINE void conv2d_f32_simd(const float *x, const float *w, const float *b, float *y, const float *e0,
                                 const float *e1, const conv2d_shape s, dnnc_epilogue f) {
  const conv2d_operands o = {x, dnnc_weights_f32(w), b, y, e0, e1};
  conv2d_simd(o, s, f);
}

#endif
#endif
