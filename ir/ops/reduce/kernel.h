/* ir/ops/reduce/kernel.h: y[i...] = sum, product, maximum ... of x over up to four axes, for up to three axes that stay.
 *
 * Any strides. Sixteen accumulators side by side: of neighbouring outputs where those lie next to each other in x
 * (`across`), else of neighbouring elements of one sum. */
#ifndef DNNC_REDUCE_KERNEL_H
#define DNNC_REDUCE_KERNEL_H

#include "arithmetic.h"

enum {
  REDUCE_SUM,
  REDUCE_MEAN,
  REDUCE_PROD,
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_L1,
  REDUCE_L2,
  REDUCE_SUM_SQUARE,
  REDUCE_LOG_SUM,
  REDUCE_LOG_SUM_EXP
};
enum { REDUCE_LANES = 16 };

/* k: axes that stay, with strides x and y; r: reduced axes, with strides z of x. The last axis is the innermost. */
typedef struct {
  int kind, across;
  int k0, k1, k2, x0, x1, x2, y0, y1, y2;
  int r0, r1, r2, r3, z0, z1, z2, z3;
} reduce_shape;

/* How NaN goes through a maximum: it stays. */
#define DNNC_REDUCE_BEYOND(x, compare, acc) ((x)compare(acc) || (x) != (x) ? (x) : (acc))

/* take: the accumulator after one element; TERM(x) is |x| or exp(x - high) where the type has them. */
#define DNNC_REDUCE(name, T, ADD, MUL, ABS, EXP)                                                                       \
  DNNC_INLINE T reduce_join_##name(int kind, T acc, T x) {                                                             \
    switch (kind) {                                                                                                    \
      case REDUCE_PROD: return MUL(acc, x);                                                                            \
      case REDUCE_MAX: return DNNC_REDUCE_BEYOND(x, >, acc);                                                           \
      case REDUCE_MIN: return DNNC_REDUCE_BEYOND(x, <, acc);                                                           \
      default: return ADD(acc, x);                                                                                     \
    }                                                                                                                  \
  }                                                                                                                    \
  DNNC_INLINE T reduce_term_##name(int kind, T x, T high) {                                                            \
    (void)high;                                                                                                        \
    switch (kind) {                                                                                                    \
      case REDUCE_L1: return ABS(x);                                                                                   \
      case REDUCE_L2:                                                                                                  \
      case REDUCE_SUM_SQUARE: return MUL(x, x);                                                                        \
      case REDUCE_LOG_SUM_EXP: return EXP(x, high);                                                                    \
      default: return x;                                                                                               \
    }                                                                                                                  \
  }                                                                                                                    \
  DNNC_INLINE T reduce_start_##name(int kind, T first) {                                                               \
    return kind == REDUCE_PROD ? (T)1 : kind == REDUCE_MAX || kind == REDUCE_MIN ? first : (T)0;                       \
  }                                                                                                                    \
  DNNC_INLINE void reduce_row_##name(const T *x, ptrdiff_t step, T *acc, const T *high, int kind, int lanes) {         \
    DNNC_UNROLL(1)                                                                                                     \
    for (int l = 0; l < lanes; l++) acc[l] = reduce_join_##name(kind, acc[l], reduce_term_##name(kind, x[l * step], high[l])); \
  }                                                                                                                    \
  /* acc[l]: the reduction that begins at x[l * step] */                                                               \
  DNNC_INLINE void reduce_across_##name(const T *x, ptrdiff_t step, T *acc, const T *high, int kind, int lanes,        \
                                        const reduce_shape s) {                                                        \
    for (int l = 0; l < lanes; l++) acc[l] = reduce_start_##name(kind, x[l * step]);                                   \
    for (int a = 0; a < s.r0; a++)                                                                                     \
      for (int b = 0; b < s.r1; b++)                                                                                   \
        for (int c = 0; c < s.r2; c++)                                                                                 \
          for (int d = 0; d < s.r3; d++) {                                                                             \
            const ptrdiff_t at = (ptrdiff_t)a * s.z0 + (ptrdiff_t)b * s.z1 + (ptrdiff_t)c * s.z2 + (ptrdiff_t)d * s.z3; \
            reduce_row_##name(x + at, step, acc, high, kind, lanes);                                                   \
          }                                                                                                            \
  }                                                                                                                    \
  /* acc[0]: the reduction that begins at x */                                                                         \
  DNNC_INLINE void reduce_along_##name(const T *x, T *acc, const T *high, int kind, const reduce_shape s) {            \
    T lanes[REDUCE_LANES], highs[REDUCE_LANES];                                                                        \
    for (int l = 0; l < REDUCE_LANES; l++) {                                                                           \
      lanes[l] = reduce_start_##name(kind, x[0]);                                                                      \
      highs[l] = high[0];                                                                                              \
    }                                                                                                                  \
    const int whole = s.r3 / REDUCE_LANES * REDUCE_LANES;                                                              \
    for (int a = 0; a < s.r0; a++)                                                                                     \
      for (int b = 0; b < s.r1; b++)                                                                                   \
        for (int c = 0; c < s.r2; c++) {                                                                               \
          const T *row = x + (ptrdiff_t)a * s.z0 + (ptrdiff_t)b * s.z1 + (ptrdiff_t)c * s.z2;                          \
          for (int d = 0; d < whole; d += REDUCE_LANES)                                                                \
            reduce_row_##name(row + (ptrdiff_t)d * s.z3, s.z3, lanes, highs, kind, REDUCE_LANES);                      \
          reduce_row_##name(row + (ptrdiff_t)whole * s.z3, s.z3, lanes, highs, kind, s.r3 - whole);                    \
        }                                                                                                              \
    for (int half = REDUCE_LANES / 2; half > 0; half /= 2)                                                             \
      for (int l = 0; l < half; l++) lanes[l] = reduce_join_##name(kind, lanes[l], lanes[l + half]);                   \
    acc[0] = lanes[0];                                                                                                 \
  }                                                                                                                    \
  DNNC_INLINE void reduce_block_##name(const T *x, T *y, int lanes, const reduce_shape s) {                            \
    T acc[REDUCE_LANES], high[REDUCE_LANES] = {0};                                                                     \
    if (s.kind == REDUCE_LOG_SUM_EXP) {                                                                                \
      if (s.across) reduce_across_##name(x, s.x2, acc, high, REDUCE_MAX, lanes, s);                                    \
      else reduce_along_##name(x, acc, high, REDUCE_MAX, s);                                                           \
      for (int l = 0; l < lanes; l++) high[l] = acc[l] - acc[l] == 0 ? acc[l] : (T)0;                                  \
    }                                                                                                                  \
    if (s.across) reduce_across_##name(x, s.x2, acc, high, s.kind, lanes, s);                                          \
    else reduce_along_##name(x, acc, high, s.kind, s);                                                                 \
    for (int l = 0; l < lanes; l++) y[(ptrdiff_t)l * s.y2] = reduce_finish_##name(acc[l], high[l], s);                 \
  }                                                                                                                    \
  DNNC_INLINE void reduce_##name(const T *x, T *y, const reduce_shape s) {                                             \
    const int lanes = s.across ? REDUCE_LANES : 1;                                                                     \
    for (int a = 0; a < s.k0; a++)                                                                                     \
      for (int b = 0; b < s.k1; b++) {                                                                                 \
        const T *from = x + (ptrdiff_t)a * s.x0 + (ptrdiff_t)b * s.x1;                                                 \
        T *to = y + (ptrdiff_t)a * s.y0 + (ptrdiff_t)b * s.y1;                                                         \
        int c = 0;                                                                                                     \
        for (; c + lanes <= s.k2; c += lanes)                                                                          \
          reduce_block_##name(from + (ptrdiff_t)c * s.x2, to + (ptrdiff_t)c * s.y2, lanes, s);                         \
        if (c < s.k2) reduce_block_##name(from + (ptrdiff_t)c * s.x2, to + (ptrdiff_t)c * s.y2, s.k2 - c, s);          \
      }                                                                                                                \
  }

