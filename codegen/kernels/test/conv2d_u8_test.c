/* conv2d_u8_test.c: conv2d_u8_portable and _simd against a naive loop, on random shapes and on literal ones, the even ones
 * of which are run by _simd_even, too.
 * All numbers are whole and below 2^24, so every comparison is exact. CHECK_TILES_ALONE leaves out what takes a compiler long, and no tiles. */
#include "check_u8.h"
#include "conv2d_u8.h"
#include "conv2d_u8_amx.h"
#if defined(__AMX_TILE__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

typedef void (*kernel)(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0, const void *e1);

static int shape_number;

/* The last element that is read or written, plus one. */
static ptrdiff_t extent(conv2d_u8_shape s, ptrdiff_t n, ptrdiff_t h, ptrdiff_t w, ptrdiff_t c) {
  return (s.n - 1) * n + (s.oh - 1) * h + (s.ow - 1) * w + (s.groups * s.oc - 1) * c + 1;
}

/* Runs the kernel on fresh operands of shape s. In place: e0 is y itself. */
static void check(const char *what, kernel run, conv2d_u8_shape s, int in_place) {
  const int panels = dnnc_ceil_div(s.oc, 16);
  const ptrdiff_t x_count = (s.n - 1) * s.xn + ((s.oh - 1) * s.sh + (s.rows - 1) * s.dh) * s.xh +
                            ((s.ow - 1) * s.sw + (s.cols - 1) * s.dw) * s.xw + (s.groups - 1) * s.ic + s.run;
  const ptrdiff_t y_count = extent(s, s.yn, s.yh, s.yw, 1);
  const ptrdiff_t panel_size = conv2d_u8_panel(s);
  uint8_t *x = (uint8_t *)numbers(x_count, 1);
  void *e0 = numbers(extent(s, s.e0n, s.e0h, s.e0w, s.e0c), s.e0_bytes);
  void *e1 = numbers(extent(s, s.e1n, s.e1h, s.e1w, s.e1c), s.e1_bytes);
  int8_t *w = (int8_t *)numbers(s.groups * panels * panel_size, 1);
  int32_t *b = (int32_t *)(void *)numbers(s.groups * panels * 16 * (ptrdiff_t)sizeof(int32_t), 1);
  for (int i = 0; i < s.groups * panels * 16; i++) b[i] = check_int(-30000, 30000);
  void *y = numbers(y_count, s.y_bytes), *before = numbers(y_count, s.y_bytes);
  const size_t size = (size_t)y_count * (s.y_bytes ? 1 : sizeof(float));
  if (in_place) memcpy(y, e0, size);
  memcpy(before, y, size);
  char *written = check_marks(y_count);

  run(x, w, b, y, s.extras < 1 ? NULL : in_place ? y : e0, s.extras < 2 ? NULL : e1);

  for (int n = 0; n < s.n; n++)
    for (int oy = 0; oy < s.oh; oy++)
      for (int ox = 0; ox < s.ow; ox++)
        for (int g = 0; g < s.groups; g++)
          for (int o = 0; o < s.oc; o++) {
            const int panel = g * panels + o / 16, channel = g * s.oc + o;
            const int8_t *weights = w + panel * panel_size;
            int64_t sum = b[panel * 16 + o % 16];
            for (int i = 0; i < s.rows; i++)
              for (int j = 0; j < s.cols; j++, weights += dnnc_ceil_div(s.run, 4) * 64)
                for (int k = 0; k < s.run; k++)
                  sum += x[n * s.xn + (oy * s.sh + i * s.dh) * s.xh + (ox * s.sw + j * s.dw) * s.xw + g * s.ic + k] *
                         weights[k / 4 * 64 + o % 16 * 4 + k % 4];
            for (int i = 0; i < s.again; i++, weights += 64)
              for (int k = 0; k < dnnc_min(s.run, 4); k++)
                sum += x[n * s.xn + oy * s.sh * s.xh + ox * s.sw * s.xw + g * s.ic + conv2d_u8_again(s, i) + k] *
                       weights[o % 16 * 4 + k];
            const double a0 =
              s.extras < 1 ? 0 : number_at(e0, n * s.e0n + oy * s.e0h + ox * s.e0w + channel * s.e0c, s.e0_bytes);
            const double a1 =
              s.extras < 2 ? 0 : number_at(e1, n * s.e1n + oy * s.e1h + ox * s.e1w + channel * s.e1c, s.e1_bytes);
            const ptrdiff_t at = n * s.yn + oy * s.yh + ox * s.yw + channel;
            const double want = byte_want(check_want((double)sum, a0, a1), s.y_bytes);
            check_near(what, shape_number, at, number_at(y, at, s.y_bytes), want, 0);
            written[at] = 1;
          }
  for (ptrdiff_t i = 0; i < y_count; i++)
    if (!written[i]) check_near(what, shape_number, i, number_at(y, i, s.y_bytes), number_at(before, i, s.y_bytes), 0);
  check_release();
}

