/* kernel_bench.c: GFLOP/s of each kernel on literal shapes, and its share of this core's measured FMA peak.
 *
 *   cc -std=c11 -O3 -mavx512f -mavx512bw -mavx512vl -mavx512dq -I codegen/kernels codegen/kernels/bench/kernel_bench.c \
 *     -o build/kernel_bench && build/kernel_bench [part of a name]
 *
 * or with -mavx2 -mfma, or with neither. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "conv2d_f32.h"
#include "depthwise_f32.h"
#include "matmul_f32.h"
#include "pool_f32.h"

#if DNNC_LANES > 1
#define KERNEL(name) name##_simd
#else
#define KERNEL(name) name##_portable
#endif

enum { MAX_FLOATS = 6 << 20, ROUNDS = 5 };
static float *x, *w, *b, *y;
static double peak;
static const char *only = "";

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one call: the best of some rounds of about 10 ms. */
static double measure(void (*call)(void)) {
  int calls = 1;
  double best = 1e9;
  for (int round = 0; round < ROUNDS; round++) {
    double start = now();
    for (int i = 0; i < calls; i++) call();
    double seconds = now() - start;
    if (seconds < 0.005) {
      calls *= 2;
      round = -1;
      continue;
    }
    if (seconds / calls < best) best = seconds / calls;
  }
  return best;
}

static void report(const char *name, double flop, void (*call)(void)) {
  if (!strstr(name, only)) return;
  double seconds = measure(call);
  printf("%-28s %9.1f us %8.1f GFLOP/s %5.0f %%\n", name, seconds * 1e6, flop / seconds * 1e-9,
         100 * flop / seconds * 1e-9 / peak);
}

/* 24 independent chains, so that neither latency nor loads count. */
static void fma_peak(void) {
  dnnc_v a[DNNC_LANES == 16 ? 24 : 12], c = v_set(0.999f);
  enum { CHAINS = sizeof a / sizeof a[0] };
  for (int i = 0; i < CHAINS; i++) a[i] = v_set((float)i);
  for (int n = 0; n < 10000; n++) {
    DNNC_UNROLL(24)
    for (int i = 0; i < CHAINS; i++) a[i] = v_fma(a[i], c, c);
  }
  dnnc_v sum = a[0];
  for (int i = 1; i < CHAINS; i++) sum = v_add(sum, a[i]);
  v_store(y, sum);
}

DNNC_INLINE dnnc_v relu(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  (void)e0;
  (void)e1;
  return v_max(acc, v_set(0.0f));
}

/* Same padding is part of x: the input has (size - 1) * stride + k rows and columns. The tiles are those that
 * inventory.ts chooses for 16 lanes and for 8. */
#define CONV(id, size, k, stride, in, out, mr16, nv16, mr8, nv8, outer)                            \
  static void id(void) {                                                                          \
    conv2d_shape s = {0};                                                                         \
    s.n = 1, s.oh = size, s.ow = size, s.oc = out;                                                \
    s.kh = k, s.kw = k, s.ic = in, s.groups = 1;                                                  \
    s.sh = stride, s.sw = stride, s.dh = 1, s.dw = 1;                                             \
    s.xh = ((size - 1) * stride + k) * in, s.xw = in, s.yh = size * out, s.yw = out;              \
    if (k == 1 && stride == 1) s.ow = size * size, s.oh = 1;                                      \
    s.mr = DNNC_LANES == 16 ? mr16 : mr8, s.nv = DNNC_LANES == 16 ? nv16 : nv8;                   \
    s.panels_outer = outer;                                                                       \
    KERNEL(conv2d_f32)(x, w, b, y, 0, 0, s, relu);                                                \
  }
#define CONVS(M)                                                                                  \
  M(conv3x3_56_64_64, 56, 3, 1, 64, 64, 14, 2, 6, 1, 0)                                           \
  M(conv3x3_28_128_128, 28, 3, 1, 128, 128, 14, 2, 6, 1, 1)                                       \
  M(conv3x3_14_256_256, 14, 3, 1, 256, 256, 14, 2, 5, 1, 1)                                       \
  M(conv3x3_7_512_512, 7, 3, 1, 512, 512, 14, 2, 4, 1, 1)                                         \
  M(conv3x3s2_112_3_32, 112, 3, 2, 3, 32, 14, 2, 6, 1, 0)                                         \
  M(conv7x7s2_112_3_64, 112, 7, 2, 3, 64, 14, 2, 6, 1, 0)                                         \
  M(conv1x1_56_64_64, 56, 1, 1, 64, 64, 14, 2, 6, 1, 0)                                           \
  M(conv1x1_56_64_256, 56, 1, 1, 64, 256, 14, 2, 6, 1, 0)                                         \
  M(conv1x1_56_256_64, 56, 1, 1, 256, 64, 14, 2, 6, 1, 0)                                         \
  M(conv1x1_14_1024_256, 14, 1, 1, 1024, 256, 14, 2, 6, 1, 1)                                     \
  M(conv1x1_7_512_2048, 7, 1, 1, 512, 2048, 13, 2, 5, 1, 1)                                       \
  M(conv1x1s2_28_256_512, 28, 1, 2, 256, 512, 14, 2, 6, 1, 0)                                     \
  M(mbv2_112_32_16, 112, 1, 1, 32, 16, 28, 1, 6, 1, 0)                                            \
  M(mbv2_112_16_96, 112, 1, 1, 16, 96, 14, 2, 6, 1, 0)                                            \
  M(mbv2_56_24_144, 56, 1, 1, 24, 144, 9, 3, 6, 1, 0)                                             \
  M(mbv2_56_144_24, 56, 1, 1, 144, 24, 14, 2, 4, 2, 0)                                            \
  M(mbv2_14_384_64, 14, 1, 1, 384, 64, 14, 2, 6, 1, 0)                                            \
  M(mbv2_7_160_960, 7, 1, 1, 160, 960, 13, 2, 5, 1, 1)                                            \
  M(mbv2_7_960_320, 7, 1, 1, 960, 320, 13, 2, 5, 1, 1)                                            \
  M(cifar3x3_32_16_16, 32, 3, 1, 16, 16, 16, 1, 6, 1, 0)                                          \
  M(fc_2048_1000, 1, 1, 1, 2048, 1000, 1, 8, 1, 6, 1)
