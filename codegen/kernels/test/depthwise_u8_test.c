/* depthwise_u8_test.c: depthwise_u8_portable and _simd against a naive loop. All numbers are whole, so every comparison is exact. */
#include "check_u8.h"
#include "depthwise_u8.h"

typedef void (*kernel)(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0, const void *e1);

static int shape_number;

/* The last element that is read or written, plus one. */
static ptrdiff_t extent(depthwise_shape s, ptrdiff_t n, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c) {
  return (s.n - 1) * n + (s.oh - 1) * h + (s.ow - 1) * w + (s.c - 1) * c + 1;
}

/* Where a channel's weight or bias lies among the 64 of its block. */
static int place(int c) { return c % 16 / 4 * 16 + c / 16 % 4 * 4 + c % 4; }

/* Runs the kernel on fresh operands of shape s. In place: e0 is y itself. */
static void check(const char *what, kernel run, const depthwise_shape s, int in_place) {
  const int blocks = dnnc_ceil_div(s.c, 64), fours = dnnc_ceil_div(s.kh, 4);
  const ptrdiff_t x_count = (s.n - 1) * s.xn + ((s.oh - 1) * s.sh + (s.kh - 1) * s.dh) * s.xh +
                            ((s.ow - 1) * s.sw + (s.kw - 1) * s.dw) * s.xw + s.c;
  const ptrdiff_t y_count = extent(s, s.yn, s.yh, s.yw, 1);
  const ptrdiff_t w_count = (ptrdiff_t)blocks * fours * s.kw * 256, b_count = (ptrdiff_t)blocks * 64;
  uint8_t *x = (uint8_t *)numbers(x_count, 1);
  void *e0 = numbers(extent(s, s.e0n, s.e0h, s.e0w, s.e0c), s.e0_bytes);
  void *e1 = numbers(extent(s, s.e1n, s.e1h, s.e1w, s.e1c), s.e1_bytes);
  int8_t *w = (int8_t *)numbers(w_count, 1);
  int32_t *b = (int32_t *)(void *)numbers(b_count * (ptrdiff_t)sizeof(int32_t), 1);
  for (int i = 0; i < b_count; i++) b[i] = check_int(-30000, 30000);
  if (s.c == 8 || s.c == 16 || s.c == 32)
    for (int c = s.c; c < 64; c++) {
      b[place(c)] = b[place(c % s.c)];
      for (int i = 0; i < fours * s.kw; i++) memcpy(w + i * 256 + place(c) * 4, w + i * 256 + place(c % s.c) * 4, 4);
    }
  void *y = numbers(y_count, s.y_bytes), *before = numbers(y_count, s.y_bytes);
  const size_t size = (size_t)y_count * (s.y_bytes ? 1 : sizeof(float));
  if (in_place) memcpy(y, e0, size);
  memcpy(before, y, size);
  char *written = check_marks(y_count);

  run(x, w, b, y, s.extras < 1 ? NULL : in_place ? y : e0, s.extras < 2 ? NULL : e1);

  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++)
      for (int ox = 0; ox < s.ow; ox++)
        for (int c = 0; c < s.c; c++) {
          int64_t sum = b[c / 64 * 64 + place(c)];
          for (int i = 0; i < s.kh; i++)
            for (int j = 0; j < s.kw; j++)
              sum += x[n * s.xn + (oy * s.sh + i * s.dh) * s.xh + (ox * s.sw + j * s.dw) * s.xw + c] *
                     w[((c / 64 * fours + i / 4) * s.kw + j) * 256 + place(c) * 4 + i % 4];
          const double a0 = s.extras < 1 ? 0 : number_at(e0, n * s.e0n + oy * s.e0h + ox * s.e0w + c * s.e0c, s.e0_bytes);
          const double a1 = s.extras < 2 ? 0 : number_at(e1, n * s.e1n + oy * s.e1h + ox * s.e1w + c * s.e1c, s.e1_bytes);
          const ptrdiff_t at = n * s.yn + oy * s.yh + ox * s.yw + c;
          check_near(what, shape_number, at, number_at(y, at, s.y_bytes), byte_want(check_want((double)sum, a0, a1), s.y_bytes), 0);
          written[at] = 1;
        }
  for (ptrdiff_t i = 0; i < y_count; i++)
    if (!written[i]) check_near(what, shape_number, i, number_at(y, i, s.y_bytes), number_at(before, i, s.y_bytes), 0);
  check_release();
}

#ifdef CHECK_RANDOM

static depthwise_shape current;
DNNC_INLINE dnnc_v either_epilogue(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  return current.y_bytes ? byte_epilogue(acc, e0, e1) : check_epilogue(acc, e0, e1);
}
#define RUNTIME(name, fn)                                                                                            \
  static void name(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0, const void *e1) {   \
    fn(x, w, b, y, e0, e1, current, either_epilogue);                                                                \
  }
RUNTIME(run_portable, depthwise_u8_portable)
#if DNNC_LANES > 1
RUNTIME(run_simd, depthwise_u8_simd)
#endif

