/* conv, written by dnnc 0.1.0 from net.onnx. Do not edit.
 *
 * The caller supplies everything: the weights (conv.weights, read or mapped, read-only, shared by all threads), one arena
 * per thread, inputs and outputs. Nothing is allocated and nothing is global. */
#ifndef CONV_H
#define CONV_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CONV_WEIGHTS_BYTES 3008u
#define CONV_WEIGHTS_ALIGN 64u
#define CONV_ARENA_BYTES 1728u
#define CONV_ARENA_ALIGN 64u
#define CONV_BUILD_HASH {0x34, 0xd8, 0x27, 0x28, 0xab, 0x50, 0x15, 0x03, 0x28, 0x9d, 0x4f, 0x39, 0xdb, 0x30, 0x1a, 0x70}

enum {
  CONV_OK = 0,
  CONV_ERROR_TRUNCATED = 1,   /* fewer bytes than the weights of this build have */
  CONV_ERROR_NOT_A_BLOB = 2,  /* not a file of weights */
  CONV_ERROR_FORMAT = 3,      /* another version of the format */
  CONV_ERROR_BYTE_ORDER = 4,  /* the other byte order */
  CONV_ERROR_OTHER_BUILD = 5, /* weights of another build */
  CONV_ERROR_DAMAGED = 6,     /* the checksum does not fit */
  CONV_ERROR_MISALIGNED = 7   /* not at a multiple of CONV_WEIGHTS_ALIGN */
};

/* Weights that were checked. */
typedef struct {
  const unsigned char *data;
} conv_weights;

/* Checks a blob of weights and, if it is right, makes it usable: it must stay where it is. Returns CONV_OK or an error. */
int conv_open(const void *blob, size_t bytes, conv_weights *out);
int conv_check(const void *blob, size_t bytes);

/* Task classes: 4520 multiply-accumulates.
 *   image: float[192], shape [1][3][8][8] (input "image")
 *   scores: float[5], shape [1][5] (output "scores")
 */
void conv_classes(const conv_weights *weights, void *arena, const float *image, float *scores);

/* The same for loaders: `weights` is a checked blob. Returns CONV_OK. */
int conv_classes_invoke(const void *weights, void *arena, const void *const *in, void *const *out);
#ifdef DNNC_TRACE
/* Calls `after` with -1 first and then with the index of each step. */
int conv_classes_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user);
#endif

#ifdef __cplusplus
}
#endif

#endif
