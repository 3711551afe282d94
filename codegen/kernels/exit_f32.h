/* exit_f32.h: a head that was fitted to the tensor at a cut after the code was built.
 *
 * Its numbers come from a file, so nothing here is a compile-time constant. Features are means over a grid of the image,
 * channel by channel; scores are weights * features + bias, and with softmax set, probabilities.
 *
 * int32 shape[8]: channels, rows, columns, grid, classes, channels_last, softmax, 0
 * float bias[classes], padded to a multiple of 16, then weights [classes][grid * grid][channels].
 * A cell of the grid is rows - (grid - 1) * (rows / grid) rows high: cells begin every rows / grid rows. Columns likewise. */
#ifndef DNNC_EXIT_F32_H
#define DNNC_EXIT_F32_H

#include "simd.h"

#define DNNC_EXIT_CHUNK 1024 /* features that are pooled at once: bounds the stack */

/* Bytes that shape and numbers take in a file, padded to a multiple of 64; 0 where the shape is none. */
DNNC_INLINE uint64_t exit_bytes(const int32_t *shape) {
  for (int i = 0; i < 5; i++)
    if (shape[i] < 1 || shape[i] > 65536) return 0;
  if (shape[3] > shape[1] || shape[3] > shape[2] || shape[3] > 256) return 0;
  const uint64_t channels = (uint64_t)shape[0], cells = (uint64_t)shape[3] * (uint64_t)shape[3];
  const uint64_t classes = (uint64_t)shape[4];
  return (64 + 4 * ((classes + 15) / 16 * 16 + classes * cells * channels) + 63) / 64 * 64;
}

DNNC_INLINE float exit_dot(const float *a, const float *b, int count) {
  float lanes[DNNC_LANES], sum = 0.0f;
  dnnc_v acc0 = v_set(0.0f), acc1 = v_set(0.0f);
  int i = 0;
  for (; i + 2 * DNNC_LANES <= count; i += 2 * DNNC_LANES) {
    acc0 = v_fma(v_load(a + i), v_load(b + i), acc0);
    acc1 = v_fma(v_load(a + i + DNNC_LANES), v_load(b + i + DNNC_LANES), acc1);
  }
  for (; i < count; i += DNNC_LANES) acc0 = v_fma(v_load_part(a + i, count - i), v_load_part(b + i, count - i), acc0);
  v_store(lanes, v_add(acc0, acc1));
  for (int l = 0; l < DNNC_LANES; l++) sum += lanes[l];
  return sum;
}

/* Means of `count` channels over rows x columns cells from x on. */
DNNC_INLINE void exit_pool(const float *x, ptrdiff_t channel, ptrdiff_t row, ptrdiff_t column, int rows, int columns,
                           int count, float *features) {
  const float scale = 1.0f / (float)(rows * columns);
  for (int c = 0; c < count; c++) features[c] = 0.0f;
  if (channel == 1) {
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < columns; j++) {
        const float *pixel = x + i * row + j * column;
        for (int c = 0; c < count; c += DNNC_LANES)
          v_store_part(features + c, v_add(v_load_part(features + c, count - c), v_load_part(pixel + c, count - c)), count - c);
      }
  } else {
    for (int c = 0; c < count; c++)
      for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) features[c] += x[c * channel + i * row + j * column];
  }
  for (int c = 0; c < count; c++) features[c] *= scale;
}

DNNC_INLINE void exit_f32(const int32_t *shape, const float *numbers, const float *x, float *scores) {
  const int channels = shape[0], rows = shape[1], columns = shape[2], grid = shape[3], classes = shape[4];
  const ptrdiff_t pixels = (ptrdiff_t)rows * columns;
  const ptrdiff_t channel = shape[5] ? 1 : pixels;
  const ptrdiff_t column = shape[5] ? channels : 1;
  const ptrdiff_t row = column * columns;
  const int down = rows / grid, right = columns / grid;
  const int height = rows - (grid - 1) * down, width = columns - (grid - 1) * right;
  const float *weights = numbers + (classes + 15) / 16 * 16;
  float features[DNNC_EXIT_CHUNK];

  const int total = grid * grid * channels;
  for (int k = 0; k < classes; k++) scores[k] = numbers[k];
  for (int from = 0; from < total; from += DNNC_EXIT_CHUNK) {
    const int count = total - from < DNNC_EXIT_CHUNK ? total - from : DNNC_EXIT_CHUNK;
    for (int at = 0; at < count;) {
      const int cell = (from + at) / channels, c = (from + at) % channels;
      const int some = channels - c < count - at ? channels - c : count - at;
      const float *corner = x + (cell / grid) * down * row + (cell % grid) * right * column + c * channel;
      exit_pool(corner, channel, row, column, height, width, some, features + at);
      at += some;
    }
    for (int k = 0; k < classes; k++) scores[k] += exit_dot(weights + (ptrdiff_t)k * total + from, features, count);
  }
  if (!shape[6]) return;
  float most = scores[0], sum = 0.0f;
  for (int k = 1; k < classes; k++) most = s_max(scores[k], most);
  for (int k = 0; k < classes; k++) sum += scores[k] = s_exp(scores[k] - most);
  for (int k = 0; k < classes; k++) scores[k] /= sum;
}

#endif
