/* depthwise_f32_test.c: depthwise_f32_portable and depthwise_f32_simd against a naive loop. */
#include "check.h"
#include "depthwise_f32.h"

typedef void (*kernel)(const float *x, const void *w, const float *b, float *y, const float *e0, const float *e1);

static int shape_number;

/* Runs the kernel on fresh operands of shape s. */
static void check(const char *what, kernel run, const depthwise_shape s) {
  const int panels = dnnc_ceil_div(s.c, 16);
  const ptrdiff_t x_count = (s.n - 1) * s.xn + ((s.oh - 1) * s.sh + (s.kh - 1) * s.dh) * s.xh +
                            ((s.ow - 1) * s.sw + (s.kw - 1) * s.dw) * s.xw + s.c;
  const ptrdiff_t y_count = (s.n - 1) * s.yn + (s.oh - 1) * s.yh + (s.ow - 1) * s.yw + s.c;
  const ptrdiff_t e0_count = (s.n - 1) * s.e0n + (s.oh - 1) * s.e0h + (s.ow - 1) * s.e0w + (s.c - 1) * s.e0c + 1;
  const ptrdiff_t e1_count = (s.n - 1) * s.e1n + (s.oh - 1) * s.e1h + (s.ow - 1) * s.e1w + (s.c - 1) * s.e1c + 1;
  float *x = check_random(x_count), *e0 = check_random(e0_count), *e1 = check_random(e1_count);
  const ptrdiff_t w_count = (ptrdiff_t)panels * s.kh * s.kw * 16;
  float *w = check_random(w_count), *b = check_random(panels * 16);
  int8_t *narrow = (int8_t *)check_marks(w_count);
  for (ptrdiff_t i = 0; s.w_bytes && i < w_count; i++) w[i] = narrow[i] = (int8_t)check_int(-128, 127);
  float *y = check_untouched(y_count);
  char *written = check_marks(y_count);

  run(x, s.w_bytes ? (const void *)narrow : w, b, y, s.extras < 1 ? NULL : e0, s.extras < 2 ? NULL : e1);

  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++)
      for (int ox = 0; ox < s.ow; ox++)
        for (int c = 0; c < s.c; c++) {
          double sum = (double)b[c];
          for (int i = 0; i < s.kh; i++)
            for (int j = 0; j < s.kw; j++)
              sum += (double)x[n * s.xn + (oy * s.sh + i * s.dh) * s.xh + (ox * s.sw + j * s.dw) * s.xw + c] *
                     (double)w[((c / 16 * s.kh + i) * s.kw + j) * 16 + c % 16];
          const double a0 = s.extras < 1 ? 0 : (double)e0[n * s.e0n + oy * s.e0h + ox * s.e0w + c * s.e0c];
          const double a1 = s.extras < 2 ? 0 : (double)e1[n * s.e1n + oy * s.e1h + ox * s.e1w + c * s.e1c];
          const ptrdiff_t at = n * s.yn + oy * s.yh + ox * s.yw + c;
          check_near(what, shape_number, at, (double)y[at], check_want(sum, a0, a1), s.w_bytes ? 1e-3 : 1e-5);
          written[at] = 1;
        }
  check_rest(what, shape_number, y, written, y_count);
  check_release();
}

#ifdef CHECK_RANDOM

static depthwise_shape current;
static void run_portable(const float *x, const void *w, const float *b, float *y, const float *e0, const float *e1) {
  depthwise_f32_portable(x, w, b, y, e0, e1, current, check_epilogue);
}
#if DNNC_LANES > 1
static void run_simd(const float *x, const void *w, const float *b, float *y, const float *e0, const float *e1) {
  depthwise_f32_simd(x, w, b, y, e0, e1, current, check_epilogue);
}
#endif

