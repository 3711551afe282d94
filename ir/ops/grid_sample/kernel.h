/* ir/ops/grid_sample/kernel.h: images read at points between their pixels */
#ifndef DNNC_GRID_SAMPLE_KERNEL_H
#define DNNC_GRID_SAMPLE_KERNEL_H

#include "scalar.h"

/* x is [n][c][d][h][w], grid [n][points][axes] with coordinates in pixels, y [n][c][points]. With two axes, d is 1.
 * mode: 0 nearest, 1 linear, 2 cubic. padding: 0 zeros, 1 the nearest pixel, 2 the image mirrored. */
typedef struct {
  int n, c, d, h, w, axes, points, mode, padding, aligned;
} grid_sample_shape;

/* The elements of an axis that count, and how much. A cubic curve goes on through the pixels that the padding repeats. */
typedef struct {
  int count;
  int place[4];
  float weight[4];
} grid_sample_taps;

/* Mirrored at both ends until it lies between them. */
DNNC_INLINE float grid_sample_mirror(const float x, const float low, const float high) {
  const float range = high - low, beyond = x < low ? low - x : x - high;
  if (!(range > 0.0f)) return low;
  if (!(beyond > 0.0f)) return x;
  const float times = s_floor(beyond / range), rest = beyond - times * range;
  const int even = s_floor(times * 0.5f) * 2.0f == times;
  return (x < low) == even ? low + rest : high - rest;
}

/* NaN becomes `low`. */
DNNC_INLINE float grid_sample_between(const float x, const float low, const float high) {
  return x > low ? s_min(x, high) : low;
}

/* Cubic convolution (Keys 1981) with a = -0.75, at a distance of 1 to 2 and of 0 to 1 */
DNNC_INLINE float grid_sample_outer(const float d) { return ((-0.75f * d + 3.75f) * d - 6.0f) * d + 3.0f; }
DNNC_INLINE float grid_sample_inner(const float d) { return (1.25f * d - 2.25f) * d * d + 1.0f; }

DNNC_INLINE grid_sample_taps grid_sample_along(const float x, const int size, const grid_sample_shape s) {
  const float low = s.aligned ? 0.0f : -0.5f, high = (float)size - (s.aligned ? 1.0f : 0.5f), last = (float)(size - 1);
  const float round = s.mode == 0 ? s_round(x) : x;
  const float moved = s.padding == 1 && s.mode != 2 ? grid_sample_between(round, 0.0f, last)
                      : s.padding == 2              ? grid_sample_mirror(round, low, high)
                                                    : round;
  /* far outside nothing changes any more */
  const float at = grid_sample_between(moved, -3.0f, (float)(size + 2));
  const float floor = s_floor(at), t = at - floor;
  const int first = (int)floor - (s.mode == 2), all = s.mode == 0 ? 1 : s.mode == 1 ? 2 : 4;
  const float cubic[4] = {grid_sample_outer(t + 1.0f), grid_sample_inner(t), grid_sample_inner(1.0f - t),
                          grid_sample_outer(2.0f - t)};
  const float linear[2] = {1.0f - t, t};
  grid_sample_taps taps = {0, {0, 0, 0, 0}, {0.0f, 0.0f, 0.0f, 0.0f}};
  for (int i = 0; i < all; i++) {
    int place = first + i;
    if (place < 0 || place >= size) {
      if (s.padding == 0) continue;
      const float inside = s.padding == 1 ? (float)place : grid_sample_mirror((float)place, low, high);
      place = (int)grid_sample_between(inside, 0.0f, last);
    }
    taps.place[taps.count] = place;
    taps.weight[taps.count++] = s.mode == 0 ? 1.0f : s.mode == 1 ? linear[i] : cubic[i];
  }
  return taps;
}

DNNC_INLINE void grid_sample_f32(const float *DNNC_RESTRICT x, const float *DNNC_RESTRICT grid, float *DNNC_RESTRICT y,
                                 const grid_sample_shape s) {
  const ptrdiff_t row = s.w, plane = (ptrdiff_t)s.h * s.w, image = s.d * plane;
  for (int n = 0; n < s.n; n++, x += s.c * image, y += (ptrdiff_t)s.c * s.points)
    for (int p = 0; p < s.points; p++, grid += s.axes) {
      const grid_sample_taps one = {1, {0, 0, 0, 0}, {1.0f, 0.0f, 0.0f, 0.0f}};
      const grid_sample_taps slices = s.axes == 3 ? grid_sample_along(grid[0], s.d, s) : one;
      const grid_sample_taps rows = grid_sample_along(grid[s.axes - 2], s.h, s);
      const grid_sample_taps columns = grid_sample_along(grid[s.axes - 1], s.w, s);
      for (int c = 0; c < s.c; c++) {
        float sum = 0.0f;
        for (int k = 0; k < slices.count; k++)
          for (int i = 0; i < rows.count; i++) {
            const float *line = x + c * image + slices.place[k] * plane + rows.place[i] * row;
            const float weight = slices.weight[k] * rows.weight[i];
            for (int j = 0; j < columns.count; j++) sum += weight * columns.weight[j] * line[columns.place[j]];
          }
        y[(ptrdiff_t)c * s.points + p] = sum;
      }
    }
}

#endif