CONVS(CONV)

#define DEPTHWISE(id, size, k, stride, channels)                                                  \
  static void id(void) {                                                                          \
    depthwise_shape s = {0};                                                                      \
    s.n = 1, s.oh = size, s.ow = size, s.c = channels;                                            \
    s.kh = k, s.kw = k, s.sh = stride, s.sw = stride, s.dh = 1, s.dw = 1;                         \
    s.xh = ((size - 1) * stride + k) * channels, s.xw = channels, s.yh = size * channels, s.yw = channels; \
    KERNEL(depthwise_f32)(x, w, b, y, 0, 0, s, relu);                                             \
  }
#define DEPTHWISES(M)                                                                             \
  M(dw3x3_112_32, 112, 3, 1, 32)                                                                  \
  M(dw3x3s2_56_96, 56, 3, 2, 96)                                                                  \
  M(dw3x3_56_144, 56, 3, 1, 144)                                                                  \
  M(dw3x3_28_192, 28, 3, 1, 192)                                                                  \
  M(dw3x3_14_576, 14, 3, 1, 576)                                                                  \
  M(dw3x3s2_7_576, 7, 3, 2, 576)                                                                  \
  M(dw3x3_7_960, 7, 3, 1, 960)                                                                    \
  M(dw5x5_14_480, 14, 5, 1, 480)                                                                  \
  M(dw7x7_14_384, 14, 7, 1, 384)
DEPTHWISES(DEPTHWISE)

#define POOL(id, kernel, out, in, k, stride, pad, channels)                                       \
  static void id(void) {                                                                          \
    pool_shape s = {0};                                                                           \
    s.n = 1, s.oh = out, s.ow = out, s.c = channels, s.ih = in, s.iw = in, s.kh = k, s.kw = k;    \
    s.sh = stride, s.sw = stride, s.dh = 1, s.dw = 1, s.pt = pad, s.pl = pad, s.pb = pad, s.pr = pad; \
    s.xh = in * channels, s.xw = channels, s.yh = out * channels, s.yw = channels;                \
    KERNEL(kernel)(x, y, s);                                                                      \
  }
#define POOLS(M)                                                                                  \
  M(maxpool3x3s2_56_64, maxpool_f32, 56, 112, 3, 2, 1, 64)                                        \
  M(maxpool2x2s2_112_64, maxpool_f32, 112, 224, 2, 2, 0, 64)                                      \
  M(avgpool2x2s2_14_256, avgpool_f32, 14, 28, 2, 2, 0, 256)                                       \
  M(global_7_1280, avgpool_f32, 1, 7, 7, 1, 0, 1280)                                              \
  M(global_7_2048, avgpool_f32, 1, 7, 7, 1, 0, 2048)                                              \
  M(global_8_64, avgpool_f32, 1, 8, 8, 1, 0, 64)
POOLS(POOL)

#define MATMUL(id, batch, rows, cols, depth)                                                      \
  static void id(void) {                                                                          \
    matmul_shape s = {0};                                                                         \
    s.b0 = 1, s.b1 = batch, s.m = rows, s.n = cols, s.k = depth;                                  \
    s.a1 = rows * depth, s.am = depth, s.ak = 1, s.x1 = depth * cols, s.xk = cols;                \
    s.y1 = rows * cols, s.ym = cols;                                                              \
    KERNEL(matmul_f32)(x, w, y, 0, 0, s, relu);                                                   \
  }
#define MATMULS(M)                                                                                \
  M(attention_scores_197_64, 3, 197, 197, 64)                                                     \
  M(attention_values_197_64, 3, 197, 64, 197)                                                     \
  M(matmul_256, 1, 256, 256, 256)                                                                 \
  M(matmul_1_256_256, 1, 1, 256, 256)
MATMULS(MATMUL)

int main(int argc, char **argv) {
  if (argc > 1) only = argv[1];
  float **all[] = {&x, &w, &b, &y};
  for (int i = 0; i < 4; i++) {
    *all[i] = aligned_alloc(64, MAX_FLOATS * sizeof(float));
    for (int j = 0; j < MAX_FLOATS; j++) (*all[i])[j] = (float)(j % 17) * 0.01f;
  }
  peak = 2e-9 * DNNC_LANES * (DNNC_LANES == 16 ? 24 : 12) * 1e4 / measure(fma_peak);
  printf("%d lanes, FMA peak %.0f GFLOP/s\n", DNNC_LANES, peak);
#define REPORT_CONV(id, size, k, stride, in, out, ...) report(#id, 2.0 * size * size * k * k * in * out, id);
  CONVS(REPORT_CONV)
#define REPORT_DEPTHWISE(id, size, k, stride, channels) report(#id, 2.0 * size * size * k * k * channels, id);
  DEPTHWISES(REPORT_DEPTHWISE)
#define REPORT_POOL(id, kernel, out, in, k, stride, pad, channels) report(#id, 1.0 * out * out * k * k * channels, id);
  POOLS(REPORT_POOL)
#define REPORT_MATMUL(id, batch, rows, cols, depth) report(#id, 2.0 * batch * rows * cols * depth, id);
  MATMULS(REPORT_MATMUL)
  return 0;
}
