/* Products of two matrices, where fits of whole layers spend their time: of doubles, and of floats into doubles. See loader.h. */
#include "loader.h"

#include <string.h>

#define LANES 8
#define DEPTH 256 /* columns that are worked on at once: DEPTH * COLUMNS doubles of b stay in the second-level cache */
#define COLUMNS 64

/* Eight doubles, whatever the machine makes of them. */
typedef double lanes __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

/* out[m][n] += sum over k of a[m][k] * b[n][k]; rows lie `lda`, `ldb` and `ldo` doubles apart. */
struct product {
  size_t m, n, k, lda, ldb, ldo;
  const double *a, *b;
  double *out;
};

#define INLINE static inline __attribute__((always_inline))
/* Before a loop over four: sums live in registers once it is unrolled, which clang does unasked. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 4")
#define UNROLL_8 _Pragma("GCC unroll 8")
#else
#define UNROLL
#define UNROLL_8
#endif

INLINE double sum_of(const lanes *v) {
  double each[LANES], sum = 0.0;
  *(lanes *)each = *v;
  for (int l = 0; l < LANES; l++) sum += each[l];
  return sum;
}

/* Four rows of a with four of b, `depth` products each. */
INLINE void four_by_four(const struct product *p, size_t i, size_t j, size_t from, size_t depth) {
  const double *a = p->a + i * p->lda + from, *b = p->b + j * p->ldb + from;
  double *out = p->out + i * p->ldo + j;
  lanes acc[4][4];
  UNROLL
  for (size_t r = 0; r < 4; r++)
    UNROLL
    for (size_t c = 0; c < 4; c++) acc[r][c] = (lanes){0.0};
  size_t k = 0;
  for (; k + LANES <= depth; k += LANES) {
    lanes y[4];
    UNROLL
    for (size_t c = 0; c < 4; c++) y[c] = *(const lanes *)(b + c * p->ldb + k);
    UNROLL
    for (size_t r = 0; r < 4; r++) {
      const lanes x = *(const lanes *)(a + r * p->lda + k);
      UNROLL
      for (size_t c = 0; c < 4; c++) acc[r][c] += x * y[c];
    }
  }
  UNROLL
  for (size_t r = 0; r < 4; r++)
    UNROLL
    for (size_t c = 0; c < 4; c++) {
      double sum = sum_of(&acc[r][c]);
      for (size_t rest = k; rest < depth; rest++) sum += a[r * p->lda + rest] * b[c * p->ldb + rest];
      out[r * p->ldo + c] += sum;
    }
}

INLINE void one(const struct product *p, size_t i, size_t j, size_t from, size_t depth) {
  double sum = 0.0;
  for (size_t k = from; k < from + depth; k++) sum += p->a[i * p->lda + k] * p->b[j * p->ldb + k];
  p->out[i * p->ldo + j] += sum;
}

