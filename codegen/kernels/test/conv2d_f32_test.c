/* conv2d_f32_test.c: conv2d_f32_portable, _simd and _simd_even against a naive loop, on random shapes and on literal ones. */
#include "check.h"
#include "conv2d_f32.h"

typedef void (*kernel)(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1);

static int shape_number;

/* Runs the kernel on fresh operands of shape s. In place: e0 is y itself. */
static void check(const char *what, kernel run, conv2d_shape s, int in_place) {
  const int panels = dnnc_ceil_div(s.oc, 16), channels = s.groups * s.oc;
  const ptrdiff_t x_count = (s.n - 1) * s.xn + ((s.oh - 1) * s.sh + (s.kh - 1) * s.dh) * s.xh +
                            ((s.ow - 1) * s.sw + (s.kw - 1) * s.dw) * s.xw + s.groups * s.ic;
  const ptrdiff_t y_count = (s.n - 1) * s.yn + (s.oh - 1) * s.yh + (s.ow - 1) * s.yw + channels;
  const ptrdiff_t e0_count = (s.n - 1) * s.e0n + (s.oh - 1) * s.e0h + (s.ow - 1) * s.e0w + (channels - 1) * s.e0c + 1;
  const ptrdiff_t e1_count = (s.n - 1) * s.e1n + (s.oh - 1) * s.e1h + (s.ow - 1) * s.e1w + (channels - 1) * s.e1c + 1;
  const ptrdiff_t panel_size = (ptrdiff_t)s.kh * s.kw * s.ic * 16;
  float *x = check_random(x_count), *e0 = check_random(e0_count), *e1 = check_random(e1_count);
  float *w = check_random(s.groups * panels * panel_size), *b = check_random(s.groups * panels * 16);
  float *y = check_untouched(y_count);
  char *written = check_marks(y_count);

  /* y of the residual: known at the places that will be written */
  if (in_place)
    for (int n = 0; n < s.n; n++)
      for (int oy = 0; oy < s.oh; oy++)
        for (int ox = 0; ox < s.ow; ox++)
          for (int o = 0; o < channels; o++) {
            const ptrdiff_t at = n * s.yn + oy * s.yh + ox * s.yw + o;
            y[at] = e0[at];
          }

  run(x, w, b, y, s.extras < 1 ? NULL : in_place ? y : e0, s.extras < 2 ? NULL : e1);

  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++)
      for (int ox = 0; ox < s.ow; ox++)
        for (int g = 0; g < s.groups; g++)
          for (int o = 0; o < s.oc; o++) {
            const int panel = g * panels + o / 16, channel = g * s.oc + o;
            double sum = (double)b[panel * 16 + o % 16];
            for (int i = 0; i < s.kh; i++)
              for (int j = 0; j < s.kw; j++)
                for (int c = 0; c < s.ic; c++)
                  sum += (double)x[n * s.xn + (oy * s.sh + i * s.dh) * s.xh + (ox * s.sw + j * s.dw) * s.xw + g * s.ic + c] *
                         (double)w[panel * panel_size + ((i * s.kw + j) * s.ic + c) * 16 + o % 16];
            const double a0 = s.extras < 1 ? 0 : (double)e0[n * s.e0n + oy * s.e0h + ox * s.e0w + channel * s.e0c];
            const double a1 = s.extras < 2 ? 0 : (double)e1[n * s.e1n + oy * s.e1h + ox * s.e1w + channel * s.e1c];
            const ptrdiff_t at = n * s.yn + oy * s.yh + ox * s.yw + channel;
            check_near(what, shape_number, at, (double)y[at], check_want(sum, a0, a1), 1e-5 * (2 + s.kh * s.kw * s.ic * 0.1));
            written[at] = 1;
          }
  check_rest(what, shape_number, y, written, y_count);
  check_release();
}

#ifdef CHECK_RANDOM

static conv2d_shape current;
static void run_portable(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1) {
  conv2d_f32_portable(x, w, b, y, e0, e1, current, check_epilogue);
}
#if DNNC_LANES > 1
static void run_simd(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1) {
  conv2d_f32_simd(x, w, b, y, e0, e1, current, check_epilogue);
}
static void run_simd_even(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1) {
  conv2d_f32_simd_even(x, w, b, y, e0, e1, current, check_epilogue);
}
#endif

