/* ir/ops/argmax/kernel.h: y[i...] = where x is largest (or smallest) along one axis, for up to three axes that stay. Any
 * strides; neighbours in x are searched sixteen at a time. */
#ifndef DNNC_ARGMAX_KERNEL_H
#define DNNC_ARGMAX_KERNEL_H

#include "dnnc.h"

/* k: axes that stay, with strides x and y; size, step: the axis that is searched. `last`: of equal elements the last. */
typedef struct {
  int largest, last;
  int k0, k1, k2, x0, x1, x2, y0, y1, y2;
  int size, step;
} argmax_shape;

enum { ARGMAX_LANES = 16 };

#define DNNC_ARGMAX(name, T)                                                                                           \
  DNNC_INLINE int argmax_beats_##name(T a, T best, const argmax_shape s) {                                             \
    return (s.largest ? a > best : a < best) || (s.last && a == best);                                                 \
  }                                                                                                                    \
  DNNC_INLINE void argmax_block_##name(const T *x, int64_t *y, int lanes, const argmax_shape s) {                      \
    T best[ARGMAX_LANES];                                                                                              \
    int at[ARGMAX_LANES];                                                                                              \
    for (int l = 0; l < lanes; l++) {                                                                                  \
      best[l] = x[(ptrdiff_t)l * s.x2];                                                                                \
      at[l] = 0;                                                                                                       \
    }                                                                                                                  \
    for (int i = 1; i < s.size; i++) {                                                                                 \
      const T *row = x + (ptrdiff_t)i * s.step;                                                                        \
      for (int l = 0; l < lanes; l++) {                                                                                \
        const T a = row[(ptrdiff_t)l * s.x2];                                                                          \
        const int beats = argmax_beats_##name(a, best[l], s);                                                          \
        best[l] = beats ? a : best[l];                                                                                 \
        at[l] = beats ? i : at[l];                                                                                     \
      }                                                                                                                \
    }                                                                                                                  \
    for (int l = 0; l < lanes; l++) y[(ptrdiff_t)l * s.y2] = at[l];                                                    \
  }                                                                                                                    \
  DNNC_INLINE void argmax_##name(const T *x, int64_t *y, const argmax_shape s) {                                       \
    for (int a = 0; a < s.k0; a++)                                                                                     \
      for (int b = 0; b < s.k1; b++) {                                                                                 \
        const T *from = x + (ptrdiff_t)a * s.x0 + (ptrdiff_t)b * s.x1;                                                 \
        int64_t *to = y + (ptrdiff_t)a * s.y0 + (ptrdiff_t)b * s.y1;                                                   \
        int c = 0;                                                                                                     \
        for (; c + ARGMAX_LANES <= s.k2; c += ARGMAX_LANES)                                                            \
          argmax_block_##name(from + (ptrdiff_t)c * s.x2, to + (ptrdiff_t)c * s.y2, ARGMAX_LANES, s);                  \
        if (c < s.k2) argmax_block_##name(from + (ptrdiff_t)c * s.x2, to + (ptrdiff_t)c * s.y2, s.k2 - c, s);          \
      }                                                                                                                \
  }

DNNC_ARGMAX(f32, float)
DNNC_ARGMAX(f64, double)
DNNC_ARGMAX(i8, int8_t)
DNNC_ARGMAX(u8, uint8_t)
DNNC_ARGMAX(i16, int16_t)
DNNC_ARGMAX(u16, uint16_t)
DNNC_ARGMAX(i32, int32_t)
DNNC_ARGMAX(u32, uint32_t)
DNNC_ARGMAX(i64, int64_t)
DNNC_ARGMAX(u64, uint64_t)

#endif