static void check_random_shape(void) {
  depthwise_shape s = {0};
  s.n = check_int(1, 2), s.oh = check_int(1, 4), s.ow = check_int(1, 17), s.c = check_int(1, 50);
  s.kh = CHECK_PICK(1, 2, 3, 5), s.kw = CHECK_PICK(1, 2, 3, 5, 9);
  s.sh = check_int(1, 3), s.sw = check_int(1, 4), s.dh = CHECK_PICK(1, 1, 2), s.dw = CHECK_PICK(1, 1, 2, 3);
  const int gap = CHECK_PICK(0, 0, 1, 7);
  s.xw = s.c + gap, s.xh = ((s.ow - 1) * s.sw + (s.kw - 1) * s.dw + 1) * s.xw + gap;
  s.xn = ((s.oh - 1) * s.sh + (s.kh - 1) * s.dh + 1) * s.xh + gap;
  s.yw = s.c + gap, s.yh = s.ow * s.yw + gap, s.yn = s.oh * s.yh + gap;
  s.extras = check_int(0, 2), s.w_bytes = check_int(0, 1);
  s.e0c = check_int(0, 1), s.e0w = CHECK_PICK(0, s.c), s.e0h = CHECK_PICK(0, s.ow * s.c), s.e0n = 0;
  s.e1c = check_int(0, 1), s.e1w = CHECK_PICK(0, 1, 40), s.e1h = CHECK_PICK(0, 3), s.e1n = CHECK_PICK(0, 64);

  current = s;
  shape_number++;
  check("portable", run_portable, s);
#if DNNC_LANES > 1
  check("simd", run_simd, s);
#endif
}

#endif
#ifdef CHECK_LITERAL

/* id, (n, oh, ow, c), (kh, kw), (sh, sw, dh, dw), (xn, xh, xw), (yn, yh, yw), extras, e0, e1, bytes of x, y, e0, e1, w */
#define LITERAL_SHAPES(M) \
  M(narrow, 1, 9, 7, 5, 3, 3, 1, 1, 1, 1, 0, 45, 5, 0, 35, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) \
  M(even, 1, 6, 8, 32, 3, 3, 1, 1, 1, 1, 0, 320, 32, 0, 256, 32, 1, 0, 256, 32, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1) \
  M(strided, 2, 5, 14, 40, 3, 3, 2, 2, 1, 1, 13000, 1160, 40, 2800, 560, 40, 2, 0, 0, 0, 1, 0, 14, 1, 0, 0, 0, 0, 0, 0) \
  M(wide, 1, 3, 19, 17, 5, 5, 1, 1, 1, 1, 0, 414, 18, 0, 360, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) \
  M(dilated, 1, 3, 9, 24, 3, 3, 1, 1, 2, 2, 0, 312, 24, 0, 216, 24, 1, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) \
  M(point, 1, 1, 1, 100, 7, 7, 1, 1, 1, 1, 0, 700, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

#define DEFINE(kernel, id, ...)                                                                          \
  static void kernel##_##id(const float *x, const void *w, const float *b, float *y, const float *e0,    \
                            const float *e1) {                                                           \
    const depthwise_shape s = {__VA_ARGS__};                                                             \
    depthwise_f32_##kernel(x, w, b, y, e0, e1, s, check_epilogue);                                       \
  }
#define DEFINE_PORTABLE(...) DEFINE(portable, __VA_ARGS__)
#define DEFINE_SIMD(...) DEFINE(simd, __VA_ARGS__)
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
#define CHECK(kernel, id, ...)                           \
  {                                                      \
    const depthwise_shape s = {__VA_ARGS__};             \
    check(#kernel " " #id, kernel##_##id, s);            \
  }
#define CHECK_PORTABLE(...) CHECK(portable, __VA_ARGS__)
#define CHECK_SIMD(...) CHECK(simd, __VA_ARGS__)
  LITERAL_SHAPES(CHECK_PORTABLE)
#if DNNC_LANES > 1
  LITERAL_SHAPES(CHECK_SIMD)
#endif
#endif
  printf("depthwise_f32: %d elements\n", check_count);
  return 0;
}
