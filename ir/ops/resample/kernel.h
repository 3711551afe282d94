/* ir/ops/resample/kernel.h: y[o][j][i] = sum over t of weights[j][t] * x[o][places[j][t]][i] */
#ifndef DNNC_RESAMPLE_KERNEL_H
#define DNNC_RESAMPLE_KERNEL_H

#include "gather.h"

/* x is [outer][size][inner], y [outer][count][inner], places and weights are [count][taps] */
typedef struct {
  int outer, size, count, taps, inner;
} resample_shape;

#define DNNC_RESAMPLE(name, T)                                                                                         \
  DNNC_INLINE void resample_##name(const T *DNNC_RESTRICT x, const int32_t *DNNC_RESTRICT places,                      \
                                   const T *DNNC_RESTRICT weights, T *DNNC_RESTRICT y, const resample_shape s) {       \
    for (int o = 0; o < s.outer; o++, x += (ptrdiff_t)s.size * s.inner)                                                \
      for (int j = 0; j < s.count; j++, y += s.inner)                                                                  \
        for (int t = 0; t < s.taps; t++) {                                                                             \
          const T *row = x + dnnc_index(places[j * s.taps + t], s.size) * s.inner;                                     \
          const T weight = weights[j * s.taps + t];                                                                    \
          for (int i = 0; i < s.inner; i++) y[i] = t == 0 ? row[i] * weight : y[i] + row[i] * weight;                  \
        }                                                                                                              \
  }
DNNC_RESAMPLE(f32, float)
DNNC_RESAMPLE(f64, double)
#undef DNNC_RESAMPLE

#endif
