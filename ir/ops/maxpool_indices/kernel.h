/* ir/ops/maxpool_indices/kernel.h: maximum over windows, and the place in x of the first such element. NaN does not count. */
#ifndef DNNC_MAXPOOL_INDICES_KERNEL_H
#define DNNC_MAXPOOL_INDICES_KERNEL_H

#include "scalar.h"

/* x is [planes][ih][iw], y and places [planes][oh][ow] */
typedef struct {
  int planes, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, pt, pl;
} maxpool_indices_shape;

DNNC_INLINE void maxpool_indices_f32(const float *x, float *y, int64_t *places, const maxpool_indices_shape s) {
  for (int plane = 0; plane < s.planes; plane++)
    for (int p = 0; p < s.oh; p++)
      for (int q = 0; q < s.ow; q++, y++, places++) {
        float best = -s_infinity();
        int64_t place = -1;
        for (int ky = 0; ky < s.kh; ky++) {
          const int row = p * s.sh + ky * s.dh - s.pt;
          if (row < 0 || row >= s.ih) continue;
          for (int kx = 0; kx < s.kw; kx++) {
            const int column = q * s.sw + kx * s.dw - s.pl;
            if (column < 0 || column >= s.iw) continue;
            const ptrdiff_t at = ((ptrdiff_t)plane * s.ih + row) * s.iw + column;
            if (place < 0 || x[at] > best) place = at;
            best = s_max(best, x[at]);
          }
        }
        *y = best;
        *places = place;
      }
}

#endif
