/* maps, written by dnnc 0.1.0 from net.onnx. Do not edit.
 *
 * The caller supplies everything: the weights (maps.weights, read or mapped, read-only, shared by all threads), one arena
 * per thread, inputs and outputs. Nothing is allocated and nothing is global. */
#ifndef MAPS_H
#define MAPS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAPS_WEIGHTS_BYTES 64u
#define MAPS_WEIGHTS_ALIGN 64u
#define MAPS_ARENA_BYTES 64u
#define MAPS_ARENA_ALIGN 64u
#define MAPS_BUILD_HASH {0x50, 0x04, 0x7f, 0xd2, 0x7d, 0x35, 0x86, 0x0c, 0x8c, 0x8d, 0xf7, 0xa7, 0xd3, 0xbc, 0x2d, 0x1d}

enum {
  MAPS_OK = 0,
  MAPS_ERROR_TRUNCATED = 1,   /* fewer bytes than the weights of this build have */
  MAPS_ERROR_NOT_A_BLOB = 2,  /* not a file of weights */
  MAPS_ERROR_FORMAT = 3,      /* another version of the format */
  MAPS_ERROR_BYTE_ORDER = 4,  /* the other byte order */
  MAPS_ERROR_OTHER_BUILD = 5, /* weights of another build */
  MAPS_ERROR_DAMAGED = 6,     /* the checksum does not fit */
  MAPS_ERROR_MISALIGNED = 7   /* not at a multiple of MAPS_WEIGHTS_ALIGN */
};

/* Weights that were checked. */
typedef struct {
  const unsigned char *data;
} maps_weights;

/* Checks a blob of weights and, if it is right, makes it usable: it must stay where it is. Returns MAPS_OK or an error. */
int maps_open(const void *blob, size_t bytes, maps_weights *out);
int maps_check(const void *blob, size_t bytes);

/* Task y: 0 multiply-accumulates.
 *   a_b: float[12], shape [3][4] (input "a * / b")
 *   row: float[4], shape [4] (input "row")
 *   wave: float[12], shape [3][4] (output "wave")
 *   whole: int8_t[6], shape [3][2] (output "whole")
 */
void maps_y(const maps_weights *weights, void *arena, const float *a_b, const float *row, float *wave, int8_t *whole);

/* The same for loaders: `weights` is a checked blob. Returns MAPS_OK. */
int maps_y_invoke(const void *weights, void *arena, const void *const *in, void *const *out);
#ifdef DNNC_TRACE
/* Calls `after` with -1 first and then with the index of each step. */
int maps_y_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user);
#endif

#ifdef __cplusplus
}
#endif

#endif
