/* The value and gradient of multinomial logistic regression, where fitting a head spends its time. See loader.h. */
#include "loader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LANES 16
#define ROWS 32 /* samples that are worked on at once: their scores stay in the nearest cache */

/* Sixteen floats, whatever the machine makes of them. */
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

struct problem {
  size_t count, stride, classes; /* stride: features per sample, padded with zeros to a multiple of 16 */
  const float *features;         /* [count][stride] */
  const int32_t *labels;
  const float *shares;    /* of each sample in the loss */
  const float *weights;   /* [classes, padded to a multiple of 4][stride] */
  const double *bias;     /* [classes] */
  float *weight_gradient; /* as weights; zeros at first */
  double *bias_gradient;  /* zeros at first */
};

#define INLINE static inline __attribute__((always_inline))
/* Before a loop over four: sums live in registers once it is unrolled, which clang does unasked. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 4")
#else
#define UNROLL
#endif

INLINE float sum_of(const lanes *v) {
  float each[LANES], sum = 0.0f;
  *(lanes *)each = *v;
  for (int l = 0; l < LANES; l++) sum += each[l];
  return sum;
}

/* scores[4][4] of four samples and four classes */
INLINE void products(const struct problem *p, const float *x, const float *w, float *scores, size_t row) {
  lanes acc[4][4];
  UNROLL
  for (int i = 0; i < 4; i++)
    UNROLL
    for (int c = 0; c < 4; c++) acc[i][c] = (lanes){0.0f};
  for (size_t k = 0; k < p->stride; k += LANES) {
    lanes b[4];
    UNROLL
    for (size_t c = 0; c < 4; c++) b[c] = *(const lanes *)(w + c * p->stride + k);
    UNROLL
    for (size_t i = 0; i < 4; i++) {
      const lanes a = *(const lanes *)(x + i * p->stride + k);
      UNROLL
      for (size_t c = 0; c < 4; c++) acc[i][c] += a * b[c];
    }
  }
  UNROLL
  for (size_t i = 0; i < 4; i++)
    UNROLL
    for (size_t c = 0; c < 4; c++) scores[i * row + c] = sum_of(&acc[i][c]);
}

/* Adds residuals^T * features of `rows` samples to the gradient of four classes. */
INLINE void spread(const struct problem *p, const float *x, const float *residuals, size_t row, size_t rows, float *gradient) {
  size_t k = 0;
  for (; k + 4 * LANES <= p->stride; k += 4 * LANES) {
    lanes acc[4][4];
    UNROLL
    for (size_t c = 0; c < 4; c++)
      UNROLL
      for (size_t l = 0; l < 4; l++) acc[c][l] = *(const lanes *)(gradient + c * p->stride + k + l * LANES);
    for (size_t i = 0; i < rows; i++) {
      lanes a[4];
      UNROLL
      for (size_t l = 0; l < 4; l++) a[l] = *(const lanes *)(x + i * p->stride + k + l * LANES);
      UNROLL
      for (size_t c = 0; c < 4; c++)
        UNROLL
        for (size_t l = 0; l < 4; l++) acc[c][l] += residuals[i * row + c] * a[l];
    }
    UNROLL
    for (size_t c = 0; c < 4; c++)
      UNROLL
      for (size_t l = 0; l < 4; l++) *(lanes *)(gradient + c * p->stride + k + l * LANES) = acc[c][l];
  }
  for (; k < p->stride; k += LANES)
    for (size_t c = 0; c < 4; c++) {
      lanes acc = *(const lanes *)(gradient + c * p->stride + k);
      for (size_t i = 0; i < rows; i++) acc += residuals[i * row + c] * *(const lanes *)(x + i * p->stride + k);
      *(lanes *)(gradient + c * p->stride + k) = acc;
    }
}

/* Scores of one sample become its share times (probability - 1 at the label); returns its share of the loss. */
INLINE double residual(const struct problem *p, size_t sample, float *scores) {
  float most = -INFINITY;
  double sum = 0;
  for (size_t c = 0; c < p->classes; c++) {
    scores[c] += (float)p->bias[c];
    if (scores[c] > most) most = scores[c];
  }
  const double own = scores[p->labels[sample]] - most;
  for (size_t c = 0; c < p->classes; c++) sum += scores[c] = expf(scores[c] - most);
  const float share = p->shares[sample];
  for (size_t c = 0; c < p->classes; c++) scores[c] *= share / (float)sum;
  scores[p->labels[sample]] -= share;
  for (size_t c = 0; c < p->classes; c++) p->bias_gradient[c] += scores[c];
  return share * (log(sum) - own);
}

