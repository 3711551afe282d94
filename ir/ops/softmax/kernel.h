/* ir/ops/softmax/kernel.h: y[o][k][i] = exp(x[o][k][i] - max_k) / sum_k, or its logarithm. x and y may be the same memory. */
#ifndef DNNC_SOFTMAX_KERNEL_H
#define DNNC_SOFTMAX_KERNEL_H

#include "dnnc.h"
#include "scalar.h"

/* x and y are [outer][size][inner] */
typedef struct {
  int outer, size, inner, log;
} softmax_shape;

DNNC_INLINE void softmax_f32(const float *x, float *y, const softmax_shape s) {
  for (int o = 0; o < s.outer; o++)
    for (int i = 0; i < s.inner; i++) {
      const ptrdiff_t base = (ptrdiff_t)o * s.size * s.inner + i;
      const ptrdiff_t step = s.inner;
      float high = x[base];
      for (int k = 1; k < s.size; k++) high = s_max(high, x[base + k * step]);
      float sum = 0.0f;
      for (int k = 0; k < s.size; k++) {
        const float shifted = x[base + k * step] - high;
        const float power = s_exp(shifted);
        sum += power;
        y[base + k * step] = s.log ? shifted : power;
      }
      if (s.log) {
        const float shift = s_log(sum);
        for (int k = 0; k < s.size; k++) y[base + k * step] -= shift;
      } else {
        const float scale = 1.0f / sum;
        for (int k = 0; k < s.size; k++) y[base + k * step] *= scale;
      }
    }
}

#endif
