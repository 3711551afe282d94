/* ir/ops/lrn/kernel.h: y[c] = x[c] / (bias + alpha * sum of x[c - before]^2 ... x[c + after]^2) ^ beta, at each pixel.
 * Channels last, sixteen channels at a time. x and y do not overlap. */
#ifndef DNNC_LRN_KERNEL_H
#define DNNC_LRN_KERNEL_H

#include "scalar.h"

/* x and y: n, h and w with strides xn, xh, xw and yn, yh, yw, channels adjacent */
typedef struct {
  int n, h, w, c;
  int xn, xh, xw, yn, yh, yw;
  int before, after;
  double alpha, beta, bias;
} lrn_shape;

enum { LRN_LANES = 16 };

/* Channels c ... c + lanes - 1 of one pixel. */
DNNC_INLINE void lrn_block(const float *DNNC_RESTRICT x, float *DNNC_RESTRICT y, int c, int lanes, const lrn_shape s) {
  float sum[LRN_LANES] = {0};
  for (int k = -s.before; k <= s.after; k++) {
    const int first = dnnc_max(0, -(c + k));
    const int end = dnnc_min(lanes, s.c - c - k);
    const float *from = x + c + k;
    if (first == 0 && end == LRN_LANES) {
      DNNC_KEEP_LOOP
      for (int l = 0; l < LRN_LANES; l++) sum[l] += from[l] * from[l];
    } else {
      for (int l = first; l < end; l++) sum[l] += from[l] * from[l];
    }
  }
  for (int l = 0; l < lanes; l++)
    y[c + l] = x[c + l] * s_exp(-(float)s.beta * s_log((float)s.bias + (float)s.alpha * sum[l]));
}

DNNC_INLINE void lrn_f32(const float *DNNC_RESTRICT x, float *DNNC_RESTRICT y, const lrn_shape s) {
  for (int n = 0; n < s.n; n++)
    for (int i = 0; i < s.h; i++)
      for (int j = 0; j < s.w; j++) {
        const float *from = x + (ptrdiff_t)n * s.xn + (ptrdiff_t)i * s.xh + (ptrdiff_t)j * s.xw;
        float *to = y + (ptrdiff_t)n * s.yn + (ptrdiff_t)i * s.yh + (ptrdiff_t)j * s.yw;
        int c = 0;
        for (; c + LRN_LANES <= s.c; c += LRN_LANES) lrn_block(from, to, c, LRN_LANES, s);
        if (c < s.c) lrn_block(from, to, c, s.c - c, s);
      }
}

#endif
