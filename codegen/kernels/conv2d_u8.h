/* conv2d_u8.h: 2-D convolution of bytes with groups, channels last; sums of 32 bits, exact and alike on every target.
 *
 *   y[n][oy][ox][g][o] = f(b[g][o] + sum over i, j, c of x[n][oy*sh + i*dh][ox*sw + j*dw][g][c] * w[g][i][j][c][o])
 *
 * x holds whole numbers from 0 to 255 and is padded already, with its zero point; b has the zero point's part of the sum
 * taken off. The sum runs over `rows` x `cols` runs of `run` adjacent bytes of x: a kernel row where rows of x have no
 * gaps, else the channels of one cell. w is [groups][ceil(oc / 16)][rows * cols * ceil(run / 4) + again][16][4] in
 * bytes, and b [groups][ceil(oc / 16) * 16]; both zero-filled. y and the extras are floats or bytes.
 *
 * Weights of models quantized with a zero point may leave the range of a byte, a few of each layer. What is beyond it is
 * added by `again` (0 to 4) further groups of four bytes of x, which lie `again0`, `again1`, .. after the window's first.
 * Each element of y is written once, after the extras at its place are read: e0 may be y itself. */
#ifndef DNNC_CONV2D_U8_H
#define DNNC_CONV2D_U8_H

#include "bytes.h"

typedef struct {
  int n, oh, ow, oc;         /* output: batch, rows, columns, channels per group */
  int rows, cols, run;       /* the sum: runs below each other, beside each other, bytes of one */
  int ic, groups;            /* input channels per group, groups */
  int again;                 /* groups of up to four bytes of x that are summed once more, and where they begin */
  ptrdiff_t again0, again1, again2, again3;
  int sh, sw, dh, dw;        /* strides, dilations */
  ptrdiff_t xn, xh, xw;      /* strides of x and y in elements; channels are adjacent */
  ptrdiff_t yn, yh, yw;
  int extras;                /* 0, 1 or 2 further operands for the epilogue */
  ptrdiff_t e0n, e0h, e0w, e0c; /* channel stride 1, or 0: one value for all channels */
  ptrdiff_t e1n, e1h, e1w, e1c;
  int y_bytes, e0_bytes, e1_bytes; /* 1: bytes, 0: floats */
  int mr, nv;                /* tile: mr output columns (or mr / ow rows, if that is 2 or more) x nv panels */
  int panels_outer;          /* 1: for panel block, for row; 0: for row, for panel block */
} conv2d_u8_shape;

/* Operands at a place: y and the extras, of either type, by the number of their element. */
typedef struct {
  const uint8_t *x;
  const int8_t *w;
  const int32_t *b;
  void *y;
  const void *e0, *e1;
  ptrdiff_t at_y, at_e0, at_e1;
} conv2d_u8_operands;

/* A place in the output: batch, group, row, column, channel in its group. */
typedef struct {
  int n, g, y, x, c;
} conv2d_u8_place;

/* Bytes of w from 16 channels to the next 16. */
DNNC_INLINE ptrdiff_t conv2d_u8_panel(conv2d_u8_shape s) {
  return ((ptrdiff_t)s.rows * s.cols * dnnc_ceil_div(s.run, 4) + s.again) * 4 * DNNC_PANEL;
}

DNNC_INLINE ptrdiff_t conv2d_u8_again(conv2d_u8_shape s, int i) {
  return i == 0 ? s.again0 : i == 1 ? s.again1 : i == 2 ? s.again2 : s.again3;
}

