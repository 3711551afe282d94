/* depthwise_u8.h: 2-D convolution of bytes, each channel with its own kernel, channels last; sums of 32 bits, exact and
 * alike on every target.
 *
 *   y[n][oy][ox][c] = f(b[c] + sum over i, j of x[n][oy*sh + i*dh][ox*sw + j*dw][c] * w[i][j][c], e0, e1)
 *
 * x is padded already, with its zero point; b has the zero point's part of the sum taken off. Channels of x beyond c are not
 * read. w holds bytes, [ceil(c / 64)][ceil(kh / 4)][kw][q: 4][k: 4][r: 4][row: 4]: by blocks of 64 channels and fours of kernel
 * rows, the rows of channel 16 k + 4 q + r side by side (bytes.h says why). b is [ceil(c / 64)][q][k][r]. Both are
 * zero-filled, but 8, 16 and 32 channels come again and again until there are 64: neighbouring pixels share a vector then.
 * Kernels have up to 64 elements, and no sum reaches 2^24: floats hold them, too. y and the extras are floats or bytes, x_bytes
 * is 1 and w_bytes 0. e0 may be y itself. */
#ifndef DNNC_DEPTHWISE_U8_H
#define DNNC_DEPTHWISE_U8_H

#include "depthwise_f32.h"

/* Elements that a kernel may have. */
#define DNNC_DEPTHWISE_TAPS 64

/* Bytes of w from a kernel column to the next, and from 64 channels to the next. */
#define DNNC_DEPTHWISE_COLUMN 256
DNNC_INLINE ptrdiff_t depthwise_u8_block(depthwise_shape s) {
  return (ptrdiff_t)dnnc_ceil_div(s.kh, 4) * s.kw * DNNC_DEPTHWISE_COLUMN;
}

/* ---- portable: the reference ---- */

/* Weights and biases of 16 channels from c on, as depthwise_f32_portable_tile reads them. */
DNNC_INLINE void depthwise_u8_unpack(const int8_t *w, const int32_t *b, const depthwise_shape s, int c, float *panel, float *bias) {
  w += c / 64 * depthwise_u8_block(s) + c % 64;
  b += c / 64 * 64 + c % 64 / 4;
  for (int l = 0; l < DNNC_PANEL; l++) {
    bias[l] = (float)b[l / 4 * 16 + l % 4];
    for (int i = 0; i < s.kh; i++)
      for (int j = 0; j < s.kw; j++)
        panel[(i * s.kw + j) * DNNC_PANEL + l] =
          (float)w[(i / 4 * s.kw + j) * DNNC_DEPTHWISE_COLUMN + l / 4 * 64 + l % 4 * 4 + i % 4];
  }
}

/* The whole image, `channels` <= 16 channels from c on. */
DNNC_INLINE void depthwise_u8_portable_panel(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0, const void *e1,
                                             const depthwise_shape s, dnnc_epilogue f, int c, int channels) {
  float panel[DNNC_DEPTHWISE_TAPS * DNNC_PANEL], bias[DNNC_PANEL];
  const depthwise_operands o = {x, panel, bias, y, e0, e1, 0, 0, 0, 0};
  const int points = dnnc_min(DNNC_PORTABLE_POINTS, s.ow), rest = s.ow % points;
  depthwise_u8_unpack(w, b, s, c, panel, bias);
  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++) {
      depthwise_operands at = depthwise_at(o, s, n, oy, 0);
      at.at_x += c, at.at_y += c, at.at_e0 += c * s.e0c, at.at_e1 += c * s.e1c;
      for (int ox = 0; ox + points <= s.ow; ox += points) {
        depthwise_f32_portable_tile(at, s, f, points, 0, channels);
        at.at_x += points * s.sw * s.xw, at.at_y += points * s.yw, at.at_e0 += points * s.e0w, at.at_e1 += points * s.e1w;
      }
      if (rest) depthwise_f32_portable_tile(at, s, f, rest, 0, channels);
    }
}

DNNC_INLINE void depthwise_u8_portable(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0, const void *e1,
                                       const depthwise_shape s, dnnc_epilogue f) {
  const int rest = s.c % DNNC_PANEL;
  for (int c = 0; c + DNNC_PANEL <= s.c; c += DNNC_PANEL) depthwise_u8_portable_panel(x, w, b, y, e0, e1, s, f, c, DNNC_PANEL);
  if (rest) depthwise_u8_portable_panel(x, w, b, y, e0, e1, s, f, s.c - rest, rest);
}

/* ---- simd: tiles of some places x four vectors of channels; a place is a pixel, or as many as fill the vectors ---- */