/* `room` holds ROWS rows of scores, and ROWS rows of features for samples that are no multiple of four. */
INLINE double objective(const struct problem *p, float *room) {
  const size_t row = (p->classes + 3) / 4 * 4;
  float *scores = room, *rest = room + ROWS * row;
  double loss = 0;
  for (size_t from = 0; from < p->count; from += ROWS) {
    const size_t rows = p->count - from < ROWS ? p->count - from : ROWS;
    const float *x = p->features + from * p->stride;
    if (rows % 4 != 0) {
      memset(rest, 0, ROWS * p->stride * sizeof *rest);
      memcpy(rest, x, rows * p->stride * sizeof *rest);
      x = rest;
    }
    for (size_t c = 0; c < row; c += 4)
      for (size_t i = 0; i < rows; i += 4) products(p, x + i * p->stride, p->weights + c * p->stride, scores + i * row + c, row);
    for (size_t i = 0; i < rows; i++) {
      loss += residual(p, from + i, scores + i * row);
      for (size_t c = p->classes; c < row; c++) scores[i * row + c] = 0.0f;
    }
    for (size_t c = 0; c < row; c += 4) spread(p, x, scores + c, row, rows, p->weight_gradient + c * p->stride);
  }
  return loss;
}

#if defined(__x86_64__)
__attribute__((target("avx512f,fma"))) static double objective_avx512(const struct problem *p, float *room) {
  return objective(p, room);
}
__attribute__((target("avx2,fma"))) static double objective_avx2(const struct problem *p, float *room) {
  return objective(p, room);
}
#endif

static double objective_here(const struct problem *p, float *room) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return objective_avx512(p, room);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return objective_avx2(p, room);
#endif
  return objective(p, room);
}

static void *typed(napi_env env, napi_value value, const char *what, napi_typedarray_type wanted, size_t *length) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok || type != wanted)
    return throw_type(env, "%s must be a typed array of the right kind", what);
  if (data == NULL) return throw_range(env, "%s must not be empty", what);
  return data;
}

/* logistic(features, labels, shares, at, gradient) -> loss. at and gradient: [classes][stride], then [classes]. */
napi_value logistic(napi_env env, napi_callback_info info) {
  napi_value argument[5], result;
  struct problem p;
  size_t features, labels, shares, at, gradient;
  arguments(env, info, 5, argument);
  p.features = typed(env, argument[0], "features", napi_float32_array, &features);
  if (!p.features) return NULL;
  p.labels = typed(env, argument[1], "labels", napi_int32_array, &labels);
  if (!p.labels) return NULL;
  p.shares = typed(env, argument[2], "shares", napi_float32_array, &shares);
  if (!p.shares) return NULL;
  const double *x = typed(env, argument[3], "at", napi_float64_array, &at);
  if (!x) return NULL;
  double *out = typed(env, argument[4], "gradient", napi_float64_array, &gradient);
  if (!out) return NULL;
  p.count = labels;
  p.stride = features / labels;
  p.classes = at / (p.stride + 1);
  if (features % labels || p.stride % LANES || p.stride == 0 || shares != labels || at % (p.stride + 1) || gradient != at)
    return throw_range(env, "the sizes of logistic's arrays do not fit each other");
  for (size_t i = 0; i < labels; i++)
    if (p.labels[i] < 0 || (size_t)p.labels[i] >= p.classes) return throw_range(env, "label %d is no class", (int)p.labels[i]);

  const size_t padded = (p.classes + 3) / 4 * 4, numbers = p.classes * p.stride;
  const size_t room = ROWS * (padded + p.stride);
  float *scratch = calloc(2 * padded * p.stride + room, sizeof *scratch);
  if (!scratch) return throw_error(env, "out of memory");
  float *weights = scratch + room;
  for (size_t i = 0; i < numbers; i++) weights[i] = (float)x[i];
  memset(out + numbers, 0, p.classes * sizeof *out);
  p.weights = weights;
  p.weight_gradient = weights + padded * p.stride;
  p.bias = x + numbers;
  p.bias_gradient = out + numbers;
  const double loss = objective_here(&p, scratch);
  for (size_t i = 0; i < numbers; i++) out[i] = p.weight_gradient[i];
  free(scratch);
  return napi_create_double(env, loss, &result) == napi_ok ? result : throw_last(env);
}
