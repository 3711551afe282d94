/* arithmetic.h: element-wise functions by type, for generated loops: add_i32, max_u8, tan_f32, cast_f32_i8 ...
 *
 * Integers wrap, without undefined behaviour: sums and products are made in the unsigned type of at least 32 bits.
 * Division by zero gives 0, and the quotient truncates. A float that becomes an integer of 8 bits or more saturates; NaN becomes 0.
 * Functions that scalar.h has for float (s_exp and others) are not repeated here. */
#ifndef DNNC_ARITHMETIC_H
#define DNNC_ARITHMETIC_H

#include <math.h>
#include <string.h>

#include "scalar.h"

typedef uint8_t dnnc_bool;

/* Before a loop whose rounds do not depend on each other, even where the result overwrites an operand element by element. */
#if defined(__GNUC__) && !defined(__clang__)
#define DNNC_INDEPENDENT DNNC_PRAGMA(GCC ivdep)
#else
#define DNNC_INDEPENDENT
#endif

/* T: element type, U: unsigned type of at least 32 bits */
#define DNNC_INTEGER(name, T, U)                                                                                       \
  DNNC_INLINE T add_##name(T a, T b) { return (T)((U)a + (U)b); }                                                      \
  DNNC_INLINE T sub_##name(T a, T b) { return (T)((U)a - (U)b); }                                                      \
  DNNC_INLINE T mul_##name(T a, T b) { return (T)((U)a * (U)b); }                                                      \
  DNNC_INLINE T max_##name(T a, T b) { return a > b ? a : b; }                                                         \
  DNNC_INLINE T min_##name(T a, T b) { return a < b ? a : b; }                                                         \
  DNNC_INLINE T neg_##name(T a) { return (T)((U)0 - (U)a); }                                                           \
  DNNC_INLINE T floor_##name(T a) { return a; }                                                                        \
  DNNC_INLINE T ceil_##name(T a) { return a; }                                                                         \
  DNNC_INLINE T round_##name(T a) { return a; }                                                                        \
  DNNC_INLINE T and_##name(T a, T b) { return (T)(a & b); }                                                            \
  DNNC_INLINE T or_##name(T a, T b) { return (T)(a | b); }                                                             \
  DNNC_INLINE T xor_##name(T a, T b) { return (T)(a ^ b); }                                                            \
  DNNC_INLINE T bitnot_##name(T a) { return (T)~a; }                                                                   \
  DNNC_INLINE T shl_##name(T a, T b) { return (U)b < 8 * sizeof(T) ? (T)((U)a << (U)b) : (T)0; }                       \
  DNNC_INLINE T shr_##name(T a, T b) {                                                                                 \
    const U last = 8 * sizeof(T) - 1;                                                                                  \
    return (U)b <= last ? (T)(a >> (U)b) : (T)(a >> last >> 1);                                                        \
  }                                                                                                                    \
  DNNC_INLINE dnnc_bool lt_##name(T a, T b) { return a < b; }                                                          \
  DNNC_INLINE dnnc_bool le_##name(T a, T b) { return a <= b; }                                                         \
  DNNC_INLINE dnnc_bool eq_##name(T a, T b) { return a == b; }                                                         \
  DNNC_INLINE dnnc_bool not_##name(T a) { return a == 0; }                                                             \
  DNNC_INLINE dnnc_bool isnan_##name(T a) { return (void)a, (dnnc_bool)0; }                                            \
  DNNC_INLINE dnnc_bool isinf_##name(T a) { return (void)a, (dnnc_bool)0; }