/* A shape with strides that leave gaps of `gap` elements between columns, rows and images. */
static conv2d_shape strided(conv2d_shape s, int gap) {
  const int in_rows = (s.oh - 1) * s.sh + (s.kh - 1) * s.dh + 1, in_cols = (s.ow - 1) * s.sw + (s.kw - 1) * s.dw + 1;
  s.xw = s.groups * s.ic + gap, s.xh = in_cols * s.xw + gap, s.xn = in_rows * s.xh + gap;
  s.yw = s.groups * s.oc + gap, s.yh = s.ow * s.yw + gap, s.yn = s.oh * s.yh + gap;
  return s;
}

static void check_random_shape(void) {
  conv2d_shape s = {0};
  s.n = check_int(1, 2), s.oh = check_int(1, 5), s.ow = CHECK_PICK(1, 2, 3, 5, 6, 7, 13, 14, 15, 29);
  s.oc = CHECK_PICK(1, 5, 8, 9, 15, 16, 17, 24, 32, 33, 65);
  s.kh = check_int(1, 3), s.kw = check_int(1, 3), s.ic = CHECK_PICK(1, 2, 3, 4, 16, 17), s.groups = CHECK_PICK(1, 1, 2, 3);
  s.sh = check_int(1, 3), s.sw = check_int(1, 4), s.dh = CHECK_PICK(1, 1, 2), s.dw = CHECK_PICK(1, 1, 2, 3);
  s = strided(s, CHECK_PICK(0, 0, 1, 7));
  s.extras = check_int(0, 2);
  s.e0c = check_int(0, 1), s.e0w = CHECK_PICK(0, s.groups * s.oc), s.e0h = CHECK_PICK(0, s.ow * s.groups * s.oc), s.e0n = 0;
  s.e1c = check_int(0, 1), s.e1w = CHECK_PICK(0, 1, 40), s.e1h = CHECK_PICK(0, 3), s.e1n = CHECK_PICK(0, 64);
  s.panels_outer = check_int(0, 1);

  const int vectors = DNNC_LANES > 1 ? 16 / DNNC_LANES : 1, budget = DNNC_LANES > 1 ? DNNC_TILE_VECTORS / vectors : 28;
  s.nv = check_int(1, dnnc_min(8, dnnc_ceil_div(s.oc, 16)));
  s.nv = dnnc_min(s.nv, budget);
  s.mr = check_int(1, dnnc_min(budget / s.nv, s.ow * s.oh));
  if (s.mr > s.ow && s.mr < 2 * s.ow) s.mr = s.ow;

  const int in_place = s.extras > 0 && check_int(0, 1);
  if (in_place) s.e0n = s.yn, s.e0h = s.yh, s.e0w = s.yw, s.e0c = 1;
  current = s;
  shape_number++;
  check("portable", run_portable, s, in_place);
#if DNNC_LANES > 1
  check("simd", run_simd, s, in_place);
  const int lines = dnnc_max(1, dnnc_min(s.mr / s.ow, s.oh));
  if (s.oh % lines == 0 && s.oc % dnnc_min(s.nv * 16, s.oc) == 0) check("simd even", run_simd_even, s, in_place);
#endif
}

#endif
#ifdef CHECK_LITERAL

/* id, (n, oh, ow, oc), (kh, kw, ic, groups), (sh, sw, dh, dw), (xn, xh, xw), (yn, yh, yw), extras, e0, e1, (mr, nv), outer.
 * With 16 lanes the tile is taken as it is, with 8 it is 6 x 1. */
