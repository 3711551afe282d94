/* winograd_f32_test.c: winograd_f32_portable and winograd_f32_simd against a naive loop, on random shapes and on literal ones. */
#include "check.h"
#include "winograd_f32.h"

typedef void (*kernel)(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1,
                       float *scratch);

static int shape_number;

static const double matrix2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double matrix4[6][3] = {{1.0 / 4, 0, 0},
                                     {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                     {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                     {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                     {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                     {0, 0, 1}};

/* The weights of the transform, packed: u[point][o / 16][c][o % 16] = (G g G^T)[point], g being [o][c][3][3]. */
static void transform(const float *g, float *u, winograd_shape s) {
  const int side = s.m + 2, panels = dnnc_ceil_div(s.oc, 16);
  const double(*matrix)[3] = s.m == 2 ? matrix2 : matrix4;
  for (int point = 0; point < side * side; point++)
    for (int o = 0; o < panels * 16; o++)
      for (int c = 0; c < s.ic; c++) {
        double sum = 0;
        for (int k = 0; k < 9 && o < s.oc; k++)
          sum += matrix[point / side][k / 3] * matrix[point % side][k % 3] * (double)g[(o * s.ic + c) * 9 + k];
        u[((ptrdiff_t)(point * panels + o / 16) * s.ic + c) * 16 + o % 16] = (float)sum;
      }
}

/* Runs the kernel on fresh operands of shape s. In place: e0 is y itself. */
static void check(const char *what, kernel run, winograd_shape s, int in_place) {
  const int side = s.m + 2, width = dnnc_ceil_div(s.oc, 16) * 16;
  const ptrdiff_t x_count = (s.n - 1) * s.xn + (s.oh + 1) * s.xh + (s.ow + 1) * s.xw + s.ic;
  const ptrdiff_t y_count = (s.n - 1) * s.yn + (s.oh - 1) * s.yh + (s.ow - 1) * s.yw + s.oc;
  const ptrdiff_t e0_count = (s.n - 1) * s.e0n + (s.oh - 1) * s.e0h + (s.ow - 1) * s.e0w + (s.oc - 1) * s.e0c + 1;
  const ptrdiff_t e1_count = (s.n - 1) * s.e1n + (s.oh - 1) * s.e1h + (s.ow - 1) * s.e1w + (s.oc - 1) * s.e1c + 1;
  float *x = check_random(x_count), *e0 = check_random(e0_count), *e1 = check_random(e1_count);
  float *g = check_random((ptrdiff_t)s.oc * s.ic * 9), *b = check_random(width);
  float *u = check_buffer((ptrdiff_t)side * side * width * s.ic);
  float *scratch = check_untouched((ptrdiff_t)s.tiles * side * side * (s.ic + width));
  float *y = check_untouched(y_count);
  char *written = check_marks(y_count);
  transform(g, u, s);

  /* y of the residual: known at the places that will be written */
  if (in_place)
    for (int n = 0; n < s.n; n++)
      for (int oy = 0; oy < s.oh; oy++)
        for (int ox = 0; ox < s.ow; ox++)
          for (int o = 0; o < s.oc; o++) {
            const ptrdiff_t at = n * s.yn + oy * s.yh + ox * s.yw + o;
            y[at] = e0[at];
          }

  run(x, u, b, y, s.extras < 1 ? NULL : in_place ? y : e0, s.extras < 2 ? NULL : e1, scratch);

  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++)
      for (int ox = 0; ox < s.ow; ox++)
        for (int o = 0; o < s.oc; o++) {
          double sum = (double)b[o];
          for (int k = 0; k < 9; k++)
            for (int c = 0; c < s.ic; c++)
              sum += (double)x[n * s.xn + (oy + k / 3) * s.xh + (ox + k % 3) * s.xw + c] * (double)g[(o * s.ic + c) * 9 + k];
          const double a0 = s.extras < 1 ? 0 : (double)e0[n * s.e0n + oy * s.e0h + ox * s.e0w + o * s.e0c];
          const double a1 = s.extras < 2 ? 0 : (double)e1[n * s.e1n + oy * s.e1h + ox * s.e1w + o * s.e1c];
          const ptrdiff_t at = n * s.yn + oy * s.yh + ox * s.yw + o;
          check_near(what, shape_number, at, (double)y[at], check_want(sum, a0, a1), 2e-5 * (2 + s.ic * 0.5));
          written[at] = 1;
        }
  check_rest(what, shape_number, y, written, y_count);
  check_release();
}

#ifdef CHECK_RANDOM

static winograd_shape current;
static void run_portable(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1,
                         float *scratch) {
  winograd_f32_portable(x, w, b, y, e0, e1, scratch, current, check_epilogue);
}
#if DNNC_LANES > 1
static void run_simd(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1,
                     float *scratch) {
  winograd_f32_simd(x, w, b, y, e0, e1, scratch, current, check_epilogue);
}
#endif

static void check_random_shape(void) {
  winograd_shape s = {0};
  const int gap = CHECK_PICK(0, 0, 1, 7);
  s.n = check_int(1, 2), s.oh = check_int(1, 9), s.ow = CHECK_PICK(1, 2, 3, 4, 5, 7, 8, 13);
  s.oc = CHECK_PICK(1, 5, 8, 9, 15, 16, 17, 24, 32, 33), s.ic = CHECK_PICK(1, 2, 3, 4, 8, 15, 16, 17, 24, 33);
  s.m = CHECK_PICK(2, 4);
  s.xw = s.ic + gap, s.xh = (s.ow + 2) * s.xw + gap, s.xn = (s.oh + 2) * s.xh + gap;
  s.yw = s.oc + gap, s.yh = s.ow * s.yw + gap, s.yn = s.oh * s.yh + gap;
  s.extras = check_int(0, 2);
  s.e0c = check_int(0, 1), s.e0w = CHECK_PICK(0, s.oc), s.e0h = CHECK_PICK(0, s.ow * s.oc), s.e0n = 0;
  s.e1c = check_int(0, 1), s.e1w = CHECK_PICK(0, 1, 40), s.e1h = CHECK_PICK(0, 3), s.e1n = CHECK_PICK(0, 64);
  s.tiles = check_int(1, dnnc_ceil_div(s.oh, s.m) * dnnc_ceil_div(s.ow, s.m));

  const int vectors = DNNC_LANES > 1 ? 16 / DNNC_LANES : 1, budget = DNNC_LANES > 1 ? DNNC_TILE_VECTORS / vectors : 28;
  s.nv = check_int(1, dnnc_ceil_div(s.oc, 16));
  s.mr = check_int(1, dnnc_min(budget / s.nv, s.tiles));

  const int in_place = s.extras > 0 && check_int(0, 1);
  if (in_place) s.e0n = s.yn, s.e0h = s.yh, s.e0w = s.yw, s.e0c = 1;
  current = s;
  shape_number++;
  check("portable", run_portable, s, in_place);
#if DNNC_LANES > 1
  check("simd", run_simd, s, in_place);
#endif
}

#endif
#ifdef CHECK_LITERAL

/* id, n, oh, ow, oc, ic, m, (xn, xh, xw), (yn, yh, yw), extras, e0, e1, tiles, (mr, nv).
 * With 16 lanes the tile is taken as it is, with 8 it is at most 3 x 2. */
#define LITERAL_SHAPES(M)                                                                                      \
  M(plain, 1, 8, 8, 32, 16, 4, 0, 160, 16, 0, 256, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 2)                       \
  M(small, 1, 8, 8, 32, 16, 2, 0, 160, 16, 0, 256, 32, 1, 0, 256, 32, 1, 0, 0, 0, 0, 8, 8, 2)                    \
  M(edges, 2, 7, 9, 20, 17, 4, 1683, 187, 17, 1323, 189, 21, 1, 1323, 189, 21, 1, 0, 0, 0, 0, 5, 3, 2)           \
  M(odd, 1, 5, 3, 5, 3, 2, 0, 15, 3, 0, 15, 5, 2, 0, 0, 0, 1, 0, 15, 5, 1, 4, 3, 1)                              \
  M(rest, 1, 12, 12, 40, 8, 4, 0, 112, 8, 0, 480, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 4, 2)                        \
  M(point, 1, 1, 1, 16, 16, 4, 0, 48, 16, 0, 16, 16, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1)

#define LITERAL(id, n, oh, ow, oc, ic, m, xn, xh, xw, yn, yh, yw, extras, e0n, e0h, e0w, e0c, e1n, e1h, e1w, e1c, tiles, mr, \
                nv)                                                                                                          \
  {n, oh, ow, oc, ic, m, xn, xh, xw, yn, yh, yw, extras, e0n, e0h, e0w, e0c, e1n, e1h, e1w, e1c,                             \
   tiles, DNNC_LANES == 16 || mr < 3 ? mr : 3, nv}

#define DEFINE_PORTABLE(id, ...)                                                                                   \
  static void portable_##id(const float *x, const float *w, const float *b, float *y, const float *e0,             \
                            const float *e1, float *scratch) {                                                     \
    const winograd_shape s = LITERAL(id, __VA_ARGS__);                                                             \
    winograd_f32_portable(x, w, b, y, e0, e1, scratch, s, check_epilogue);                                         \
  }
#define DEFINE_SIMD(id, ...)                                                                                       \
  static void simd_##id(const float *x, const float *w, const float *b, float *y, const float *e0,                 \
                        const float *e1, float *scratch) {                                                         \
    const winograd_shape s = LITERAL(id, __VA_ARGS__);                                                             \
    winograd_f32_simd(x, w, b, y, e0, e1, scratch, s, check_epilogue);                                             \
  }
LITERAL_SHAPES(DEFINE_PORTABLE)
#if DNNC_LANES > 1
LITERAL_SHAPES(DEFINE_SIMD)
#endif

#endif

int main(void) {
#ifdef CHECK_RANDOM
  for (int i = 0; i < 200; i++) check_random_shape();
#endif
#ifdef CHECK_LITERAL
#define CHECK_PORTABLE(id, ...)                                                       \
  {                                                                                   \
    const winograd_shape s = LITERAL(id, __VA_ARGS__);                                \
    check("portable " #id, portable_##id, s, 0);                                      \
  }
#define CHECK_SIMD(id, ...)                                                           \
  {                                                                                   \
    const winograd_shape s = LITERAL(id, __VA_ARGS__);                                \
    check("simd " #id, simd_##id, s, 0);                                              \
    if (s.extras > 0 && s.e0w == s.yw) check("simd in place " #id, simd_##id, s, 1);  \
  }
  LITERAL_SHAPES(CHECK_PORTABLE)
#if DNNC_LANES > 1
  LITERAL_SHAPES(CHECK_SIMD)
#endif
#endif
  printf("winograd_f32: %d elements\n", check_count);
  return 0;
}
