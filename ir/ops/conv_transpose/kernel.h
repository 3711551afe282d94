/* ir/ops/conv_transpose/kernel.h: y[g][o][iy*sh + ky*dh - pt][ix*sw + kx*dw - pl] += x[g][i][iy][ix] * w[g][i][o][ky][kx] */
#ifndef DNNC_CONV_TRANSPOSE_KERNEL_H
#define DNNC_CONV_TRANSPOSE_KERNEL_H

#include "dnnc.h"

/* x is [n][groups][ic][ih][iw], w [groups][ic][oc][kh][kw], b [groups][oc] or null, y [n][groups][oc][oh][ow]; all dense */
typedef struct {
  int n, groups, ic, oc, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl;
} conv_transpose_shape;

/* One input row times one weight, into one output row. `start` is where its first point goes, which may lie outside. */
DNNC_INLINE void conv_transpose_row(const float *x, const float w, float *y, const int start, const conv_transpose_shape s) {
  const int low = start < 0 ? dnnc_ceil_div(-start, s.sw) : 0;
  const int high = start < s.ow ? dnnc_min(s.iw, (s.ow - 1 - start) / s.sw + 1) : 0;
  for (int ix = low; ix < high; ix++) y[start + ix * s.sw] += x[ix] * w;
}

DNNC_INLINE void conv_transpose_f32(const float *DNNC_RESTRICT x, const float *DNNC_RESTRICT w, const float *b,
                                    float *DNNC_RESTRICT y, const conv_transpose_shape s) {
  const ptrdiff_t in = (ptrdiff_t)s.ih * s.iw, out = (ptrdiff_t)s.oh * s.ow, window = (ptrdiff_t)s.kh * s.kw;
  for (int n = 0; n < s.n; n++)
    for (int g = 0; g < s.groups; g++, x += s.ic * in, y += s.oc * out)
      for (int o = 0; o < s.oc; o++) {
        float *plane = y + o * out;
        for (ptrdiff_t p = 0; p < out; p++) plane[p] = b ? b[g * s.oc + o] : 0.0f;
        for (int i = 0; i < s.ic; i++)
          for (int ky = 0; ky < s.kh; ky++)
            for (int iy = 0; iy < s.ih; iy++) {
              const int oy = iy * s.sh + ky * s.dh - s.pt;
              if (oy < 0 || oy >= s.oh) continue;
              for (int kx = 0; kx < s.kw; kx++) {
                const float weight = w[(((ptrdiff_t)g * s.ic + i) * s.oc + o) * window + ky * s.kw + kx];
                conv_transpose_row(x + i * in + iy * s.iw, weight, plane + (ptrdiff_t)oy * s.ow, kx * s.dw - s.pl, s);
              }
            }
      }
}

#endif
