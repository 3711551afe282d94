/* ir/ops/recurrent/kernel.h: the recurrences of ONNX's RNN, GRU and LSTM, for one direction.
 *
 * x holds what the input adds to each gate, biases included; r the recurrent weights, a row per gate and unit. Sequences
 * that end early leave zeros in y. */
#ifndef DNNC_RECURRENT_KERNEL_H
#define DNNC_RECURRENT_KERNEL_H

#include "arithmetic.h"

/* x is [steps][batch][gates][hidden], r [gates][hidden][hidden], y [steps][batch][hidden]; h0, c0, h and c [batch][hidden];
 * peephole [3][hidden], rb [hidden], lengths [batch], each of these three perhaps null. f, g, h: an activation (the order is
 * that of cells.ts) and its two parameters. clip 0: none. */
typedef struct {
  int steps, batch, hidden, reverse, linear_before_reset, input_forget;
  int f, g, h;
  double fa, fb, ga, gb, ha, hb, clip;
} recurrent_shape;

DNNC_INLINE float recurrent_activation(const int kind, const double a, const double b, const double clip, float x) {
  const float alpha = (float)a, beta = (float)b, bound = (float)clip;
  if (bound > 0.0f) x = s_min(s_max(x, -bound), bound);
  switch (kind) {
    case 0: return s_sigmoid(x);
    case 1: return s_tanh(x);
    case 2: return s_max(x, 0.0f);
    case 3: return alpha * x + beta;
    case 4: return x < 0.0f ? alpha * x : x;
    case 5: return x > alpha ? x : 0.0f;
    case 6: return alpha * s_tanh(beta * x);
    case 7: return s_min(s_max(alpha * x + beta, 0.0f), 1.0f);
    case 8: return x < 0.0f ? alpha * (s_exp(x) - 1.0f) : x;
    case 9: return x / (1.0f + s_abs(x));
    default: return softplus_f32(x);
  }
}

/* Sixteen sums side by side, which the compiler turns into vectors. */
DNNC_INLINE float recurrent_dot(const float *a, const float *b, const int n) {
  float part[16] = {0}, sum = 0.0f;
  int i = 0;
  for (; i + 16 <= n; i += 16)
    for (int lane = 0; lane < 16; lane++) part[lane] += a[i + lane] * b[i + lane];
  for (; i < n; i++) sum += a[i] * b[i];
  for (int lane = 0; lane < 16; lane++) sum += part[lane];
  return sum;
}

DNNC_INLINE int recurrent_length(const int32_t *lengths, const int b, const recurrent_shape s) {
  return lengths ? dnnc_min(dnnc_max(lengths[b], 0), s.steps) : s.steps;
}

/* The step at which a sequence of this length is at `t`. */
DNNC_INLINE int recurrent_step(const int t, const int length, const recurrent_shape s) {
  return s.reverse && t < length ? length - 1 - t : t;
}

/* One step of one sequence, into `y`: x and r as above for this step, `before` the previous state, `own` room for one state. */
DNNC_INLINE void rnn_step(const float *x, const float *r, const float *before, float *y, const recurrent_shape s) {
  for (int j = 0; j < s.hidden; j++) {
    const float sum = x[j] + recurrent_dot(r + (ptrdiff_t)j * s.hidden, before, s.hidden);
    y[j] = recurrent_activation(s.f, s.fa, s.fb, s.clip, sum);
  }
}

DNNC_INLINE void gru_step(const float *x, const float *r, const float *rb, const float *before, float *own, float *y,
                          const recurrent_shape s) {
  const ptrdiff_t n = s.hidden, square = n * n;
  for (int j = 0; j < s.hidden; j++) {
    const float sum = x[n + j] + recurrent_dot(r + square + j * n, before, s.hidden);
    const float bias = rb ? rb[j] : 0.0f;
    const float linear = s.linear_before_reset ? bias + recurrent_dot(r + 2 * square + j * n, before, s.hidden) : before[j];
    own[j] = recurrent_activation(s.f, s.fa, s.fb, s.clip, sum) * linear;
  }
  for (int j = 0; j < s.hidden; j++) {
    const float update = recurrent_activation(s.f, s.fa, s.fb, s.clip, x[j] + recurrent_dot(r + j * n, before, s.hidden));
    const float linear = s.linear_before_reset ? own[j] : recurrent_dot(r + 2 * square + j * n, own, s.hidden);
    const float fresh = recurrent_activation(s.g, s.ga, s.gb, s.clip, x[2 * n + j] + linear);
    y[j] = (1.0f - update) * fresh + update * before[j];
  }
}