#define DNNC_SIGNED(name, T, U)                                                                                        \
  DNNC_INTEGER(name, T, U)                                                                                             \
  DNNC_INLINE T abs_##name(T a) { return a < 0 ? neg_##name(a) : a; }                                                  \
  DNNC_INLINE T sign_##name(T a) { return (T)((a > 0) - (a < 0)); }                                                    \
  DNNC_INLINE T div_##name(T a, T b) { return b == 0 ? (T)0 : b == -1 ? neg_##name(a) : (T)(a / b); }                  \
  DNNC_INLINE T fmod_##name(T a, T b) { return b == 0 || b == -1 ? (T)0 : (T)(a % b); }                                \
  DNNC_INLINE T mod_##name(T a, T b) {                                                                                 \
    const T rest = fmod_##name(a, b);                                                                                  \
    return rest != 0 && (rest < 0) != (b < 0) ? (T)(rest + b) : rest;                                                  \
  }                                                                                                                    \
  DNNC_INLINE T pow_##name(T a, T b) {                                                                                 \
    if (b < 0) return (T)(a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0);                                           \
    T power = 1;                                                                                                       \
    for (; b > 0; b = (T)(b >> 1), a = mul_##name(a, a))                                                               \
      if (b & 1) power = mul_##name(power, a);                                                                         \
    return power;                                                                                                      \
  }

#define DNNC_UNSIGNED(name, T, U)                                                                                      \
  DNNC_INTEGER(name, T, U)                                                                                             \
  DNNC_INLINE T abs_##name(T a) { return a; }                                                                          \
  DNNC_INLINE T sign_##name(T a) { return (T)(a > 0); }                                                                \
  DNNC_INLINE T div_##name(T a, T b) { return b == 0 ? (T)0 : (T)(a / b); }                                            \
  DNNC_INLINE T fmod_##name(T a, T b) { return b == 0 ? (T)0 : (T)(a % b); }                                           \
  DNNC_INLINE T mod_##name(T a, T b) { return fmod_##name(a, b); }                                                     \
  DNNC_INLINE T pow_##name(T a, T b) {                                                                                 \
    T power = 1;                                                                                                       \
    for (; b > 0; b = (T)(b >> 1), a = mul_##name(a, a))                                                               \
      if (b & 1) power = mul_##name(power, a);                                                                         \
    return power;                                                                                                      \
  }

DNNC_SIGNED(i8, int8_t, uint32_t)
DNNC_SIGNED(i16, int16_t, uint32_t)
DNNC_SIGNED(i32, int32_t, uint32_t)
DNNC_SIGNED(i64, int64_t, uint64_t)
DNNC_UNSIGNED(u8, uint8_t, uint32_t)
DNNC_UNSIGNED(u16, uint16_t, uint32_t)
DNNC_UNSIGNED(u32, uint32_t, uint32_t)
DNNC_UNSIGNED(u64, uint64_t, uint64_t)

/* truth values are 0 or 1 */
DNNC_INLINE dnnc_bool and_bool(dnnc_bool a, dnnc_bool b) { return (dnnc_bool)(a & b); }
DNNC_INLINE dnnc_bool or_bool(dnnc_bool a, dnnc_bool b) { return (dnnc_bool)(a | b); }
DNNC_INLINE dnnc_bool xor_bool(dnnc_bool a, dnnc_bool b) { return (dnnc_bool)(a ^ b); }
DNNC_INLINE dnnc_bool eq_bool(dnnc_bool a, dnnc_bool b) { return a == b; }
DNNC_INLINE dnnc_bool lt_bool(dnnc_bool a, dnnc_bool b) { return a < b; }
DNNC_INLINE dnnc_bool le_bool(dnnc_bool a, dnnc_bool b) { return a <= b; }
DNNC_INLINE dnnc_bool not_bool(dnnc_bool a) { return !a; }
DNNC_INLINE dnnc_bool max_bool(dnnc_bool a, dnnc_bool b) { return (dnnc_bool)(a | b); }
DNNC_INLINE dnnc_bool min_bool(dnnc_bool a, dnnc_bool b) { return (dnnc_bool)(a & b); }
DNNC_INLINE dnnc_bool add_bool(dnnc_bool a, dnnc_bool b) { return (dnnc_bool)(a | b); }
DNNC_INLINE dnnc_bool mul_bool(dnnc_bool a, dnnc_bool b) { return (dnnc_bool)(a & b); }