#ifdef CHECK_RANDOM

static conv2d_u8_shape current;
DNNC_INLINE dnnc_v either_epilogue(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  return current.y_bytes ? byte_epilogue(acc, e0, e1) : check_epilogue(acc, e0, e1);
}
#define RUNTIME(name, fn)                                                                                            \
  static void name(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0, const void *e1) {   \
    fn(x, w, b, y, e0, e1, current, either_epilogue);                                                                \
  }
RUNTIME(run_portable, conv2d_u8_portable)
#if DNNC_LANES > 1 && !defined(CHECK_TILES_ALONE)
RUNTIME(run_simd, conv2d_u8_simd)
#endif
#if defined(__AMX_INT8__)
RUNTIME(run_amx, conv2d_u8_amx)
#endif

static void check_random_shape(void) {
  conv2d_u8_shape s = {0};
  s.n = check_int(1, 2), s.oh = check_int(1, 5), s.ow = CHECK_PICK(1, 2, 3, 5, 6, 7, 13, 14, 29);
  s.oc = CHECK_PICK(1, 5, 8, 9, 15, 16, 17, 32, 33, 65);
  s.rows = check_int(1, 3), s.cols = check_int(1, 3), s.ic = CHECK_PICK(1, 2, 3, 4, 16, 17, 48, 72), s.groups = CHECK_PICK(1, 1, 2, 3);
  s.run = s.ic;
  s.sh = check_int(1, 3), s.sw = check_int(1, 4), s.dh = CHECK_PICK(1, 1, 2), s.dw = CHECK_PICK(1, 1, 2, 3);
  const int gap = CHECK_PICK(0, 0, 1, 7);
  const int in_rows = (s.oh - 1) * s.sh + (s.rows - 1) * s.dh + 1, in_cols = (s.ow - 1) * s.sw + (s.cols - 1) * s.dw + 1;
  s.xw = s.groups * s.ic + gap, s.xh = in_cols * s.xw + gap, s.xn = in_rows * s.xh + gap;
  s.yw = s.groups * s.oc + gap, s.yh = s.ow * s.yw + gap, s.yn = s.oh * s.yh + gap;
  /* a kernel row as one run */
  if (gap == 0 && s.groups == 1 && s.dw == 1) s.run *= s.cols, s.cols = 1;
  s.again = CHECK_PICK(0, 0, 1, 4);
  s.again0 = (s.rows - 1) * s.dh * s.xh, s.again1 = (s.cols - 1) * s.dw * s.xw, s.again2 = dnnc_max(0, s.run - 4), s.again3 = 0;
  s.extras = check_int(0, 2);
  s.y_bytes = check_int(0, 1), s.e0_bytes = check_int(0, 1), s.e1_bytes = check_int(0, 1);
  s.e0c = check_int(0, 1), s.e0w = CHECK_PICK(0, s.groups * s.oc), s.e0h = CHECK_PICK(0, s.ow * s.groups * s.oc), s.e0n = 0;
  s.e1c = check_int(0, 1), s.e1w = CHECK_PICK(0, 1, 40), s.e1h = CHECK_PICK(0, 3), s.e1n = CHECK_PICK(0, 64);
  s.panels_outer = check_int(0, 1);

  const int vectors = DNNC_LANES > 1 ? 16 / DNNC_LANES : 1, budget = DNNC_LANES > 1 ? DNNC_DOT_VECTORS / vectors : 28;
  s.nv = dnnc_min(check_int(1, dnnc_min(8, dnnc_ceil_div(s.oc, 16))), budget);
  s.mr = check_int(1, dnnc_min(budget / s.nv, s.ow * s.oh));
  if (s.mr > s.ow && s.mr < 2 * s.ow) s.mr = s.ow;

  const int in_place = s.extras > 0 && check_int(0, 1);
  if (in_place) s.e0n = s.yn, s.e0h = s.yh, s.e0w = s.yw, s.e0c = 1, s.e0_bytes = s.y_bytes;
  current = s;
  shape_number++;
  check("portable", run_portable, s, in_place);
#if DNNC_LANES > 1 && !defined(CHECK_TILES_ALONE)
  check("simd", run_simd, s, in_place);
#endif
#if defined(__AMX_INT8__)
  if (conv2d_u8_amx_depth(s.run) > 0) check("amx", run_amx, s, in_place);
#endif
}