/* `cell` is read and replaced */
DNNC_INLINE void lstm_step(const float *x, const float *r, const float *peephole, const float *before, float *cell, float *y,
                           const recurrent_shape s) {
  const ptrdiff_t n = s.hidden, square = n * n;
  for (int j = 0; j < s.hidden; j++) {
    float in = x[j] + recurrent_dot(r + j * n, before, s.hidden);
    float out = x[n + j] + recurrent_dot(r + square + j * n, before, s.hidden);
    float forget = x[2 * n + j] + recurrent_dot(r + 2 * square + j * n, before, s.hidden);
    const float fresh = x[3 * n + j] + recurrent_dot(r + 3 * square + j * n, before, s.hidden);
    if (peephole) {
      in += peephole[j] * cell[j];
      forget += peephole[2 * n + j] * cell[j];
    }
    in = recurrent_activation(s.f, s.fa, s.fb, s.clip, in);
    forget = s.input_forget ? 1.0f - in : recurrent_activation(s.f, s.fa, s.fb, s.clip, forget);
    cell[j] = forget * cell[j] + in * recurrent_activation(s.g, s.ga, s.gb, s.clip, fresh);
    if (peephole) out += peephole[n + j] * cell[j];
    y[j] = recurrent_activation(s.f, s.fa, s.fb, s.clip, out) * recurrent_activation(s.h, s.ha, s.hb, 0.0, cell[j]);
  }
}

/* Walks the steps of each sequence. `own`, the place of the last state, is room for one state until then. */
#define DNNC_RECURRENT(gates, step)                                                                                    \
  const ptrdiff_t n = s.hidden;                                                                                        \
  for (int b = 0; b < s.batch; b++) {                                                                                  \
    const int length = recurrent_length(lengths, b, s);                                                                \
    const float *before = h0 + b * n;                                                                                  \
    float *own = h + b * n;                                                                                            \
    for (int t = 0; t < s.steps; t++) {                                                                                \
      const ptrdiff_t row = (ptrdiff_t)recurrent_step(t, length, s) * s.batch + b;                                     \
      const float *in = x + row * (gates) * n;                                                                         \
      float *out = y + row * n;                                                                                        \
      if (t < length) {                                                                                                \
        step;                                                                                                          \
        before = out;                                                                                                  \
      } else {                                                                                                         \
        for (int j = 0; j < s.hidden; j++) out[j] = 0.0f;                                                              \
      }                                                                                                                \
    }                                                                                                                  \
    for (int j = 0; j < s.hidden; j++) own[j] = before[j];                                                             \
  }

DNNC_INLINE void recurrent_rnn_f32(const float *x, const float *r, const float *h0, const int32_t *lengths, float *y, float *h,
                                   const recurrent_shape s) {
  DNNC_RECURRENT(1, rnn_step(in, r, before, out, s))
}

DNNC_INLINE void recurrent_gru_f32(const float *x, const float *r, const float *h0, const int32_t *lengths, const float *rb,
                                   float *y, float *h, const recurrent_shape s) {
  DNNC_RECURRENT(3, gru_step(in, r, rb, before, own, out, s))
}

DNNC_INLINE void recurrent_lstm_f32(const float *x, const float *r, const float *h0, const int32_t *lengths, const float *c0,
                                    const float *peephole, float *y, float *h, float *c, const recurrent_shape s) {
  for (int i = 0; i < s.batch * s.hidden; i++) c[i] = c0[i];
  DNNC_RECURRENT(4, lstm_step(in, r, peephole, before, c + b * n, out, s))
}
#undef DNNC_RECURRENT

#endif