/* suffix: the letter that libm puts behind its names for the type */
#define DNNC_REAL(name, T, suffix)                                                                                     \
  DNNC_INLINE T pow_##name(T a, T b) { return pow##suffix(a, b); }                                                     \
  DNNC_INLINE T fmod_##name(T a, T b) { return fmod##suffix(a, b); }                                                   \
  DNNC_INLINE T mod_##name(T a, T b) {                                                                                 \
    const T rest = fmod##suffix(a, b);                                                                                 \
    if (rest == 0) return copysign##suffix((T)0, b);                                                                   \
    return (rest < 0) == (b < 0) ? rest : rest + b;                                                                    \
  }                                                                                                                    \
  DNNC_INLINE T sign_##name(T a) { return a > 0 ? (T)1 : a < 0 ? (T)-1 : a; }                                          \
  DNNC_INLINE T sin_##name(T a) { return sin##suffix(a); }                                                             \
  DNNC_INLINE T cos_##name(T a) { return cos##suffix(a); }                                                             \
  DNNC_INLINE T tan_##name(T a) { return tan##suffix(a); }                                                             \
  DNNC_INLINE T asin_##name(T a) { return asin##suffix(a); }                                                           \
  DNNC_INLINE T acos_##name(T a) { return acos##suffix(a); }                                                           \
  DNNC_INLINE T atan_##name(T a) { return atan##suffix(a); }                                                           \
  DNNC_INLINE T sinh_##name(T a) { return sinh##suffix(a); }                                                           \
  DNNC_INLINE T cosh_##name(T a) { return cosh##suffix(a); }                                                           \
  DNNC_INLINE T asinh_##name(T a) { return asinh##suffix(a); }                                                         \
  DNNC_INLINE T acosh_##name(T a) { return acosh##suffix(a); }                                                         \
  DNNC_INLINE T atanh_##name(T a) { return atanh##suffix(a); }                                                         \
  DNNC_INLINE T softplus_##name(T a) { return (a > 0 ? a : (T)0) + log1p##suffix(exp##suffix(-fabs##suffix(a))); }     \
  DNNC_INLINE dnnc_bool lt_##name(T a, T b) { return a < b; }                                                          \
  DNNC_INLINE dnnc_bool le_##name(T a, T b) { return a <= b; }                                                         \
  DNNC_INLINE dnnc_bool eq_##name(T a, T b) { return a == b; }                                                         \
  DNNC_INLINE dnnc_bool not_##name(T a) { return a == 0; }                                                             \
  DNNC_INLINE dnnc_bool isnan_##name(T a) { return a != a; }                                                           \
  DNNC_INLINE dnnc_bool isinf_##name(T a) { return a - a != 0 && a == a; }

DNNC_REAL(f32, float, f)
DNNC_REAL(f64, double, )

DNNC_INLINE double add_f64(double a, double b) { return a + b; }
DNNC_INLINE double sub_f64(double a, double b) { return a - b; }
DNNC_INLINE double mul_f64(double a, double b) { return a * b; }
DNNC_INLINE double div_f64(double a, double b) { return a / b; }
DNNC_INLINE double neg_f64(double a) { return -a; }
DNNC_INLINE double max_f64(double a, double b) { return b > a ? b : a; }
DNNC_INLINE double min_f64(double a, double b) { return b < a ? b : a; }
DNNC_INLINE double maximum_f64(double a, double b) { return b == b ? max_f64(a, b) : b; }
DNNC_INLINE double minimum_f64(double a, double b) { return b == b ? min_f64(a, b) : b; }
DNNC_INLINE double abs_f64(double a) { return fabs(a); }
DNNC_INLINE double sqrt_f64(double a) { return sqrt(a); }
DNNC_INLINE double floor_f64(double a) { return floor(a); }
DNNC_INLINE double ceil_f64(double a) { return ceil(a); }
DNNC_INLINE double round_f64(double a) { return nearbyint(a); }
DNNC_INLINE double exp_f64(double a) { return exp(a); }
DNNC_INLINE double log_f64(double a) { return log(a); }
DNNC_INLINE double tanh_f64(double a) { return tanh(a); }
DNNC_INLINE double erf_f64(double a) { return erf(a); }
DNNC_INLINE double sigmoid_f64(double a) { return 1.0 / (1.0 + exp(-a)); }

