/* bytes_test.c: how floats become bytes, and how bytes are put side by side. */
#include "check_u8.h"

/* Halves, bounds, and what is beyond them. */
static const float values[] = {0.0f,   0.5f,   1.5f,   2.5f,   254.49f, 254.5f, 255.0f, 255.5f, 256.0f, 1e9f,   3e9f,   1e30f,
                               -0.4f,  -0.6f,  -3.0f,  -1e9f,  -3e9f,   -1e30f, 127.0f, 128.0f, 99.5f,  100.5f, 13.25f, 200.75f};
enum { VALUES = (int)(sizeof values / sizeof values[0]) };

static float value_at(int i) {
  const int at = i % (VALUES + 3);
  if (at < VALUES) return values[at];
  return at == VALUES ? NAN : at == VALUES + 1 ? INFINITY : -INFINITY;
}
static double byte_of(float a) { return isnan(a) ? 0 : fmin(fmax(nearbyint((double)a), 0), 255); }

static void check_stores(int first) {
  enum { COUNT = 4 * DNNC_LANES };
  float a[COUNT];
  for (int i = 0; i < COUNT; i++) a[i] = value_at(first + i);
  for (int count = 0; count <= DNNC_LANES; count++) {
    uint8_t *y = (uint8_t *)check_bytes(count);
    v_store_bytes(y, v_load(a), count);
    for (int i = 0; i < count; i++) check_near("v_store_bytes", count, i, y[i], byte_of(a[i]), 0);
    check_release();
  }
#if DNNC_LANES > 1
  uint8_t *y = (uint8_t *)check_bytes(COUNT);
  v_store_bytes4(y, v_load(a), v_load(a + DNNC_LANES), v_load(a + 2 * DNNC_LANES), v_load(a + 3 * DNNC_LANES));
  for (int i = 0; i < COUNT; i++) check_near("v_store_bytes4", first, i, y[i], byte_of(a[i]), 0);
  check_release();
#endif
}

#if DNNC_LANES > 1
static void check_interleave3(int count) {
  uint8_t planes[3][16];
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < 16; i++) planes[c][i] = (uint8_t)check_int(0, 255);
  uint8_t *y = (uint8_t *)check_bytes(3 * count);
  dnnc_interleave3(y, planes, count);
  for (int i = 0; i < count; i++)
    for (int c = 0; c < 3; c++) check_near("dnnc_interleave3", count, 3 * i + c, y[3 * i + c], planes[c][i], 0);
  check_release();
}
#endif

int main(void) {
  for (int first = 0; first < VALUES + 3; first++) check_stores(first);
#if DNNC_LANES > 1
  for (int count = 1; count <= 16; count++) check_interleave3(count);
#endif
  printf("bytes: %d elements\n", check_count);
  return 0;
}