/* The operands moved to place p, where p.c is the first channel of a panel. */
DNNC_INLINE conv2d_u8_operands conv2d_u8_at(conv2d_u8_operands o, conv2d_u8_shape s, conv2d_u8_place p) {
  const ptrdiff_t panel = (ptrdiff_t)p.g * dnnc_ceil_div(s.oc, DNNC_PANEL) + p.c / DNNC_PANEL;
  const ptrdiff_t channel = p.g * s.oc + p.c;
  o.x += p.n * s.xn + p.y * s.sh * s.xh + p.x * s.sw * s.xw + p.g * s.ic;
  o.w += panel * conv2d_u8_panel(s);
  o.b += panel * DNNC_PANEL;
  o.at_y = p.n * s.yn + p.y * s.yh + p.x * s.yw + channel;
  o.at_e0 = p.n * s.e0n + p.y * s.e0h + p.x * s.e0w + channel * s.e0c;
  o.at_e1 = p.n * s.e1n + p.y * s.e1h + p.x * s.e1w + channel * s.e1c;
  return o;
}

/* `count` sums from channel c on, with what follows them, of the point `line` rows below and `point` columns right of o. */
DNNC_INLINE dnnc_v conv2d_u8_finish(dnnc_v acc, const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f, int line,
                                    int point, int c, int count) {
  const dnnc_v zero = v_set(0.0f);
  const dnnc_v a0 = s.extras < 1 ? zero
    : dnnc_read_extra(o.e0, o.at_e0 + line * s.e0h + point * s.e0w + c * s.e0c, s.e0_bytes, s.e0c, count);
  const dnnc_v a1 = s.extras < 2 ? zero
    : dnnc_read_extra(o.e1, o.at_e1 + line * s.e1h + point * s.e1w + c * s.e1c, s.e1_bytes, s.e1c, count);
  return f(acc, a0, a1);
}
DNNC_INLINE void conv2d_u8_store(dnnc_v acc, const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f, int line,
                                 int point, int c, int count) {
  dnnc_write(o.y, o.at_y + line * s.yh + point * s.yw + c, s.y_bytes, conv2d_u8_finish(acc, o, s, f, line, point, c, count), count);
}

/* ---- portable: the reference ---- */

/* Adds the products of `count` bytes of x to the sums of a panel. */
DNNC_INLINE void conv2d_u8_portable_four(int32_t *acc, const uint8_t *x, const int8_t *w, int count) {
  const int32_t x0 = x[0], x1 = count > 1 ? x[1] : 0, x2 = count > 2 ? x[2] : 0, x3 = count > 3 ? x[3] : 0;
#if defined(__SSE2__)
  /* What every x86-64 has: products of 16 bits in pairs, two channels at a time; no compiler finds that in the loop below. */
  const __m128i four = _mm_set1_epi64x(x0 | x1 << 16 | (int64_t)x2 << 32 | (int64_t)x3 << 48);
  for (int l = 0; l < DNNC_PANEL; l += 4) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(w + 4 * l));
    const __m128i low = _mm_madd_epi16(four, _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8));
    const __m128i high = _mm_madd_epi16(four, _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8));
    const __m128 first = _mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), _MM_SHUFFLE(2, 0, 2, 0));
    const __m128 second = _mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), _MM_SHUFFLE(3, 1, 3, 1));
    const __m128i sum = _mm_add_epi32(_mm_castps_si128(first), _mm_castps_si128(second));
    __m128i *to = (__m128i *)(void *)(acc + l);
    _mm_storeu_si128(to, _mm_add_epi32(_mm_loadu_si128(to), sum));
  }
#else
  DNNC_KEEP_LOOP
  for (int l = 0; l < DNNC_PANEL; l++)
    acc[l] += x0 * w[4 * l] + x1 * w[4 * l + 1] + x2 * w[4 * l + 2] + x3 * w[4 * l + 3];
#endif
}

