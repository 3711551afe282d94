/* lines_bench.c: 1x3 and 3x1 convolutions by plain sums and by Winograd's F(4, 3), in turn; and what the transforms cost.
 *
 *   cc -std=c11 -O3 -mavx512f -mavx512bw -mavx512vl -mavx512dq -I codegen/kernels codegen/kernels/bench/lines_bench.c \
 *     -o build/lines_bench && build/lines_bench
 *
 * or with -mavx2 -mfma. Cycles are those of the core: the clock is what FMAs that wait for each other take.
 * codegen/kernels/ways.ts has its coefficients from here. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "conv2d_f32.h"
#include "winograd_f32.h"

enum { MAX_FLOATS = 1 << 20, ROUNDS = 41 };
static float *x, *w, *b, *y, *scratch;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

DNNC_INLINE dnnc_v relu(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  (void)e0;
  (void)e1;
  return v_max(acc, v_set(0.0f));
}

/* A chain of multiply-adds of 4 cycles each. */
enum { CHAIN = 4000 };
static void chain(void) {
  dnnc_v a = v_load(x);
  const dnnc_v c = v_set(0.999f);
  for (int i = 0; i < CHAIN; i++) a = v_fma(a, c, c);
  v_store(y, a);
}

/* id, kernel and its rows and columns, size, channels in and out; mr and nv of the plain sum with 16 lanes and with 8;
 * tiles, mr and nv of the products. All are as codegen/kernels/tiles.ts and ir/ops/conv2d/winograd.ts choose them. */
#define LINES(M)                                                                \
  M(r32_32_16, winograd_1x3, 1, 3, 32, 32, 16, 16, 1, 6, 1, 14, 14, 1, 5, 1)    \
  M(c32_32_16, winograd_3x1, 3, 1, 32, 32, 16, 16, 1, 6, 1, 14, 14, 1, 5, 1)    \
  M(r32_16_32, winograd_1x3, 1, 3, 32, 16, 32, 11, 2, 6, 1, 14, 14, 2, 5, 1)    \
  M(c32_16_32, winograd_3x1, 3, 1, 32, 16, 32, 11, 2, 6, 1, 14, 14, 2, 5, 1)    \
  M(r16_64_32, winograd_1x3, 1, 3, 16, 64, 32, 8, 2, 6, 1, 8, 8, 2, 4, 1)       \
  M(c16_64_32, winograd_3x1, 3, 1, 16, 64, 32, 8, 2, 6, 1, 8, 8, 2, 4, 1)       \
  M(r16_64_64, winograd_1x3, 1, 3, 16, 64, 64, 6, 4, 6, 1, 8, 8, 2, 4, 1)       \
  M(c16_64_64, winograd_3x1, 3, 1, 16, 64, 64, 6, 4, 6, 1, 8, 8, 2, 4, 1)       \
  M(r8_256_256, winograd_1x3, 1, 3, 8, 256, 256, 4, 6, 4, 1, 16, 6, 4, 6, 1)    \
  M(c8_256_256, winograd_3x1, 3, 1, 8, 256, 256, 4, 6, 4, 1, 16, 6, 4, 6, 1)

