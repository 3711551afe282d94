/* ir/ops/cumulative/kernel.h: y[o][k][i] = sum or product of x[o][0][i] ... x[o][k][i], without the last where exclusive,
 * from the other end where reverse. x and y may be the same memory. */
#ifndef DNNC_CUMULATIVE_KERNEL_H
#define DNNC_CUMULATIVE_KERNEL_H

#include "arithmetic.h"

/* x and y are [outer][size][inner] */
typedef struct {
  int outer, size, inner, exclusive, reverse;
} cumulative_shape;

#define DNNC_CUMULATIVE(name, T, START, NEXT)                                                                          \
  DNNC_INLINE void cumulative_##name(const T *x, T *y, const cumulative_shape s) {                                     \
    const ptrdiff_t step = s.reverse ? -(ptrdiff_t)s.inner : s.inner;                                                  \
    for (int o = 0; o < s.outer; o++)                                                                                  \
      for (int i = 0; i < s.inner; i++) {                                                                              \
        ptrdiff_t at = ((ptrdiff_t)o * s.size + (s.reverse ? s.size - 1 : 0)) * s.inner + i;                           \
        T so_far = START;                                                                                              \
        for (int k = 0; k < s.size; k++, at += step) {                                                                 \
          const T next = NEXT(so_far, x[at]);                                                                          \
          y[at] = s.exclusive ? so_far : next;                                                                         \
          so_far = next;                                                                                               \
        }                                                                                                              \
      }                                                                                                                \
  }
#define DNNC_CUMULATIVES(name, T, ADD, MUL)                                                                            \
  DNNC_CUMULATIVE(sum_##name, T, 0, ADD)                                                                               \
  DNNC_CUMULATIVE(prod_##name, T, 1, MUL)

DNNC_CUMULATIVES(f32, float, s_add, s_mul)
DNNC_CUMULATIVES(f64, double, add_f64, mul_f64)
DNNC_CUMULATIVES(i32, int32_t, add_i32, mul_i32)
DNNC_CUMULATIVES(u32, uint32_t, add_u32, mul_u32)
DNNC_CUMULATIVES(i64, int64_t, add_i64, mul_i64)
DNNC_CUMULATIVES(u64, uint64_t, add_u64, mul_u64)
#undef DNNC_CUMULATIVES
#undef DNNC_CUMULATIVE

#endif
