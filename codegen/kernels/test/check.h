/* check.h: what the kernel tests share. A test fills operands that end exactly where the kernel may read last (the
 * page after them is locked), runs a kernel, and compares with a naive loop in double.
 *
 * Shapes are random ones, passed at run time, or literal ones, as in generated code. Kernels at run-time shapes take a
 * compiler long: CHECK_RANDOM and CHECK_LITERAL say which of the two to compile. */
#ifndef DNNC_CHECK_H
#define DNNC_CHECK_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "simd.h"

#if !defined(CHECK_RANDOM) && !defined(CHECK_LITERAL)
#define CHECK_RANDOM 1
#define CHECK_LITERAL 1
#endif

#define CHECK_UNTOUCHED 12345.0f /* what y holds where no kernel may write */

static uint32_t check_state = 1;
static int check_count;

/* An integer in [low, high]. */
static inline int check_int(int low, int high) {
  check_state ^= check_state << 13;
  check_state ^= check_state >> 17;
  check_state ^= check_state << 5;
  return low + (int)((check_state >> 4) % (uint32_t)(high - low + 1));
}

/* One of the arguments. */
#define CHECK_PICK(...) check_pick((const int[]){__VA_ARGS__}, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))
static inline int check_pick(const int *values, int count) { return values[check_int(0, count - 1)]; }

enum { CHECK_PAGE = 4096, CHECK_BUFFERS = 10 };
static struct {
  void *start;
  size_t size;
} check_buffers[CHECK_BUFFERS];
static int check_buffer_count;

/* `length` bytes that end where a locked page begins. */
static inline char *check_bytes(ptrdiff_t length) {
  const size_t bytes = (size_t)length;
  const size_t size = (bytes + CHECK_PAGE - 1) / CHECK_PAGE * CHECK_PAGE;
  char *start = (char *)mmap(NULL, size + CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(start + size, CHECK_PAGE, PROT_NONE);
  check_buffers[check_buffer_count].start = start;
  check_buffers[check_buffer_count++].size = size + CHECK_PAGE;
  return start + size - bytes;
}

static inline float *check_buffer(ptrdiff_t count) {
  return (float *)(void *)check_bytes(count * (ptrdiff_t)sizeof(float));
}

/* Gives all buffers back. */
static inline void check_release(void) {
  while (check_buffer_count > 0) {
    check_buffer_count--;
    munmap(check_buffers[check_buffer_count].start, check_buffers[check_buffer_count].size);
  }
}

static inline float *check_random(ptrdiff_t count) {
  float *p = check_buffer(count);
  for (ptrdiff_t i = 0; i < count; i++) p[i] = (float)check_int(-1000, 1000) * 1e-3f;
  return p;
}

static inline float *check_untouched(ptrdiff_t count) {
  float *p = check_buffer(count);
  for (ptrdiff_t i = 0; i < count; i++) p[i] = CHECK_UNTOUCHED;
  return p;
}

/* `count` zeros, to mark the elements that a kernel should have written. */
static inline char *check_marks(ptrdiff_t count) { return (char *)check_buffer(count / (ptrdiff_t)sizeof(float) + 1); }

/* Fails unless `got` is `want` up to `tolerance`. */
static inline void check_near(const char *what, int shape, ptrdiff_t at, double got, double want, double tolerance) {
  check_count++;
  if (fabs(got - want) <= tolerance) return;
  fprintf(stderr, "%s, shape %d, element %td: got %.9g, want %.9g\n", what, shape, at, got, want);
  exit(1);
}

/* Fails if one of `count` elements, other than those that `written` marks, changed. */
static inline void check_rest(const char *what, int shape, const float *y, const char *written, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++)
    if (!written[i]) check_near(what, shape, i, (double)y[i], (double)CHECK_UNTOUCHED, 0);
}

/* The epilogue of the tests, and the same in double: it tells its operands apart. */
DNNC_INLINE dnnc_v check_epilogue(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  return v_add(acc, v_sub(v_mul(v_set(2.0f), e0), v_mul(v_set(3.0f), e1)));
}
static inline double check_want(double acc, double e0, double e1) { return acc + 2 * e0 - 3 * e1; }

#endif
