/* freestanding/string.h: what the kernels use of <string.h>, where there is no libc. Copies are instructions there. */
#ifndef DNNC_FREESTANDING_STRING_H
#define DNNC_FREESTANDING_STRING_H

#include <stddef.h>

#define memcpy(to, from, bytes) __builtin_memcpy(to, from, bytes)
#define memmove(to, from, bytes) __builtin_memmove(to, from, bytes)
#define memset(to, value, bytes) __builtin_memset(to, value, bytes)

static inline int memcmp(const void *a, const void *b, size_t bytes) {
  const unsigned char *p = (const unsigned char *)a, *q = (const unsigned char *)b;
  for (size_t i = 0; i < bytes; i++)
    if (p[i] != q[i]) return p[i] < q[i] ? -1 : 1;
  return 0;
}

#endif
