/* elementary.h: maximum, minimum, exp, log, sigmoid, tanh and erf, written once for one float and for vectors.
 *
 * scalar.h and simd.h include this text with DNNC_T naming the type and DNNC_F(name) its primitives, so both have the
 * same polynomials. No guard: it is meant to be included more than once. */
#ifdef DNNC_T

/* max and min where NaN wins from either side (IEEE 754-2019 maximum and minimum), as in ONNX. */
DNNC_INLINE DNNC_T DNNC_F(maximum)(DNNC_T a, DNNC_T b) { return DNNC_F(select_eq)(b, b, DNNC_F(max)(a, b), b); }
DNNC_INLINE DNNC_T DNNC_F(minimum)(DNNC_T a, DNNC_T b) { return DNNC_F(select_eq)(b, b, DNNC_F(min)(a, b), b); }

/* exp: e^a = 2^n * e^r with n = round(a / ln 2). Within 2 ulp; 0 below -104, infinity above 88.73. */
DNNC_INLINE DNNC_T DNNC_F(exp)(DNNC_T a) {
  const DNNC_T x = DNNC_F(min)(DNNC_F(max)(a, DNNC_F(set)(-105.0f)), DNNC_F(set)(89.0f));
  const DNNC_T n = DNNC_F(round)(DNNC_F(mul)(x, DNNC_F(set)(1.44269504f)));
  /* ln 2 in two parts: the first is short, so n times it is exact */
  DNNC_T r = DNNC_F(fma)(n, DNNC_F(set)(-0.693359375f), x);
  r = DNNC_F(fma)(n, DNNC_F(set)(2.12194440e-4f), r);
  DNNC_T p = DNNC_F(set)(1.9875691500e-4f);
  p = DNNC_F(fma)(p, r, DNNC_F(set)(1.3981999507e-3f));
  p = DNNC_F(fma)(p, r, DNNC_F(set)(8.3334519073e-3f));
  p = DNNC_F(fma)(p, r, DNNC_F(set)(4.1665795894e-2f));
  p = DNNC_F(fma)(p, r, DNNC_F(set)(1.6666665459e-1f));
  p = DNNC_F(fma)(p, r, DNNC_F(set)(5.0000001201e-1f));
  p = DNNC_F(fma)(p, DNNC_F(mul)(r, r), r);
  return DNNC_F(ldexp)(DNNC_F(add)(p, DNNC_F(set)(1.0f)), n);
}

/* log: ln a = ln m + e * ln 2 with m in [sqrt(1/2), sqrt(2)). Within 2 ulp; -infinity at 0, NaN below. */
DNNC_INLINE DNNC_T DNNC_F(log)(DNNC_T a) {
  const DNNC_T zero = DNNC_F(set)(0.0f);
  const DNNC_T infinity = DNNC_F(set)(s_infinity());
  /* subnormals are scaled up by 2^25 first */
  const DNNC_T tiny = DNNC_F(set)(1.17549435e-38f);
  const DNNC_T scaled = DNNC_F(select_lt)(a, tiny, DNNC_F(mul)(a, DNNC_F(set)(33554432.0f)), a);
  const DNNC_T shift = DNNC_F(select_lt)(a, tiny, DNNC_F(set)(-25.0f), zero);
  DNNC_T e;
  const DNNC_T f = DNNC_F(sub)(DNNC_F(split)(scaled, &e), DNNC_F(set)(1.0f));
  e = DNNC_F(add)(e, shift);
  const DNNC_T square = DNNC_F(mul)(f, f);
  DNNC_T p = DNNC_F(set)(7.0376836292e-2f);
  p = DNNC_F(fma)(p, f, DNNC_F(set)(-1.1514610310e-1f));
  p = DNNC_F(fma)(p, f, DNNC_F(set)(1.1676998740e-1f));
  p = DNNC_F(fma)(p, f, DNNC_F(set)(-1.2420140846e-1f));
  p = DNNC_F(fma)(p, f, DNNC_F(set)(1.4249322787e-1f));
  p = DNNC_F(fma)(p, f, DNNC_F(set)(-1.6668057665e-1f));
  p = DNNC_F(fma)(p, f, DNNC_F(set)(2.0000714765e-1f));
  p = DNNC_F(fma)(p, f, DNNC_F(set)(-2.4999993993e-1f));
  p = DNNC_F(fma)(p, f, DNNC_F(set)(3.3333331174e-1f));
  p = DNNC_F(mul)(DNNC_F(mul)(p, f), square);
  p = DNNC_F(fma)(e, DNNC_F(set)(-2.12194440e-4f), p);
  p = DNNC_F(fma)(square, DNNC_F(set)(-0.5f), p);
  const DNNC_T ln = DNNC_F(fma)(e, DNNC_F(set)(0.693359375f), DNNC_F(add)(f, p));
  const DNNC_T positive = DNNC_F(select_lt)(a, infinity, ln, a); /* infinity and NaN stay */
  const DNNC_T pole = DNNC_F(select_eq)(a, zero, DNNC_F(neg)(infinity), DNNC_F(set)(s_nan()));
  return DNNC_F(select_le)(a, zero, pole, positive);
}

