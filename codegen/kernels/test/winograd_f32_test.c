/* winograd_f32_test.c: the portable and simd kernels of winograd_f32.h against a naive loop, on random shapes and on literal ones. */
#include "check.h"
#include "winograd_f32.h"

typedef void (*kernel)(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1,
                       float *scratch);

/* Rows and columns of a kernel. */
typedef struct {
  int h, w;
} window;

static int shape_number;

static const double matrix1[1][3] = {{1, 0, 0}};
static const double matrix2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double matrix4[6][3] = {{1.0 / 4, 0, 0},
                                     {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                     {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                     {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                     {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                     {0, 0, 1}};

/* Points of a tile along an axis with so many weights, and the matrix of their transform. */
static int side_of(int weights, int m) { return weights == 1 ? 1 : m + 2; }
static const double *matrix_of(int weights, int m) {
  return weights == 1 ? matrix1[0] : m == 2 ? matrix2[0] : matrix4[0];
}

/* The weights of the transform, packed: u[point][o / 16][c][o % 16] = (G g G^T)[point], g being [o][c][k.h][k.w]. */
static void transform(const float *g, float *u, winograd_shape s, window k) {
  const int high = side_of(k.h, s.m), wide = side_of(k.w, s.m), panels = dnnc_ceil_div(s.oc, 16);
  const double *down = matrix_of(k.h, s.m), *across = matrix_of(k.w, s.m);
  for (int point = 0; point < high * wide; point++)
    for (int o = 0; o < panels * 16; o++)
      for (int c = 0; c < s.ic; c++) {
        double sum = 0;
        for (int i = 0; i < k.h && o < s.oc; i++)
          for (int j = 0; j < k.w; j++)
            sum += down[point / wide * 3 + i] * across[point % wide * 3 + j] * (double)g[((o * s.ic + c) * k.h + i) * k.w + j];
        u[((ptrdiff_t)(point * panels + o / 16) * s.ic + c) * 16 + o % 16] = (float)sum;
      }
}

/* Runs the kernel of window k on fresh operands of shape s. In place: e0 is y itself. */
static void check(const char *what, kernel run, winograd_shape s, window k, int in_place) {
  const int points = side_of(k.h, s.m) * side_of(k.w, s.m), width = dnnc_ceil_div(s.oc, 16) * 16;
  const ptrdiff_t x_count = (s.n - 1) * s.xn + (s.oh + k.h - 2) * s.xh + (s.ow + k.w - 2) * s.xw + s.ic;
  const ptrdiff_t y_count = (s.n - 1) * s.yn + (s.oh - 1) * s.yh + (s.ow - 1) * s.yw + s.oc;
  const ptrdiff_t e0_count = (s.n - 1) * s.e0n + (s.oh - 1) * s.e0h + (s.ow - 1) * s.e0w + (s.oc - 1) * s.e0c + 1;
  const ptrdiff_t e1_count = (s.n - 1) * s.e1n + (s.oh - 1) * s.e1h + (s.ow - 1) * s.e1w + (s.oc - 1) * s.e1c + 1;
  float *x = check_random(x_count), *e0 = check_random(e0_count), *e1 = check_random(e1_count);
  float *g = check_random((ptrdiff_t)s.oc * s.ic * k.h * k.w), *b = check_random(width);
  float *u = check_buffer((ptrdiff_t)points * width * s.ic);
  float *scratch = check_untouched((ptrdiff_t)s.tiles * points * (s.ic + width));
  float *y = check_untouched(y_count);
  char *written = check_marks(y_count);
  transform(g, u, s, k);

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
          for (int i = 0; i < k.h; i++)
            for (int j = 0; j < k.w; j++)
              for (int c = 0; c < s.ic; c++)
                sum += (double)x[n * s.xn + (oy + i) * s.xh + (ox + j) * s.xw + c] *
                       (double)g[((o * s.ic + c) * k.h + i) * k.w + j];
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
static winograd_tile current_tile;
static void run_portable(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1,
                         float *scratch) {
  const winograd_operands o = {x, w, b, y, e0, e1, scratch};
  winograd_portable(o, current, check_epilogue, current_tile);
}
#if DNNC_LANES > 1
static void run_simd(const float *x, const float *w, const float *b, float *y, const float *e0, const float *e1,
                     float *scratch) {
  const winograd_operands o = {x, w, b, y, e0, e1, scratch};
  winograd_simd(o, current, check_epilogue, current_tile);
}
#endif

static void check_random_shape(void) {
  const window windows[] = {{3, 3}, {1, 3}, {3, 1}};
  const window k = windows[check_int(0, 2)];
  winograd_shape s = {0};
  const int gap = CHECK_PICK(0, 0, 1, 7);
  s.n = check_int(1, 2), s.oh = check_int(1, 9), s.ow = CHECK_PICK(1, 2, 3, 4, 5, 7, 8, 13);
  s.oc = CHECK_PICK(1, 5, 8, 9, 15, 16, 17, 24, 32, 33), s.ic = CHECK_PICK(1, 2, 3, 4, 8, 15, 16, 17, 24, 33);
  s.m = CHECK_PICK(2, 4);
  s.xw = s.ic + gap, s.xh = (s.ow + k.w - 1) * s.xw + gap, s.xn = (s.oh + k.h - 1) * s.xh + gap;
  s.yw = s.oc + gap, s.yh = s.ow * s.yw + gap, s.yn = s.oh * s.yh + gap;
  s.extras = check_int(0, 2);
  s.e0c = check_int(0, 1), s.e0w = CHECK_PICK(0, s.oc), s.e0h = CHECK_PICK(0, s.ow * s.oc), s.e0n = 0;
  s.e1c = check_int(0, 1), s.e1w = CHECK_PICK(0, 1, 40), s.e1h = CHECK_PICK(0, 3), s.e1n = CHECK_PICK(0, 64);
  const winograd_tile m = {k.h == 1 ? 1 : s.m, k.w == 1 ? 1 : s.m};
  s.tiles = check_int(1, dnnc_ceil_div(s.oh, m.h) * dnnc_ceil_div(s.ow, m.w));

  const int vectors = DNNC_LANES > 1 ? 16 / DNNC_LANES : 1, budget = DNNC_LANES > 1 ? DNNC_TILE_VECTORS / vectors : 28;
  s.nv = check_int(1, dnnc_ceil_div(s.oc, 16));
  s.mr = check_int(1, dnnc_min(budget / s.nv, s.tiles));

  const int in_place = s.extras > 0 && check_int(0, 1);
  if (in_place) s.e0n = s.yn, s.e0h = s.yh, s.e0w = s.yw, s.e0c = 1;
  current = s;
  current_tile = m;
  shape_number++;
  check("portable", run_portable, s, k, in_place);
#if DNNC_LANES > 1
  check("simd", run_simd, s, k, in_place);
#endif
}

#endif
#ifdef CHECK_LITERAL

/* id, kernel, its rows and columns, n, oh, ow, oc, ic, m, (xn, xh, xw), (yn, yh, yw), extras, e0, e1, tiles, (mr, nv).
 * With 16 lanes the tile is taken as it is, with 8 it is at most 3 x 2. */
#define LITERAL_SHAPES(M)                                                                                         \
  M(plain, winograd_f32, 3, 3, 1, 8, 8, 32, 16, 4, 0, 160, 16, 0, 256, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 2)      \
  M(small, winograd_f32, 3, 3, 1, 8, 8, 32, 16, 2, 0, 160, 16, 0, 256, 32, 1, 0, 256, 32, 1, 0, 0, 0, 0, 8, 8, 2)   \
  M(edges, winograd_f32, 3, 3, 2, 7, 9, 20, 17, 4, 1683, 187, 17, 1323, 189, 21, 1, 1323, 189, 21, 1, 0, 0, 0, 0, 5, 3, 2) \
  M(odd, winograd_f32, 3, 3, 1, 5, 3, 5, 3, 2, 0, 15, 3, 0, 15, 5, 2, 0, 0, 0, 1, 0, 15, 5, 1, 4, 3, 1)             \
  M(rest, winograd_f32, 3, 3, 1, 12, 12, 40, 8, 4, 0, 112, 8, 0, 480, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 4, 2)       \
  M(point, winograd_f32, 3, 3, 1, 1, 1, 16, 16, 4, 0, 48, 16, 0, 16, 16, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1)        \
  M(row, winograd_1x3_f32, 1, 3, 2, 3, 7, 20, 17, 4, 459, 153, 17, 441, 147, 21, 1, 441, 147, 21, 1, 0, 0, 0, 0, 4, 3, 2) \
  M(column, winograd_3x1_f32, 3, 1, 1, 5, 3, 24, 8, 4, 0, 24, 8, 0, 72, 24, 2, 0, 0, 0, 1, 0, 72, 24, 1, 4, 3, 1)

#define LITERAL(id, fn, kh, kw, n, oh, ow, oc, ic, m, xn, xh, xw, yn, yh, yw, extras, e0n, e0h, e0w, e0c, e1n, e1h, e1w, e1c, \
                tiles, mr, nv)                                                                                                \
  {n, oh, ow, oc, ic, m, xn, xh, xw, yn, yh, yw, extras, e0n, e0h, e0w, e0c, e1n, e1h, e1w, e1c,                              \
   tiles, DNNC_LANES == 16 || mr < 3 ? mr : 3, nv}

#define DEFINE_PORTABLE(id, fn, ...)                                                                               \
  static void portable_##id(const float *x, const float *w, const float *b, float *y, const float *e0,             \
                            const float *e1, float *scratch) {                                                     \
    const winograd_shape s = LITERAL(id, fn, __VA_ARGS__);                                                         \
    fn##_portable(x, w, b, y, e0, e1, scratch, s, check_epilogue);                                                 \
  }
#define DEFINE_SIMD(id, fn, ...)                                                                                   \
  static void simd_##id(const float *x, const float *w, const float *b, float *y, const float *e0,                 \
                        const float *e1, float *scratch) {                                                         \
    const winograd_shape s = LITERAL(id, fn, __VA_ARGS__);                                                         \
    fn##_simd(x, w, b, y, e0, e1, scratch, s, check_epilogue);                                                     \
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
#define CHECK_PORTABLE(id, fn, kh, kw, ...)                                            \
  {                                                                                    \
    const winograd_shape s = LITERAL(id, fn, kh, kw, __VA_ARGS__);                     \
    const window k = {kh, kw};                                                         \
    check("portable " #id, portable_##id, s, k, 0);                                    \
  }
#define CHECK_SIMD(id, fn, kh, kw, ...)                                                  \
  {                                                                                      \
    const winograd_shape s = LITERAL(id, fn, kh, kw, __VA_ARGS__);                       \
    const window k = {kh, kw};                                                           \
    check("simd " #id, simd_##id, s, k, 0);                                              \
    if (s.extras > 0 && s.e0w == s.yw) check("simd in place " #id, simd_##id, s, k, 1);  \
  }
  LITERAL_SHAPES(CHECK_PORTABLE)
#if DNNC_LANES > 1
  LITERAL_SHAPES(CHECK_SIMD)
#endif
#endif
  printf("winograd_f32: %d elements\n", check_count);
  return 0;
}
