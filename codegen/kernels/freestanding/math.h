/* freestanding/math.h: what the kernels use of <math.h>, where there is no libc.
 *
 * In double, within 4 units in the last place: series and reductions that can be read and checked, for functions that
 * networks seldom call (what they call often is in elementary.h). pow is within 4e-13 of its result. The functions of float
 * are those of double, rounded. errno and floating-point flags are not kept. */
#ifndef DNNC_FREESTANDING_MATH_H
#define DNNC_FREESTANDING_MATH_H

#include <stdint.h>

#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define HUGE_VAL __builtin_inf()

/* ---- instructions ---- */

static inline double fabs(double x) { return __builtin_fabs(x); }
static inline double sqrt(double x) { return __builtin_sqrt(x); }
static inline double floor(double x) { return __builtin_floor(x); }
static inline double ceil(double x) { return __builtin_ceil(x); }
static inline double nearbyint(double x) { return __builtin_nearbyint(x); }
static inline double copysign(double x, double y) { return __builtin_copysign(x, y); }

/* ---- exponentials and logarithms ---- */

static inline uint64_t dnnc_bits64(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
static inline double dnnc_from_bits64(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

/* ln 2 in two parts, the first of 32 bits: a whole exponent times it is exact. */
#define DNNC_LN2_HIGH 0x1.62e42fee00000p-1
#define DNNC_LN2_LOW 0x1.a39ef35793c76p-33

/* e^x = 2^n e^r, |r| <= ln 2 / 2: 14 terms of the series. */
static inline double exp(double x) {
  if (x != x) return x;
  if (x > 709.8) return HUGE_VAL;
  if (x < -745.2) return 0.0;
  const double n = nearbyint(x * 1.4426950408889634);
  const double r = (x - n * DNNC_LN2_HIGH) - n * DNNC_LN2_LOW;
  double sum = 1.0;
  for (int k = 13; k > 0; k--) sum = 1.0 + sum * r / k;
  /* in two steps, for results that are subnormal or overflow */
  const int64_t i = (int64_t)n, half = i / 2;
  return sum * dnnc_from_bits64((uint64_t)(half + 1023) << 52) * dnnc_from_bits64((uint64_t)(i - half + 1023) << 52);
}

/* ln x = e ln 2 + 2 atanh f, f = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt(2)). */
static inline double log(double x) {
  if (x != x || x == HUGE_VAL) return x;
  if (x <= 0.0) return x == 0.0 ? -HUGE_VAL : (double)NAN;
  double e = 0.0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    e = -54.0;
  }
  const uint64_t bits = dnnc_bits64(x);
  const int64_t exponent = (int64_t)(bits - 0x3fe6a09e667f3bcdu) >> 52;
  e += (double)exponent;
  const double m = dnnc_from_bits64(bits - ((uint64_t)exponent << 52)) - 1.0;
  const double f = m / (m + 2.0), square = f * f;
  double sum = 0.0;
  for (int k = 23; k > 1; k -= 2) sum = (sum + 1.0 / k) * square;
  /* 2 f = m - f m has an error of its own only where m is large */
  return e * DNNC_LN2_HIGH + (m - f * (m - 2.0 * sum) + e * DNNC_LN2_LOW);
}

/* The error of 1 + x, and of e^x, is undone by the same function of it (Kahan). */
static inline double log1p(double x) {
  const double u = 1.0 + x;
  if (u == 1.0 || x != x) return x;
  return x > 0x1p53 || u <= 0.0 ? log(u) : log(u) * (x / (u - 1.0));
}
static inline double dnnc_expm1(double x) {
  const double u = exp(x);
  if (u == 1.0 || x != x) return x;
  return u - 1.0 == -1.0 || x > 40.0 ? u - 1.0 : (u - 1.0) * (x / log(u));
}

static inline double sinh(double x) {
  const double size = fabs(x);
  if (!(size < 22.0)) {
    const double half = exp(0.5 * size);
    return copysign(0.5 * half * half, x);
  }
  const double t = dnnc_expm1(size);
  return copysign(0.5 * (t + t / (t + 1.0)), x);
}
static inline double cosh(double x) {
  const double half = exp(0.5 * fabs(x)), inverse = 1.0 / half;
  return 0.5 * half * half + 0.5 * inverse * inverse;
}
static inline double tanh(double x) {
  if (fabs(x) > 20.0) return copysign(1.0, x);
  const double t = dnnc_expm1(2.0 * fabs(x));
  return copysign(t / (t + 2.0), x);
}
static inline double asinh(double x) {
  const double size = fabs(x);
  const double all = size > 0x1p28 ? log(size) + 0.6931471805599453
                                   : log1p(size + size * size / (1.0 + sqrt(size * size + 1.0)));
  return copysign(all, x);
}
static inline double acosh(double x) {
  const double t = x < 1.0 ? (double)NAN : x - 1.0;
  return x > 0x1p28 ? log(x) + 0.6931471805599453 : log1p(t + sqrt(2.0 * t + t * t));
}
static inline double atanh(double x) {
  const double size = fabs(x);
  return copysign(0.5 * log1p(2.0 * size / (1.0 - size)), x);
}

/* ---- remainders and powers ---- */

/* Every step is exact: halving undoes a doubling, and a difference of numbers within a factor of 2 has no error. */
static inline double fmod(double x, double y) {
  double rest = fabs(x), step = fabs(y);
  if (!(rest < HUGE_VAL) || !(step > 0.0)) return (double)NAN;
  if (rest < step) return x;
  const double least = step;
  while (step + step <= rest) step += step;
  for (;; step *= 0.5) {
    if (rest >= step) rest -= step;
    if (step == least) return copysign(rest, x);
  }
}

static inline double pow(double x, double y) {
  const double size = fabs(x);
  if (y == 0.0 || x == 1.0) return 1.0;
  if (x != x || y != y) return (double)NAN;
  if (fabs(y) == HUGE_VAL) return size == 1.0 ? 1.0 : (size > 1.0) == (y > 0.0) ? HUGE_VAL : 0.0;
  const int whole = floor(y) == y;
  const int odd = whole && fabs(y) < 0x1p53 && fmod(y, 2.0) != 0.0;
  if (x < 0.0 && !whole && size < HUGE_VAL) return (double)NAN;
  double power;
  if (whole && fabs(y) <= 64.0 && size > 0.0) {
    /* small whole powers are products: exact where those are */
    power = 1.0;
    double square = size;
    for (int64_t n = (int64_t)fabs(y); n > 0; n >>= 1, square *= square)
      if (n & 1) power *= square;
    if (y < 0.0) power = 1.0 / power;
  } else {
    power = size == 0.0 ? (y < 0.0 ? HUGE_VAL : 0.0) : exp(y * log(size));
  }
  return odd ? copysign(power, x) : power;
}

/* ---- angles ---- */

/* The first bits of 2 / pi, after 64 zeros. */
static inline uint32_t dnnc_two_over_pi(int word) {
  static const uint32_t words[40] = {
      0x00000000u, 0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u,
      0xfe5163abu, 0xdebbc561u, 0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu, 0xfe1deb1cu, 0xb129a73eu,
      0xe88235f5u, 0x2ebb4484u, 0xe99c7026u, 0xb45f7e41u, 0x3991d639u, 0x835339f4u, 0x9c845f8bu, 0xbdf9283bu,
      0x1ff897ffu, 0xde05980fu, 0xef2f118bu, 0x5a0a6d1fu, 0x6d367ecfu, 0x27cb09b7u, 0x4f463f66u, 0x9e5fea2du,
      0x7527bac7u, 0xebe5f17bu, 0x3d0739f7u, 0x8a5292eau, 0x6bfb5fb1u, 0x1f8d5d08u, 0x56033046u, 0xfc7b6babu
  };
  return words[word];
}

/* x = quarter turns + what is returned, within an eighth of a turn. x is finite. */
static inline double dnnc_quarters(double x, int *quarters) {
  const double size = fabs(x);
  if (size < 1e6) {
    const double n = nearbyint(x * 0.6366197723675814);
    *quarters = (int)n & 3;
    /* pi / 2 in three parts, the first two of 33 bits */
    return ((x - n * 0x1.921fb54400000p+0) - n * 0x1.0b4611a600000p-34) - n * 0x1.3198a2e037073p-69;
  }
  /* |x| = m 2^e with a whole m. Of 2 / pi, 192 bits make a difference: those before are whole turns, those after too small
   * (Payne, Hanek 1983). The product is in quarter turns times 2^190. */
  const uint64_t bits = dnnc_bits64(size);
  const uint64_t m = (bits & 0xfffffffffffffu) | 0x10000000000000u;
  const int first = (int)(bits >> 52) - 1075 - 2 + 64, shift = first % 32;
  uint32_t product[6] = {0}; /* lowest first */
  for (int half = 0; half < 2; half++) {
    uint64_t carry = 0;
    for (int i = 0; i + half < 6; i++) {
      const int word = first / 32 + 5 - i;
      const uint64_t two = (uint64_t)dnnc_two_over_pi(word) << 32 | dnnc_two_over_pi(word + 1);
      carry += (two << shift >> 32) * (half ? m >> 32 : m & 0xffffffffu) + product[i + half];
      product[i + half] = (uint32_t)carry;
      carry >>= 32;
    }
  }
  const int rounded = (int)((product[5] >> 29) + 1) >> 1;
  product[5] -= (uint32_t)rounded << 30;
  const int below = product[5] >> 31 != 0;
  uint64_t carry = (uint64_t)below;
  double sum = 0.0, unit = 0x1p-190;
  for (int i = 0; i < 6; i++, unit *= 0x1p32) {
    carry += below ? ~product[i] : product[i];
    sum += (uint32_t)carry * unit;
    carry >>= 32;
  }
  *quarters = (x < 0.0 ? -rounded : rounded) & 3;
  return ((x < 0.0) != below ? -sum : sum) * 1.5707963267948966;
}

/* Series on [-pi / 4, pi / 4]. */
static inline double dnnc_sine(double r) {
  double sum = 0.0;
  for (int k = 16; k > 0; k -= 2) sum = (-1.0 - sum) * r * r / (k * (k + 1));
  return r + r * sum;
}
static inline double dnnc_cosine(double r) {
  double sum = 0.0;
  for (int k = 17; k > 0; k -= 2) sum = (-1.0 - sum) * r * r / (k * (k + 1));
  return 1.0 + sum;
}

static inline double sin(double x) {
  int quarters;
  if (!(fabs(x) < HUGE_VAL)) return (double)NAN;
  const double r = dnnc_quarters(x, &quarters);
  const double value = quarters & 1 ? dnnc_cosine(r) : dnnc_sine(r);
  return x == 0.0 ? x : quarters & 2 ? -value : value;
}
static inline double cos(double x) {
  int quarters;
  if (!(fabs(x) < HUGE_VAL)) return (double)NAN;
  const double r = dnnc_quarters(x, &quarters);
  const double value = quarters & 1 ? dnnc_sine(r) : dnnc_cosine(r);
  return quarters == 1 || quarters == 2 ? -value : value;
}
static inline double tan(double x) {
  int quarters;
  if (!(fabs(x) < HUGE_VAL)) return (double)NAN;
  const double r = dnnc_quarters(x, &quarters);
  if (x == 0.0) return x;
  return quarters & 1 ? -dnnc_cosine(r) / dnnc_sine(r) : dnnc_sine(r) / dnnc_cosine(r);
}

/* Inverted above 1 and halved twice, the angle is below pi / 16. */
static inline double atan(double x) {
  const double size = fabs(x);
  if (x != x) return x;
  double t = size > 1.0 ? 1.0 / size : size;
  for (int halvings = 0; halvings < 2; halvings++) t = t / (1.0 + sqrt(1.0 + t * t));
  double sum = 0.0;
  for (int k = 25; k > 1; k -= 2) sum = (1.0 / k - sum) * t * t;
  const double angle = 4.0 * (t - t * sum);
  return copysign(size > 1.0 ? 1.5707963267948966 - angle : angle, x);
}
static inline double asin(double x) { return atan(x / sqrt((1.0 - x) * (1.0 + x))); }
static inline double acos(double x) { return 2.0 * atan(sqrt((1.0 - x) / (1.0 + x))); }

/* ---- the error function ---- */

/* A series of positive terms (Abramowitz, Stegun 7.1.6); from 2 on a continued fraction of what is left to 1 (7.1.14). */
static inline double erf(double x) {
  const double size = fabs(x), square = x * x;
  if (x != x) return x;
  if (size > 6.0) return copysign(1.0, x);
  if (size < 2.0) {
    double term = x, sum = x;
    for (int k = 1; k < 40; k++) sum += term *= 2.0 * square / (2 * k + 1);
    return 1.1283791670955126 * exp(-square) * sum;
  }
  double rest = size;
  for (int k = 60; k > 0; k--) rest = size + 0.5 * k / rest;
  return copysign(1.0 - exp(-square) * 0.5641895835477563 / rest, x);
}

/* ---- float ---- */

#define DNNC_FLOAT(name) \
  static inline float name##f(float x) { return (float)name((double)x); }
DNNC_FLOAT(exp)
DNNC_FLOAT(log)
DNNC_FLOAT(log1p)
DNNC_FLOAT(sin)
DNNC_FLOAT(cos)
DNNC_FLOAT(tan)
DNNC_FLOAT(asin)
DNNC_FLOAT(acos)
DNNC_FLOAT(atan)
DNNC_FLOAT(sinh)
DNNC_FLOAT(cosh)
DNNC_FLOAT(tanh)
DNNC_FLOAT(asinh)
DNNC_FLOAT(acosh)
DNNC_FLOAT(atanh)
DNNC_FLOAT(erf)
#undef DNNC_FLOAT
static inline float fabsf(float x) { return __builtin_fabsf(x); }
static inline float sqrtf(float x) { return __builtin_sqrtf(x); }
static inline float floorf(float x) { return __builtin_floorf(x); }
static inline float ceilf(float x) { return __builtin_ceilf(x); }
static inline float nearbyintf(float x) { return __builtin_nearbyintf(x); }
static inline float copysignf(float x, float y) { return __builtin_copysignf(x, y); }
static inline float fmodf(float x, float y) { return (float)fmod((double)x, (double)y); }
static inline float powf(float x, float y) { return (float)pow((double)x, (double)y); }

#endif