/* `points` output columns of one panel, of which `channels` are real. */
DNNC_INLINE void conv2d_u8_portable_tile(const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f,
                                         int points, int channels) {
  const int8_t *DNNC_RESTRICT w = o.w;
  int32_t acc[DNNC_PORTABLE_POINTS][DNNC_PANEL];
  for (int p = 0; p < points; p++)
    for (int l = 0; l < DNNC_PANEL; l++) acc[p][l] = o.b[l];

  for (int i = 0; i < s.rows; i++)
    for (int j = 0; j < s.cols; j++) {
      const uint8_t *DNNC_RESTRICT x = o.x + i * s.dh * s.xh + j * s.dw * s.xw;
      for (int k = 0; k < s.run; k += 4) {
        for (int p = 0; p < points; p++) conv2d_u8_portable_four(acc[p], x + p * s.sw * s.xw + k, w, dnnc_min(s.run - k, 4));
        w += 4 * DNNC_PANEL;
      }
    }
  for (int i = 0; i < s.again; i++) {
    for (int p = 0; p < points; p++)
      conv2d_u8_portable_four(acc[p], o.x + conv2d_u8_again(s, i) + p * s.sw * s.xw, w, dnnc_min(s.run, 4));
    w += 4 * DNNC_PANEL;
  }

  for (int p = 0; p < points; p++)
    for (int l = 0; l < channels; l += DNNC_LANES) {
      float sums[DNNC_LANES];
      for (int lane = 0; lane < DNNC_LANES; lane++) sums[lane] = (float)acc[p][l + lane];
      conv2d_u8_store(v_load(sums), o, s, f, 0, p, l, dnnc_min(channels - l, DNNC_LANES));
    }
}

DNNC_INLINE void conv2d_u8_portable(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0,
                                    const void *e1, const conv2d_u8_shape s, dnnc_epilogue f) {
  const conv2d_u8_operands o = {x, w, b, y, e0, e1, 0, 0, 0};
  const int points = dnnc_min(DNNC_PORTABLE_POINTS, s.ow), rest = s.ow % points;
  conv2d_u8_place p;
  for (p.n = 0; p.n < s.n; p.n++)
    for (p.g = 0; p.g < s.groups; p.g++)
      for (p.c = 0; p.c < s.oc; p.c += DNNC_PANEL)
        for (p.y = 0; p.y < s.oh; p.y++) {
          const int channels = dnnc_min(s.oc - p.c, DNNC_PANEL);
          for (p.x = 0; p.x + points <= s.ow; p.x += points)
            conv2d_u8_portable_tile(conv2d_u8_at(o, s, p), s, f, points, channels);
          if (rest) conv2d_u8_portable_tile(conv2d_u8_at(o, s, p), s, f, rest, channels);
        }
}

/* ---- simd: register tiles of lines x points x cols ---- */

#if DNNC_LANES > 1

/* Applies M to the numbers 0 to DNNC_DOT_VECTORS - 1. */
#define DNNC_EIGHT_SUMS(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)
#if DNNC_DOT_VECTORS == 28
#define DNNC_EACH_SUM(M)                                                                                             \
  DNNC_EIGHT_SUMS(M) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23)   \
  M(24) M(25) M(26) M(27)
#elif DNNC_DOT_VECTORS == 20
#define DNNC_EACH_SUM(M) DNNC_EIGHT_SUMS(M) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19)
#elif DNNC_DOT_VECTORS == 12
#define DNNC_EACH_SUM(M) DNNC_EIGHT_SUMS(M) M(8) M(9) M(10) M(11)
#else
#define DNNC_EACH_SUM(M) DNNC_EIGHT_SUMS(M)
#endif

#define DNNC_TWO_FOURS(M) M(0, 1, 2, 3) M(4, 5, 6, 7)
#if DNNC_DOT_VECTORS == 28
#define DNNC_EACH_FOUR(M) \
  DNNC_TWO_FOURS(M) M(8, 9, 10, 11) M(12, 13, 14, 15) M(16, 17, 18, 19) M(20, 21, 22, 23) M(24, 25, 26, 27)
