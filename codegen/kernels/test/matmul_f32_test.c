/* matmul_f32_test.c: matmul_f32_portable and matmul_f32_simd against a naive loop. */
#include "check.h"
#include "matmul_f32.h"

typedef void (*kernel)(const float *a, const float *x, float *y, const float *e0, const float *e1);

static int shape_number;

/* Runs the kernel on fresh operands of shape s. */
static void check(const char *what, kernel run, const matmul_shape s) {
  const int i = s.b0 - 1, j = s.b1 - 1, r = s.m - 1, c = s.n - 1, k = s.k - 1;
  const ptrdiff_t y_count = i * s.y0 + j * s.y1 + r * s.ym + c + 1;
  float *a = check_random(i * s.a0 + j * s.a1 + r * s.am + k * s.ak + 1);
  float *x = check_random(i * s.x0 + j * s.x1 + k * s.xk + c + 1);
  float *e0 = check_random(i * s.e00 + j * s.e01 + r * s.e0m + c * s.e0n + 1);
  float *e1 = check_random(i * s.e10 + j * s.e11 + r * s.e1m + c * s.e1n + 1);
  float *y = check_untouched(y_count);
  char *written = check_marks(y_count);

  run(a, x, y, s.extras < 1 ? NULL : e0, s.extras < 2 ? NULL : e1);

  for (int i0 = 0; i0 < s.b0; i0++)
    for (int i1 = 0; i1 < s.b1; i1++)
      for (int row = 0; row < s.m; row++)
        for (int col = 0; col < s.n; col++) {
          double sum = 0;
          for (int l = 0; l < s.k; l++)
            sum += (double)a[i0 * s.a0 + i1 * s.a1 + row * s.am + l * s.ak] *
                   (double)x[i0 * s.x0 + i1 * s.x1 + l * s.xk + col];
          const double a0 = s.extras < 1 ? 0 : (double)e0[i0 * s.e00 + i1 * s.e01 + row * s.e0m + col * s.e0n];
          const double a1 = s.extras < 2 ? 0 : (double)e1[i0 * s.e10 + i1 * s.e11 + row * s.e1m + col * s.e1n];
          const ptrdiff_t at = i0 * s.y0 + i1 * s.y1 + row * s.ym + col;
          check_near(what, shape_number, at, (double)y[at], check_want(sum, a0, a1), 1e-5 * (2 + 0.1 * s.k));
          written[at] = 1;
        }
  check_rest(what, shape_number, y, written, y_count);
  check_release();
}

#ifdef CHECK_RANDOM

static matmul_shape current;
static void run_portable(const float *a, const float *x, float *y, const float *e0, const float *e1) {
  matmul_f32_portable(a, x, y, e0, e1, current, check_epilogue);
}
#if DNNC_LANES > 1
static void run_simd(const float *a, const float *x, float *y, const float *e0, const float *e1) {
  matmul_f32_simd(a, x, y, e0, e1, current, check_epilogue);
}
#endif

static void check_random_shape(void) {
  matmul_shape s = {0};
  s.b0 = check_int(1, 2), s.b1 = check_int(1, 3), s.m = CHECK_PICK(1, 2, 3, 5, 6, 7, 13, 14, 15, 29);
  s.n = check_int(1, 70), s.k = CHECK_PICK(1, 2, 7, 16, 64, 65);
  const int gap = CHECK_PICK(0, 0, 1, 7), transposed = check_int(0, 1);
  s.am = transposed ? 1 : s.k + gap, s.ak = transposed ? s.m + gap : 1;
  s.a1 = CHECK_PICK(0, s.m * s.k + 20 * gap), s.a0 = CHECK_PICK(0, 3) * s.a1;
  s.xk = s.n + gap, s.x1 = CHECK_PICK(0, 1) * s.k * s.xk, s.x0 = CHECK_PICK(0, 3) * s.x1;
  s.ym = s.n + gap, s.y1 = s.m * s.ym, s.y0 = s.b1 * s.y1;
  s.extras = check_int(0, 2);
  s.e0n = check_int(0, 1), s.e0m = CHECK_PICK(0, s.n), s.e01 = CHECK_PICK(0, s.m * s.n), s.e00 = 0;
  s.e1n = check_int(0, 1), s.e1m = CHECK_PICK(0, 1, 40), s.e11 = CHECK_PICK(0, 3), s.e10 = CHECK_PICK(0, 64);

  current = s;
  shape_number++;
  check("portable", run_portable, s);
#if DNNC_LANES > 1
  check("simd", run_simd, s);
#endif
}

#endif
#ifdef CHECK_LITERAL

/* id, (b0, b1, m, n, k), (a0, a1, am, ak), (x0, x1, xk), (y0, y1, ym), extras, e0, e1 */
#define LITERAL_SHAPES(M)                                                                                   \
  M(square, 1, 1, 32, 32, 32, 0, 0, 32, 1, 0, 0, 32, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0)                    \
  M(attention, 1, 3, 29, 37, 16, 0, 16, 48, 1, 0, 592, 37, 0, 1073, 37, 1, 0, 0, 37, 1, 0, 0, 0, 0)          \
  M(transposed, 2, 1, 9, 50, 20, 180, 0, 1, 9, 0, 0, 50, 450, 0, 50, 2, 0, 0, 1, 0, 0, 0, 0, 1)              \
  M(row, 1, 1, 1, 300, 40, 0, 0, 40, 1, 0, 0, 300, 0, 0, 300, 1, 0, 0, 0, 1, 0, 0, 0, 0)                     \
  M(column, 1, 1, 40, 1, 33, 0, 0, 33, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)                       \
  M(narrow, 1, 2, 17, 9, 5, 0, 85, 5, 1, 0, 0, 12, 0, 187, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0)

#define DEFINE(kernel, id, ...)                                                                             \
  static void kernel##_##id(const float *a, const float *x, float *y, const float *e0, const float *e1) {    \
    const matmul_shape s = {__VA_ARGS__};                                                                   \
    matmul_f32_##kernel(a, x, y, e0, e1, s, check_epilogue);                                                \
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
    const matmul_shape s = {__VA_ARGS__};                \
    check(#kernel " " #id, kernel##_##id, s);            \
  }
#define CHECK_PORTABLE(...) CHECK(portable, __VA_ARGS__)
#define CHECK_SIMD(...) CHECK(simd, __VA_ARGS__)
  LITERAL_SHAPES(CHECK_PORTABLE)
#if DNNC_LANES > 1
  LITERAL_SHAPES(CHECK_SIMD)
#endif
#endif
  printf("matmul_f32: %d elements\n", check_count);
  return 0;
}