#endif
#ifdef CHECK_LITERAL

/* id, (n, oh, ow, oc), (rows, cols, run, ic, groups), (again, where), (sh, sw, dh, dw), (xn, xh, xw), (yn, yh, yw), extras, e0, e1,
 * (y, e0, e1 in bytes), (mr, nv), outer. With 16 lanes and VNNI the tile is taken as it is, else it is 4 x 1. */
#define LITERAL_SHAPES(M)                                                                                               \
  M(pointwise, 1, 1, 49, 64, 1, 1, 24, 24, 1, 1, 8, 1, 1, 1, 1, 0, 0, 24, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 14, 2, 0) \
  M(same, 1, 9, 9, 32, 3, 1, 48, 16, 1, 0, 0, 1, 1, 1, 1, 0, 176, 16, 0, 288, 32, 1, 0, 288, 32, 1, 0, 0, 0, 0, 1, 1, 0, 9, 2, 0) \
  M(first, 2, 5, 17, 32, 3, 1, 9, 3, 1, 2, 110, 2, 2, 1, 1, 1155, 105, 3, 2720, 544, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 14, 2, 0) \
  M(grouped, 1, 4, 6, 5, 3, 3, 4, 4, 3, 0, 0, 1, 1, 1, 1, 0, 96, 12, 0, 90, 15, 2, 0, 90, 15, 1, 0, 6, 1, 0, 1, 1, 0, 6, 1, 0) \
  M(dilated, 1, 3, 11, 24, 3, 3, 8, 8, 1, 1, 240, 1, 1, 2, 2, 0, 120, 8, 0, 300, 27, 2, 0, 0, 0, 1, 0, 264, 24, 1, 1, 0, 1, 10, 2, 0) \
  M(linear, 1, 1, 1, 131, 1, 1, 101, 101, 1, 1, 97, 1, 1, 1, 1, 0, 0, 101, 0, 0, 131, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 8, 0) \
  M(stride_gap, 1, 4, 9, 33, 1, 1, 17, 17, 1, 0, 0, 3, 4, 1, 1, 0, 680, 20, 0, 333, 37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 7, 3, 1)

#define LITERAL(id, n, oh, ow, oc, rows, cols, run, ic, g, again, again0, sh, sw, dh, dw, xn, xh, xw, yn, yh, yw, extras, e0n, e0h, e0w, \
                e0c, e1n, e1h, e1w, e1c, yb, e0b, e1b, mr, nv, outer)                                                    \
  {n, oh, ow, oc, rows, cols, run, ic, g, again, again0, again0, 0, 0, sh, sw, dh, dw, xn, xh, xw, yn, yh, yw, extras, e0n, e0h, e0w, e0c,            \
   e1n, e1h, e1w, e1c, yb, e0b, e1b, DNNC_DOT_VECTORS == 28 ? mr : ow < 4 ? ow : 4, DNNC_DOT_VECTORS == 28 ? nv : 1, outer}

#define DEFINE(prefix, fn, id, ...)                                                                                  \
  static void prefix##id(const uint8_t *x, const int8_t *w, const int32_t *b, void *y, const void *e0,               \
                         const void *e1) {                                                                           \
    const conv2d_u8_shape s = LITERAL(id, __VA_ARGS__);                                                              \
    if (s.y_bytes) fn(x, w, b, y, e0, e1, s, byte_epilogue);                                                         \
    else fn(x, w, b, y, e0, e1, s, check_epilogue);                                                                        \
  }
