/* conv2d_narrow_test.c: convolutions by narrow weights are, to the last bit, conv2d_f32 by the floats they stand for. */
#include "check.h"
#include "conv2d_narrow.h"

typedef void (*kernel)(const float *x, const void *w, const float *scales, const float *b, float *y, const float *e0,
                       const float *e1);

/* id, (n, oh, ow, oc), (kh, kw, ic, groups), (sh, sw, dh, dw), (xn, xh, xw), (yn, yh, yw), extras, steps per scale, (mr, nv), outer */
#define SHAPES(M)                                                                                    \
  M(pointwise_groups, 1, 1, 9, 40, 1, 1, 70, 1, 1, 1, 1, 1, 0, 0, 70, 0, 0, 40, 0, 32, 9, 2, 1)        \
  M(same, 1, 5, 7, 33, 3, 3, 16, 1, 1, 1, 1, 1, 0, 144, 16, 0, 231, 33, 1, 0, 7, 3, 0)                 \
  M(gap_groups, 1, 4, 5, 17, 3, 3, 7, 1, 2, 1, 1, 2, 0, 80, 8, 0, 90, 18, 0, 32, 5, 2, 0)              \
  M(two_groups, 2, 4, 6, 5, 3, 2, 4, 2, 1, 1, 1, 1, 336, 56, 8, 240, 60, 10, 2, 8, 12, 1, 0)           \
  M(linear_groups, 1, 1, 1, 131, 1, 1, 100, 1, 1, 1, 1, 1, 0, 0, 100, 0, 0, 131, 1, 32, 1, 8, 1)       \
  M(linear_batch, 1, 1, 5, 70, 1, 1, 64, 1, 1, 1, 1, 1, 0, 0, 70, 0, 0, 80, 0, 0, 3, 5, 1)

#define LITERAL(id, n, oh, ow, oc, kh, kw, ic, g, sh, sw, dh, dw, xn, xh, xw, yn, yh, yw, extras, group, mr, nv, outer) \
  {n, oh, ow, oc, kh, kw, ic, g, sh, sw, dh, dw, xn, xh, xw, yn, yh, yw, extras, yn, yh, yw, 1, 0, 0, 0, 1,             \
   DNNC_LANES == 16 ? mr : ow < 6 ? ow : 6, DNNC_LANES == 16 ? nv : 1, outer, group}

/* Bytes of so many weights. */
static ptrdiff_t bytes_of(int type, ptrdiff_t count) {
  return type == DNNC_I4 ? count / 2 : type == DNNC_I8 ? count : type == DNNC_F32 ? 4 * count : 2 * count;
}

/* Random bits, but neither infinite nor NaN. */
static void fill(unsigned char *w, int type, ptrdiff_t bytes) {
  for (ptrdiff_t i = 0; i < bytes; i++) w[i] = (unsigned char)check_int(0, 255);
  /* high bytes of halves: sign and exponent */
  if (type == DNNC_F16)
    for (ptrdiff_t i = 1; i < bytes; i += 2) w[i] = (unsigned char)((w[i] & 0x87) | check_int(0, 14) << 3);
  if (type == DNNC_BF16)
    for (ptrdiff_t i = 1; i < bytes; i += 2) w[i] = (unsigned char)((w[i] & 0x80) | check_int(0x38, 0x3f));
}

/* What a weight stands for, by its definition. */
static double meaning(const unsigned char *w, int type, ptrdiff_t i) {
  const int half = type == DNNC_F16 || type == DNNC_BF16 ? w[2 * i] | w[2 * i + 1] << 8 : 0;
  const int sign = half & 0x8000 ? -1 : 1, exponent = half >> 10 & 31, fraction = half & 1023;
  if (type == DNNC_I8) return (double)(w[i] < 128 ? w[i] : w[i] - 256);
  if (type == DNNC_BF16) return sign * ldexp(1 + (half & 127) / 128.0, (half >> 7 & 255) - 127);
  if (type == DNNC_F16) return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
  const ptrdiff_t byte = i / 16 * 8 + i % 2 * 4 + i % 16 / 4;
  const int nibble = i / 2 % 2 ? w[byte] >> 4 : w[byte] & 15;
  return nibble < 8 ? nibble : nibble - 16;
}

static int shape_number;

