/* ir/ops/topk/kernel.h: the k largest (or smallest) elements along an axis, in order, and where they were; equal ones in the
 * order of x. */
#ifndef DNNC_TOPK_KERNEL_H
#define DNNC_TOPK_KERNEL_H

#include "dnnc.h"

/* x is [outer][size][inner]; values and indices are [outer][k][inner] */
typedef struct {
  int outer, size, inner, k, largest;
} topk_shape;

/* Insertion into the sorted list of the best so far. */
#define DNNC_TOPK(name, T)                                                                                             \
  DNNC_INLINE void topk_##name(const T *x, T *values, int64_t *indices, const topk_shape s) {                          \
    const ptrdiff_t step = s.inner;                                                                                    \
    for (int o = 0; o < s.outer; o++)                                                                                  \
      for (int i = 0; i < s.inner; i++) {                                                                              \
        const T *from = x + (ptrdiff_t)o * s.size * step + i;                                                          \
        T *best = values + (ptrdiff_t)o * s.k * step + i;                                                              \
        int64_t *at = indices + (ptrdiff_t)o * s.k * step + i;                                                         \
        int found = 0;                                                                                                 \
        for (int n = 0; n < s.size; n++) {                                                                             \
          const T a = from[n * step];                                                                                  \
          int place = found;                                                                                           \
          while (place > 0 && (s.largest ? a > best[(place - 1) * step] : a < best[(place - 1) * step])) place--;      \
          if (place == s.k) continue;                                                                                  \
          if (found < s.k) found++;                                                                                    \
          for (int m = found - 1; m > place; m--) {                                                                    \
            best[m * step] = best[(m - 1) * step];                                                                     \
            at[m * step] = at[(m - 1) * step];                                                                         \
          }                                                                                                            \
          best[place * step] = a;                                                                                      \
          at[place * step] = n;                                                                                        \
        }                                                                                                              \
      }                                                                                                                \
  }

DNNC_TOPK(f32, float)
DNNC_TOPK(f64, double)
DNNC_TOPK(i8, int8_t)
DNNC_TOPK(u8, uint8_t)
DNNC_TOPK(i16, int16_t)
DNNC_TOPK(u16, uint16_t)
DNNC_TOPK(i32, int32_t)
DNNC_TOPK(u32, uint32_t)
DNNC_TOPK(i64, int64_t)
DNNC_TOPK(u64, uint64_t)

#endif
