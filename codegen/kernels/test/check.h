/* check.h: what the kernel tests share. A test fills operands that end exactly where the kernel may read last (the
 * address sanitizer sees the rest), runs a kernel, and compares with a naive loop in double. */
#ifndef DNNC_CHECK_H
#define DNNC_CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "simd.h"

#define CHECK_UNTOUCHED 12345.0f /* what y holds where no kernel may write */

static uint32_t check_state = 1;
static int check_count;

/* An integer in [low, high]. */
static int check_int(int low, int high) {
  check_state ^= check_state << 13;
  check_state ^= check_state >> 17;
  check_state ^= check_state << 5;
  return low + (int)((check_state >> 4) % (uint32_t)(high - low + 1));
}

/* One of `count` integers. */
static int check_pick(const int *values, int count) { return values[check_int(0, count - 1)]; }
#define CHECK_PICK(...) check_pick((const int[]){__VA_ARGS__}, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

static float *check_random(ptrdiff_t count) {
  float *p = (float *)malloc((size_t)count * sizeof(float));
  for (ptrdiff_t i = 0; i < count; i++) p[i] = (float)check_int(-1000, 1000) * 1e-3f;
  return p;
}

static float *check_untouched(ptrdiff_t count) {
  float *p = (float *)malloc((size_t)count * sizeof(float));
  for (ptrdiff_t i = 0; i < count; i++) p[i] = CHECK_UNTOUCHED;
  return p;
}

/* Fails unless `got` is `want` up to `tolerance`. */
static void check_near(const char *what, int shape, ptrdiff_t at, double got, double want, double tolerance) {
  check_count++;
  if (fabs(got - want) <= tolerance) return;
  fprintf(stderr, "%s, shape %d, element %td: got %.9g, want %.9g\n", what, shape, at, got, want);
  exit(1);
}

/* Fails if one of `count` elements, other than those that `written` marks, changed. */
static void check_rest(const char *what, int shape, const float *y, const char *written, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++)
    if (!written[i]) check_near(what, shape, i, (double)y[i], (double)CHECK_UNTOUCHED, 0);
}

/* The epilogue of the tests, and the same in double: it tells its operands apart. */
DNNC_INLINE dnnc_v check_epilogue(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  return v_add(acc, v_sub(v_mul(v_set(2.0f), e0), v_mul(v_set(3.0f), e1)));
}
static double check_want(double acc, double e0, double e1) { return acc + 2 * e0 - 3 * e1; }

#endif
