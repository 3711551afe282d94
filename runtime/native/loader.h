/*
 * dnnc loader: a generic Node-API (version 8) addon that opens what `dnnc build` wrote and calls it without copying.
 *
 *   cc -shared -fPIC -O2 -I .../node-api-headers/include loader.c cpu.c library.c entry.c async.c measure.c logistic.c product.c -o loader.node
 *
 * loader.c   the exports, and how JavaScript objects hold C ones
 * cpu.c      features of the CPU that the operating system lets programs use
 * library.c  a library, and the weights that it reads
 * entry.c    one bound entry: checks arrays, calls
 * async.c    the same call on the thread pool
 * measure.c  time per call, time per step, arena after each step
 * logistic.c what fitting a head spends its time on
 * product.c  what fitting a layer spends its time on
 *
 * Rules that keep this safe. Libraries, blobs and entries are counted; whoever uses one holds a count, and the garbage
 * collector drops the counts of JavaScript objects. JavaScript that could run (getters, proxies) runs before pointers into
 * arrays are taken, and none runs until they are last used. No writable globals: worker threads may load the addon too.
 */
#ifndef DNNC_LOADER_H
#define DNNC_LOADER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define NAPI_VERSION 8
#include <node_api.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of what this addon exports; the runtime asks for an equal one. */
#define DNNC_LOADER_VERSION 5
/* Inputs and outputs of one entry together: bounds the stack that a call uses. */
#define DNNC_MAX_TENSORS 64

typedef int dnnc_check(const void *blob, size_t bytes);
typedef int dnnc_invoke(const void *blob, void *arena, const void *const *inputs, void *const *outputs);
typedef int dnnc_trace(const void *blob, void *arena, const void *const *inputs, void *const *outputs,
                       void (*after)(void *user, int step), void *user);

struct library {
  long users;
  void *handle;
};

/* Weights: a mapped file, bytes inside a library, or memory of their own. */
struct blob {
  long users;
  const void *data;
  size_t bytes;
  bool mapped;
  void *held; /* NULL, or what data points to, to be freed */
  struct library *library;
};

struct tensor {
  size_t elements;
  size_t bytes;
  napi_typedarray_type type;
};

struct entry {
  long users;
  struct library *library;
  struct blob *blob;
  dnnc_invoke *invoke;
  dnnc_trace *trace; /* NULL unless bound with the name of a trace entry */
  char *name;
  void *arena; /* of the thread that bound it; async calls take others */
  size_t arena_bytes;
  struct arena_pool *pool;
  size_t inputs;
  size_t tensors; /* inputs, then outputs */
  struct tensor tensor[DNNC_MAX_TENSORS];
};

/* loader.c: throwing returns NULL, so that `return throw_range(...)` ends a callback. */
#if defined(__GNUC__)
#define DNNC_PRINTF __attribute__((format(printf, 2, 3)))
#else
#define DNNC_PRINTF
#endif
void *throw_error(napi_env env, const char *format, ...) DNNC_PRINTF;
void *throw_type(napi_env env, const char *format, ...) DNNC_PRINTF;
void *throw_range(napi_env env, const char *format, ...) DNNC_PRINTF;
/* Throws what Node-API says about the call that failed, unless an exception is pending already. */
void *throw_last(napi_env env);
/* Arguments that are missing are undefined. Returns the data of the function. */
void *arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);
/* A whole number from 0 to most. */
bool get_count(napi_env env, napi_value value, const char *what, double most, size_t *count);
/* The caller frees. */
char *get_string(napi_env env, napi_value value, const char *what);
/* An object that owns one count of `held`; `finalize` drops it, at once if wrapping fails. */
napi_value wrap(napi_env env, void *held, napi_finalize finalize, const napi_type_tag *tag);
void *unwrap(napi_env env, napi_value value, const napi_type_tag *tag, const char *what);
/* Adds a function to an object. It owns one count of `held`, which `finalize` drops. */
bool add_function(napi_env env, napi_value object, const char *name, napi_callback run, void *held, napi_finalize finalize);

/* cpu.c */
/* Asks the operating system for what libraries may need of the CPU. */
void cpu_begin(void);
napi_value cpu_features(napi_env env, napi_callback_info info);

/* library.c */
extern const napi_type_tag library_tag;
extern const napi_type_tag blob_tag;
void library_release(struct library *library);
void blob_release(struct blob *blob);
/* NULL, with an exception, when there is no such symbol. */
void *library_symbol(napi_env env, const struct library *library, const char *name);
napi_value library_open(napi_env env, napi_callback_info info);
napi_value library_has(napi_env env, napi_callback_info info);
napi_value library_check(napi_env env, napi_callback_info info);
napi_value blob_map(napi_env env, napi_callback_info info);
napi_value blob_hold(napi_env env, napi_callback_info info);
napi_value blob_embedded(napi_env env, napi_callback_info info);

/* page.c */
napi_value blob_page(napi_env env, napi_callback_info info);
napi_value blob_page_async(napi_env env, napi_callback_info info);

/* entry.c */
napi_value entry_bind(napi_env env, napi_callback_info info);
void entry_finalize(napi_env env, void *entry, void *hint);
/* The elements of both lists, in order. May run JavaScript. */
bool entry_values(napi_env env, const struct entry *entry, napi_value inputs, napi_value outputs, napi_value *values);
/* Their addresses, once lengths and types are right and no output overlaps another array. Runs no JavaScript. */
bool entry_pointers(napi_env env, const struct entry *entry, const napi_value *values, void **pointers);
/* Both. */
bool entry_arrays(napi_env env, const struct entry *entry, const napi_value *lists, napi_value *values, void **pointers);
/* 0, or what the entry returned, which is then thrown. */
int entry_run(napi_env env, const struct entry *entry, void **pointers);

/* async.c */
struct arena_pool *arena_pool_new(size_t arena_bytes);
void arena_pool_free(struct arena_pool *pool);
void *arena_new(size_t bytes);
napi_value entry_call_async(napi_env env, napi_callback_info info);

/* measure.c */
napi_value entry_bench(napi_env env, napi_callback_info info);
napi_value entry_trace(napi_env env, napi_callback_info info);
napi_value entry_capture(napi_env env, napi_callback_info info);

/* logistic.c */
napi_value logistic(napi_env env, napi_callback_info info);

/* product.c */
napi_value product(napi_env env, napi_callback_info info);
napi_value product_of_floats(napi_env env, napi_callback_info info);

#endif