#elif DNNC_DOT_VECTORS == 20
#define DNNC_EACH_FOUR(M) DNNC_TWO_FOURS(M) M(8, 9, 10, 11) M(12, 13, 14, 15) M(16, 17, 18, 19)
#elif DNNC_DOT_VECTORS == 12
#define DNNC_EACH_FOUR(M) DNNC_TWO_FOURS(M) M(8, 9, 10, 11)
#else
#define DNNC_EACH_FOUR(M) DNNC_TWO_FOURS(M)
#endif

/* `lines` x `points` output points from o on, by `cols` channels; each sum in a named variable, as in tile_f32.h. */
DNNC_INLINE void conv2d_u8_tile(const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f, int lines,
                                int points, int cols) {
  const int vectors = dnnc_ceil_div(cols, DNNC_LANES);
  const int live = lines * points * vectors;
  if (live > DNNC_DOT_VECTORS) __builtin_trap(); /* a tile that the caller should not have chosen */
  const ptrdiff_t panel = conv2d_u8_panel(s);
  const int8_t *DNNC_RESTRICT w = o.w;

#define DNNC_START(i) dnnc_vi acc##i = vi_load(o.b + (i < live ? i % vectors * DNNC_LANES : 0));
  DNNC_EACH_SUM(DNNC_START)
#undef DNNC_START

#define DNNC_STEP(i)                                                                                                  \
  if (i < live)                                                                                                       \
    acc##i = vi_dot(acc##i,                                                                                           \
                    vi_repeat(dnnc_four(x + i / vectors / points * s.sh * s.xh + i / vectors % points * s.sw * s.xw,  \
                                        count)),                                                                      \
                    vi_load(w + i % vectors * DNNC_LANES / DNNC_PANEL * panel +                                       \
                            i % vectors * DNNC_LANES % DNNC_PANEL * 4));
  for (int i = 0; i < s.rows; i++)
    for (int j = 0; j < s.cols; j++) {
      const uint8_t *DNNC_RESTRICT x = o.x + i * s.dh * s.xh + j * s.dw * s.xw;
      for (int k = 0; k + 4 <= s.run; k += 4) {
        enum { count = 4 };
        DNNC_EACH_SUM(DNNC_STEP)
        x += 4;
        w += 4 * DNNC_PANEL;
      }
      if (s.run % 4) {
        const int count = s.run % 4;
        DNNC_EACH_SUM(DNNC_STEP)
        w += 4 * DNNC_PANEL;
      }
    }
  for (int i = 0; i < s.again; i++) {
    const int count = dnnc_min(s.run, 4);
    const uint8_t *DNNC_RESTRICT x = o.x + conv2d_u8_again(s, i);
    DNNC_EACH_SUM(DNNC_STEP)
    w += 4 * DNNC_PANEL;
  }
#undef DNNC_STEP

  /* Four whole vectors of bytes that lie one behind the other in a row of y are stored together. */
  const int whole = s.y_bytes && cols % DNNC_LANES == 0 && (vectors % 4 == 0 || s.yw == cols) &&
                    (lines == 1 || points * vectors % 4 == 0);
