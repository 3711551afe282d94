/* conv for x86-64-avx2, written by dnnc 0.1.0 from net.onnx. Do not edit. */
#include "conv.h"

#if !(defined(__AVX2__) && defined(__FMA__) && defined(__F16C__))
#error "compile this file for x86-64-avx2: -mavx2 -mfma -mf16c"
#endif

#include "kernels/arithmetic.h"
#include "kernels/conv2d_f32.h"
#include "kernels/dnnc.h"
#include "kernels/pool_f32.h"
#include "kernels/softmax.h"
#include <string.h>

#ifdef DNNC_TRACE
#define DNNC_HOOK , void (*after)(void *user, int step), void *user
#define DNNC_AFTER(step) after(user, step)
#define DNNC_NO_HOOK , conv_nothing, 0
static void conv_nothing(void *user, int step) {
  (void)user;
  (void)step;
}
#else
#define DNNC_HOOK
#define DNNC_AFTER(step) (void)(step)
#define DNNC_NO_HOOK
#endif

/* A 32-bit word of the blob, which is little-endian. */
static uint32_t conv_word(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Eight lanes over words: see the checksum in the header of the blob. */
static int conv_damaged(const unsigned char *blob, size_t bytes) {
  uint32_t lanes[8];
  uint32_t low = 0, high = 0;
  for (uint32_t i = 0; i < 8; i++) lanes[i] = 0x9e3779b1u * (i + 1);
  for (size_t at = 64; at < bytes; at += 32)
    for (int i = 0; i < 8; i++) {
      const uint32_t mixed = (lanes[i] ^ conv_word(blob + at + 4 * i)) * 0x85ebca6bu;
      lanes[i] = mixed ^ mixed >> 15;
    }
  for (int i = 0; i < 8; i++) {
    low = (low ^ lanes[i]) * 0xc2b2ae35u;
    low ^= low >> 13;
    high = (high ^ lanes[7 - i]) * 0x27d4eb2fu;
    high ^= high >> 16;
  }
  return low != conv_word(blob + 40) || high != conv_word(blob + 44);
}

static int conv_header(const unsigned char *p, const char *magic, size_t bytes) {
  static const unsigned char hash[16] = CONV_BUILD_HASH;
  if (bytes < 64) return CONV_ERROR_TRUNCATED;
  if (memcmp(p, magic, 8) != 0) return CONV_ERROR_NOT_A_BLOB;
  if (conv_word(p + 8) != 1) return CONV_ERROR_FORMAT;
  if (conv_word(p + 12) != 0x01020304u) return CONV_ERROR_BYTE_ORDER;
  if (memcmp(p + 16, hash, 16) != 0) return CONV_ERROR_OTHER_BUILD;
  return (uintptr_t)p % CONV_WEIGHTS_ALIGN == 0 ? CONV_OK : CONV_ERROR_MISALIGNED;
}

int conv_check(const void *blob, size_t bytes) {
  const unsigned char *p = (const unsigned char *)blob;
  const int error = conv_header(p, "dnncblob", bytes);
  if (error != CONV_OK && error != CONV_ERROR_MISALIGNED) return error;
  if (bytes < CONV_WEIGHTS_BYTES) return CONV_ERROR_TRUNCATED;
  if (error != CONV_OK) return error;
  return conv_damaged(p, CONV_WEIGHTS_BYTES) ? CONV_ERROR_DAMAGED : CONV_OK;
}

int conv_open(const void *blob, size_t bytes, conv_weights *out) {
  const int error = conv_check(blob, bytes);
  out->data = error == CONV_OK ? (const unsigned char *)blob : 0;
  return error;
}

static void zero_border_1(float *y) {
  for (int n = 0; n < 1; n++, y += 300) {
    memset(y, 0, 132);
    for (int r = 1; r < 8; r++) memset(y + 57 + (ptrdiff_t)(r - 1) * 30, 0, 24);
    memset(y + 267, 0, 132);
  }
}

static void copy_1(const float *x0, float *y) {
  for (ptrdiff_t i0 = 0; i0 < 8; i0++)
    for (ptrdiff_t i1 = 0; i1 < 8; i1++)
      DNNC_INDEPENDENT for (ptrdiff_t i2 = 0; i2 < 3; i2++)
        y[i0 * 30 + i1 * 3 + i2] = x0[i0 * 8 + i1 + i2 * 64];
}

DNNC_INLINE dnnc_v conv2d_1_epilogue(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  (void)e0;
  (void)e1;
  return v_max(acc, v_set(0.0f));
}
static void conv2d_1(const float *x, const float *w, const float *b, float *y) {
  conv2d_shape s;
  s.n = 1; s.oh = 4; s.ow = 4; s.xn = 300; s.xh = 30; s.xw = 3; s.yn = 128; s.yh = 32; s.yw = 8; s.extras = 0;
  s.e0n = 0; s.e0c = 0; s.e0h = 0; s.e0w = 0; s.e1n = 0; s.e1c = 0; s.e1h = 0; s.e1w = 0; s.oc = 8; s.ic = 3;
  s.groups = 1; s.kh = 3; s.kw = 3; s.sh = 2; s.sw = 2; s.dh = 1; s.dw = 1; s.mr = 8; s.nv = 1; s.panels_outer = 0;
  conv2d_f32_simd_even(x, w, b, y, 0, 0, s, conv2d_1_epilogue);
}

DNNC_INLINE dnnc_v conv2d_2_epilogue(dnnc_v acc, dnnc_v e0, dnnc_v e1) {
  (void)e1;
  return v_add(acc, e0);
}
static void conv2d_2(const float *x, const float *w, const float *b, float *y, const float *e0) {
  conv2d_shape s;
  s.n = 1; s.oh = 1; s.ow = 16; s.xn = 128; s.xh = 32; s.xw = 8; s.yn = 128; s.yh = 32; s.yw = 8; s.extras = 1;
  s.e0n = 128; s.e0c = 1; s.e0h = 32; s.e0w = 8; s.e1n = 0; s.e1c = 0; s.e1h = 0; s.e1w = 0; s.oc = 8; s.ic = 8;
  s.groups = 1; s.kh = 1; s.kw = 1; s.sh = 1; s.sw = 1; s.dh = 1; s.dw = 1; s.mr = 8; s.nv = 1; s.panels_outer = 0;
  conv2d_f32_simd_even(x, w, b, y, e0, 0, s, conv2d_2_epilogue);
}

static void avgpool_1(const float *x, float *y) {
  pool_shape s;
  s.n = 1; s.oh = 1; s.ow = 1; s.c = 8; s.ih = 4; s.iw = 4; s.kh = 4; s.kw = 4; s.sh = 1; s.sw = 1; s.dh = 1;
  s.dw = 1; s.pt = 0; s.pl = 0; s.count_include_pad = 0; s.pb = 0; s.pr = 0; s.xn = 128; s.xh = 32; s.xw = 8;
  s.yn = 8; s.yh = 8; s.yw = 8; s.x_bytes = 0; s.y_bytes = 0;
  avgpool_f32_simd(x, y, s);
}

static void conv2d_3(const float *x, const float *w, const float *b, float *y) {
  conv2d_shape s;
  s.n = 1; s.oh = 1; s.ow = 1; s.oc = 5; s.ic = 8; s.groups = 1; s.sh = 1; s.sw = 1; s.dh = 1; s.dw = 1; s.xn = 0;
  s.xh = 0; s.xw = 8; s.yn = 0; s.yh = 0; s.yw = 5; s.extras = 0; s.e0n = 0; s.e0c = 0; s.e0h = 0; s.e0w = 0;
  s.e1n = 0; s.e1c = 0; s.e1h = 0; s.e1w = 0; s.kh = 1; s.kw = 1; s.mr = 1; s.nv = 1; s.panels_outer = 0;
  conv2d_f32_simd_even(x, w, b, y, 0, 0, s, dnnc_identity);
}

static void softmax_1(const float *x, float *y) {
  softmax_shape s;
  s.outer = 1; s.size = 5; s.inner = 1; s.log = 0;
  softmax_f32(x, y, s);
}

static void conv_classes_body(const unsigned char *weights, unsigned char *arena, const float *image, float *scores DNNC_HOOK) {
  (void)weights;
  (void)arena;
  DNNC_AFTER(-1);
  zero_border_1((float *)(arena + 0));
  DNNC_AFTER(0);

  copy_1(image, (float *)(arena + 132));
  DNNC_AFTER(1);

  /* %c1 = conv2d(%image, %w1, %b1) {epilogue = "max(x0, 0)", pads = [1, 1, 1, 1], strides = [2, 2]} : f32[1,8,4,4] */
  /* net.onnx, node "conv1" + net.onnx, node "relu1" (fuse) */
  conv2d_1((float *)(arena + 0), (const float *)(weights + 64), (const float *)(weights + 1792), (float *)(arena + 1216));
  DNNC_AFTER(2);

  /* %c2 = conv2d(%c1, %w2, none, %c1) {epilogue = "add(x0, x1)"} : f32[1,8,4,4] */
  /* net.onnx, node "conv2" + net.onnx, node "sum" (fuse) */
  conv2d_2((float *)(arena + 1216), (const float *)(weights + 1856), (const float *)(weights + 2368), (float *)(arena + 0), (float *)(arena + 1216));
  DNNC_AFTER(3);

  /* %p = avgpool(%c2) {kernel = [4, 4]} : f32[1,8,1,1] */
  /* net.onnx, node "pool" */
  avgpool_1((float *)(arena + 0), (float *)(arena + 512));
  DNNC_AFTER(4);

  /* %y = linear(%f, %w3) : f32[1,5] */
  /* net.onnx, node "fc" */
  conv2d_3((float *)(arena + 512), (const float *)(weights + 2432), (const float *)(weights + 2944), (float *)(arena + 0));
  DNNC_AFTER(5);

  /* %scores = softmax(%y) {axis = 1} : f32[1,5] */
  /* net.onnx, node "softmax" */
  softmax_1((float *)(arena + 0), scores);
  DNNC_AFTER(6);
}

void conv_classes(const conv_weights *weights, void *arena, const float *image, float *scores) {
  conv_classes_body(weights->data, (unsigned char *)arena, image, scores DNNC_NO_HOOK);
}

int conv_classes_invoke(const void *weights, void *arena, const void *const *in, void *const *out) {
  (void)in;
  conv_classes_body((const unsigned char *)weights, (unsigned char *)arena, (const float *)in[0], (float *)out[0] DNNC_NO_HOOK);
  return CONV_OK;
}

#ifdef DNNC_TRACE
int conv_classes_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user) {
  (void)in;
  conv_classes_body((const unsigned char *)weights, (unsigned char *)arena, (const float *)in[0], (float *)out[0], after, user);
  return CONV_OK;
}
#endif
