/* simd_test.c: the functions of scalar.h and simd.h against libm in double, over wide ranges and at special values. */
#include "check.h"

/* A function on floats under test, as one float and as a vector. */
#define EACH_FUNCTION(M) M(exp) M(log) M(sigmoid) M(tanh) M(erf) M(sqrt) M(floor) M(ceil) M(round) M(neg) M(abs)
#define DEFINE(name)                                                                     \
  static void s_all_##name(const float *a, float *y, int count) {                        \
    for (int i = 0; i < count; i++) y[i] = s_##name(a[i]);                               \
  }                                                                                      \
  static void v_all_##name(const float *a, float *y, int count) {                        \
    for (int i = 0; i < count; i += DNNC_LANES) v_store(y + i, v_##name(v_load(a + i))); \
  }
EACH_FUNCTION(DEFINE)

static double sigmoid(double a) { return 1 / (1 + exp(-a)); }
static double neg(double a) { return -a; }
#define round nearbyint
#define abs fabs

/* Distance between two floats next to `want`. */
static double ulp(double want) {
  const float w = fabsf((float)want);
  if (!(w < INFINITY)) return 0;
  return w < 1.17549435e-38f ? 0x1p-149 : (double)(nextafterf(w, INFINITY) - w);
}

enum { COUNT = 1 << 14 };
static float inputs[COUNT], outputs[COUNT];

typedef void (*apply)(const float *a, float *y, int count);

/* Within `ulps` of `want`, or within `absolute`. */
static void check_function(const char *name, apply f, double (*want)(double), double ulps, double absolute) {
  f(inputs, outputs, COUNT);
  for (int i = 0; i < COUNT; i++) {
    const double exact = want((double)inputs[i]);
    const float got = outputs[i], rounded = (float)exact;
    check_count++;
    if (isnan(exact) ? isnan(got) : got == rounded || fabs((double)got - exact) <= fmax(ulps * ulp(exact), absolute)) continue;
    fprintf(stderr, "%s(%.9g): got %.9g, want %.9g\n", name, (double)inputs[i], (double)got, exact);
    exit(1);
  }
}

static void check_all(void) {
#define CHECK(name, ulps, absolute)                            \
  check_function("s_" #name, s_all_##name, name, ulps, absolute); \
  check_function("v_" #name, v_all_##name, name, ulps, absolute);
  CHECK(exp, 2, 0)
  CHECK(log, 2, 0)
  CHECK(sigmoid, 3, 3e-39)
  CHECK(tanh, 0, 1e-6)
  CHECK(erf, 0, 1e-6)
  CHECK(sqrt, 1, 0)
  CHECK(floor, 0, 0)
  CHECK(ceil, 0, 0)
  CHECK(round, 0, 0)
  CHECK(neg, 0, 0)
  CHECK(abs, 0, 0)
}

/* The values that max, min and select tell apart: NaN, zeros, order. */
static void check_pairs(void) {
  const float values[] = {NAN, -INFINITY, -1, -0.0f, 0.0f, 2, INFINITY};
  const int count = sizeof values / sizeof values[0];
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) {
      const float a = values[i], b = values[j];
      const float want[] = {b > a ? b : a, b < a ? b : a, a < b ? 1.0f : 2.0f, a <= b ? 1.0f : 2.0f, a == b ? 1.0f : 2.0f};
      const dnnc_v va = v_set(a), vb = v_set(b), one = v_set(1), two = v_set(2);
      float got[2][5][DNNC_LANES];
      const float scalars[] = {s_max(a, b), s_min(a, b), s_select_lt(a, b, 1, 2), s_select_le(a, b, 1, 2),
                               s_select_eq(a, b, 1, 2)};
      for (int k = 0; k < 5; k++)
        for (int l = 0; l < DNNC_LANES; l++) got[0][k][l] = scalars[k];
      v_store(got[1][0], v_max(va, vb));
      v_store(got[1][1], v_min(va, vb));
      v_store(got[1][2], v_select_lt(va, vb, one, two));
      v_store(got[1][3], v_select_le(va, vb, one, two));
      v_store(got[1][4], v_select_eq(va, vb, one, two));
      for (int v = 0; v < 2; v++)
        for (int k = 0; k < 5; k++)
          for (int l = 0; l < DNNC_LANES; l++) {
            check_count++;
            if (memcmp(&got[v][k][l], &want[k], sizeof(float)) == 0) continue;
            if (isnan(want[k]) && isnan(got[v][k][l])) continue;
            fprintf(stderr, "pair %g %g, function %d, vector %d: got %g\n", (double)a, (double)b, k, v, (double)got[v][k][l]);
            exit(1);
          }
    }
}

/* Parts of vectors read and write `count` elements, no more. */
static void check_parts(void) {
  for (int count = 1; count <= DNNC_LANES; count++) {
    float *in = check_random(count), *out = check_untouched(DNNC_LANES), all[DNNC_LANES];
    const dnnc_v loaded = v_load_part(in, count);
    v_store(all, loaded);
    v_store_part(out, loaded, count);
    for (int l = 0; l < DNNC_LANES; l++) {
      check_near("v_load_part", count, l, (double)all[l], l < count ? (double)in[l] : 0, 0);
      check_near("v_store_part", count, l, (double)out[l], l < count ? (double)in[l] : (double)CHECK_UNTOUCHED, 0);
    }
    check_release();
  }
}

int main(void) {
  const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1, -1, 0.5f, -0.5f, 1.5f, 2.5f, 88.7f, 88.72283f, 88.73f,
                           89, 100, 1e30f, -87.33f, -87.4f, -100, -103.9f, -104, -105, -1e30f, 1e-45f, 1e-40f, 1.1754944e-38f,
                           3.4028235e38f, -3.4028235e38f, 8388607.5f, 8388608, -8388607.5f, 2147483648.0f, 0x1.fffffep-1f};
  const float scales[] = {1e-3f, 1, 10, 110, 1e6f, 1e20f};
  for (size_t scale = 0; scale < sizeof scales / sizeof scales[0]; scale++) {
    for (int i = 0; i < COUNT; i++) inputs[i] = (float)check_int(-8000000, 8000000) / 8e6f * scales[scale];
    memcpy(inputs, special, sizeof special);
    check_all();
  }
  /* every exponent */
  for (int i = 0; i < COUNT; i++) inputs[i] = s_from_bits((int32_t)((uint32_t)i * 262144u + 12345u));
  check_all();
  check_pairs();
  check_parts();
  printf("simd: %d values\n", check_count);
  return 0;
}