/* casts from every integer type to T */
#define DNNC_CASTS_WHOLE(name, T)                                                                                      \
  DNNC_INLINE T cast_i8_##name(int8_t a) { return (T)a; }                                                              \
  DNNC_INLINE T cast_i16_##name(int16_t a) { return (T)a; }                                                            \
  DNNC_INLINE T cast_i32_##name(int32_t a) { return (T)a; }                                                            \
  DNNC_INLINE T cast_i64_##name(int64_t a) { return (T)a; }                                                            \
  DNNC_INLINE T cast_u8_##name(uint8_t a) { return (T)a; }                                                             \
  DNNC_INLINE T cast_u16_##name(uint16_t a) { return (T)a; }                                                           \
  DNNC_INLINE T cast_u32_##name(uint32_t a) { return (T)a; }                                                           \
  DNNC_INLINE T cast_u64_##name(uint64_t a) { return (T)a; }                                                           \
  DNNC_INLINE T cast_i4_##name(int8_t a) { return (T)a; }                                                              \
  DNNC_INLINE T cast_u4_##name(uint8_t a) { return (T)a; }                                                             \
  DNNC_INLINE T cast_bool_##name(dnnc_bool a) { return (T)a; }

/* WebAssembly has an instruction that saturates, and makes 0 of NaN: numbers of fewer bits need no branch then. */
#if defined(__wasm_nontrapping_fptoint__)
#define DNNC_CAST_NARROW(T, a, LOW, TOP)                                                                               \
  if (sizeof(T) < 4) return (T)dnnc_max((int)LOW, dnnc_min(__builtin_wasm_trunc_saturate_s_i32_f32(a), (int)TOP));
#else
#define DNNC_CAST_NARROW(T, a, LOW, TOP)
#endif

/* casts to an integer; LOW and HIGH as double, HIGH being the first value too large */
#define DNNC_CASTS(name, T, LOW, HIGH, TOP)                                                                            \
  DNNC_INLINE T cast_f32_##name(float a) {                                                                             \
    DNNC_CAST_NARROW(T, a, LOW, TOP)                                                                                   \
    return a >= (float)HIGH ? TOP : a > (float)LOW ? (T)a : a == a ? (T)LOW : (T)0;                                    \
  }                                                                                                                    \
  DNNC_INLINE T cast_f64_##name(double a) { return a >= HIGH ? TOP : a > LOW ? (T)a : a == a ? (T)LOW : (T)0; }        \
  DNNC_CASTS_WHOLE(name, T)

DNNC_CASTS(i8, int8_t, -128.0, 128.0, INT8_MAX)
DNNC_CASTS(i16, int16_t, -32768.0, 32768.0, INT16_MAX)
DNNC_CASTS(i32, int32_t, -2147483648.0, 2147483648.0, INT32_MAX)
DNNC_CASTS(i64, int64_t, -9223372036854775808.0, 9223372036854775808.0, INT64_MAX)
DNNC_CASTS(u8, uint8_t, 0.0, 256.0, UINT8_MAX)
DNNC_CASTS(u16, uint16_t, 0.0, 65536.0, UINT16_MAX)
DNNC_CASTS(u32, uint32_t, 0.0, 4294967296.0, UINT32_MAX)
DNNC_CASTS(u64, uint64_t, 0.0, 18446744073709551616.0, UINT64_MAX)

/* Casts to 4 bits, which stand in a byte of their own: floats go by way of int32_t, and integers wrap. */
DNNC_INLINE int8_t wrap_i4(unsigned a) { return (int8_t)((int)((a & 15U) ^ 8U) - 8); }
DNNC_INLINE uint8_t wrap_u4(unsigned a) { return (uint8_t)(a & 15U); }

