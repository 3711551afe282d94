/* two heads, written by dnnc 0.1.0 from net.onnx. Do not edit.
 *
 * The caller supplies everything: the weights (two_heads.weights, read or mapped, read-only, shared by all threads), one arena
 * per thread, inputs and outputs. Nothing is allocated and nothing is global. */
#ifndef TWO_HEADS_H
#define TWO_HEADS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TWO_HEADS_WEIGHTS_BYTES 1024u
#define TWO_HEADS_WEIGHTS_ALIGN 64u
#define TWO_HEADS_ARENA_BYTES 1280u
#define TWO_HEADS_ARENA_ALIGN 64u
#define TWO_HEADS_BUILD_HASH {0x65, 0x33, 0x5f, 0x9b, 0x20, 0x73, 0xeb, 0xa9, 0x0a, 0x28, 0x8b, 0xb5, 0x09, 0x5b, 0x3c, 0x20}

enum {
  TWO_HEADS_OK = 0,
  TWO_HEADS_ERROR_TRUNCATED = 1,   /* fewer bytes than the weights of this build have */
  TWO_HEADS_ERROR_NOT_A_BLOB = 2,  /* not a file of weights */
  TWO_HEADS_ERROR_FORMAT = 3,      /* another version of the format */
  TWO_HEADS_ERROR_BYTE_ORDER = 4,  /* the other byte order */
  TWO_HEADS_ERROR_OTHER_BUILD = 5, /* weights of another build */
  TWO_HEADS_ERROR_DAMAGED = 6,     /* the checksum does not fit */
  TWO_HEADS_ERROR_MISALIGNED = 7   /* not at a multiple of TWO_HEADS_WEIGHTS_ALIGN */
};

/* Weights that were checked. */
typedef struct {
  const unsigned char *data;
} two_heads_weights;

/* Checks a blob of weights and, if it is right, makes it usable: it must stay where it is. Returns TWO_HEADS_OK or an error. */
int two_heads_open(const void *blob, size_t bytes, two_heads_weights *out);
int two_heads_check(const void *blob, size_t bytes);

/* Task while: 1100 multiply-accumulates.
 *   x: float[100], shape [1][4][5][5] (input "x")
 *   both: float[150], shape [1][6][5][5] (output "both")
 */
void two_heads_x_while(const two_heads_weights *weights, void *arena, const float *x, float *both);

/* The same for loaders: `weights` is a checked blob. Returns TWO_HEADS_OK. */
int two_heads_x_while_invoke(const void *weights, void *arena, const void *const *in, void *const *out);
#ifdef DNNC_TRACE
/* Calls `after` with -1 first and then with the index of each step. */
int two_heads_x_while_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user);
#endif

/* Task trunk & ids: 900 multiply-accumulates.
 *   x: float[100], shape [1][4][5][5] (input "x")
 *   ids: int32_t[6], shape [1][6] (input "ids")
 *   trunk: float[100], shape [1][4][5][5] (output "trunk")
 *   twice: int32_t[6], shape [1][6] (output "twice")
 */
void two_heads_trunk_ids(const two_heads_weights *weights, void *arena, const float *x, const int32_t *ids, float *trunk, int32_t *twice);

/* The same for loaders: `weights` is a checked blob. Returns TWO_HEADS_OK. */
int two_heads_trunk_ids_invoke(const void *weights, void *arena, const void *const *in, void *const *out);
#ifdef DNNC_TRACE
/* Calls `after` with -1 first and then with the index of each step. */
int two_heads_trunk_ids_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user);
#endif

#ifdef __cplusplus
}
#endif

#endif
