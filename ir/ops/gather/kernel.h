/* ir/ops/gather/kernel.h: y[o][j][i] = x[o][indices[j]][i]. Elements are moved as bytes, so one function serves all types. */
#ifndef DNNC_GATHER_KERNEL_H
#define DNNC_GATHER_KERNEL_H

#include "dnnc.h"

/* x is [outer][size][bytes], indices [count], y [outer][count][bytes] */
typedef struct {
  int outer, size, count, bytes;
} gather_shape;

/* A position among `size`; negative ones count from the end. What lies outside becomes the nearest one inside. */
DNNC_INLINE ptrdiff_t dnnc_index(int64_t index, ptrdiff_t size) {
  const int64_t positive = index < 0 ? index + size : index;
  return positive < 0 ? 0 : positive < size ? (ptrdiff_t)positive : size - 1;
}

#define DNNC_GATHER(name, T)                                                                                           \
  DNNC_INLINE void gather_##name(const void *x, const T *indices, void *y, const gather_shape s) {                     \
    const unsigned char *from = (const unsigned char *)x;                                                              \
    unsigned char *to = (unsigned char *)y;                                                                            \
    for (int o = 0; o < s.outer; o++)                                                                                  \
      for (int j = 0; j < s.count; j++, to += s.bytes)                                                                 \
        memcpy(to, from + ((ptrdiff_t)o * s.size + dnnc_index(indices[j], s.size)) * s.bytes, (size_t)s.bytes);        \
  }
DNNC_GATHER(i32, int32_t)
DNNC_GATHER(i64, int64_t)
#undef DNNC_GATHER

#endif
