/* conv2d_u8_amx.h: conv2d_u8 by the tiles of AMX (Intel SDM volume 1, chapter 18), where the runs of a window are cut into equal
 * parts of up to 64 bytes: a tile of x is 16 points by one part, a tile of w that part by the 16 channels of a panel, as it
 * lies. Two of each make four tiles of sums, which are those of every other target. */
#ifndef DNNC_CONV2D_U8_AMX_H
#define DNNC_CONV2D_U8_AMX_H

#include "conv2d_u8.h"

/* Bytes of one part of a run; 0 where there are no equal ones of whole groups of four. */
DNNC_INLINE int conv2d_u8_amx_depth(int run) {
  const int parts = dnnc_ceil_div(run, 64);
  return run % (4 * parts) == 0 ? run / parts : 0;
}

#if defined(__AMX_INT8__) && DNNC_LANES == 16

/* The operand of LDTILECFG: bytes of a row, and rows, of each tile. */
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} conv2d_u8_amx_config;

/* Tiles 0 to 3 hold sums of `points` by 16, 4 and 5 x, 6 and 7 w. All are zero afterwards. */
DNNC_INLINE void conv2d_u8_amx_begin(int points, int depth) {
  conv2d_u8_amx_config config;
  memset(&config, 0, sizeof config);
  config.palette = 1;
  for (int i = 0; i < 8; i++) {
    config.row_bytes[i] = (uint16_t)(i == 4 || i == 5 ? depth : 4 * DNNC_PANEL);
    config.rows[i] = (uint8_t)(i < 6 ? points : depth / 4);
  }
  _tile_loadconfig(&config);
}

/* Stores a tile of sums: of `points` points from `point` on, and the channels of a panel from c on. What is summed again comes
 * to it here. */
DNNC_INLINE void conv2d_u8_amx_store(const int32_t *sums, const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f,
                                     int point, int points, int c, int cols) {
  const dnnc_vi bias = vi_load(o.b + c);
  const int8_t *w = o.w + c / DNNC_PANEL * conv2d_u8_panel(s) + s.rows * s.cols * s.run * DNNC_PANEL;
  for (int p = 0; p < points; p++) {
    dnnc_vi sum = _mm512_add_epi32(vi_load(sums + p * DNNC_PANEL), bias);
    for (int i = 0; i < s.again; i++) {
      const uint8_t *x = o.x + conv2d_u8_again(s, i) + (point + p) * s.sw * s.xw;
      sum = vi_dot(sum, vi_repeat(dnnc_four(x, 4)), vi_load(w + i * 4 * DNNC_PANEL));
    }
    conv2d_u8_store(v_from_int(sum), o, s, f, 0, point + p, c, dnnc_min(cols - c, DNNC_PANEL));
  }
}

/* One or, if `pair`, two tiles of `points` output columns from o on, by `cols` channels of one or two panels. */
DNNC_INLINE void conv2d_u8_amx_block(const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f, int points, int pair,
                                     int cols) {
  const int depth = conv2d_u8_amx_depth(s.run), wide = cols > DNNC_PANEL;
  const ptrdiff_t panel = conv2d_u8_panel(s), step = s.sw * s.xw;
  const int8_t *w = o.w;
  int32_t sums[DNNC_PANEL * DNNC_PANEL];
  /* gcc 12 does not know that a tile reads memory: what was written before is there from here on */
  __asm__ volatile("" ::: "memory");
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int i = 0; i < s.rows; i++)
    for (int j = 0; j < s.cols; j++) {
      const uint8_t *x = o.x + i * s.dh * s.xh + j * s.dw * s.xw;
      for (int k = 0; k < s.run; k += depth) {
        _tile_loadd(4, x + k, step);
        _tile_loadd(6, w, 4 * DNNC_PANEL);
        _tile_dpbusd(0, 4, 6);
        if (wide) {
          _tile_loadd(7, w + panel, 4 * DNNC_PANEL);
          _tile_dpbusd(1, 4, 7);
        }
        if (pair) {
          _tile_loadd(5, x + k + points * step, step);
          _tile_dpbusd(2, 5, 6);
          if (wide) _tile_dpbusd(3, 5, 7);
        }
        w += depth * DNNC_PANEL;
      }
    }
  _tile_stored(0, sums, 4 * DNNC_PANEL);
  conv2d_u8_amx_store(sums, o, s, f, 0, points, 0, cols);
  if (wide) {
    _tile_stored(1, sums, 4 * DNNC_PANEL);
    conv2d_u8_amx_store(sums, o, s, f, 0, points, DNNC_PANEL, cols);
  }
  if (pair) {
    _tile_stored(2, sums, 4 * DNNC_PANEL);
    conv2d_u8_amx_store(sums, o, s, f, points, points, 0, cols);
  }
  if (pair && wide) {
    _tile_stored(3, sums, 4 * DNNC_PANEL);
    conv2d_u8_amx_store(sums, o, s, f, points, points, DNNC_PANEL, cols);
  }
}

/* `tiles` tiles of `points` output columns from column `first` on: all rows, all channels. */
DNNC_INLINE void conv2d_u8_amx_columns(const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f, int first, int tiles,
                                       int points) {
  const int blocks = dnnc_ceil_div(s.oc, 2 * DNNC_PANEL);
  const int outer = s.panels_outer ? blocks : s.oh, inner = s.panels_outer ? s.oh : blocks;
  conv2d_u8_place p;
  conv2d_u8_amx_begin(points, conv2d_u8_amx_depth(s.run));
  for (p.n = 0; p.n < s.n; p.n++)
    for (p.g = 0; p.g < s.groups; p.g++)
      for (int i = 0; i < outer; i++)
        for (int j = 0; j < inner; j++) {
          p.y = s.panels_outer ? j : i;
          p.c = (s.panels_outer ? i : j) * 2 * DNNC_PANEL;
          for (int t = 0; t < tiles; t += 2) {
            p.x = first + t * points;
            conv2d_u8_amx_block(conv2d_u8_at(o, s, p), s, f, points, t + 1 < tiles, dnnc_min(s.oc - p.c, 2 * DNNC_PANEL));
          }
        }
}

/* Output columns in tiles of one size, up to 16, and what is left over. */
DNNC_INLINE void conv2d_u8_amx(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0, const void *e1,
                               const conv2d_u8_shape s, dnnc_epilogue f) {
  const conv2d_u8_operands o = {x, w, b, y, e0, e1, 0, 0, 0};
  const int points = dnnc_ceil_div(s.ow, dnnc_ceil_div(s.ow, 16)), tiles = s.ow / points, rest = s.ow % points;
  if (conv2d_u8_amx_depth(s.run) == 0) __builtin_trap(); /* a shape that the caller should not have chosen */
  conv2d_u8_amx_columns(o, s, f, 0, tiles, points);
  if (rest) conv2d_u8_amx_columns(o, s, f, tiles * points, 1, rest);
  _tile_release();
}

#endif
#endif
