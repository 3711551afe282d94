/* ir/ops/layernorm/kernel.h: y[o][i] = (x[o][i] - mean) / sqrt(mean square + epsilon) * scale[i] + bias[i], for each o.
 * Without `center` the mean is left out. x and y may be the same memory. */
#ifndef DNNC_LAYERNORM_KERNEL_H
#define DNNC_LAYERNORM_KERNEL_H

#include <math.h>

#include "scalar.h"

/* x and y are [outer][size]; scale and bias [size], null where the flags say so */
typedef struct {
  int outer, size, center, scaled, biased;
  double epsilon;
} layernorm_shape;

enum { LAYERNORM_LANES = 16 };

#define DNNC_LAYERNORM(name, T, SQRT)                                                                                  \
  /* Sum of (x - shift), or of its squares, in sixteen partial sums. */                                                \
  DNNC_INLINE T layernorm_sum_##name(const T *x, int size, T shift, int square) {                                      \
    T lanes[LAYERNORM_LANES] = {0};                                                                                    \
    const int whole = size / LAYERNORM_LANES * LAYERNORM_LANES;                                                        \
    for (int i = 0; i < whole; i += LAYERNORM_LANES) {                                                                 \
      DNNC_UNROLL(1)                                                                                                   \
      for (int l = 0; l < LAYERNORM_LANES; l++) {                                                                      \
        const T d = x[i + l] - shift;                                                                                  \
        lanes[l] += square ? d * d : d;                                                                                \
      }                                                                                                                \
    }                                                                                                                  \
    for (int i = whole; i < size; i++) {                                                                               \
      const T d = x[i] - shift;                                                                                        \
      lanes[i - whole] += square ? d * d : d;                                                                          \
    }                                                                                                                  \
    for (int half = LAYERNORM_LANES / 2; half > 0; half /= 2)                                                          \
      for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];                                                      \
    return lanes[0];                                                                                                   \
  }                                                                                                                    \
  DNNC_INLINE void layernorm_##name(const T *x, const T *scale, const T *bias, T *y, const layernorm_shape s) {        \
    const T count = (T)s.size;                                                                                         \
    for (int o = 0; o < s.outer; o++, x += s.size, y += s.size) {                                                      \
      const T mean = s.center ? layernorm_sum_##name(x, s.size, (T)0, 0) / count : (T)0;                               \
      const T square = layernorm_sum_##name(x, s.size, mean, 1) / count;                                               \
      const T factor = (T)1 / SQRT(square + (T)s.epsilon);                                                             \
      for (int i = 0; i < s.size; i++) {                                                                               \
        const T normal = (x[i] - mean) * factor;                                                                       \
        const T scaled = s.scaled ? normal * scale[i] : normal;                                                        \
        y[i] = s.biased ? scaled + bias[i] : scaled;                                                                   \
      }                                                                                                                \
    }                                                                                                                  \
  }

DNNC_LAYERNORM(f32, float, s_sqrt)
DNNC_LAYERNORM(f64, double, sqrt)

#endif
