/* ir/ops/integer_conv/kernel.h: 2-D convolution of 32-bit integers, in 32 bits that wrap */
#ifndef DNNC_INTEGER_CONV_KERNEL_H
#define DNNC_INTEGER_CONV_KERNEL_H

#include "dnnc.h"

/* x is [n][groups][ic][ih][iw], w [groups][oc][ic][kh][kw], y [n][groups][oc][oh][ow]; all dense */
typedef struct {
  int n, groups, ic, oc, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl;
} integer_conv_shape;

/* One output row: its sum over one input row with one weight. `start` is the column that output 0 reads, perhaps outside. */
DNNC_INLINE void integer_conv_row(const int32_t *x, const int32_t w, int32_t *y, const int start, const integer_conv_shape s) {
  const int low = start < 0 ? dnnc_ceil_div(-start, s.sw) : 0;
  const int high = start < s.iw ? dnnc_min(s.ow, (s.iw - 1 - start) / s.sw + 1) : 0;
  for (int q = low; q < high; q++) y[q] = (int32_t)((uint32_t)y[q] + (uint32_t)w * (uint32_t)x[start + q * s.sw]);
}

DNNC_INLINE void integer_conv_i32(const int32_t *DNNC_RESTRICT x, const int32_t *DNNC_RESTRICT w, int32_t *DNNC_RESTRICT y,
                                  const integer_conv_shape s) {
  const ptrdiff_t in = (ptrdiff_t)s.ih * s.iw, window = (ptrdiff_t)s.kh * s.kw;
  for (int n = 0; n < s.n; n++)
    for (int g = 0; g < s.groups; g++, x += s.ic * in)
      for (int o = 0; o < s.oc; o++)
        for (int p = 0; p < s.oh; p++, y += s.ow) {
          const int32_t *weights = w + ((ptrdiff_t)g * s.oc + o) * s.ic * window;
          for (int q = 0; q < s.ow; q++) y[q] = 0;
          for (int i = 0; i < s.ic; i++)
            for (int ky = 0; ky < s.kh; ky++, weights += s.kw) {
              const int row = p * s.sh + ky * s.dh - s.pt;
              if (row < 0 || row >= s.ih) continue;
              for (int kx = 0; kx < s.kw; kx++)
                integer_conv_row(x + i * in + (ptrdiff_t)row * s.iw, weights[kx], y, kx * s.dw - s.pl, s);
            }
        }
}

#endif
