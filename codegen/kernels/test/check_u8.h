/* check_u8.h: what tests of kernels of bytes share. */
#ifndef DNNC_CHECK_U8_H
#define DNNC_CHECK_U8_H

#include "check.h"

#include "bytes.h"

/* Results in bytes are the sums divided by 256, which storing rounds and cuts off; others are the sums as they are. */
DNNC_INLINE dnnc_v byte_epilogue(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  return v_mul(check_epilogue(acc, e0, e1), v_set(1.0f / 256));
}
static inline double byte_want(double want, int bytes) { return bytes ? fmin(fmax(nearbyint(want / 256), 0), 255) : want; }

/* `count` elements: bytes, or floats that hold numbers from 0 to 255. */
static inline void *numbers(ptrdiff_t count, int bytes) {
  uint8_t *p = (uint8_t *)check_bytes(count * (bytes ? 1 : (ptrdiff_t)sizeof(float)));
  for (ptrdiff_t i = 0; i < count; i++) {
    const int value = check_int(0, 255);
    if (bytes) p[i] = (uint8_t)value;
    else ((float *)(void *)p)[i] = (float)value;
  }
  return p;
}
static inline double number_at(const void *p, ptrdiff_t at, int bytes) {
  return bytes ? (double)((const uint8_t *)p)[at] : (double)((const float *)p)[at];
}

#endif