static void check_random_shape(void) {
  depthwise_shape s = {0};
  s.n = check_int(1, 2), s.oh = check_int(1, 4), s.ow = CHECK_PICK(1, 2, 3, 4, 5, 7, 8, 16);
  s.c = CHECK_PICK(1, 5, 8, 16, 24, 32, 40, 64, 72, 130);
  s.kh = CHECK_PICK(1, 2, 3, 5), s.kw = CHECK_PICK(1, 2, 3, 5, 9);
  s.sh = check_int(1, 3), s.sw = CHECK_PICK(1, 1, 2, 3), s.dh = CHECK_PICK(1, 1, 2), s.dw = CHECK_PICK(1, 1, 2, 3);
  const int gap = CHECK_PICK(0, 0, 0, 1, 7);
  s.xw = s.c + CHECK_PICK(0, 0, 1, 7), s.xh = ((s.ow - 1) * s.sw + (s.kw - 1) * s.dw + 1) * s.xw + gap;
  s.xn = ((s.oh - 1) * s.sh + (s.kh - 1) * s.dh + 1) * s.xh + gap;
  s.yw = s.c + gap, s.yh = s.ow * s.yw + gap, s.yn = s.oh * s.yh + gap;
  s.extras = check_int(0, 2), s.x_bytes = 1;
  s.y_bytes = check_int(0, 1), s.e0_bytes = check_int(0, 1), s.e1_bytes = check_int(0, 1);
  s.e0c = check_int(0, 1), s.e0w = CHECK_PICK(0, s.c), s.e0h = CHECK_PICK(0, s.ow * s.c), s.e0n = 0;
  s.e1c = check_int(0, 1), s.e1w = CHECK_PICK(0, 0, 1, 40), s.e1h = CHECK_PICK(0, 3), s.e1n = CHECK_PICK(0, 64);

  const int in_place = s.extras > 0 && check_int(0, 1);
  if (in_place) s.e0n = s.yn, s.e0h = s.yh, s.e0w = s.yw, s.e0c = 1, s.e0_bytes = s.y_bytes;
  current = s;
  shape_number++;
  check("portable", run_portable, s, in_place);
#if DNNC_LANES > 1
  check("simd", run_simd, s, in_place);
#endif
}

#endif
#ifdef CHECK_LITERAL

/* id, (n, oh, ow, c), (kh, kw), (sh, sw, dh, dw), (xn, xh, xw), (yn, yh, yw), extras, e0, e1, bytes of x, y, e0, e1, w (no) */
#define LITERAL_SHAPES(M) \
  M(narrow, 1, 9, 7, 5, 3, 3, 1, 1, 1, 1, 0, 45, 5, 0, 35, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0) \
  M(eight, 1, 3, 16, 8, 3, 3, 1, 1, 1, 1, 0, 144, 8, 0, 128, 8, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0) \
  M(eight_strided, 1, 3, 16, 8, 3, 3, 2, 2, 1, 1, 0, 272, 8, 0, 128, 8, 2, 0, 0, 0, 1, 0, 128, 8, 1, 1, 1, 0, 1, 0) \
  M(sixteen_strided, 1, 6, 8, 16, 3, 3, 2, 2, 1, 1, 0, 288, 16, 0, 128, 16, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0) \
  M(even, 1, 6, 8, 32, 3, 3, 1, 1, 1, 1, 0, 320, 32, 0, 256, 32, 1, 0, 256, 32, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0) \
  M(strided, 2, 5, 14, 96, 3, 3, 2, 2, 1, 1, 33000, 2880, 96, 6720, 1344, 96, 2, 0, 0, 0, 1, 0, 14, 1, 0, 1, 0, 0, 0, 0) \
  M(wide, 1, 3, 19, 144, 5, 5, 1, 1, 1, 1, 0, 3312, 144, 0, 2736, 144, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0) \
  M(dilated, 1, 3, 9, 24, 3, 3, 1, 1, 2, 2, 0, 312, 24, 0, 216, 24, 1, 0, 9, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0) \
  M(point, 1, 1, 1, 100, 7, 7, 1, 1, 1, 1, 0, 700, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)

#define DEFINE(kernel, id, ...)                                                                                      \
  static void kernel##_##id(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0,            \
                            const void *e1) {                                                                        \
    const depthwise_shape s = {__VA_ARGS__};                                                                         \
    if (s.y_bytes) depthwise_u8_##kernel(x, w, b, y, e0, e1, s, byte_epilogue);                                      \
    else depthwise_u8_##kernel(x, w, b, y, e0, e1, s, check_epilogue);                                               \
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
    check(#kernel " " #id, kernel##_##id, s, 0);         \
  }
#define CHECK_PORTABLE(...) CHECK(portable, __VA_ARGS__)
#define CHECK_SIMD(...) CHECK(simd, __VA_ARGS__)
  LITERAL_SHAPES(CHECK_PORTABLE)
#if DNNC_LANES > 1
  LITERAL_SHAPES(CHECK_SIMD)
#endif
#endif
  printf("depthwise_u8: %d elements\n", check_count);
  return 0;
}
