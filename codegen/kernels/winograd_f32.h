/* winograd_f32.h: convolution of stride 1 by Winograd's minimal filtering: of 3x3 kernels by F(2x2, 3x3) or F(4x4, 3x3)
 * (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, section 4), of 1x3 and 3x1 kernels by
 * F(2, 3) or F(4, 3) along a row or a column (Winograd, "Arithmetic Complexity of Computations", 1980).
 *
 *   y[n][oy][ox][o] = f(b[o] + sum over i, j, c of x[n][oy + i][ox + j][c] * g[i][j][c][o])
 *
 * The output is cut into tiles of m x m, 1 x m or m x 1. Each tile needs (m + 2)^2 or m + 2 points of x, which are
 * transformed channel by channel; for each point of the transform one matrix product over the channels follows, and the
 * results are transformed back. That is 2.25 (m = 2) or 4 (m = 4) times fewer multiplications than the sum above, along
 * one axis 1.5 or 2 times.
 *
 * x is padded already. w is [points][ceil(oc / 16)][ic][16], transformed when the weights were packed; b is
 * [ceil(oc / 16) * 16]. `tiles` tiles go through all three steps together; between them they lie in `scratch`, which has
 * room for tiles * points * (ic + ceil(oc / 16) * 16) floats. Each element of y is written once, after the extras at its
 * place are read: e0 may be y itself. */
#ifndef DNNC_WINOGRAD_F32_H
#define DNNC_WINOGRAD_F32_H

#include "tile_f32.h"

typedef struct {
  int n, oh, ow, oc, ic;     /* output: batch, rows, columns, channels; input channels */
  int m;                     /* 2 or 4: an output tile is m x m, or m along the line */
  ptrdiff_t xn, xh, xw;      /* strides of x and y in elements; channels are adjacent */
  ptrdiff_t yn, yh, yw;
  int extras;                /* 0, 1 or 2 further operands for the epilogue */
  ptrdiff_t e0n, e0h, e0w, e0c; /* channel stride 1, or 0: one value for all channels */
  ptrdiff_t e1n, e1h, e1w, e1c;
  int tiles;                 /* tiles that are worked on together */
  int mr, nv;                /* register tile of the products: mr tiles x nv panels */
} winograd_shape;

typedef struct {
  const float *x, *w, *b;
  float *y;
  const float *e0, *e1;
  float *scratch;
} winograd_operands;

/* The most points along one side of a tile of x. */
#define DNNC_WINOGRAD_SIDE 6

/* Rows and columns of a tile of outputs; along a side of 1 the kernel has one weight, and nothing is transformed. */
typedef struct {
  int h, w;
} winograd_tile;

/* Points of x along a side of m outputs, and in a whole tile. */
DNNC_INLINE int winograd_side(int m) { return m == 1 ? 1 : m + 2; }
DNNC_INLINE int winograd_points(const winograd_tile m) { return winograd_side(m.h) * winograd_side(m.w); }

/* One column of the transform of x: B^T d. */
DNNC_INLINE void winograd_forward(const dnnc_v *d, dnnc_v *o, int m, int step) {
  if (m == 1) {
    o[0] = d[0];
    return;
  }
  if (m == 2) {
    o[0] = v_sub(d[0], d[2]);
    o[step] = v_add(d[1], d[2]);
    o[2 * step] = v_sub(d[2], d[1]);
    o[3 * step] = v_sub(d[1], d[3]);
    return;
  }
  const dnnc_v four = v_set(4.0f), five = v_set(5.0f), two = v_set(2.0f);
  const dnnc_v p = v_sub(d[4], v_mul(four, d[2])), q = v_sub(d[3], v_mul(four, d[1]));
  const dnnc_v r = v_sub(d[4], d[2]), t = v_mul(two, v_sub(d[3], d[1]));
  o[0] = v_fma(four, d[0], v_sub(d[4], v_mul(five, d[2])));
  o[step] = v_add(p, q);
  o[2 * step] = v_sub(p, q);
  o[3 * step] = v_add(r, t);
  o[4 * step] = v_sub(r, t);
  o[5 * step] = v_fma(four, d[1], v_sub(d[5], v_mul(five, d[3])));
}

