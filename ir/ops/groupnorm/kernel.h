/* ir/ops/groupnorm/kernel.h: y = (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c], mean and variance being of one
 * image and a group of neighbouring channels. Channels last; x and y may be the same memory. */
#ifndef DNNC_GROUPNORM_KERNEL_H
#define DNNC_GROUPNORM_KERNEL_H

#include "scalar.h"

/* x and y: n, h and w with strides xn, xh, xw and yn, yh, yw, channels adjacent. scale_step, bias_step: from channel to channel */
typedef struct {
  int n, h, w, groups, each;
  int xn, xh, xw, yn, yh, yw;
  int scale_step, bias_step;
  double epsilon;
} groupnorm_shape;

enum { GROUPNORM_LANES = 16 };

/* acc[l] += x - shift[l], or its square, over the image of up to sixteen channels */
DNNC_INLINE void groupnorm_sums(const float *x, float *acc, const float *shift, int square, int lanes, const groupnorm_shape s) {
  for (int i = 0; i < s.h; i++)
    for (int j = 0; j < s.w; j++) {
      const float *pixel = x + (ptrdiff_t)i * s.xh + (ptrdiff_t)j * s.xw;
      DNNC_UNROLL(1)
      for (int l = 0; l < lanes; l++) {
        const float d = pixel[l] - shift[l];
        acc[l] += square ? d * d : d;
      }
    }
}

/* Sums over `channels` neighbouring channels: one per channel (up to sixteen), or one for all of them in sum[0]. */
DNNC_INLINE void groupnorm_total(const float *x, float *sum, const float *shift, int square, int channels, int together,
                                 const groupnorm_shape s) {
  float acc[GROUPNORM_LANES] = {0};
  int c = 0;
  for (; c + GROUPNORM_LANES <= channels; c += GROUPNORM_LANES) groupnorm_sums(x + c, acc, shift, square, GROUPNORM_LANES, s);
  if (c < channels) groupnorm_sums(x + c, acc, shift, square, channels - c, s);
  if (together)
    for (int half = GROUPNORM_LANES / 2; half > 0; half /= 2)
      for (int l = 0; l < half; l++) acc[l] += acc[l + half];
  for (int l = 0; l < GROUPNORM_LANES; l++) sum[l] = together ? acc[0] : acc[l];
}

/* `channels` neighbouring channels that are one group (together), or each a group of their own (at most sixteen) */
DNNC_INLINE void groupnorm_unit(const float *x, const float *scale, const float *bias, float *y, int channels, int together,
                                const groupnorm_shape s) {
  const float count = (float)s.h * (float)s.w * (float)(together ? channels : 1);
  float mean[GROUPNORM_LANES] = {0}, factor[GROUPNORM_LANES];
  groupnorm_total(x, mean, mean, 0, channels, together, s);
  for (int l = 0; l < GROUPNORM_LANES; l++) mean[l] /= count;
  groupnorm_total(x, factor, mean, 1, channels, together, s);
  for (int l = 0; l < GROUPNORM_LANES; l++) factor[l] = 1.0f / s_sqrt(factor[l] / count + (float)s.epsilon);
  for (int i = 0; i < s.h; i++)
    for (int j = 0; j < s.w; j++) {
      const float *from = x + (ptrdiff_t)i * s.xh + (ptrdiff_t)j * s.xw;
      float *to = y + (ptrdiff_t)i * s.yh + (ptrdiff_t)j * s.yw;
      for (int c = 0; c < channels; c++) {
        const int l = together ? 0 : c;
        to[c] = (from[c] - mean[l]) * factor[l] * scale[c * s.scale_step] + bias[c * s.bias_step];
      }
    }
}

DNNC_INLINE void groupnorm_f32(const float *x, const float *scale, const float *bias, float *y, const groupnorm_shape s) {
  const int channels = s.groups * s.each;
  const int unit = s.each > 1 ? s.each : GROUPNORM_LANES;
  for (int n = 0; n < s.n; n++) {
    const float *from = x + (ptrdiff_t)n * s.xn;
    float *to = y + (ptrdiff_t)n * s.yn;
    int c = 0;
    for (; c + unit <= channels; c += unit)
      groupnorm_unit(from + c, scale + c * s.scale_step, bias + c * s.bias_step, to + c, unit, s.each > 1, s);
    if (c < channels) groupnorm_unit(from + c, scale + c * s.scale_step, bias + c * s.bias_step, to + c, channels - c, s.each > 1, s);
  }
}

#endif
