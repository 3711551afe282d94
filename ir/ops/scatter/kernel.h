/* ir/ops/scatter/kernel.h: y = x, then for each j in order: y[indices[j]] = updates[j], or combined with it. */
#ifndef DNNC_SCATTER_KERNEL_H
#define DNNC_SCATTER_KERNEL_H

#include "arithmetic.h"
#include "gather.h"

/* x and y are [rows][inner], indices [count], updates [count][inner]; `width` is that of an element. y may be x. */
typedef struct {
  int rows, inner, count, width;
} scatter_shape;

DNNC_INLINE void scatter_start(const void *x, void *y, const scatter_shape s) {
  if (x != y) memcpy(y, x, (size_t)s.rows * (size_t)s.inner * (size_t)s.width);
}

DNNC_INLINE void scatter_none(const void *x, const int64_t *indices, const void *updates, void *y, const scatter_shape s) {
  const size_t bytes = (size_t)s.inner * (size_t)s.width;
  const unsigned char *from = (const unsigned char *)updates;
  scatter_start(x, y, s);
  for (int j = 0; j < s.count; j++, from += bytes)
    memcpy((unsigned char *)y + (size_t)dnnc_index(indices[j], s.rows) * bytes, from, bytes);
}

/* combine(old, update) */
#define DNNC_SCATTER(kind, name, T, combine)                                                                           \
  DNNC_INLINE void scatter_##kind##_##name(const T *x, const int64_t *indices, const T *updates, T *y,                 \
                                           const scatter_shape s) {                                                    \
    scatter_start(x, y, s);                                                                                            \
    for (int j = 0; j < s.count; j++, updates += s.inner) {                                                            \
      T *row = y + dnnc_index(indices[j], s.rows) * s.inner;                                                           \
      for (int i = 0; i < s.inner; i++) row[i] = combine(row[i], updates[i]);                                          \
    }                                                                                                                  \
  }
#define DNNC_SCATTERS(name, T, sum, product, least, most)                                                              \
  DNNC_SCATTER(add, name, T, sum)                                                                                      \
  DNNC_SCATTER(mul, name, T, product)                                                                                  \
  DNNC_SCATTER(min, name, T, least)                                                                                    \
  DNNC_SCATTER(max, name, T, most)
DNNC_SCATTERS(f32, float, s_add, s_mul, s_min, s_max)
DNNC_SCATTERS(f64, double, add_f64, mul_f64, min_f64, max_f64)
DNNC_SCATTERS(i8, int8_t, add_i8, mul_i8, min_i8, max_i8)
DNNC_SCATTERS(u8, uint8_t, add_u8, mul_u8, min_u8, max_u8)
DNNC_SCATTERS(i16, int16_t, add_i16, mul_i16, min_i16, max_i16)
DNNC_SCATTERS(u16, uint16_t, add_u16, mul_u16, min_u16, max_u16)
DNNC_SCATTERS(i32, int32_t, add_i32, mul_i32, min_i32, max_i32)
DNNC_SCATTERS(u32, uint32_t, add_u32, mul_u32, min_u32, max_u32)
DNNC_SCATTERS(i64, int64_t, add_i64, mul_i64, min_i64, max_i64)
DNNC_SCATTERS(u64, uint64_t, add_u64, mul_u64, min_u64, max_u64)
#undef DNNC_SCATTERS
#undef DNNC_SCATTER

#endif