/* One column of the transform of the products: A^T d. */
DNNC_INLINE void winograd_back(const dnnc_v *d, dnnc_v *o, int m, int step) {
  if (m == 1) {
    o[0] = d[0];
    return;
  }
  if (m == 2) {
    o[0] = v_add(v_add(d[0], d[1]), d[2]);
    o[step] = v_sub(v_sub(d[1], d[2]), d[3]);
    return;
  }
  const dnnc_v a = v_add(d[1], d[2]), b = v_sub(d[1], d[2]), c = v_add(d[3], d[4]), e = v_sub(d[3], d[4]);
  o[0] = v_add(v_add(d[0], a), c);
  o[step] = v_fma(v_set(2.0f), e, b);
  o[2 * step] = v_fma(v_set(4.0f), c, a);
  o[3 * step] = v_add(v_fma(v_set(8.0f), e, b), d[5]);
}

/* Transforms `count` channels of the tile at x, of which `rows` x `columns` points are inside; v: [points] at `vk`. */
DNNC_INLINE void winograd_tile_in(const float *x, float *v, const winograd_shape s, const winograd_tile m,
                                  int rows, int columns, ptrdiff_t vk, int count) {
  const int high = winograd_side(m.h), wide = winograd_side(m.w);
  dnnc_v half[DNNC_WINOGRAD_SIDE * DNNC_WINOGRAD_SIDE], d[DNNC_WINOGRAD_SIDE], o[DNNC_WINOGRAD_SIDE];
  for (int j = 0; j < wide; j++) {
    DNNC_UNROLL(6)
    for (int i = 0; i < high; i++)
      d[i] = i < rows && j < columns ? v_load_part(x + i * s.xh + j * s.xw, count) : v_set(0.0f);
    winograd_forward(d, half + j, m.h, DNNC_WINOGRAD_SIDE);
  }
  for (int i = 0; i < high; i++) {
    winograd_forward(half + i * DNNC_WINOGRAD_SIDE, o, m.w, 1);
    DNNC_UNROLL(6)
    for (int j = 0; j < wide; j++) v_store_part(v + (i * wide + j) * vk, o[j], count);
  }
}

/* Transforms back `count` channels from `c` on of one tile, of which `rows` x `columns` points are in the image. */
DNNC_INLINE void winograd_tile_out(const float *v, const winograd_operands o, const winograd_shape s, dnnc_epilogue f,
                                   const winograd_tile m, int rows, int columns, ptrdiff_t vk, int c, int count) {
  const int high = winograd_side(m.h), wide = winograd_side(m.w);
  const dnnc_v zero = v_set(0.0f), bias = v_load_part(o.b + c, count);
  dnnc_v half[4 * DNNC_WINOGRAD_SIDE], d[DNNC_WINOGRAD_SIDE], r[4];
  for (int j = 0; j < wide; j++) {
    DNNC_UNROLL(6)
    for (int i = 0; i < high; i++) d[i] = v_load_part(v + (i * wide + j) * vk, count);
    winograd_back(d, half + j, m.h, DNNC_WINOGRAD_SIDE);
  }
  for (int i = 0; i < m.h; i++) {
    if (i >= rows) break;
    winograd_back(half + i * DNNC_WINOGRAD_SIDE, r, m.w, 1);
    DNNC_UNROLL(4)
    for (int j = 0; j < m.w; j++) {
      if (j >= columns) break;
      const dnnc_v a0 = s.extras < 1 ? zero : dnnc_extra(o.e0 + i * s.e0h + j * s.e0w + c * s.e0c, s.e0c, count);
      const dnnc_v a1 = s.extras < 2 ? zero : dnnc_extra(o.e1 + i * s.e1h + j * s.e1w + c * s.e1c, s.e1c, count);
      v_store_part(o.y + i * s.yh + j * s.yw + c, f(v_add(r[j], bias), a0, a1), count);
    }
  }
}

