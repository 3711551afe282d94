/* pool_f32_test.c: maximum and average pooling against a naive loop. */
#include "check.h"
#include "pool_f32.h"

typedef void (*kernel)(const float *x, float *y);

static int shape_number;

static int inside(int at, int low, int high) { return at >= low && at < high; }

/* Runs the kernel on fresh operands of shape s. */
static void check(const char *what, kernel run, const pool_shape s, int average) {
  const ptrdiff_t x_count = (s.n - 1) * s.xn + (s.ih - 1) * s.xh + (s.iw - 1) * s.xw + s.c;
  const ptrdiff_t y_count = (s.n - 1) * s.yn + (s.oh - 1) * s.yh + (s.ow - 1) * s.yw + s.c;
  float *x = check_random(x_count), *y = check_untouched(y_count);
  char *written = check_marks(y_count);

  run(x, y);

  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++)
      for (int ox = 0; ox < s.ow; ox++)
        for (int c = 0; c < s.c; c++) {
          double sum = 0, most = -INFINITY;
          int count = 0;
          for (int i = 0; i < s.kh; i++)
            for (int j = 0; j < s.kw; j++) {
              const int iy = oy * s.sh - s.pt + i * s.dh, ix = ox * s.sw - s.pl + j * s.dw;
              const int real = inside(iy, 0, s.ih) && inside(ix, 0, s.iw);
              const int padded = inside(iy, -s.pt, s.ih + s.pb) && inside(ix, -s.pl, s.iw + s.pr);
              const double value = real ? (double)x[n * s.xn + iy * s.xh + ix * s.xw + c] : 0;
              sum += value;
              if (real && value > most) most = value;
              count += s.count_include_pad ? padded : real;
            }
          const ptrdiff_t at = n * s.yn + oy * s.yh + ox * s.yw + c;
          check_near(what, shape_number, at, (double)y[at], average ? sum / count : most, average ? 1e-5 : 0);
          written[at] = 1;
        }
  check_rest(what, shape_number, y, written, y_count);
  check_release();
}

#ifdef CHECK_RANDOM

static pool_shape current;
static void run_maxpool_portable(const float *x, float *y) { maxpool_f32_portable(x, y, current); }
static void run_avgpool_portable(const float *x, float *y) { avgpool_f32_portable(x, y, current); }
#if DNNC_LANES > 1
static void run_maxpool_simd(const float *x, float *y) { maxpool_f32_simd(x, y, current); }
static void run_avgpool_simd(const float *x, float *y) { avgpool_f32_simd(x, y, current); }
#endif

/* Output size of one dimension: the last window starts inside the image or the padding before it. */
static int outputs(int size, int before, int after, int extent, int stride, int ceil_mode) {
  const int room = size + before + after - extent;
  const int out = (ceil_mode ? dnnc_ceil_div(room, stride) : room / stride) + 1;
  return (out - 1) * stride >= size + before ? out - 1 : out;
}

static void check_random_shape(void) {
  pool_shape s = {0};
  s.n = check_int(1, 2), s.c = CHECK_PICK(1, 5, 8, 15, 16, 17, 32, 40, 64, 129, 130);
  s.kh = check_int(1, 4), s.kw = check_int(1, 4), s.dh = CHECK_PICK(1, 1, 2), s.dw = CHECK_PICK(1, 1, 2);
  s.sh = check_int(1, 5), s.sw = check_int(1, 3);
  s.pt = check_int(0, s.kh / 2), s.pb = check_int(0, s.kh / 2), s.pl = check_int(0, s.kw / 2), s.pr = check_int(0, s.kw / 2);
  s.ih = (s.kh - 1) * s.dh + 1 + check_int(0, 6), s.iw = (s.kw - 1) * s.dw + 1 + check_int(0, 12);
  const int ceil_mode = check_int(0, 1);
  s.oh = outputs(s.ih, s.pt, s.pb, (s.kh - 1) * s.dh + 1, s.sh, ceil_mode);
  s.ow = outputs(s.iw, s.pl, s.pr, (s.kw - 1) * s.dw + 1, s.sw, ceil_mode);
  s.count_include_pad = check_int(0, 1);
  const int gap = CHECK_PICK(0, 0, 1, 7);
  s.xw = s.c + gap, s.xh = s.iw * s.xw + gap, s.xn = s.ih * s.xh + gap;
  s.yw = s.c + gap, s.yh = s.ow * s.yw + gap, s.yn = s.oh * s.yh + gap;

  current = s;
  shape_number++;
  check("maxpool portable", run_maxpool_portable, s, 0);
  check("avgpool portable", run_avgpool_portable, s, 1);
#if DNNC_LANES > 1
  check("maxpool simd", run_maxpool_simd, s, 0);
  check("avgpool simd", run_avgpool_simd, s, 1);
#endif
}

#endif
#ifdef CHECK_LITERAL

/* id, (n, oh, ow, c), (ih, iw), (kh, kw), (sh, sw, dh, dw), (pt, pl), count_include_pad, (pb, pr), (xn, xh, xw), (yn, yh, yw) */
#define LITERAL_SHAPES(M)                                                                           \
  M(halve, 1, 7, 7, 64, 14, 14, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 896, 64, 0, 448, 64)            \
  M(stem, 1, 6, 6, 24, 12, 12, 3, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 288, 24, 0, 144, 24)             \
  M(same, 2, 5, 9, 17, 5, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 810, 162, 18, 765, 153, 17)           \
  M(global, 2, 1, 1, 300, 7, 7, 7, 7, 1, 1, 1, 1, 0, 0, 0, 0, 0, 14700, 2100, 300, 300, 0, 0)       \
  M(global_narrow, 1, 1, 1, 3, 5, 6, 5, 6, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 18, 3, 0, 0, 0)            \
  M(ceil, 1, 4, 4, 33, 7, 7, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 231, 33, 0, 132, 33)

#define DEFINE(kernel, id, ...)                                                                     \
  static void maxpool_##kernel##_##id(const float *x, float *y) {                                   \
    const pool_shape s = {__VA_ARGS__, 0, 0};                                                             \
    maxpool_f32_##kernel(x, y, s);                                                                  \
  }                                                                                                 \
  static void avgpool_##kernel##_##id(const float *x, float *y) {                                   \
    const pool_shape s = {__VA_ARGS__, 0, 0};                                                             \
    avgpool_f32_##kernel(x, y, s);                                                                  \
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
#define CHECK(kernel, id, ...)                                              \
  {                                                                         \
    const pool_shape s = {__VA_ARGS__, 0, 0};                                     \
    check("maxpool " #kernel " " #id, maxpool_##kernel##_##id, s, 0);       \
    check("avgpool " #kernel " " #id, avgpool_##kernel##_##id, s, 1);       \
  }
#define CHECK_PORTABLE(...) CHECK(portable, __VA_ARGS__)
#define CHECK_SIMD(...) CHECK(simd, __VA_ARGS__)
  LITERAL_SHAPES(CHECK_PORTABLE)
#if DNNC_LANES > 1
  LITERAL_SHAPES(CHECK_SIMD)
#endif
#endif
  printf("pool_f32: %d elements\n", check_count);
  return 0;
}
