/* ir/ops/bitcast/kernel.h: the bytes of x, to be read as another type */
#ifndef DNNC_BITCAST_KERNEL_H
#define DNNC_BITCAST_KERNEL_H

#include "dnnc.h"

typedef struct {
  int bytes;
} bitcast_shape;

DNNC_INLINE void bitcast(const void *x, void *y, const bitcast_shape s) { memcpy(y, x, (size_t)s.bytes); }

#endif