/* Where the products lie in the scratch: behind the transforms of x. */
DNNC_INLINE float *winograd_sums(const winograd_operands o, const winograd_shape s, const winograd_tile m) {
  return o.scratch + (ptrdiff_t)winograd_points(m) * s.tiles * s.ic;
}

/* The operands moved to tile number t of image n; how much of the tile is in the image. */
typedef struct {
  winograd_operands at;
  int rows, columns;
} winograd_place;

DNNC_INLINE winograd_place winograd_at(winograd_operands o, const winograd_shape s, const winograd_tile m, int n,
                                       int t) {
  const int across = dnnc_ceil_div(s.ow, m.w);
  const int row = t / across * m.h, column = t % across * m.w;
  o.x += n * s.xn + row * s.xh + column * s.xw;
  o.y += n * s.yn + row * s.yh + column * s.yw;
  if (s.extras > 0) o.e0 += n * s.e0n + row * s.e0h + column * s.e0w;
  if (s.extras > 1) o.e1 += n * s.e1n + row * s.e1h + column * s.e1w;
  const winograd_place place = {o, s.oh % m.h ? dnnc_min(m.h, s.oh - row) : m.h,
                                s.ow % m.w ? dnnc_min(m.w, s.ow - column) : m.w};
  return place;
}

/* v: [points][count][ic] */
DNNC_INLINE void winograd_in(const winograd_operands o, const winograd_shape s, const winograd_tile m, int n,
                             int first, int count) {
  const ptrdiff_t vk = (ptrdiff_t)s.tiles * s.ic;
  const int below = winograd_side(m.h) - m.h, right = winograd_side(m.w) - m.w;
  for (int t = 0; t < count; t++) {
    const winograd_place p = winograd_at(o, s, m, n, first + t);
    float *v = o.scratch + (ptrdiff_t)t * s.ic;
    for (int c = 0; c + DNNC_LANES <= s.ic; c += DNNC_LANES)
      winograd_tile_in(p.at.x + c, v + c, s, m, p.rows + below, p.columns + right, vk, DNNC_LANES);
    if (s.ic % DNNC_LANES) {
      const int c = s.ic / DNNC_LANES * DNNC_LANES;
      winograd_tile_in(p.at.x + c, v + c, s, m, p.rows + below, p.columns + right, vk, s.ic % DNNC_LANES);
    }
  }
}

DNNC_INLINE void winograd_out(const winograd_operands o, const winograd_shape s, dnnc_epilogue f,
                              const winograd_tile m, int n, int first, int count) {
  const int width = dnnc_ceil_div(s.oc, DNNC_PANEL) * DNNC_PANEL;
  const ptrdiff_t vk = (ptrdiff_t)s.tiles * width;
  const float *products = winograd_sums(o, s, m);
  for (int t = 0; t < count; t++) {
    const winograd_place p = winograd_at(o, s, m, n, first + t);
    const float *v = products + (ptrdiff_t)t * width;
    for (int c = 0; c + DNNC_LANES <= s.oc; c += DNNC_LANES)
      winograd_tile_out(v + c, p.at, s, f, m, p.rows, p.columns, vk, c, DNNC_LANES);
    if (s.oc % DNNC_LANES) {
      const int c = s.oc / DNNC_LANES * DNNC_LANES;
      winograd_tile_out(v + c, p.at, s, f, m, p.rows, p.columns, vk, c, s.oc % DNNC_LANES);
    }
  }
}

/* ---- portable: the reference ---- */

