/* weights_bench.c: microseconds of layers whose weights are floats, halves, or integers of 8 and 4 bits.
 *
 *   cc -std=c11 -O3 -mavx512f -mavx512bw -mavx512vl -mavx512dq -I codegen/kernels codegen/kernels/bench/weights_bench.c \
 *     -o build/weights_bench && build/weights_bench
 *
 * or with -mavx2 -mfma -mf16c, or with neither. Calls of all types take turns; medians. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "conv2d_narrow.h"

#if DNNC_LANES > 1
#define KERNEL(name) name##_simd
#else
#define KERNEL(name) name##_portable
#endif

enum { ROUNDS = 31, TYPES = 7, WEIGHTS = 4096 * 4096 };
static float *x, *b, *y, *scales;
static void *w;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + 1e-3 * (double)t.tv_nsec;
}

/* The tiles are those that inventory.ts chooses for 16 lanes and for 8. */
#define SHAPE(columns, in, out, mr16, nv16, mr8, nv8, outer)                             \
  conv2d_shape s = {0};                                                                  \
  s.n = s.oh = s.kh = s.kw = s.groups = s.sh = s.sw = s.dh = s.dw = 1;                   \
  s.ow = columns, s.oc = out, s.ic = in, s.xw = in, s.yw = out;                          \
  s.mr = DNNC_LANES == 16 ? mr16 : mr8, s.nv = DNNC_LANES == 16 ? nv16 : nv8;            \
  s.panels_outer = outer;

#define LAYER(id, ...)                                                                                                \
  static void id##_f32(void) { SHAPE(__VA_ARGS__) KERNEL(conv2d_f32)(x, (const float *)w, b, y, 0, 0, s, dnnc_identity); } \
  NARROW(id##_f16, f16, 0, __VA_ARGS__)                                                                               \
  NARROW(id##_bf16, bf16, 0, __VA_ARGS__)                                                                             \
  NARROW(id##_i8, i8, 0, __VA_ARGS__)                                                                                 \
  NARROW(id##_i4, i4, 0, __VA_ARGS__)                                                                                 \
  NARROW(id##_i8_groups, i8, 32, __VA_ARGS__)                                                                         \
  NARROW(id##_i4_groups, i4, 32, __VA_ARGS__)                                                                         \
  static void (*const id[TYPES])(void) = {id##_f32, id##_f16, id##_bf16, id##_i8, id##_i4, id##_i8_groups, id##_i4_groups};
#define NARROW(id, type, steps, ...)                                                                  \
  static void id(void) {                                                                              \
    SHAPE(__VA_ARGS__)                                                                                \
    s.group = steps;                                                                                  \
    KERNEL(conv2d_f32_by_##type)(x, w, scales, b, y, 0, 0, s, dnnc_identity);                         \
  }

LAYER(linear_4096_4096, 1, 4096, 4096, 1, 8, 1, 6, 1)
LAYER(linear_2048_1000, 1, 2048, 1000, 1, 8, 1, 6, 1)
LAYER(conv1x1_1_1024_1024, 1, 1024, 1024, 1, 8, 1, 6, 1)
LAYER(conv1x1_7_512_2048, 49, 512, 2048, 13, 2, 5, 1, 1)
LAYER(conv1x1_14_1024_256, 196, 1024, 256, 14, 2, 6, 1, 1)

static int compare(const void *a, const void *c) {
  const double left = *(const double *)a, right = *(const double *)c;
  return (left > right) - (left < right);
}

/* All types in turn, with the caches as a whole network would leave them: without these weights, where `cold`. */
static void report(const char *name, void (*const calls[TYPES])(void), int cold) {
  static double times[TYPES][ROUNDS];
  static char other[48 << 20];
  for (int round = 0; round < ROUNDS; round++)
    for (int type = 0; type < TYPES; type++) {
      if (cold) memset(other, round, sizeof other);
      else calls[type]();
      const double start = now();
      calls[type]();
      times[type][round] = now() - start;
    }
  printf("%-22s %s", name, cold ? "cold" : "warm");
  for (int type = 0; type < TYPES; type++) {
    qsort(times[type], ROUNDS, sizeof(double), compare);
    printf(" %9.1f", times[type][ROUNDS / 2]);
  }
  printf("\n");
}

int main(void) {
  w = aligned_alloc(64, WEIGHTS * sizeof(float));
  float **all[] = {&x, &b, &y, &scales};
  for (int i = 0; i < 4; i++) {
    *all[i] = (float *)aligned_alloc(64, WEIGHTS / 16 * sizeof(float));
    for (int j = 0; j < WEIGHTS / 16; j++) (*all[i])[j] = (float)(j % 17) * 0.01f;
  }
  scales = (float *)aligned_alloc(64, WEIGHTS / 32 * sizeof(float));
  for (int j = 0; j < WEIGHTS / 32; j++) scales[j] = 0.01f;
  /* Small numbers, whatever type they are read as. */
  memset(w, 0x11, WEIGHTS * sizeof(float));
  printf("%d lanes, us %13s %9s %9s %9s %9s %9s %9s %9s\n", DNNC_LANES, "", "f32", "f16", "bf16", "i8", "i4", "i8 / 32", "i4 / 32");
  for (int cold = 0; cold < 2; cold++) {
#define REPORT(id) report(#id, id, cold);
    REPORT(linear_4096_4096)
    REPORT(linear_2048_1000)
    REPORT(conv1x1_1_1024_1024)
    REPORT(conv1x1_7_512_2048)
    REPORT(conv1x1_14_1024_256)
  }
  return 0;
}