INLINE void all(const struct product *p) {
  for (size_t from = 0; from < p->k; from += DEPTH) {
    const size_t depth = p->k - from < DEPTH ? p->k - from : DEPTH;
    for (size_t first = 0; first < p->n; first += COLUMNS) {
      const size_t last = p->n - first < COLUMNS ? p->n : first + COLUMNS;
      size_t i = 0;
      for (; i + 4 <= p->m; i += 4) {
        size_t j = first;
        for (; j + 4 <= last; j += 4) four_by_four(p, i, j, from, depth);
        for (; j < last; j++)
          for (size_t r = i; r < i + 4; r++) one(p, r, j, from, depth);
      }
      for (; i < p->m; i++)
        for (size_t j = first; j < last; j++) one(p, i, j, from, depth);
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,fma"))) static void all_avx512(const struct product *p) { all(p); }
__attribute__((target("avx2,fma"))) static void all_avx2(const struct product *p) { all(p); }
#endif

static void all_here(const struct product *p) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    all_avx512(p);
    return;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    all_avx2(p);
    return;
  }
#endif
  all(p);
}

static bool size_of(napi_env env, napi_value value, size_t *size) {
  int64_t number;
  if (napi_get_value_int64(env, value, &number) != napi_ok || number < 0) return false;
  *size = (size_t)number;
  return true;
}

/* Whether `rows` rows of `columns` doubles, `stride` apart, lie inside an array of `length`. */
static bool fits(size_t rows, size_t columns, size_t stride, size_t length) {
  if (rows == 0 || columns == 0) return true;
  return columns <= stride && columns <= length && rows - 1 <= (length - columns) / stride;
}

/* product(a, lda, b, ldb, out, ldo, m, n, k) */
napi_value product(napi_env env, napi_callback_info info) {
  napi_value argument[9];
  struct product p;
  size_t a, b, out;
  void *data[3];
  arguments(env, info, 9, argument);
  size_t *const lengths[3] = {&a, &b, &out}, *const strides[3] = {&p.lda, &p.ldb, &p.ldo};
  size_t *const sizes[3] = {&p.m, &p.n, &p.k};
  for (int i = 0; i < 3; i++)
    if (!size_of(env, argument[2 * i + 1], strides[i]) || !size_of(env, argument[6 + i], sizes[i]))
      return throw_type(env, "the sizes of a product must be whole numbers");
  for (int i = 0; i < 3; i++) {
    napi_typedarray_type type;
    if (napi_get_typedarray_info(env, argument[2 * i], &type, lengths[i], &data[i], NULL, NULL) != napi_ok ||
        type != napi_float64_array)
      return throw_type(env, "the matrices of a product must be arrays of doubles");
  }
  if (!fits(p.m, p.k, p.lda, a) || !fits(p.n, p.k, p.ldb, b) || !fits(p.m, p.n, p.ldo, out))
    return throw_range(env, "the sizes of a product do not fit its matrices");
  if (p.m > 0 && p.n > 0 && p.k > 0) {
    p.a = data[0];
    p.b = data[1];
    p.out = data[2];
    all_here(&p);
  }
  return NULL;
}

/* Sixteen floats, whatever the machine makes of them. */
#define WIDE 16
#define MOST_WIDE 2
typedef float wide __attribute__((vector_size(4 * WIDE), aligned(4), may_alias));

/* out[m][n] += sum over k of a[m * row + k * step] * b[k][n]. Sums of DEPTH products are floats. */
struct float_product {
  size_t m, n, k, row, step, ldb, ldo;
  const float *a, *b;
  double *out;
};

/* `rows` rows of the result with `count` vectors of columns, of which the first `columns` are there. `panel` has columns of b side by side. */
INLINE void float_tile(const struct float_product *p, size_t i, size_t j, size_t from, size_t depth, const float *panel,
                       size_t columns, const int rows, const int count) {
  const float *a = p->a + i * p->row + from * p->step;
  wide acc[8][MOST_WIDE];
  float each[MOST_WIDE * WIDE];
  UNROLL_8
  for (int r = 0; r < rows; r++)
    UNROLL
    for (int c = 0; c < count; c++) acc[r][c] = (wide){0.0f};
  for (size_t k = 0; k < depth; k++) {
    wide y[MOST_WIDE];
    UNROLL
    for (int c = 0; c < count; c++) y[c] = *(const wide *)(panel + k * (size_t)(count * WIDE) + (size_t)(c * WIDE));
    UNROLL_8
    for (int r = 0; r < rows; r++) {
      const float x = a[(size_t)r * p->row + k * p->step];
      UNROLL
      for (int c = 0; c < count; c++) acc[r][c] += x * y[c];
    }
  }
  UNROLL_8
  for (int r = 0; r < rows; r++) {
    double *out = p->out + (i + (size_t)r) * p->ldo + j;
    UNROLL
    for (int c = 0; c < count; c++) *(wide *)(each + c * WIDE) = acc[r][c];
    for (size_t c = 0; c < columns; c++) out[c] += (double)each[c];
  }
}

INLINE void all_floats(const struct float_product *p, const int rows, const int count) {
  float panel[DEPTH * MOST_WIDE * WIDE];
  const size_t most = (size_t)(count * WIDE);
  for (size_t from = 0; from < p->k; from += DEPTH) {
    const size_t depth = p->k - from < DEPTH ? p->k - from : DEPTH;
    for (size_t j = 0; j < p->n; j += most) {
      const size_t columns = p->n - j < most ? p->n - j : most;
      for (size_t k = 0; k < depth; k++) {
        memcpy(panel + k * most, p->b + (from + k) * p->ldb + j, columns * sizeof(float));
        for (size_t c = columns; c < most; c++) panel[k * most + c] = 0.0f;
      }
      size_t i = 0;
      for (; i + (size_t)rows <= p->m; i += (size_t)rows) float_tile(p, i, j, from, depth, panel, columns, rows, count);
      for (; i < p->m; i++) float_tile(p, i, j, from, depth, panel, columns, 1, count);
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,fma"))) static void all_floats_avx512(const struct float_product *p) { all_floats(p, 8, 2); }
__attribute__((target("avx2,fma"))) static void all_floats_avx2(const struct float_product *p) { all_floats(p, 4, 1); }
#endif

static void all_floats_here(const struct float_product *p) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    all_floats_avx512(p);
    return;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    all_floats_avx2(p);
    return;
  }
#endif
  all_floats(p, 4, 1);
}

/* Whether a[m * row + k * step] lies inside an array of `length`, for the largest of both. */
static bool reaches(size_t m, size_t k, size_t row, size_t step, size_t length) {
  if (m == 0 || k == 0) return true;
  if (row == 0 || step == 0 || length == 0 || k - 1 > (length - 1) / step) return false;
  return m - 1 <= (length - 1 - (k - 1) * step) / row;
}

/* productOfFloats(a, row, step, b, ldb, out, ldo, m, n, k) */
napi_value product_of_floats(napi_env env, napi_callback_info info) {
  napi_value argument[10];
  struct float_product p;
  static const int arrays[3] = {0, 3, 5}, numbers[7] = {1, 2, 4, 6, 7, 8, 9};
  size_t *const sizes[7] = {&p.row, &p.step, &p.ldb, &p.ldo, &p.m, &p.n, &p.k};
  size_t lengths[3];
  void *data[3];
  arguments(env, info, 10, argument);
  for (int i = 0; i < 7; i++)
    if (!size_of(env, argument[numbers[i]], sizes[i])) return throw_type(env, "the sizes of a product must be whole numbers");
  for (int i = 0; i < 3; i++) {
    napi_typedarray_type type;
    if (napi_get_typedarray_info(env, argument[arrays[i]], &type, &lengths[i], &data[i], NULL, NULL) != napi_ok ||
        type != (i < 2 ? napi_float32_array : napi_float64_array))
      return throw_type(env, "the matrices of this product must be two arrays of floats and one of doubles");
  }
  if (!reaches(p.m, p.k, p.row, p.step, lengths[0]) || !fits(p.k, p.n, p.ldb, lengths[1]) || !fits(p.m, p.n, p.ldo, lengths[2]))
    return throw_range(env, "the sizes of a product do not fit its matrices");
  if (p.m > 0 && p.n > 0 && p.k > 0) {
    p.a = data[0];
    p.b = data[1];
    p.out = data[2];
    all_floats_here(&p);
  }
  return NULL;
}
