/* ir/ops/cumsum/kernel.h: y[o][k][i] = sum of x[o][0][i] ... x[o][k][i], without the last where exclusive, from the other end
 * where reverse. x and y may be the same memory. */
#ifndef DNNC_CUMSUM_KERNEL_H
#define DNNC_CUMSUM_KERNEL_H

#include "arithmetic.h"

/* x and y are [outer][size][inner] */
typedef struct {
  int outer, size, inner, exclusive, reverse;
} cumsum_shape;

#define DNNC_CUMSUM(name, T, ADD)                                                                                      \
  DNNC_INLINE void cumsum_##name(const T *x, T *y, const cumsum_shape s) {                                             \
    const ptrdiff_t step = s.reverse ? -(ptrdiff_t)s.inner : s.inner;                                                  \
    for (int o = 0; o < s.outer; o++)                                                                                  \
      for (int i = 0; i < s.inner; i++) {                                                                              \
        ptrdiff_t at = ((ptrdiff_t)o * s.size + (s.reverse ? s.size - 1 : 0)) * s.inner + i;                           \
        T sum = 0;                                                                                                     \
        for (int k = 0; k < s.size; k++, at += step) {                                                                 \
          const T next = ADD(sum, x[at]);                                                                              \
          y[at] = s.exclusive ? sum : next;                                                                            \
          sum = next;                                                                                                  \
        }                                                                                                              \
      }                                                                                                                \
  }

DNNC_CUMSUM(f32, float, s_add)
DNNC_CUMSUM(f64, double, add_f64)
DNNC_CUMSUM(i32, int32_t, add_i32)
DNNC_CUMSUM(u32, uint32_t, add_u32)
DNNC_CUMSUM(i64, int64_t, add_i64)
DNNC_CUMSUM(u64, uint64_t, add_u64)

#endif
