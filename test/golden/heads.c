/* two heads for generic, written by dnnc 0.1.0 from net.onnx. Do not edit. */
#include "two_heads.h"

#if !(1)
#error "compile this file for generic: no flags needed"
#endif

#include "kernels/arithmetic.h"
#include "kernels/conv2d_f32.h"
#include "kernels/depthwise_f32.h"
#include "kernels/dnnc.h"
#include "kernels/pool_f32.h"
#include <string.h>

#ifdef DNNC_TRACE
#define DNNC_HOOK , void (*after)(void *user, int step), void *user
#define DNNC_AFTER(step) after(user, step)
#define DNNC_NO_HOOK , two_heads_nothing, 0
static void two_heads_nothing(void *user, int step) {
  (void)user;
  (void)step;
}
#else
#define DNNC_HOOK
#define DNNC_AFTER(step) (void)(step)
#define DNNC_NO_HOOK
#endif

/* A 32-bit word of the blob, which is little-endian. */
static uint32_t two_heads_word(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Eight lanes over words: see the checksum in the header of the blob. */
static int two_heads_damaged(const unsigned char *blob, size_t bytes) {
  uint32_t lanes[8];
  uint32_t low = 0, high = 0;
  for (uint32_t i = 0; i < 8; i++) lanes[i] = 0x9e3779b1u * (i + 1);
  for (size_t at = 64; at < bytes; at += 32)
    for (int i = 0; i < 8; i++) {
      const uint32_t mixed = (lanes[i] ^ two_heads_word(blob + at + 4 * i)) * 0x85ebca6bu;
      lanes[i] = mixed ^ mixed >> 15;
    }
  for (int i = 0; i < 8; i++) {
    low = (low ^ lanes[i]) * 0xc2b2ae35u;
    low ^= low >> 13;
    high = (high ^ lanes[7 - i]) * 0x27d4eb2fu;
    high ^= high >> 16;
  }
  return low != two_heads_word(blob + 40) || high != two_heads_word(blob + 44);
}

static int two_heads_header(const unsigned char *p, const char *magic, size_t bytes) {
  static const unsigned char hash[16] = TWO_HEADS_BUILD_HASH;
  if (bytes < 64) return TWO_HEADS_ERROR_TRUNCATED;
  if (memcmp(p, magic, 8) != 0) return TWO_HEADS_ERROR_NOT_A_BLOB;
  if (two_heads_word(p + 8) != 1) return TWO_HEADS_ERROR_FORMAT;
  if (two_heads_word(p + 12) != 0x01020304u) return TWO_HEADS_ERROR_BYTE_ORDER;
  if (memcmp(p + 16, hash, 16) != 0) return TWO_HEADS_ERROR_OTHER_BUILD;
  return (uintptr_t)p % TWO_HEADS_WEIGHTS_ALIGN == 0 ? TWO_HEADS_OK : TWO_HEADS_ERROR_MISALIGNED;
}

int two_heads_check(const void *blob, size_t bytes) {
  const unsigned char *p = (const unsigned char *)blob;
  const int error = two_heads_header(p, "dnncblob", bytes);
  if (error != TWO_HEADS_OK && error != TWO_HEADS_ERROR_MISALIGNED) return error;
  if (bytes < TWO_HEADS_WEIGHTS_BYTES) return TWO_HEADS_ERROR_TRUNCATED;
  if (error != TWO_HEADS_OK) return error;
  return two_heads_damaged(p, TWO_HEADS_WEIGHTS_BYTES) ? TWO_HEADS_ERROR_DAMAGED : TWO_HEADS_OK;
}

int two_heads_open(const void *blob, size_t bytes, two_heads_weights *out) {
  const int error = two_heads_check(blob, bytes);
  out->data = error == TWO_HEADS_OK ? (const unsigned char *)blob : 0;
  return error;
}

static void zero_border_1(float *y) {
  for (int n = 0; n < 1; n++, y += 196) {
    memset(y, 0, 128);
    for (int r = 1; r < 5; r++) memset(y + 52 + (ptrdiff_t)(r - 1) * 28, 0, 32);
    memset(y + 164, 0, 128);
  }
}

static void copy_1(const float *x0, float *y) {
  for (ptrdiff_t i0 = 0; i0 < 5; i0++)
    for (ptrdiff_t i1 = 0; i1 < 5; i1++)
      DNNC_INDEPENDENT for (ptrdiff_t i2 = 0; i2 < 4; i2++)
        y[i0 * 28 + i1 * 4 + i2] = x0[i0 * 5 + i1 + i2 * 25];
}

static void depthwise_1(const float *x, const float *w, const float *b, float *y) {
  depthwise_shape s;
  s.n = 1; s.oh = 5; s.ow = 5; s.xn = 196; s.xh = 28; s.xw = 4; s.yn = 100; s.yh = 20; s.yw = 4; s.extras = 0;
  s.e0n = 0; s.e0c = 0; s.e0h = 0; s.e0w = 0; s.e1n = 0; s.e1c = 0; s.e1h = 0; s.e1w = 0; s.c = 4; s.kh = 3; s.kw = 3;
  s.sh = 1; s.sw = 1; s.dh = 1; s.dw = 1; s.x_bytes = 0; s.y_bytes = 0; s.e0_bytes = 0; s.e1_bytes = 0; s.w_bytes = 0;
  depthwise_f32_portable(x, w, b, y, 0, 0, s, dnnc_identity);
}

static void conv2d_1(const float *x, const float *w, const float *b, float *y) {
  conv2d_shape s;
  s.n = 1; s.oh = 1; s.ow = 25; s.xn = 100; s.xh = 20; s.xw = 4; s.yn = 150; s.yh = 30; s.yw = 6; s.extras = 0;
  s.e0n = 0; s.e0c = 0; s.e0h = 0; s.e0w = 0; s.e1n = 0; s.e1c = 0; s.e1h = 0; s.e1w = 0; s.oc = 2; s.ic = 4;
  s.groups = 1; s.kh = 1; s.kw = 1; s.sh = 1; s.sw = 1; s.dh = 1; s.dw = 1; s.mr = 4; s.nv = 1; s.panels_outer = 0;
  conv2d_f32_portable(x, w, b, y, 0, 0, s, dnnc_identity);
}

static void maxpool_1(const float *x, float *y) {
  pool_shape s;
  s.n = 1; s.oh = 5; s.ow = 5; s.c = 4; s.ih = 5; s.iw = 5; s.kh = 3; s.kw = 3; s.sh = 1; s.sw = 1; s.dh = 1;
  s.dw = 1; s.pt = 1; s.pl = 1; s.count_include_pad = 0; s.pb = 1; s.pr = 1; s.xn = 100; s.xh = 20; s.xw = 4;
  s.yn = 150; s.yh = 30; s.yw = 6; s.x_bytes = 0; s.y_bytes = 0;
  maxpool_f32_portable(x, y, s);
}

static void copy_2(const float *x0, float *y) {
  for (ptrdiff_t i0 = 0; i0 < 6; i0++)
    DNNC_INDEPENDENT for (ptrdiff_t i1 = 0; i1 < 25; i1++)
      y[i0 * 25 + i1] = x0[i0 + i1 * 6];
}

static void add_1(const int32_t *x0, const int32_t *x1, int32_t *y) {
  DNNC_INDEPENDENT for (ptrdiff_t i0 = 0; i0 < 6; i0++)
    y[i0] = add_i32(x0[i0], x1[i0]);
}

static void copy_3(const float *x0, float *y) {
  for (ptrdiff_t i0 = 0; i0 < 4; i0++)
    DNNC_INDEPENDENT for (ptrdiff_t i1 = 0; i1 < 25; i1++)
      y[i0 * 25 + i1] = x0[i0 + i1 * 4];
}

static void two_heads_x_while_body(const unsigned char *weights, unsigned char *arena, const float *x, float *both DNNC_HOOK) {
  (void)weights;
  (void)arena;
  DNNC_AFTER(-1);
  zero_border_1((float *)(arena + 0));
  DNNC_AFTER(0);

  copy_1(x, (float *)(arena + 128));
  DNNC_AFTER(1);

  /* %trunk = conv2d(%x, %d) {groups = 4, pads = [1, 1, 1, 1]} : f32[1,4,5,5] */
  /* test/golden/heads.ir:11:3 */
  depthwise_1((float *)(arena + 0), (const float *)(weights + 64), (const float *)(weights + 640), (float *)(arena + 832));
  DNNC_AFTER(2);

  /* %left = conv2d(%trunk, %w) : f32[1,2,5,5] */
  /* test/golden/heads.ir:12:3 */
  conv2d_1((float *)(arena + 832), (const float *)(weights + 704), (const float *)(weights + 960), (float *)(arena + 0));
  DNNC_AFTER(3);

  /* %right = maxpool(%trunk) {kernel = [3, 3], pads = [1, 1, 1, 1]} : f32[1,4,5,5] */
  /* test/golden/heads.ir:13:3 */
  maxpool_1((float *)(arena + 832), (float *)(arena + 8));
  DNNC_AFTER(4);

  copy_2((float *)(arena + 0), both);
  DNNC_AFTER(5);
}

void two_heads_x_while(const two_heads_weights *weights, void *arena, const float *x, float *both) {
  two_heads_x_while_body(weights->data, (unsigned char *)arena, x, both DNNC_NO_HOOK);
}

int two_heads_x_while_invoke(const void *weights, void *arena, const void *const *in, void *const *out) {
  (void)in;
  two_heads_x_while_body((const unsigned char *)weights, (unsigned char *)arena, (const float *)in[0], (float *)out[0] DNNC_NO_HOOK);
  return TWO_HEADS_OK;
}

#ifdef DNNC_TRACE
int two_heads_x_while_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user) {
  (void)in;
  two_heads_x_while_body((const unsigned char *)weights, (unsigned char *)arena, (const float *)in[0], (float *)out[0], after, user);
  return TWO_HEADS_OK;
}
#endif

