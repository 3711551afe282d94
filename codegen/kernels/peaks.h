/* peaks.h: what one core of this machine reaches: multiply-adds of a target's vectors, and reading from memory. */
#ifndef DNNC_PEAKS_H
#define DNNC_PEAKS_H

#include <time.h>

#include "simd.h"

/* Bytes of the buffers that are read: they lie in the second-level cache, the third, and beyond. */
enum { DNNC_PEAK_NEAR = 256 << 10, DNNC_PEAK_FAR = 4 << 20, DNNC_PEAK_BEYOND = 64 << 20 };
enum { DNNC_PEAK_ROUNDS = 9 };

DNNC_INLINE double dnnc_peak_now(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Twelve chains (of which each waits for itself alone) of `steps` multiply-adds. */
DNNC_INLINE dnnc_v dnnc_peak_chains(dnnc_v factor, int steps) {
#define DNNC_PEAK_EACH(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
#define DNNC_PEAK_START(i) dnnc_v chain##i = v_set((float)i);
#define DNNC_PEAK_STEP(i) chain##i = v_fma(chain##i, factor, factor);
#define DNNC_PEAK_ADD(i) sum = v_add(sum, chain##i);
  DNNC_PEAK_EACH(DNNC_PEAK_START)
  for (int n = 0; n < steps; n++) {
    DNNC_PEAK_EACH(DNNC_PEAK_STEP)
  }
  dnnc_v sum = v_set(0.0f);
  DNNC_PEAK_EACH(DNNC_PEAK_ADD)
  return sum;
}

/* Sums a buffer in four streams. */
DNNC_INLINE dnnc_v dnnc_peak_read(const float *p, ptrdiff_t count) {
  dnnc_v a = v_set(0.0f), b = a, c = a, d = a;
  for (ptrdiff_t i = 0; i < count; i += 4 * DNNC_LANES) {
    a = v_add(a, v_load(p + i));
    b = v_add(b, v_load(p + i + DNNC_LANES));
    c = v_add(c, v_load(p + i + 2 * DNNC_LANES));
    d = v_add(d, v_load(p + i + 3 * DNNC_LANES));
  }
  return v_add(v_add(a, b), v_add(c, d));
}

/* The best of some rounds. peaks: floating-point operations per second, then bytes per second from the three buffers.
 * `buffer` has DNNC_PEAK_BEYOND bytes; `sink`, of a panel of floats, takes results, so that nothing is left out. */
DNNC_INLINE void dnnc_peaks(float *buffer, double *peaks, float *sink) {
  const ptrdiff_t sizes[] = {DNNC_PEAK_NEAR, DNNC_PEAK_FAR, DNNC_PEAK_BEYOND};
  const int steps = 200000;
  memset(buffer, 0, DNNC_PEAK_BEYOND);
  for (int i = 0; i < 4; i++) peaks[i] = 0;
  for (int round = 0; round < DNNC_PEAK_ROUNDS; round++) {
    double start = dnnc_peak_now();
    v_store(sink, v_add(v_load(sink), dnnc_peak_chains(v_set(0.5f), steps)));
    double rate = 24.0 * DNNC_LANES * steps / (dnnc_peak_now() - start);
    if (rate > peaks[0]) peaks[0] = rate;
    for (int i = 0; i < 3; i++) {
      const ptrdiff_t times = DNNC_PEAK_BEYOND / sizes[i];
      start = dnnc_peak_now();
      for (ptrdiff_t k = 0; k < times; k++)
        v_store(sink, v_add(v_load(sink), dnnc_peak_read(buffer, sizes[i] / (ptrdiff_t)sizeof(float))));
      rate = (double)(times * sizes[i]) / (dnnc_peak_now() - start);
      if (rate > peaks[i + 1]) peaks[i + 1] = rate;
    }
  }
}

#endif
