/* amx.h: what the intrinsic functions of AMX do, in C (Intel SDM volume 2), for processors without it: to be included before all else.
 * Stops where a processor would: sizes that do not fit each other, or that no tile has. */
#ifndef DNNC_TEST_AMX_H
#define DNNC_TEST_AMX_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* for what is included later */
#endif

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbusd
#define _tile_loadconfig amx_loadconfig
#define _tile_release amx_release
#define _tile_zero amx_zero
#define _tile_loadd amx_loadd
#define _tile_stored amx_stored
#define _tile_dpbusd amx_dpbusd
#ifndef __AMX_INT8__
#define __AMX_INT8__ 1
#endif

static struct {
  int is_on, rows[8], row_bytes[8];
  uint8_t data[8][16][64];
} amx;

static inline void amx_expect(int holds) {
  if (!holds) __builtin_trap();
}

static inline void amx_loadconfig(const void *operand) {
  const uint8_t *config = (const uint8_t *)operand;
  amx_expect(config[0] == 1 && config[1] == 0);
  memset(&amx, 0, sizeof amx);
  amx.is_on = 1;
  for (int i = 0; i < 8; i++) {
    amx.row_bytes[i] = config[16 + 2 * i] + 256 * config[17 + 2 * i];
    amx.rows[i] = config[48 + i];
    amx_expect(amx.row_bytes[i] > 0 && amx.row_bytes[i] <= 64 && amx.row_bytes[i] % 4 == 0);
    amx_expect(amx.rows[i] > 0 && amx.rows[i] <= 16);
  }
}

static inline void amx_release(void) { amx.is_on = 0; }

static inline void amx_zero(int tile) {
  amx_expect(amx.is_on);
  memset(amx.data[tile], 0, sizeof amx.data[tile]);
}

static inline void amx_loadd(int tile, const void *base, ptrdiff_t stride) {
  amx_zero(tile);
  for (int r = 0; r < amx.rows[tile]; r++)
    memcpy(amx.data[tile][r], (const uint8_t *)base + r * stride, (size_t)amx.row_bytes[tile]);
}

static inline void amx_stored(int tile, void *base, ptrdiff_t stride) {
  amx_expect(amx.is_on);
  for (int r = 0; r < amx.rows[tile]; r++)
    memcpy((uint8_t *)base + r * stride, amx.data[tile][r], (size_t)amx.row_bytes[tile]);
}

/* sums += a b: unsigned bytes by signed ones, four at a time. */
static inline void amx_dpbusd(int sums, int a, int b) {
  amx_expect(amx.is_on && amx.rows[sums] == amx.rows[a] && amx.row_bytes[sums] == amx.row_bytes[b]);
  amx_expect(amx.row_bytes[a] == 4 * amx.rows[b]);
  for (int m = 0; m < amx.rows[sums]; m++)
    for (int n = 0; n < amx.row_bytes[sums] / 4; n++) {
      int32_t sum;
      memcpy(&sum, &amx.data[sums][m][4 * n], 4);
      for (int k = 0; k < amx.row_bytes[a]; k++) sum += amx.data[a][m][k] * (int8_t)amx.data[b][k / 4][4 * n + k % 4];
      memcpy(&amx.data[sums][m][4 * n], &sum, 4);
    }
}

#endif
