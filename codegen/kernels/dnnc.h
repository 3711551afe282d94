/* dnnc.h: what every kernel starts with. C11; the same text is C++17.
 *
 * A kernel is a header of static functions that always inline. The caller passes its shape as a struct whose fields
 * are literals, so after inlining every bound, stride and tail is a constant to the C compiler. */
#ifndef DNNC_H
#define DNNC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Output channels in one panel of packed weights, on every target. */
#define DNNC_PANEL 16

#if defined(__GNUC__)
#define DNNC_INLINE static inline __attribute__((always_inline))
#define DNNC_RESTRICT __restrict
#elif defined(_MSC_VER)
#define DNNC_INLINE static __forceinline
#define DNNC_RESTRICT __restrict
#else
#define DNNC_INLINE static inline
#if defined(__cplusplus)
#define DNNC_RESTRICT
#else
#define DNNC_RESTRICT restrict
#endif
#endif

/* DNNC_UNROLL(n) before a loop: gcc unrolls it n times. Others decide for themselves (clang unrolls short literal
 * loops unasked, and warns about a request that it cannot meet). */
#define DNNC_PRAGMA(text) _Pragma(#text)
#if defined(__GNUC__) && !defined(__clang__)
#define DNNC_UNROLL(n) DNNC_PRAGMA(GCC unroll n)
#else
#define DNNC_UNROLL(n)
#endif

DNNC_INLINE int dnnc_min(int a, int b) { return a < b ? a : b; }
DNNC_INLINE int dnnc_max(int a, int b) { return a > b ? a : b; }
DNNC_INLINE int dnnc_ceil_div(int a, int b) { return (a + b - 1) / b; }

#endif
