/* Reads the number on a rendered road sign.
 *
 *     program sign.weights picture.rgb    weights from a file
 *     program picture.rgb                 weights in the program: compiled with -DEMBEDDED, after `dnnc build --weights c`
 *
 * A picture is 48 rows of 48 pixels, three bytes each: red, green, blue. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "sign.h"

enum { SIZE = 48, PIXELS = SIZE * SIZE, CLASSES = 11 };

static const char *const labels[CLASSES] = {"none", "20", "30", "40", "50", "60", "70", "80", "90", "100", "120"};

/* Scratch memory for one thread. A larger array and a step forward give any alignment in plain C11 and in C++. */
static unsigned char arena[SIGN_ARENA_BYTES + SIGN_ARENA_ALIGN];

static unsigned char *align(unsigned char *at, size_t alignment) {
  return at + (alignment - (uintptr_t)at % alignment) % alignment;
}

/* Returns 1 if the file has exactly that many bytes. */
static int read_file(const char *path, unsigned char *into, size_t bytes) {
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  const size_t got = fread(into, 1, bytes, file);
  const int whole = got == bytes && fgetc(file) == EOF;
  fclose(file);
  return whole;
}

/* Returns the checked weights, or fails with a message and 0. */
static int open_weights(const char *path, sign_weights *weights) {
#ifdef EMBEDDED
  (void)path;
  const void *blob = sign_blob;
#else
  /* On a system with mmap, map the file instead: all processes then share one copy, and pages come in as they are needed. */
  static unsigned char file[SIGN_WEIGHTS_BYTES + SIGN_WEIGHTS_ALIGN];
  unsigned char *blob = align(file, SIGN_WEIGHTS_ALIGN);
  if (!read_file(path, blob, SIGN_WEIGHTS_BYTES)) {
    fprintf(stderr, "%s: cannot be read, or has not %u bytes\n", path, SIGN_WEIGHTS_BYTES);
    return 0;
  }
#endif
  const int error = sign_open(blob, SIGN_WEIGHTS_BYTES, weights);
  if (error != SIGN_OK) fprintf(stderr, "%s: not the weights of this program (SIGN_ERROR %d)\n", path, error);
  return error == SIGN_OK;
}

int main(int argc, char **argv) {
#ifdef EMBEDDED
  const char *weights_path = argv[0], *picture_path = argc == 2 ? argv[1] : NULL;
#else
  const char *weights_path = argv[1], *picture_path = argc == 3 ? argv[2] : NULL;
#endif
  if (!picture_path) {
    fprintf(stderr, "usage: see the first lines of main.c\n");
    return EXIT_FAILURE;
  }
  sign_weights weights;
  if (!open_weights(weights_path, &weights)) return EXIT_FAILURE;

  static unsigned char picture[3 * PIXELS];
  if (!read_file(picture_path, picture, sizeof picture)) {
    fprintf(stderr, "%s: cannot be read, or is not 48 x 48 pixels\n", picture_path);
    return EXIT_FAILURE;
  }

  /* The input is prepared as "input" in dnnc.config.json and in the manifest say: (x - 127.5) / 127.5, one plane per colour. */
  static float pixels[3 * PIXELS];
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < PIXELS; i++) pixels[c * PIXELS + i] = ((float)picture[3 * i + c] - 127.5f) / 127.5f;

  float scores[CLASSES];
  sign_number(&weights, align(arena, SIGN_ARENA_ALIGN), pixels, scores);

  int best = 0;
  for (int c = 1; c < CLASSES; c++)
    if (scores[c] > scores[best]) best = c;
  printf("%s\n", labels[best]);
  return EXIT_SUCCESS;
}
