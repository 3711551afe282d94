/* ir/ops/softmax/kernel.h: y[o][k][i] = exp(x[o][k][i] - max_k) / sum_k, or its logarithm. x and y may be the same memory. */
#ifndef DNNC_SOFTMAX_KERNEL_H
#define DNNC_SOFTMAX_KERNEL_H

#include "arithmetic.h"

/* x and y are [outer][size][inner] */
typedef struct {
  int outer, size, inner, log;
} softmax_shape;

#define DNNC_SOFTMAX(name, T, MAX, EXP, LOG)                                                                           \
  DNNC_INLINE void softmax_##name(const T *x, T *y, const softmax_shape s) {                                           \
    for (int o = 0; o < s.outer; o++)                                                                                  \
      for (int i = 0; i < s.inner; i++) {                                                                              \
        const ptrdiff_t base = (ptrdiff_t)o * s.size * s.inner + i;                                                    \
        const ptrdiff_t step = s.inner;                                                                                \
        T high = x[base];                                                                                              \
        for (int k = 1; k < s.size; k++) high = MAX(high, x[base + k * step]);                                         \
        T sum = 0;                                                                                                     \
        for (int k = 0; k < s.size; k++) {                                                                             \
          const T shifted = x[base + k * step] - high;                                                                 \
          const T power = EXP(shifted);                                                                                \
          sum += power;                                                                                                \
          y[base + k * step] = s.log ? shifted : power;                                                                \
        }                                                                                                              \
        if (s.log) {                                                                                                   \
          const T shift = LOG(sum);                                                                                    \
          for (int k = 0; k < s.size; k++) y[base + k * step] -= shift;                                                \
        } else {                                                                                                       \
          const T scale = (T)1 / sum;                                                                                  \
          for (int k = 0; k < s.size; k++) y[base + k * step] *= scale;                                                \
        }                                                                                                              \
      }                                                                                                                \
  }

DNNC_SOFTMAX(f32, float, s_max, s_exp, s_log)
DNNC_SOFTMAX(f64, double, max_f64, exp, log)

#endif