#if DNNC_LANES > 1

enum { DNNC_DEPTHWISE_BYTES = 4 * DNNC_LANES, DNNC_DEPTHWISE_PLACES = DNNC_LANES == 16 ? 4 : 2 };

#if DNNC_LANES == 16
#define DNNC_EACH_PLACE(M) M(0) M(1) M(2) M(3)
#else
#define DNNC_EACH_PLACE(M) M(0) M(1)
#endif

/* An extra operand goes along with the pixels, or is the same at each: one number, or floats. */
DNNC_INLINE int depthwise_u8_follows(const depthwise_shape s, int bytes, ptrdiff_t stride_w, ptrdiff_t stride_c) {
  return stride_w == 0 ? stride_c == 0 || !bytes : stride_w == s.c && stride_c == 1;
}

/* Pixels of one place: side by side in memory, as y has them, and as they leave nothing over. */
DNNC_INLINE int depthwise_u8_pixels(const depthwise_shape s) {
  const int pixels = s.c == 8 || s.c == 16 || s.c == 32 ? dnnc_max(1, DNNC_DEPTHWISE_BYTES / s.c) : 1;
  const int follow = (s.extras < 1 || depthwise_u8_follows(s, s.e0_bytes, s.e0w, s.e0c)) &&
                     (s.extras < 2 || depthwise_u8_follows(s, s.e1_bytes, s.e1w, s.e1c));
  return s.yw == s.c && follow && s.ow % pixels == 0 ? pixels : 1;
}

/* An extra operand at element e of a place that begins at p: of one pixel from channel c on, or of several with all channels. */
DNNC_INLINE dnnc_v depthwise_u8_extra(const void *p, ptrdiff_t at, int bytes, ptrdiff_t stride_w, ptrdiff_t stride_c,
                                      const depthwise_shape s, int pixels, int e, int count) {
  if (pixels == 1 || stride_w != 0) return dnnc_read_extra(p, at + e * stride_c, bytes, stride_c, count);
#if DNNC_LANES == 16
  if (s.c == 8 && stride_c == 1) return v_load_twice((const float *)p + at);
#endif
  return dnnc_read_extra(p, at + e % s.c * stride_c, bytes, stride_c, count);
}

/* Stores four vectors of sums: place p, `count` elements from channel c on. */
DNNC_INLINE void depthwise_u8_store(dnnc_vi sums[4], const depthwise_operands o, const depthwise_shape s, dnnc_epilogue f, int p,
                                    int pixels, int c, int count) {
  const ptrdiff_t at_y = o.at_y + p * pixels * s.yw + c;
  dnnc_v v[4];
  vi_natural(sums);
  DNNC_UNROLL(4)
  for (int i = 0; i < 4; i++) {
    const int e = i * DNNC_LANES, lanes = dnnc_min(count - e, DNNC_LANES);
    const dnnc_v zero = v_set(0.0f);
    v[i] = zero;
    if (lanes <= 0) continue;
    const dnnc_v a0 = s.extras < 1 ? zero
      : depthwise_u8_extra(o.e0, o.at_e0 + p * pixels * s.e0w + c * s.e0c, s.e0_bytes, s.e0w, s.e0c, s, pixels, e, lanes);
    const dnnc_v a1 = s.extras < 2 ? zero
      : depthwise_u8_extra(o.e1, o.at_e1 + p * pixels * s.e1w + c * s.e1c, s.e1_bytes, s.e1w, s.e1c, s, pixels, e, lanes);
    v[i] = f(v_from_int(sums[i]), a0, a1);
    if (!s.y_bytes || count < DNNC_DEPTHWISE_BYTES) dnnc_write(o.y, at_y + e, s.y_bytes, v[i], lanes);
  }
  if (s.y_bytes && count >= DNNC_DEPTHWISE_BYTES) v_store_bytes4((uint8_t *)o.y + at_y, v[0], v[1], v[2], v[3]);
}

/* Up to four rows of x from p on, interleaved: `count` channels of one pixel, or all of several. */
DNNC_INLINE void depthwise_u8_column(const uint8_t *p, const depthwise_shape s, int rows, int pixels, int count, dnnc_vi out[4]) {
  const ptrdiff_t down = s.dh * s.xh, across = s.sw * s.xw;
#define DNNC_ROW(i) \
  (i >= rows ? vi_zero() : pixels > 1 ? vi_pieces(p + i * down, s.c, across) : vi_bytes(p + i * down, count))
  vi_interleave(DNNC_ROW(0), DNNC_ROW(1), DNNC_ROW(2), DNNC_ROW(3), out);
#undef DNNC_ROW
}