#define LITERAL_SHAPES(M)                                                                                          \
  M(pointwise, 1, 1, 49, 64, 1, 1, 24, 1, 1, 1, 1, 1, 0, 0, 24, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14, 2, 0)       \
  M(same, 1, 9, 9, 32, 3, 3, 16, 1, 1, 1, 1, 1, 0, 176, 16, 0, 288, 32, 1, 0, 288, 32, 1, 0, 0, 0, 0, 9, 2, 0)        \
  M(first, 2, 5, 17, 32, 3, 3, 3, 1, 2, 2, 1, 1, 1155, 105, 3, 2720, 544, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14, 2, 0)    \
  M(two_lines, 1, 7, 7, 40, 3, 3, 5, 1, 1, 1, 1, 1, 0, 45, 5, 0, 280, 40, 1, 0, 0, 0, 1, 0, 0, 0, 0, 14, 2, 1)        \
  M(four_lines, 1, 7, 5, 17, 1, 1, 8, 1, 1, 1, 1, 1, 0, 40, 8, 0, 90, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 1, 1)        \
  M(grouped, 1, 4, 6, 5, 3, 3, 4, 3, 1, 1, 1, 1, 0, 96, 12, 0, 90, 15, 2, 0, 90, 15, 1, 0, 6, 1, 0, 6, 1, 0)          \
  M(dilated, 1, 3, 11, 24, 3, 3, 8, 1, 1, 1, 2, 2, 0, 120, 8, 0, 300, 27, 2, 0, 0, 0, 1, 0, 264, 24, 1, 10, 2, 0)     \
  M(one_channel, 1, 8, 30, 1, 5, 5, 1, 1, 1, 1, 1, 1, 0, 34, 1, 0, 30, 1, 1, 0, 30, 1, 0, 0, 0, 0, 0, 28, 1, 0)       \
  M(linear, 1, 1, 1, 131, 1, 1, 100, 1, 1, 1, 1, 1, 0, 0, 100, 0, 0, 131, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 8, 0)         \
  M(linear_batch, 1, 1, 5, 70, 1, 1, 64, 1, 1, 1, 1, 1, 0, 0, 70, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 5, 1)       \
  M(whole_image, 2, 1, 1, 20, 4, 4, 6, 1, 1, 1, 1, 1, 96, 24, 6, 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0)       \
  M(stride_gap, 1, 4, 9, 33, 1, 1, 17, 1, 3, 4, 1, 1, 0, 680, 20, 0, 333, 37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 3, 1)

#define LITERAL(id, n, oh, ow, oc, kh, kw, ic, g, sh, sw, dh, dw, xn, xh, xw, yn, yh, yw, extras, e0n, e0h, e0w, e0c, \
                e1n, e1h, e1w, e1c, mr, nv, outer)                                                                   \
  {n, oh, ow, oc, kh, kw, ic, g, sh, sw, dh, dw, xn, xh, xw, yn, yh, yw, extras, e0n, e0h, e0w, e0c,                 \
   e1n, e1h, e1w, e1c, DNNC_LANES == 16 ? mr : ow < 6 ? ow : 6, DNNC_LANES == 16 ? nv : 1, outer, 0}

#define DEFINE_PORTABLE(id, ...)                                                                                    \
  static void portable_##id(const float *x, const float *w, const float *b, float *y, const float *e0,              \
                            const float *e1) {                                                                      \
    const conv2d_shape s = LITERAL(id, __VA_ARGS__);                                                                \
    conv2d_f32_portable(x, w, b, y, e0, e1, s, check_epilogue);                                                     \
  }
#define DEFINE_SIMD(id, ...)                                                                                        \
  static void simd_##id(const float *x, const float *w, const float *b, float *y, const float *e0,                  \
                        const float *e1) {                                                                          \
    const conv2d_shape s = LITERAL(id, __VA_ARGS__);                                                                \
    conv2d_f32_simd(x, w, b, y, e0, e1, s, check_epilogue);                                                         \
  }
LITERAL_SHAPES(DEFINE_PORTABLE)
#if DNNC_LANES > 1
LITERAL_SHAPES(DEFINE_SIMD)
#endif

#endif

int main(void) {
#ifdef CHECK_RANDOM
  for (int i = 0; i < 300; i++) check_random_shape();
#endif
#ifdef CHECK_LITERAL
#define CHECK_PORTABLE(id, ...)                                                       \
  {                                                                                   \
    const conv2d_shape s = LITERAL(id, __VA_ARGS__);                                  \
    check("portable " #id, portable_##id, s, 0);                                      \
  }
#define CHECK_SIMD(id, ...)                                                           \
  {                                                                                   \
    const conv2d_shape s = LITERAL(id, __VA_ARGS__);                                  \
    check("simd " #id, simd_##id, s, 0);                                              \
    if (s.extras > 0 && s.e0w == s.yw) check("simd in place " #id, simd_##id, s, 1);  \
  }
  LITERAL_SHAPES(CHECK_PORTABLE)
#if DNNC_LANES > 1
  LITERAL_SHAPES(CHECK_SIMD)
#endif
#endif
  printf("conv2d_f32: %d elements\n", check_count);
  return 0;
}
