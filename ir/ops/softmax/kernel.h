/* ir/ops/softmax/kernel.h: y[o][k][i] = exp(x[o][k][i] - max_k) / sum_k, or its logarithm. x and y may be the same memory. */
#ifndef DNNC_SOFTMAX_KERNEL_H
#define DNNC_SOFTMAX_KERNEL_H

#include <math.h>

#include "simd.h"

/* x and y are [outer][size][inner] */
typedef struct {
  int outer, size, inner, log;
} softmax_shape;

/* One row of neighbours. */
DNNC_INLINE void softmax_f32_row(const float *x, float *y, const softmax_shape s) {
  float part[DNNC_LANES];
  const int whole = s.size / DNNC_LANES * DNNC_LANES;
  dnnc_v highs = v_set(-s_infinity());
  for (int k = 0; k < whole; k += DNNC_LANES) highs = v_max(highs, v_load(x + k));
  v_store(part, highs);
  float high = part[0];
  for (int l = 1; l < DNNC_LANES; l++) high = s_max(high, part[l]);
  for (int k = whole; k < s.size; k++) high = s_max(high, x[k]);

  dnnc_v sums = v_set(0.0f);
  float sum = 0.0f;
  for (int k = 0; k < s.size; k += DNNC_LANES) {
    const dnnc_v shifted = v_sub(v_load_part(x + k, s.size - k), v_set(high));
    const dnnc_v power = v_exp(shifted);
    v_store_part(y + k, s.log ? shifted : power, s.size - k);
    if (k < whole) sums = v_add(sums, power);
    else {
      v_store(part, power);
      for (int l = 0; l < s.size - whole; l++) sum += part[l];
    }
  }
  v_store(part, sums);
  for (int l = 0; l < DNNC_LANES; l++) sum += part[l];

  const dnnc_v last = v_set(s.log ? s_log(sum) : 1.0f / sum);
  for (int k = 0; k < s.size; k += DNNC_LANES) {
    const dnnc_v a = v_load_part(y + k, s.size - k);
    v_store_part(y + k, s.log ? v_sub(a, last) : v_mul(a, last), s.size - k);
  }
}

/* `count` neighbouring columns, at most a vector of them. */
DNNC_INLINE void softmax_f32_columns(const float *x, float *y, int count, const softmax_shape s) {
  const ptrdiff_t step = s.inner;
  dnnc_v high = v_load_part(x, count);
  for (int k = 1; k < s.size; k++) high = v_max(high, v_load_part(x + k * step, count));
  dnnc_v sum = v_set(0.0f);
  for (int k = 0; k < s.size; k++) {
    const dnnc_v shifted = v_sub(v_load_part(x + k * step, count), high);
    const dnnc_v power = v_exp(shifted);
    sum = v_add(sum, power);
    v_store_part(y + k * step, s.log ? shifted : power, count);
  }
  const dnnc_v last = s.log ? v_log(sum) : v_div(v_set(1.0f), sum);
  for (int k = 0; k < s.size; k++) {
    const dnnc_v a = v_load_part(y + k * step, count);
    v_store_part(y + k * step, s.log ? v_sub(a, last) : v_mul(a, last), count);
  }
}

DNNC_INLINE void softmax_f32(const float *x, float *y, const softmax_shape s) {
  for (int o = 0; o < s.outer; o++, x += (ptrdiff_t)s.size * s.inner, y += (ptrdiff_t)s.size * s.inner) {
    if (s.inner == 1) softmax_f32_row(x, y, s);
    else
      for (int i = 0; i < s.inner; i += DNNC_LANES) softmax_f32_columns(x + i, y + i, dnnc_min(DNNC_LANES, s.inner - i), s);
  }
}

DNNC_INLINE void softmax_f64(const double *x, double *y, const softmax_shape s) {
  for (int o = 0; o < s.outer; o++)
    for (int i = 0; i < s.inner; i++) {
      const ptrdiff_t base = (ptrdiff_t)o * s.size * s.inner + i;
      const ptrdiff_t step = s.inner;
      double high = x[base];
      for (int k = 1; k < s.size; k++) high = x[base + k * step] > high ? x[base + k * step] : high;
      double sum = 0;
      for (int k = 0; k < s.size; k++) {
        const double shifted = x[base + k * step] - high;
        const double power = exp(shifted);
        sum += power;
        y[base + k * step] = s.log ? shifted : power;
      }
      for (int k = 0; k < s.size; k++) {
        const double a = y[base + k * step];
        y[base + k * step] = s.log ? a - log(sum) : a / sum;
      }
    }
}

#endif