#define DNNC_FINISHED(i) \
  conv2d_u8_finish(v_from_int(acc##i), o, s, f, i / vectors / points, i / vectors % points, i % vectors * DNNC_LANES, DNNC_LANES)
#define DNNC_FINISH4(i, j, k, l)                                                                                      \
  if (whole && l < live)                                                                                              \
    v_store_bytes4((uint8_t *)o.y + o.at_y + i / vectors / points * s.yh + i / vectors % points * s.yw + i % vectors * DNNC_LANES, \
                   DNNC_FINISHED(i), DNNC_FINISHED(j), DNNC_FINISHED(k), DNNC_FINISHED(l));
#define DNNC_FINISH(i)                                                                                                \
  if (i < live && !(whole && i / 4 * 4 + 3 < live))                                                                   \
    conv2d_u8_store(v_from_int(acc##i), o, s, f, i / vectors / points, i / vectors % points,                          \
                    i % vectors * DNNC_LANES, dnnc_min(cols - i % vectors * DNNC_LANES, DNNC_LANES));
  DNNC_EACH_FOUR(DNNC_FINISH4)
  DNNC_EACH_SUM(DNNC_FINISH)
#undef DNNC_FINISHED
#undef DNNC_FINISH4
#undef DNNC_FINISH
}

/* `lines` whole output rows from p.y on, `cols` channels from p.c on. */
DNNC_INLINE void conv2d_u8_strip(const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f,
                                 conv2d_u8_place p, int lines, int cols) {
  const int points = dnnc_min(s.mr, s.ow), rest = s.ow % points;
  for (p.x = 0; p.x + points <= s.ow; p.x += points) conv2d_u8_tile(conv2d_u8_at(o, s, p), s, f, lines, points, cols);
  if (rest) conv2d_u8_tile(conv2d_u8_at(o, s, p), s, f, lines, rest, cols);
}

/* `strips` strips of `lines` rows from p.y on, by `blocks` blocks of `cols` channels from p.c on. */
DNNC_INLINE void conv2d_u8_region(const conv2d_u8_operands o, const conv2d_u8_shape s, dnnc_epilogue f,
                                  const conv2d_u8_place p, int strips, int lines, int blocks, int cols) {
  const int outer = s.panels_outer ? blocks : strips, inner = s.panels_outer ? strips : blocks;
  conv2d_u8_place at = p;
  for (int i = 0; i < outer; i++)
    for (int j = 0; j < inner; j++) {
      at.y = p.y + (s.panels_outer ? j : i) * lines;
      at.c = p.c + (s.panels_outer ? i : j) * cols;
      conv2d_u8_strip(o, s, f, at, lines, cols);
    }
}

/* Where strips and blocks leave nothing over: a quarter of the code to compile. */
DNNC_INLINE void conv2d_u8_simd_even(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0,
                                     const void *e1, const conv2d_u8_shape s, dnnc_epilogue f) {
  const conv2d_u8_operands o = {x, w, b, y, e0, e1, 0, 0, 0};
  const int lines = dnnc_max(1, dnnc_min(s.mr / s.ow, s.oh)), cols = dnnc_min(s.nv * DNNC_PANEL, s.oc);
  conv2d_u8_place p = {0, 0, 0, 0, 0};
  for (p.n = 0; p.n < s.n; p.n++)
    for (p.g = 0; p.g < s.groups; p.g++) conv2d_u8_region(o, s, f, p, s.oh / lines, lines, s.oc / cols, cols);
}

DNNC_INLINE void conv2d_u8_simd(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0,
                                const void *e1, const conv2d_u8_shape s, dnnc_epilogue f) {
  const conv2d_u8_operands o = {x, w, b, y, e0, e1, 0, 0, 0};
  const int lines = dnnc_max(1, dnnc_min(s.mr / s.ow, s.oh)), cols = dnnc_min(s.nv * DNNC_PANEL, s.oc);
  const int strips = s.oh / lines, blocks = s.oc / cols, rest_lines = s.oh % lines, rest_cols = s.oc % cols;
  conv2d_u8_place p = {0, 0, 0, 0, 0};
  for (p.n = 0; p.n < s.n; p.n++)
    for (p.g = 0; p.g < s.groups; p.g++) {
      p.y = p.c = 0;
      conv2d_u8_region(o, s, f, p, strips, lines, blocks, cols);
      p.c = blocks * cols;
      if (rest_cols) conv2d_u8_region(o, s, f, p, strips, lines, 1, rest_cols);
      p.y = strips * lines;
      if (rest_lines && rest_cols) conv2d_u8_region(o, s, f, p, 1, rest_lines, 1, rest_cols);
      p.c = 0;
      if (rest_lines) conv2d_u8_region(o, s, f, p, 1, rest_lines, blocks, cols);
    }
}

#endif
#endif
