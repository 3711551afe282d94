/* The product of two matrices, where fits of whole layers spend their time. See loader.h. */
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
#else
#define UNROLL
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