#define DNNC_CASTS_NIBBLE(name, T)                                                                                     \
  DNNC_INLINE T cast_f64_##name(double a) { return wrap_##name((unsigned)cast_f64_i32(a)); }                           \
  DNNC_INLINE T cast_f32_##name(float a) { return wrap_##name((unsigned)cast_f32_i32(a)); }                            \
  DNNC_INLINE T cast_i8_##name(int8_t a) { return wrap_##name((unsigned)a); }                                          \
  DNNC_INLINE T cast_i16_##name(int16_t a) { return wrap_##name((unsigned)a); }                                        \
  DNNC_INLINE T cast_i32_##name(int32_t a) { return wrap_##name((unsigned)a); }                                        \
  DNNC_INLINE T cast_i64_##name(int64_t a) { return wrap_##name((unsigned)a); }                                        \
  DNNC_INLINE T cast_u8_##name(uint8_t a) { return wrap_##name((unsigned)a); }                                         \
  DNNC_INLINE T cast_u16_##name(uint16_t a) { return wrap_##name((unsigned)a); }                                       \
  DNNC_INLINE T cast_u32_##name(uint32_t a) { return wrap_##name((unsigned)a); }                                       \
  DNNC_INLINE T cast_u64_##name(uint64_t a) { return wrap_##name((unsigned)a); }                                       \
  DNNC_INLINE T cast_bool_##name(dnnc_bool a) { return (T)a; }

DNNC_CASTS_NIBBLE(i4, int8_t)
DNNC_CASTS_NIBBLE(u4, uint8_t)
DNNC_INLINE uint8_t cast_i4_u4(int8_t a) { return wrap_u4((unsigned)a); }
DNNC_INLINE int8_t cast_u4_i4(uint8_t a) { return wrap_i4((unsigned)a); }

#define DNNC_CASTS_REAL(name, T)                                                                                       \
  DNNC_INLINE T cast_f32_##name(float a) { return (T)a; }                                                              \
  DNNC_INLINE T cast_f64_##name(double a) { return (T)a; }                                                             \
  DNNC_CASTS_WHOLE(name, T)

DNNC_CASTS_REAL(f32, float)
DNNC_CASTS_REAL(f64, double)

#define DNNC_CASTS_BOOL(from, T)                                                                                       \
  DNNC_INLINE dnnc_bool cast_##from##_bool(T a) { return a != 0; }

DNNC_CASTS_BOOL(f32, float)
DNNC_CASTS_BOOL(f64, double)
DNNC_CASTS_BOOL(i8, int8_t)
DNNC_CASTS_BOOL(i16, int16_t)
DNNC_CASTS_BOOL(i32, int32_t)
DNNC_CASTS_BOOL(i64, int64_t)
DNNC_CASTS_BOOL(u8, uint8_t)
DNNC_CASTS_BOOL(u16, uint16_t)
DNNC_CASTS_BOOL(u32, uint32_t)
DNNC_CASTS_BOOL(u64, uint64_t)
DNNC_CASTS_BOOL(i4, int8_t)
DNNC_CASTS_BOOL(u4, uint8_t)