/* `places` places, `count` channels from c on. */
DNNC_INLINE void depthwise_u8_tile(const depthwise_operands o, const depthwise_shape s, dnnc_epilogue f, int places, int pixels,
                                   int c, int count) {
  const uint8_t *x = (const uint8_t *)o.x + o.at_x + c;
  const int8_t *w = (const int8_t *)o.w + c / 64 * depthwise_u8_block(s) + c % 64;
  const int32_t *b = (const int32_t *)o.b + c / 64 * 64 + c % 64 / 4;
  /* A column of x is looked at by several places. */
  const int shared = pixels <= 2 && s.sw == 1 && s.dw == 1;

#define DNNC_START(p) dnnc_vi acc##p[4] = {vi_load(b), vi_load(b + 16), vi_load(b + 32), vi_load(b + 48)};
  DNNC_EACH_PLACE(DNNC_START)
#undef DNNC_START

#define DNNC_ADD(p, j)                                          \
  {                                                             \
    const int8_t *wj = w + (j) * DNNC_DEPTHWISE_COLUMN;         \
    acc##p[0] = vi_dot(acc##p[0], column[0], vi_load(wj));      \
    acc##p[1] = vi_dot(acc##p[1], column[1], vi_load(wj + 64)); \
    acc##p[2] = vi_dot(acc##p[2], column[2], vi_load(wj + 128)); \
    acc##p[3] = vi_dot(acc##p[3], column[3], vi_load(wj + 192)); \
  }
  for (int i = 0; i < s.kh; i += 4) {
    const int rows = dnnc_min(s.kh - i, 4);
    dnnc_vi column[4];
    if (shared) {
      DNNC_UNROLL(16)
      for (int m = 0; m < (places - 1) * pixels + s.kw; m++) {
        depthwise_u8_column(x + m * s.xw, s, rows, pixels, count, column);
#define DNNC_STEP(p) \
  if (p < places && m >= p * pixels && m - p * pixels < s.kw) DNNC_ADD(p, m - p * pixels)
        DNNC_EACH_PLACE(DNNC_STEP)
#undef DNNC_STEP
      }
    } else {
      DNNC_UNROLL(8)
      for (int j = 0; j < s.kw; j++) {
#define DNNC_STEP(p)                                                                                     \
  if (p < places) {                                                                                      \
    depthwise_u8_column(x + (p * pixels * s.sw + j * s.dw) * s.xw, s, rows, pixels, count, column);      \
    DNNC_ADD(p, j)                                                                                       \
  }
        DNNC_EACH_PLACE(DNNC_STEP)
#undef DNNC_STEP
      }
    }
    x += 4 * s.dh * s.xh;
    w += s.kw * DNNC_DEPTHWISE_COLUMN;
  }
#undef DNNC_ADD

#define DNNC_FINISH(p) \
  if (p < places) depthwise_u8_store(acc##p, o, s, f, p, pixels, c, count);
  DNNC_EACH_PLACE(DNNC_FINISH)
#undef DNNC_FINISH
}

/* `places` places, all channels. */
DNNC_INLINE void depthwise_u8_places(const depthwise_operands o, const depthwise_shape s, dnnc_epilogue f, int places, int pixels) {
  if (pixels > 1) {
    depthwise_u8_tile(o, s, f, places, pixels, 0, DNNC_DEPTHWISE_BYTES);
    return;
  }
  const int rest = s.c % DNNC_DEPTHWISE_BYTES;
  for (int c = 0; c + DNNC_DEPTHWISE_BYTES <= s.c; c += DNNC_DEPTHWISE_BYTES)
    depthwise_u8_tile(o, s, f, places, 1, c, DNNC_DEPTHWISE_BYTES);
  if (rest) depthwise_u8_tile(o, s, f, places, 1, s.c - rest, rest);
}

DNNC_INLINE void depthwise_u8_simd(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0, const void *e1,
                                   const depthwise_shape s, dnnc_epilogue f) {
  const depthwise_operands o = {x, w, b, y, e0, e1, 0, 0, 0, 0};
  const int pixels = depthwise_u8_pixels(s), all = s.ow / pixels;
  const int places = dnnc_min(DNNC_DEPTHWISE_PLACES, all), rest = all % places;
  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++) {
      for (int i = 0; i + places <= all; i += places)
        depthwise_u8_places(depthwise_at(o, s, n, oy, i * pixels), s, f, places, pixels);
      if (rest) depthwise_u8_places(depthwise_at(o, s, n, oy, (all - rest) * pixels), s, f, rest, pixels);
    }
}

#endif
#endif