static void two_heads_trunk_ids_body(const unsigned char *weights, unsigned char *arena, const float *x, const int32_t *ids, float *trunk, int32_t *twice DNNC_HOOK) {
  (void)weights;
  (void)arena;
  DNNC_AFTER(-1);
  zero_border_1((float *)(arena + 0));
  DNNC_AFTER(0);

  copy_1(x, (float *)(arena + 128));
  DNNC_AFTER(1);

  /* %trunk = conv2d(%x, %d) {groups = 4, pads = [1, 1, 1, 1]} : f32[1,4,5,5] */
  /* test/golden/heads.ir:11:3 */
  depthwise_1((float *)(arena + 0), (const float *)(weights + 64), (const float *)(weights + 640), (float *)(arena + 832));
  DNNC_AFTER(2);

  /* %twice = add(%ids, %ids) : i32[1,6] */
  /* test/golden/heads.ir:15:3 */
  add_1(ids, ids, twice);
  DNNC_AFTER(3);

  copy_3((float *)(arena + 832), trunk);
  DNNC_AFTER(4);
}

void two_heads_trunk_ids(const two_heads_weights *weights, void *arena, const float *x, const int32_t *ids, float *trunk, int32_t *twice) {
  two_heads_trunk_ids_body(weights->data, (unsigned char *)arena, x, ids, trunk, twice DNNC_NO_HOOK);
}

int two_heads_trunk_ids_invoke(const void *weights, void *arena, const void *const *in, void *const *out) {
  (void)in;
  two_heads_trunk_ids_body((const unsigned char *)weights, (unsigned char *)arena, (const float *)in[0], (const int32_t *)in[1], (float *)out[0], (int32_t *)out[1] DNNC_NO_HOOK);
  return TWO_HEADS_OK;
}

#ifdef DNNC_TRACE
int two_heads_trunk_ids_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user) {
  (void)in;
  two_heads_trunk_ids_body((const unsigned char *)weights, (unsigned char *)arena, (const float *)in[0], (const int32_t *)in[1], (float *)out[0], (int32_t *)out[1], after, user);
  return TWO_HEADS_OK;
}
#endif