/* Half-width floats are their bits. Conversions round to nearest, ties to even; those to float are in scalar.h. */
DNNC_INLINE uint16_t cast_f64_f16(double a) {
  uint64_t bits;
  memcpy(&bits, &a, sizeof bits);
  const uint16_t sign = (uint16_t)((bits >> 48) & 0x8000U);
  const double size = fabs(a);
  if (a != a) return 0x7e00U;
  if (size >= 65520.0) return (uint16_t)(sign | 0x7c00U);
  if (size < 0x1p-14) return (uint16_t)(sign | (uint16_t)nearbyint(size * 0x1p24));
  bits &= UINT64_C(0x7fffffffffffffff);
  bits += UINT64_C(0x1ffffffffff) + ((bits >> 42) & 1U);
  return (uint16_t)(sign | (uint16_t)((bits >> 42) - ((UINT64_C(1023) - 15) << 10)));
}
DNNC_INLINE uint16_t cast_f32_f16(float a) { return cast_f64_f16((double)a); }
DNNC_INLINE uint16_t cast_f32_bf16(float a) {
  uint32_t bits;
  memcpy(&bits, &a, sizeof bits);
  return a != a ? (uint16_t)0x7fc0U : (uint16_t)((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}
DNNC_INLINE uint16_t cast_f64_bf16(double a) { return cast_f32_bf16((float)a); }

#define DNNC_CASTS_HALF(name)                                                                                          \
  DNNC_INLINE uint16_t cast_i8_##name(int8_t a) { return cast_f64_##name((double)a); }                                 \
  DNNC_INLINE uint16_t cast_i16_##name(int16_t a) { return cast_f64_##name((double)a); }                               \
  DNNC_INLINE uint16_t cast_i32_##name(int32_t a) { return cast_f64_##name((double)a); }                               \
  DNNC_INLINE uint16_t cast_i64_##name(int64_t a) { return cast_f64_##name((double)a); }                               \
  DNNC_INLINE uint16_t cast_u8_##name(uint8_t a) { return cast_f64_##name((double)a); }                                \
  DNNC_INLINE uint16_t cast_u16_##name(uint16_t a) { return cast_f64_##name((double)a); }                              \
  DNNC_INLINE uint16_t cast_u32_##name(uint32_t a) { return cast_f64_##name((double)a); }                              \
  DNNC_INLINE uint16_t cast_u64_##name(uint64_t a) { return cast_f64_##name((double)a); }                              \
  DNNC_INLINE uint16_t cast_i4_##name(int8_t a) { return cast_f64_##name((double)a); }                                 \
  DNNC_INLINE uint16_t cast_u4_##name(uint8_t a) { return cast_f64_##name((double)a); }                                \
  DNNC_INLINE uint16_t cast_bool_##name(dnnc_bool a) { return cast_f64_##name((double)a); }

DNNC_CASTS_HALF(f16)
DNNC_CASTS_HALF(bf16)

#define DNNC_CASTS_FROM_HALF(name)                                                                                     \
  DNNC_INLINE double cast_##name##_f64(uint16_t a) { return cast_f32_f64(cast_##name##_f32(a)); }                      \
  DNNC_INLINE int8_t cast_##name##_i8(uint16_t a) { return cast_f32_i8(cast_##name##_f32(a)); }                        \
  DNNC_INLINE int16_t cast_##name##_i16(uint16_t a) { return cast_f32_i16(cast_##name##_f32(a)); }                     \
  DNNC_INLINE int32_t cast_##name##_i32(uint16_t a) { return cast_f32_i32(cast_##name##_f32(a)); }                     \
  DNNC_INLINE int64_t cast_##name##_i64(uint16_t a) { return cast_f32_i64(cast_##name##_f32(a)); }                     \
  DNNC_INLINE uint8_t cast_##name##_u8(uint16_t a) { return cast_f32_u8(cast_##name##_f32(a)); }                       \
  DNNC_INLINE uint16_t cast_##name##_u16(uint16_t a) { return cast_f32_u16(cast_##name##_f32(a)); }                    \
  DNNC_INLINE uint32_t cast_##name##_u32(uint16_t a) { return cast_f32_u32(cast_##name##_f32(a)); }                    \
  DNNC_INLINE uint64_t cast_##name##_u64(uint16_t a) { return cast_f32_u64(cast_##name##_f32(a)); }                    \
  DNNC_INLINE int8_t cast_##name##_i4(uint16_t a) { return cast_f32_i4(cast_##name##_f32(a)); }                        \
  DNNC_INLINE uint8_t cast_##name##_u4(uint16_t a) { return cast_f32_u4(cast_##name##_f32(a)); }                       \
  DNNC_INLINE dnnc_bool cast_##name##_bool(uint16_t a) { return cast_f32_bool(cast_##name##_f32(a)); }

DNNC_CASTS_FROM_HALF(f16)
DNNC_CASTS_FROM_HALF(bf16)
DNNC_INLINE uint16_t cast_f16_bf16(uint16_t a) { return cast_f32_bf16(cast_f16_f32(a)); }
DNNC_INLINE uint16_t cast_bf16_f16(uint16_t a) { return cast_f32_f16(cast_bf16_f32(a)); }

#endif