#define DEFINE(id, fn, rows, columns, size, in, out, mr16, nv16, mr8, nv8, together, lmr16, lnv16, lmr8, lnv8)       \
  static void plain_##id(void) {                                                                                    \
    conv2d_shape s = {0};                                                                                           \
    s.n = 1, s.oh = size, s.ow = size, s.oc = out, s.kh = rows, s.kw = columns, s.ic = in, s.groups = 1;            \
    s.sh = s.sw = s.dh = s.dw = 1;                                                                                  \
    s.xw = in, s.xh = (size + columns - 1) * in, s.yw = out, s.yh = size * out;                                     \
    s.mr = DNNC_LANES == 16 ? mr16 : mr8, s.nv = DNNC_LANES == 16 ? nv16 : nv8;                                     \
    conv2d_f32_simd(x, w, b, y, 0, 0, s, relu);                                                                     \
  }                                                                                                                 \
  DNNC_INLINE winograd_shape shape_##id(void) {                                                                     \
    winograd_shape s = {0};                                                                                         \
    s.n = 1, s.oh = size, s.ow = size, s.oc = out, s.ic = in, s.m = 4, s.tiles = together;                          \
    s.xw = in, s.xh = (size + columns - 1) * in, s.yw = out, s.yh = size * out;                                     \
    s.mr = DNNC_LANES == 16 ? lmr16 : lmr8, s.nv = DNNC_LANES == 16 ? lnv16 : lnv8;                                 \
    return s;                                                                                                       \
  }                                                                                                                 \
  static void line_##id(void) { fn##_f32_simd(x, w, b, y, 0, 0, scratch, shape_##id(), relu); }                     \
  static void forward_##id(void) {                                                                                  \
    const winograd_operands o = {x, w, b, y, 0, 0, scratch};                                                        \
    const winograd_tile m = {rows == 1 ? 1 : 4, columns == 1 ? 1 : 4};                                              \
    for (int t = 0; t + together <= size * size / 4; t += together) winograd_in(o, shape_##id(), m, 0, t, together); \
  }                                                                                                                 \
  static void back_##id(void) {                                                                                     \
    const winograd_operands o = {x, w, b, y, 0, 0, scratch};                                                        \
    const winograd_tile m = {rows == 1 ? 1 : 4, columns == 1 ? 1 : 4};                                              \
    for (int t = 0; t + together <= size * size / 4; t += together)                                                 \
      winograd_out(o, shape_##id(), relu, m, 0, t, together);                                                       \
  }
LINES(DEFINE)

static int ascending(const void *a, const void *z) {
  const double d = *(const double *)a - *(const double *)z;
  return d < 0 ? -1 : d > 0;
}

/* Whatever else runs on the machine meets all calls alike: they take turns, and medians are compared. */
static void report(const char *name, void (*const calls[4])(void), int size, int in, int out, int tiles) {
  double seconds[4][ROUNDS], ratio[ROUNDS], clock[ROUNDS];
  for (int round = -1; round < ROUNDS; round++) {
    const int at = round < 0 ? 0 : round;
    double start = now();
    for (int i = 0; i < 20; i++) chain();
    clock[at] = (now() - start) / 20 / (4.0 * CHAIN);
    for (int k = 0; k < 4; k++) {
      start = now();
      for (int i = 0; i < 20; i++) calls[k]();
      seconds[k][at] = (now() - start) / 20;
    }
    ratio[at] = seconds[0][at] / seconds[1][at];
  }
  for (int k = 0; k < 4; k++) qsort(seconds[k], ROUNDS, sizeof(double), ascending);
  qsort(ratio, ROUNDS, sizeof(double), ascending);
  qsort(clock, ROUNDS, sizeof(double), ascending);
  const int half = ROUNDS / 2, done = size * size / 4 / tiles * tiles;
  printf("%-12s plain %8.1f us, lines %8.1f us, %4.2f times as fast; forward %4.1f cycles per tile and vector, back %4.1f\n",
         name, 1e6 * seconds[0][half], 1e6 * seconds[1][half], ratio[half],
         seconds[2][half] / clock[half] / (done * dnnc_ceil_div(in, DNNC_LANES)),
         seconds[3][half] / clock[half] / (done * dnnc_ceil_div(out, DNNC_LANES)));
}

int main(void) {
  float **all[] = {&x, &w, &b, &y, &scratch};
  for (int i = 0; i < 5; i++) {
    *all[i] = aligned_alloc(64, MAX_FLOATS * sizeof(float));
    for (int j = 0; j < MAX_FLOATS; j++) (*all[i])[j] = (float)(j % 17) * 0.01f;
  }
#define REPORT(id, fn, rows, columns, size, in, out, mr16, nv16, mr8, nv8, together, ...)         \
  {                                                                                               \
    void (*const calls[])(void) = {plain_##id, line_##id, forward_##id, back_##id};               \
    report(#id, calls, size, in, out, together);                                                  \
  }
  LINES(REPORT)
  return 0;
}
