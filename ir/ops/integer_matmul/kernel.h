/* ir/ops/integer_matmul/kernel.h: y[b][r][c] = sum over k of x[b][r][k] * w[b][k][c], in 32 bits that wrap */
#ifndef DNNC_INTEGER_MATMUL_KERNEL_H
#define DNNC_INTEGER_MATMUL_KERNEL_H

#include "dnnc.h"

/* x is [batch][rows][inner], w [batch][inner][columns], y [batch][rows][columns] */
typedef struct {
  int batch, rows, inner, columns;
} integer_matmul_shape;

DNNC_INLINE void integer_matmul_i32(const int32_t *DNNC_RESTRICT x, const int32_t *DNNC_RESTRICT w, int32_t *DNNC_RESTRICT y,
                                    const integer_matmul_shape s) {
  for (int b = 0; b < s.batch; b++, w += (ptrdiff_t)s.inner * s.columns)
    for (int r = 0; r < s.rows; r++, x += s.inner, y += s.columns) {
      for (int c = 0; c < s.columns; c++) y[c] = 0;
      for (int k = 0; k < s.inner; k++) {
        const uint32_t factor = (uint32_t)x[k];
        const int32_t *row = w + (ptrdiff_t)k * s.columns;
        for (int c = 0; c < s.columns; c++) y[c] = (int32_t)((uint32_t)y[c] + factor * (uint32_t)row[c]);
      }
    }
}

#endif
