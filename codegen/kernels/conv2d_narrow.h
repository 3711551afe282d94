/* conv2d_narrow.h: conv2d_f32 with weights of fewer bits, for layers that wait for their weights.
 *
 * w is [groups][ceil(oc / 16)][kh][kw][ic][16] in the type of the name (weights.h). scales, where s.group is not 0, is
 * [groups][ceil(oc / 16)][ceil(kh * kw * ic / s.group)][16]: each s.group steps in turn of the sum over kh, kw and ic have a
 * scale per output channel. Everything else is as in conv2d_f32.h, and so is every bit of the result. */
#ifndef DNNC_CONV2D_NARROW_H
#define DNNC_CONV2D_NARROW_H

#include "conv2d_f32.h"

#define DNNC_CONV2D_BY_WAY(name, type, way)                                                                        \
  DNNC_INLINE void name##_##way(const float *x, const void *w, const float *scales, const float *b, float *y,      \
                                const float *e0, const float *e1, const conv2d_shape s, dnnc_epilogue f) {         \
    const conv2d_operands o = {x, {w, type, scales, s.group}, b, y, e0, e1};                                       \
    conv2d_##way(o, s, f);                                                                                         \
  }

#if DNNC_LANES > 1
#define DNNC_CONV2D_BY(name, type)               \
  DNNC_CONV2D_BY_WAY(name, type, portable)       \
  DNNC_CONV2D_BY_WAY(name, type, simd)           \
  DNNC_CONV2D_BY_WAY(name, type, simd_even)
#else
#define DNNC_CONV2D_BY(name, type) DNNC_CONV2D_BY_WAY(name, type, portable)
#endif

DNNC_CONV2D_BY(conv2d_f32_by_f16, DNNC_F16)
DNNC_CONV2D_BY(conv2d_f32_by_bf16, DNNC_BF16)
DNNC_CONV2D_BY(conv2d_f32_by_i8, DNNC_I8)
DNNC_CONV2D_BY(conv2d_f32_by_i4, DNNC_I4)

#endif
