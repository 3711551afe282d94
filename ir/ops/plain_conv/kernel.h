/* ir/ops/plain_conv/kernel.h: 2-D convolution in the order of memory; 32-bit integers wrap */
#ifndef DNNC_PLAIN_CONV_KERNEL_H
#define DNNC_PLAIN_CONV_KERNEL_H

#include "arithmetic.h"

/* x is [n][groups][ic][ih][iw], w [groups][oc][ic][kh][kw], y [n][groups][oc][oh][ow]; all dense */
typedef struct {
  int n, groups, ic, oc, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl;
} plain_conv_shape;

/* First: one output row, its sum over one input row with one weight. `start` is the column that output 0 reads, perhaps
 * outside. Then the convolution, with the rows that lie inside. */
#define DNNC_PLAIN_CONV(name, T, ADD, MUL)                                                                             \
  DNNC_INLINE void plain_conv_row_##name(const T *x, const T w, T *y, const int start, const plain_conv_shape s) {     \
    const int low = start < 0 ? dnnc_ceil_div(-start, s.sw) : 0;                                                       \
    const int high = start < s.iw ? dnnc_min(s.ow, (s.iw - 1 - start) / s.sw + 1) : 0;                                 \
    for (int q = low; q < high; q++) y[q] = ADD(y[q], MUL(w, x[start + q * s.sw]));                                    \
  }                                                                                                                    \
                                                                                                                       \
  DNNC_INLINE void plain_conv_##name(const T *DNNC_RESTRICT x, const T *DNNC_RESTRICT w, T *DNNC_RESTRICT y,           \
                                     const plain_conv_shape s) {                                                       \
    const ptrdiff_t in = (ptrdiff_t)s.ih * s.iw, window = (ptrdiff_t)s.kh * s.kw;                                      \
    for (int n = 0; n < s.n; n++)                                                                                      \
      for (int g = 0; g < s.groups; g++, x += s.ic * in)                                                               \
        for (int o = 0; o < s.oc; o++)                                                                                 \
          for (int p = 0; p < s.oh; p++, y += s.ow) {                                                                  \
            const T *weights = w + ((ptrdiff_t)g * s.oc + o) * s.ic * window;                                          \
            for (int q = 0; q < s.ow; q++) y[q] = 0;                                                                   \
            for (int i = 0; i < s.ic; i++)                                                                             \
              for (int ky = 0; ky < s.kh; ky++, weights += s.kw) {                                                     \
                const int row = p * s.sh + ky * s.dh - s.pt;                                                           \
                if (row < 0 || row >= s.ih) continue;                                                                  \
                for (int kx = 0; kx < s.kw; kx++)                                                                      \
                  plain_conv_row_##name(x + i * in + (ptrdiff_t)row * s.iw, weights[kx], y, kx * s.dw - s.pl, s);      \
              }                                                                                                        \
          }                                                                                                            \
  }

DNNC_PLAIN_CONV(f32, float, s_add, s_mul)
DNNC_PLAIN_CONV(f64, double, add_f64, mul_f64)
DNNC_PLAIN_CONV(i32, int32_t, add_i32, mul_i32)
#undef DNNC_PLAIN_CONV

#endif