/* sigmoid: 1 / (1 + e^-a), within 3 ulp; 0 where it would be subnormal, below -88.7. */
DNNC_INLINE DNNC_T DNNC_F(sigmoid)(DNNC_T a) {
  const DNNC_T one = DNNC_F(set)(1.0f);
  return DNNC_F(div)(one, DNNC_F(add)(one, DNNC_F(exp)(DNNC_F(neg)(a))));
}

/* tanh: a rational minimax function in a^2; beyond 7.9 the float nearest to tanh is 1. Within 5e-7. */
DNNC_INLINE DNNC_T DNNC_F(tanh)(DNNC_T a) {
  const DNNC_T x = DNNC_F(min)(DNNC_F(max)(a, DNNC_F(set)(-7.90531111f)), DNNC_F(set)(7.90531111f));
  const DNNC_T square = DNNC_F(mul)(x, x);
  DNNC_T p = DNNC_F(set)(-2.76076847742355e-16f);
  p = DNNC_F(fma)(p, square, DNNC_F(set)(2.00018790482477e-13f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(-8.60467152213735e-11f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(5.12229709037114e-08f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(1.48572235717979e-05f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(6.37261928875436e-04f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(4.89352455891786e-03f));
  DNNC_T q = DNNC_F(set)(1.19825839466702e-06f);
  q = DNNC_F(fma)(q, square, DNNC_F(set)(1.18534705686654e-04f));
  q = DNNC_F(fma)(q, square, DNNC_F(set)(2.26843463243900e-03f));
  q = DNNC_F(fma)(q, square, DNNC_F(set)(4.89352518554385e-03f));
  return DNNC_F(div)(DNNC_F(mul)(x, p), q);
}

/* erf: a rational minimax function in a^2; beyond 4 the float nearest to erf is 1. Within 5e-7. */
DNNC_INLINE DNNC_T DNNC_F(erf)(DNNC_T a) {
  const DNNC_T x = DNNC_F(min)(DNNC_F(max)(a, DNNC_F(set)(-4.0f)), DNNC_F(set)(4.0f));
  const DNNC_T square = DNNC_F(mul)(x, x);
  DNNC_T p = DNNC_F(set)(-2.72614225801306e-10f);
  p = DNNC_F(fma)(p, square, DNNC_F(set)(2.77068142495902e-08f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(-2.10102402082508e-06f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(-5.69250639462346e-05f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(-7.34990630326855e-04f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(-2.95459980854025e-03f));
  p = DNNC_F(fma)(p, square, DNNC_F(set)(-1.60960333262415e-02f));
  DNNC_T q = DNNC_F(set)(-1.45660718464996e-05f);
  q = DNNC_F(fma)(q, square, DNNC_F(set)(-2.13374055278905e-04f));
  q = DNNC_F(fma)(q, square, DNNC_F(set)(-1.68282697438203e-03f));
  q = DNNC_F(fma)(q, square, DNNC_F(set)(-7.37332916720468e-03f));
  q = DNNC_F(fma)(q, square, DNNC_F(set)(-1.42647390514189e-02f));
  return DNNC_F(div)(DNNC_F(mul)(x, p), q);
}

#endif