#define DNNC_REDUCE_FINISH(name, T, SQRT, LOG)                                                                         \
  DNNC_INLINE T reduce_finish_##name(T acc, T high, const reduce_shape s) {                                            \
    switch (s.kind) {                                                                                                  \
      case REDUCE_MEAN: return acc / ((T)s.r0 * (T)s.r1 * (T)s.r2 * (T)s.r3);                                          \
      case REDUCE_L2: return SQRT(acc);                                                                                \
      case REDUCE_LOG_SUM: return LOG(acc);                                                                            \
      case REDUCE_LOG_SUM_EXP: return LOG(acc) + high;                                                                 \
      default: return acc;                                                                                             \
    }                                                                                                                  \
  }

/* Integers have sums, products, maxima, |x| and squares; the importer composes the rest. */
#define DNNC_REDUCE_NO_EXP(x, high) (x)
#define DNNC_REDUCE_INTEGER(name, T)                                                                                   \
  DNNC_INLINE T reduce_finish_##name(T acc, T high, const reduce_shape s) { return (void)high, (void)s, acc; }         \
  DNNC_REDUCE(name, T, add_##name, mul_##name, abs_##name, DNNC_REDUCE_NO_EXP)

#define DNNC_REDUCE_EXP_F32(x, high) s_exp((x) - (high))
#define DNNC_REDUCE_EXP_F64(x, high) exp((x) - (high))

DNNC_REDUCE_FINISH(f32, float, s_sqrt, s_log)
DNNC_REDUCE(f32, float, s_add, s_mul, s_abs, DNNC_REDUCE_EXP_F32)
DNNC_REDUCE_FINISH(f64, double, sqrt, log)
DNNC_REDUCE(f64, double, add_f64, mul_f64, fabs, DNNC_REDUCE_EXP_F64)
DNNC_REDUCE_INTEGER(i8, int8_t)
DNNC_REDUCE_INTEGER(u8, uint8_t)
DNNC_REDUCE_INTEGER(i16, int16_t)
DNNC_REDUCE_INTEGER(u16, uint16_t)
DNNC_REDUCE_INTEGER(i32, int32_t)
DNNC_REDUCE_INTEGER(u32, uint32_t)
DNNC_REDUCE_INTEGER(i64, int64_t)
DNNC_REDUCE_INTEGER(u64, uint64_t)

/* Truth values: the maximum is `any`, the minimum is `all`. */
DNNC_INLINE void reduce_bool(const dnnc_bool *x, dnnc_bool *y, const reduce_shape s) { reduce_u8(x, y, s); }

#endif
