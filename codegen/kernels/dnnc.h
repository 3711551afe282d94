/* dnnc.h: what every kernel starts with. C11, and the same text is C++17, for gcc and clang.
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

/* Output points that the portable kernels work on at once. */
#define DNNC_PORTABLE_POINTS 4

#define DNNC_INLINE static inline __attribute__((always_inline))
#define DNNC_RESTRICT __restrict

/* Before a loop. DNNC_UNROLL(n): gcc unrolls it n times; others decide for themselves (clang unrolls short literal
 * loops unasked, and warns about a request that it cannot meet). DNNC_KEEP_LOOP: keep it a loop until it is vectorised;
 * unrolled first, it would have to be recognised again as parallel, which compilers mostly fail to do. */
#define DNNC_PRAGMA(text) _Pragma(#text)
#if defined(__GNUC__) && !defined(__clang__)
#define DNNC_UNROLL(n) DNNC_PRAGMA(GCC unroll n)
#define DNNC_KEEP_LOOP DNNC_PRAGMA(GCC unroll 1)
#else
#define DNNC_UNROLL(n)
#define DNNC_KEEP_LOOP DNNC_PRAGMA(clang loop unroll(disable))
#endif

DNNC_INLINE int dnnc_min(int a, int b) { return a < b ? a : b; }
DNNC_INLINE int dnnc_max(int a, int b) { return a > b ? a : b; }
DNNC_INLINE int dnnc_ceil_div(int a, int b) { return (a + b - 1) / b; }

#endif