/* products[t][o] = sum over c of v[t][c] * w[c][o] for `count` tiles and one panel. */
DNNC_INLINE void winograd_f32_portable_product(const float *v, const float *DNNC_RESTRICT w, float *products, int ic,
                                               int width, int count) {
  float acc[DNNC_PORTABLE_POINTS][DNNC_PANEL];
  for (int p = 0; p < count; p++)
    for (int l = 0; l < DNNC_PANEL; l++) acc[p][l] = 0.0f;
  for (int c = 0; c < ic; c++) {
    DNNC_KEEP_LOOP
    for (int l = 0; l < DNNC_PANEL; l++)
      for (int p = 0; p < count; p++) acc[p][l] += v[p * ic + c] * w[l];
    w += DNNC_PANEL;
  }
  for (int p = 0; p < count; p++) memcpy(products + (ptrdiff_t)p * width, acc[p], sizeof acc[p]);
}

DNNC_INLINE void winograd_portable(const winograd_operands o, const winograd_shape s, dnnc_epilogue f,
                                   const winograd_tile m) {
  const int points = winograd_points(m), panels = dnnc_ceil_div(s.oc, DNNC_PANEL), width = panels * DNNC_PANEL;
  const int all = dnnc_ceil_div(s.oh, m.h) * dnnc_ceil_div(s.ow, m.w);
  float *products = o.scratch + (ptrdiff_t)points * s.tiles * s.ic;
  for (int n = 0; n < s.n; n++)
    for (int first = 0; first < all; first += s.tiles) {
      const int count = dnnc_min(s.tiles, all - first);
      winograd_in(o, s, m, n, first, count);
      for (int k = 0; k < points; k++)
        for (int panel = 0; panel < panels; panel++)
          for (int t = 0; t < count; t += DNNC_PORTABLE_POINTS) {
            const float *v = o.scratch + ((ptrdiff_t)k * s.tiles + t) * s.ic;
            const float *u = o.w + ((ptrdiff_t)k * panels + panel) * s.ic * DNNC_PANEL;
            float *out = products + ((ptrdiff_t)k * s.tiles + t) * width + panel * DNNC_PANEL;
            if (t + DNNC_PORTABLE_POINTS <= count)
              winograd_f32_portable_product(v, u, out, s.ic, width, DNNC_PORTABLE_POINTS);
            else winograd_f32_portable_product(v, u, out, s.ic, width, count - t);
          }
      winograd_out(o, s, f, m, n, first, count);
    }
}

DNNC_INLINE void winograd_f32_portable(const float *x, const float *w, const float *b, float *y, const float *e0,
                                       const float *e1, float *scratch, const winograd_shape s, dnnc_epilogue f) {
  const winograd_operands o = {x, w, b, y, e0, e1, scratch};
  const winograd_tile m = {s.m, s.m};
  winograd_portable(o, s, f, m);
}

DNNC_INLINE void winograd_1x3_f32_portable(const float *x, const float *w, const float *b, float *y, const float *e0,
                                           const float *e1, float *scratch, const winograd_shape s, dnnc_epilogue f) {
  const winograd_operands o = {x, w, b, y, e0, e1, scratch};
  const winograd_tile m = {1, s.m};
  winograd_portable(o, s, f, m);
}

DNNC_INLINE void winograd_3x1_f32_portable(const float *x, const float *w, const float *b, float *y, const float *e0,
                                           const float *e1, float *scratch, const winograd_shape s, dnnc_epilogue f) {
  const winograd_operands o = {x, w, b, y, e0, e1, scratch};
  const winograd_tile m = {s.m, 1};
  winograd_portable(o, s, f, m);
}

/* ---- simd: the products by register tiles ---- */

#if DNNC_LANES > 1