#define DEFINE_PORTABLE(...) DEFINE(portable_, conv2d_u8_portable, __VA_ARGS__)
#define DEFINE_SIMD(...) DEFINE(simd_, conv2d_u8_simd, __VA_ARGS__)
#if !defined(CHECK_TILES_ALONE)
LITERAL_SHAPES(DEFINE_PORTABLE)
#endif
#if DNNC_LANES > 1 && !defined(CHECK_TILES_ALONE)
LITERAL_SHAPES(DEFINE_SIMD)
#define EVEN_SHAPES(M) \
  M(even, 1, 6, 8, 32, 3, 1, 48, 16, 1, 0, 0, 1, 1, 1, 1, 0, 160, 16, 0, 256, 32, 1, 0, 256, 32, 1, 0, 0, 0, 0, 1, 1, 0, 8, 2, 0)
#define DEFINE_EVEN(...) DEFINE(even_, conv2d_u8_simd_even, __VA_ARGS__)
EVEN_SHAPES(DEFINE_EVEN)
#endif
#if defined(__AMX_INT8__)
/* All runs are equal parts. */
#define AMX_SHAPES(M)                                                                                                   \
  M(amx_pointwise, 1, 1, 49, 64, 1, 1, 24, 24, 1, 2, 12, 1, 1, 1, 1, 0, 0, 24, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 14, 2, 0) \
  M(amx_same, 2, 9, 17, 40, 3, 1, 144, 48, 1, 0, 0, 1, 1, 1, 1, 10032, 912, 48, 6120, 680, 40, 1, 6120, 680, 40, 1, 0, 0, 0, 0, 1, 1, 0, 9, 2, 1)
#define DEFINE_AMX(...) DEFINE(amx_, conv2d_u8_amx, __VA_ARGS__)
AMX_SHAPES(DEFINE_AMX)
#endif

#endif

int main(void) {
#if defined(__AMX_TILE__) && defined(__linux__)
  if (syscall(SYS_arch_prctl, 0x1023, 18) != 0) return 0; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
#endif
#ifdef CHECK_RANDOM
  for (int i = 0; i < 300; i++) check_random_shape();
#endif
#ifdef CHECK_LITERAL
#define CHECK_PORTABLE(id, ...)                                                                        \
  {                                                                                                    \
    const conv2d_u8_shape s = LITERAL(id, __VA_ARGS__);                                                \
    check("portable " #id, portable_##id, s, 0);                                                       \
  }
#define CHECK_SIMD(id, ...)                                                                            \
  {                                                                                                    \
    const conv2d_u8_shape s = LITERAL(id, __VA_ARGS__);                                                \
    check("simd " #id, simd_##id, s, 0);                                                               \
    if (s.extras > 0 && s.e0w == s.yw && s.e0_bytes == s.y_bytes) check("simd in place " #id, simd_##id, s, 1); \
  }
#if !defined(CHECK_TILES_ALONE)
  LITERAL_SHAPES(CHECK_PORTABLE)
#endif
#if DNNC_LANES > 1 && !defined(CHECK_TILES_ALONE)
#define CHECK_EVEN(id, ...)                                                                            \
  {                                                                                                    \
    const conv2d_u8_shape s = LITERAL(id, __VA_ARGS__);                                                \
    check("simd even " #id, even_##id, s, 0);                                                          \
  }
  LITERAL_SHAPES(CHECK_SIMD)
  EVEN_SHAPES(CHECK_EVEN)
#endif
#if defined(__AMX_INT8__)
#define CHECK_AMX(id, ...)                                                                             \
  {                                                                                                    \
    const conv2d_u8_shape s = LITERAL(id, __VA_ARGS__);                                                \
    check("amx " #id, amx_##id, s, 0);                                                                 \
    if (s.extras > 0 && s.e0w == s.yw && s.e0_bytes == s.y_bytes) check("amx in place " #id, amx_##id, s, 1); \
  }
  AMX_SHAPES(CHECK_AMX)
#endif
#endif
  printf("conv2d_u8: %d elements\n", check_count);
  return 0;
}
