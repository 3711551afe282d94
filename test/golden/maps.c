/* maps for generic, written by dnnc 0.1.0 from net.onnx. Do not edit. */
#include "maps.h"

#if !(1)
#error "compile this file for generic: no flags needed"
#endif

#include "kernels/arithmetic.h"
#include <string.h>

#ifdef DNNC_TRACE
#define DNNC_HOOK , void (*after)(void *user, int step), void *user
#define DNNC_AFTER(step) after(user, step)
#define DNNC_NO_HOOK , maps_nothing, 0
static void maps_nothing(void *user, int step) {
  (void)user;
  (void)step;
}
#else
#define DNNC_HOOK
#define DNNC_AFTER(step) (void)(step)
#define DNNC_NO_HOOK
#endif

/* A 32-bit word of the blob, which is little-endian. */
static uint32_t maps_word(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Eight lanes over words: see the checksum in the header of the blob. */
static int maps_damaged(const unsigned char *blob, size_t bytes) {
  uint32_t lanes[8];
  uint32_t low = 0, high = 0;
  for (uint32_t i = 0; i < 8; i++) lanes[i] = 0x9e3779b1u * (i + 1);
  for (size_t at = 64; at < bytes; at += 32)
    for (int i = 0; i < 8; i++) {
      const uint32_t mixed = (lanes[i] ^ maps_word(blob + at + 4 * i)) * 0x85ebca6bu;
      lanes[i] = mixed ^ mixed >> 15;
    }
  for (int i = 0; i < 8; i++) {
    low = (low ^ lanes[i]) * 0xc2b2ae35u;
    low ^= low >> 13;
    high = (high ^ lanes[7 - i]) * 0x27d4eb2fu;
    high ^= high >> 16;
  }
  return low != maps_word(blob + 40) || high != maps_word(blob + 44);
}

static int maps_header(const unsigned char *p, const char *magic, size_t bytes) {
  static const unsigned char hash[16] = MAPS_BUILD_HASH;
  if (bytes < 64) return MAPS_ERROR_TRUNCATED;
  if (memcmp(p, magic, 8) != 0) return MAPS_ERROR_NOT_A_BLOB;
  if (maps_word(p + 8) != 1) return MAPS_ERROR_FORMAT;
  if (maps_word(p + 12) != 0x01020304u) return MAPS_ERROR_BYTE_ORDER;
  if (memcmp(p + 16, hash, 16) != 0) return MAPS_ERROR_OTHER_BUILD;
  return (uintptr_t)p % MAPS_WEIGHTS_ALIGN == 0 ? MAPS_OK : MAPS_ERROR_MISALIGNED;
}

int maps_check(const void *blob, size_t bytes) {
  const unsigned char *p = (const unsigned char *)blob;
  const int error = maps_header(p, "dnncblob", bytes);
  if (error != MAPS_OK && error != MAPS_ERROR_MISALIGNED) return error;
  if (bytes < MAPS_WEIGHTS_BYTES) return MAPS_ERROR_TRUNCATED;
  if (error != MAPS_OK) return error;
  return maps_damaged(p, MAPS_WEIGHTS_BYTES) ? MAPS_ERROR_DAMAGED : MAPS_OK;
}

int maps_open(const void *blob, size_t bytes, maps_weights *out) {
  const int error = maps_check(blob, bytes);
  out->data = error == MAPS_OK ? (const unsigned char *)blob : 0;
  return error;
}

static void sin_1(const float *x0, const float *x1, float *y) {
  for (ptrdiff_t i0 = 0; i0 < 3; i0++)
    DNNC_INDEPENDENT for (ptrdiff_t i1 = 0; i1 < 4; i1++)
      y[i0 * 4 + i1] = sin_f32(s_sub(x0[i0 * 4 + i1], x1[i1]));
}

static void cast_1(const float *x0, int8_t *y) {
  DNNC_INDEPENDENT for (ptrdiff_t i0 = 0; i0 < 6; i0++)
    y[i0] = cast_f32_i8(x0[i0 * 2]);
}

static void maps_y_body(const unsigned char *weights, unsigned char *arena, const float *a_b, const float *row, float *wave, int8_t *whole DNNC_HOOK) {
  (void)weights;
  (void)arena;
  DNNC_AFTER(-1);
  /* %wave = map(%"a * / b", %row) {expression = "sin(sub(x0, x1))"} : f32[3,4] */
  /* test/golden/maps.ir:10:3 + evil* /.onnx, node "node ? ?/ / * 1" (fuse) */
  sin_1(a_b, row, wave);
  DNNC_AFTER(0);

  /* %whole = cast(%even) {to = "i8"} : i8[3,2] */
  /* test/golden/maps.ir:11:3 */
  cast_1(a_b + 1, whole);
  DNNC_AFTER(1);
}

void maps_y(const maps_weights *weights, void *arena, const float *a_b, const float *row, float *wave, int8_t *whole) {
  maps_y_body(weights->data, (unsigned char *)arena, a_b, row, wave, whole DNNC_NO_HOOK);
}

int maps_y_invoke(const void *weights, void *arena, const void *const *in, void *const *out) {
  (void)in;
  maps_y_body((const unsigned char *)weights, (unsigned char *)arena, (const float *)in[0], (const float *)in[1], (float *)out[0], (int8_t *)out[1] DNNC_NO_HOOK);
  return MAPS_OK;
}

#ifdef DNNC_TRACE
int maps_y_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user) {
  (void)in;
  maps_y_body((const unsigned char *)weights, (unsigned char *)arena, (const float *)in[0], (const float *)in[1], (float *)out[0], (int8_t *)out[1], after, user);
  return MAPS_OK;
}
#endif