/* `count` tiles from t on, `cols` columns from c on, at point k of the transform. */
DNNC_INLINE void winograd_product(const winograd_operands o, const winograd_shape s, const winograd_tile m, int k, int t,
                                  int count, int c, int cols) {
  const int panels = dnnc_ceil_div(s.oc, DNNC_PANEL), width = panels * DNNC_PANEL;
  dnnc_tile r;
  r.lines = 1;
  r.points = count;
  r.cols = cols;
  r.k0 = 1;
  r.k1 = 1;
  r.k2 = s.ic;
  r.x_line = 0;
  r.x_point = s.ic;
  r.x_k0 = 0;
  r.x_k1 = 0;
  r.x_k2 = 1;
  r.w_k = DNNC_PANEL;
  r.w_panel = (ptrdiff_t)s.ic * DNNC_PANEL;
  r.w_padded = 1;
  r.y_line = 0;
  r.y_point = width;
  r.extras = 0;
  r.e0_line = r.e0_point = r.e0_col = 0;
  r.e1_line = r.e1_point = r.e1_col = 0;
  dnnc_tile_f32(o.scratch + ((ptrdiff_t)k * s.tiles + t) * s.ic,
                o.w + ((ptrdiff_t)k * panels + c / DNNC_PANEL) * s.ic * DNNC_PANEL, 0,
                winograd_sums(o, s, m) + ((ptrdiff_t)k * s.tiles + t) * width + c, 0, 0, r, dnnc_identity);
}

DNNC_INLINE void winograd_products(const winograd_operands o, const winograd_shape s, const winograd_tile m, int count,
                                   int c, int cols) {
  const int points = winograd_points(m), mr = dnnc_min(s.mr, count);
  for (int k = 0; k < points; k++) {
    for (int t = 0; t + mr <= count; t += mr) winograd_product(o, s, m, k, t, mr, c, cols);
    if (count % mr) winograd_product(o, s, m, k, count - count % mr, count % mr, c, cols);
  }
}

DNNC_INLINE void winograd_block(const winograd_operands o, const winograd_shape s, dnnc_epilogue f,
                                const winograd_tile m, int n, int first, int count) {
  /* Vectors of the last panel that no channel is in are left out. */
  const int width = dnnc_ceil_div(s.oc, DNNC_LANES) * DNNC_LANES, cols = dnnc_min(s.nv * DNNC_PANEL, width);
  winograd_in(o, s, m, n, first, count);
  for (int c = 0; c + cols <= width; c += cols) winograd_products(o, s, m, count, c, cols);
  if (width % cols) winograd_products(o, s, m, count, width - width % cols, width % cols);
  winograd_out(o, s, f, m, n, first, count);
}

DNNC_INLINE void winograd_simd(const winograd_operands o, const winograd_shape s, dnnc_epilogue f,
                               const winograd_tile m) {
  const int all = dnnc_ceil_div(s.oh, m.h) * dnnc_ceil_div(s.ow, m.w);
  for (int n = 0; n < s.n; n++) {
    for (int first = 0; first + s.tiles <= all; first += s.tiles) winograd_block(o, s, f, m, n, first, s.tiles);
    if (all % s.tiles) winograd_block(o, s, f, m, n, all - all % s.tiles, all % s.tiles);
  }
}

DNNC_INLINE void winograd_f32_simd(const float *x, const float *w, const float *b, float *y, const float *e0,
                                   const float *e1, float *scratch, const winograd_shape s, dnnc_epilogue f) {
  const winograd_operands o = {x, w, b, y, e0, e1, scratch};
  const winograd_tile m = {s.m, s.m};
  winograd_simd(o, s, f, m);
}

DNNC_INLINE void winograd_1x3_f32_simd(const float *x, const float *w, const float *b, float *y, const float *e0,
                                       const float *e1, float *scratch, const winograd_shape s, dnnc_epilogue f) {
  const winograd_operands o = {x, w, b, y, e0, e1, scratch};
  const winograd_tile m = {1, s.m};
  winograd_simd(o, s, f, m);
}

DNNC_INLINE void winograd_3x1_f32_simd(const float *x, const float *w, const float *b, float *y, const float *e0,
                                       const float *e1, float *scratch, const winograd_shape s, dnnc_epilogue f) {
  const winograd_operands o = {x, w, b, y, e0, e1, scratch};
  const winograd_tile m = {s.m, 1};
  winograd_simd(o, s, f, m);
}

#endif
#endif