static void check(const char *what, kernel run, kernel reference, int type, conv2d_shape s) {
  const int panels = s.groups * dnnc_ceil_div(s.oc, 16), channels = s.groups * s.oc, steps = s.kh * s.kw * s.ic;
  const int rows = s.group ? dnnc_ceil_div(steps, s.group) : 0;
  const ptrdiff_t x_count = (s.n - 1) * s.xn + ((s.oh - 1) * s.sh + (s.kh - 1) * s.dh) * s.xh +
                            ((s.ow - 1) * s.sw + (s.kw - 1) * s.dw) * s.xw + s.groups * s.ic;
  const ptrdiff_t y_count = (s.n - 1) * s.yn + (s.oh - 1) * s.yh + (s.ow - 1) * s.yw + channels;
  const ptrdiff_t count = (ptrdiff_t)panels * steps * 16, bytes = bytes_of(type, count);
  float *x = check_random(x_count), *b = check_random(panels * 16), *e0 = check_random(y_count), *e1 = check_random(channels);
  float *scales = check_random((ptrdiff_t)panels * rows * 16 + 1), *wide = check_buffer(count);
  unsigned char *w = (unsigned char *)check_buffer((bytes + 3) / 4) + (bytes + 3) / 4 * 4 - bytes;
  float *y = check_untouched(y_count), *want = check_untouched(y_count);
  fill(w, type, bytes);
  for (ptrdiff_t i = 0; i < count; i++) {
    const ptrdiff_t panel = i / 16 / steps, step = i / 16 % steps;
    wide[i] = (float)meaning(w, type, i);
    if (s.group) wide[i] *= scales[(panel * rows + step / s.group) * 16 + i % 16];
  }
  run(x, w, s.group ? scales : NULL, b, y, s.extras > 0 ? e0 : NULL, s.extras > 1 ? e1 : NULL);
  reference(x, wide, NULL, b, want, s.extras > 0 ? e0 : NULL, s.extras > 1 ? e1 : NULL);
  for (ptrdiff_t i = 0; i < y_count; i++) check_near(what, shape_number, i, (double)y[i], (double)want[i], 0);
  shape_number++;
  check_release();
}

#define DEFINE(way, type, id, call, ...)                                                                               \
  static void way##_##type##_##id(const float *x, const void *w, const float *scales, const float *b, float *y,        \
                                  const float *e0, const float *e1) {                                                  \
    const conv2d_shape s = LITERAL(id, __VA_ARGS__);                                                                   \
    call;                                                                                                              \
  }
#define NARROW(way, type) conv2d_f32_by_##type##_##way(x, w, scales, b, y, e0, e1, s, check_epilogue)
#define WIDE(way) (void)scales, conv2d_f32_##way(x, (const float *)w, b, y, e0, e1, s, check_epilogue)
#define EACH_TYPE(way, id, ...)                           \
  DEFINE(way, f32, id, WIDE(way), __VA_ARGS__)            \
  DEFINE(way, f16, id, NARROW(way, f16), __VA_ARGS__)     \
  DEFINE(way, bf16, id, NARROW(way, bf16), __VA_ARGS__)   \
  DEFINE(way, i8, id, NARROW(way, i8), __VA_ARGS__)       \
  DEFINE(way, i4, id, NARROW(way, i4), __VA_ARGS__)
#define DEFINE_PORTABLE(id, ...) EACH_TYPE(portable, id, __VA_ARGS__)
#define DEFINE_SIMD(id, ...) EACH_TYPE(simd, id, __VA_ARGS__)

SHAPES(DEFINE_PORTABLE)
#if DNNC_LANES > 1
SHAPES(DEFINE_SIMD)
#endif

/* Every half and every byte, one at a time. */
static void check_meaning(void) {
  for (int i = 0; i < 65536; i++) {
    unsigned char bytes[32] = {0};
    for (int lane = 0; lane < 16; lane++) bytes[2 * lane] = (unsigned char)(i & 255), bytes[2 * lane + 1] = (unsigned char)(i >> 8);
    for (int type = DNNC_F16; type <= DNNC_I4; type++) {
      if (type == DNNC_F16 && (i >> 10 & 31) == 31) continue;
      if (type == DNNC_BF16 && ((i >> 7 & 255) == 255 || (i >> 7 & 255) == 0)) continue;
      float wide[16];
      dnnc_widen(wide, bytes, type);
      for (int lane = 0; lane < 16; lane++)
        check_near("a step", type, i, (double)wide[lane], meaning(bytes, type, lane), 0);
#if DNNC_LANES > 1
      for (int first = 0; first < 16; first += DNNC_LANES) {
        v_store(wide, v_weights(bytes, type, first));
        for (int lane = 0; lane < DNNC_LANES; lane++)
          check_near("a vector", type, i, (double)wide[lane], meaning(bytes, type, first + lane), 0);
      }
#endif
    }
  }
}

int main(void) {
#define CHECK_TYPE(way, type, name, id, ...)                                                          \
  {                                                                                                   \
    const conv2d_shape s = LITERAL(id, __VA_ARGS__);                                                  \
    check(#way " " #type " " #id, way##_##type##_##id, way##_f32_##id, name, s);                      \
  }
#define CHECK_WAY(way, id, ...)                          \
  CHECK_TYPE(way, f16, DNNC_F16, id, __VA_ARGS__)        \
  CHECK_TYPE(way, bf16, DNNC_BF16, id, __VA_ARGS__)      \
  CHECK_TYPE(way, i8, DNNC_I8, id, __VA_ARGS__)          \
  CHECK_TYPE(way, i4, DNNC_I4, id, __VA_ARGS__)
#define CHECK_PORTABLE(id, ...) CHECK_WAY(portable, id, __VA_ARGS__)
#define CHECK_SIMD(id, ...) CHECK_WAY(simd, id, __VA_ARGS__)
  check_meaning();
  SHAPES(CHECK_PORTABLE)
#if DNNC_LANES > 1
  SHAPES(CHECK_SIMD)
#endif
  printf("conv2d_narrow: %d elements\n", check_count);
  return 0;
}
