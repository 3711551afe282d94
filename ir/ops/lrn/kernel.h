/* ir/ops/lrn/kernel.h: y[c] = x[c] / (bias + alpha * sum of x[c - before]^2 ... x[c + after]^2) ^ beta, at each pixel.
 * Channels last, a vector of channels at a time. x and y do not overlap. */
#ifndef DNNC_LRN_KERNEL_H
#define DNNC_LRN_KERNEL_H

#include "simd.h"

/* x and y: n, h and w with strides xn, xh, xw and yn, yh, yw, channels adjacent */
typedef struct {
  int n, h, w, c;
  int xn, xh, xw, yn, yh, yw;
  int before, after;
  double alpha, beta, bias;
} lrn_shape;

/* A vector of the channels from `first` on; those that do not exist are 0. */
DNNC_INLINE dnnc_v lrn_channels(const float *x, int first, int channels) {
  if (first >= 0) return v_load_part(x + first, dnnc_max(0, channels - first));
  float part[DNNC_LANES];
  for (int l = 0; l < DNNC_LANES; l++) part[l] = first + l >= 0 && first + l < channels ? x[first + l] : 0.0f;
  return v_load(part);
}

DNNC_INLINE void lrn_pixel(const float *DNNC_RESTRICT x, float *DNNC_RESTRICT y, const lrn_shape s) {
  for (int c = 0; c < s.c; c += DNNC_LANES) {
    dnnc_v sum = v_set(0.0f);
    for (int k = c - s.before; k <= c + s.after; k++) {
      if (k >= s.c) break;
      const dnnc_v a = lrn_channels(x, k, s.c);
      sum = v_fma(a, a, sum);
    }
    const dnnc_v base = v_fma(sum, v_set((float)s.alpha), v_set((float)s.bias));
    const dnnc_v factor = v_exp(v_mul(v_set(-(float)s.beta), v_log(base)));
    v_store_part(y + c, v_mul(v_load_part(x + c, s.c - c), factor), s.c - c);
  }
}

DNNC_INLINE void lrn_f32(const float *DNNC_RESTRICT x, float *DNNC_RESTRICT y, const lrn_shape s) {
  for (int n = 0; n < s.n; n++)
    for (int i = 0; i < s.h; i++)
      for (int j = 0; j < s.w; j++) {
        const float *from = x + (ptrdiff_t)n * s.xn + (ptrdiff_t)i * s.xh + (ptrdiff_t)j * s.xw;
        lrn_pixel(from, y + (ptrdiff_t)n * s.yn + (ptrdiff_t)i * s.yh + (ptrdiff_t)j * s.yw, s);
      }
}

#endif
