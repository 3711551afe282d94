/*
 * A call on the thread pool of libuv. The job has copies of the inputs and its own outputs, so that a script may do what it
 * likes with its arrays meanwhile; outputs are copied to the caller's arrays when the promise resolves. Arenas are lent to
 * running jobs only, so there are never more than the pool has threads. See loader.h.
 */
#include "loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, HUGE_PAGE = 2 * 1024 * 1024 };

static size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

/* Uninitialised, 64-byte aligned. Large ones ask for huge pages: fewer misses of the address cache while kernels stride. */
void *arena_new(size_t bytes) {
  if (bytes < HUGE_PAGE) return aligned_alloc(LINE, bytes ? round_up(bytes, LINE) : LINE);
  void *arena = aligned_alloc(HUGE_PAGE, round_up(bytes, HUGE_PAGE));
#ifdef MADV_HUGEPAGE
  if (arena) madvise(arena, round_up(bytes, HUGE_PAGE), MADV_HUGEPAGE);
#endif
  return arena;
}

/* Arenas that no job uses, linked through their first bytes. */
struct arena_pool {
  pthread_mutex_t lock;
  size_t arena_bytes;
  void *idle;
};

struct arena_pool *arena_pool_new(size_t arena_bytes) {
  struct arena_pool *pool = malloc(sizeof *pool);
  if (!pool) return NULL;
  *pool = (struct arena_pool){.arena_bytes = arena_bytes};
  if (pthread_mutex_init(&pool->lock, NULL) == 0) return pool;
  free(pool);
  return NULL;
}

void arena_pool_free(struct arena_pool *pool) {
  if (!pool) return;
  while (pool->idle) {
    void *arena = pool->idle;
    memcpy(&pool->idle, arena, sizeof arena);
    free(arena);
  }
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}

static void *arena_take(struct arena_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  void *arena = pool->idle;
  if (arena) memcpy(&pool->idle, arena, sizeof arena);
  pthread_mutex_unlock(&pool->lock);
  return arena ? arena : arena_new(pool->arena_bytes);
}

static void arena_give(struct arena_pool *pool, void *arena) {
  pthread_mutex_lock(&pool->lock);
  memcpy(arena, &pool->idle, sizeof arena);
  pool->idle = arena;
  pthread_mutex_unlock(&pool->lock);
}

enum { NO_MEMORY = -0x6d656d };

struct job {
  struct entry *entry;
  napi_async_work work;
  napi_deferred deferred;
  int code;
  napi_ref outputs[DNNC_MAX_TENSORS];
  void *pointers[DNNC_MAX_TENSORS];
  char *memory;
};

static void job_free(napi_env env, struct job *job) {
  for (size_t i = 0; i < DNNC_MAX_TENSORS && job->outputs[i]; i++) napi_delete_reference(env, job->outputs[i]);
  if (job->work) napi_delete_async_work(env, job->work);
  entry_finalize(env, job->entry, NULL);
  free(job->memory);
  free(job);
}

/* On a thread of the pool: no Node-API here. */
static void job_run(napi_env env, void *data) {
  struct job *job = data;
  const struct entry *entry = job->entry;
  void *arena = arena_take(entry->pool);
  (void)env;
  job->code = NO_MEMORY;
  if (!arena) return;
  job->code = entry->invoke(entry->blob->data, arena, (const void *const *)job->pointers, job->pointers + entry->inputs);
  arena_give(entry->pool, arena);
}

/* Copies the results out; throws when an array is no longer what it was. */
static void copy_outputs(napi_env env, const struct job *job) {
  const struct entry *entry = job->entry;
  for (size_t i = entry->inputs; i < entry->tensors; i++) {
    napi_value array;
    void *data = NULL;
    size_t elements = 0;
    napi_get_reference_value(env, job->outputs[i - entry->inputs], &array);
    napi_get_typedarray_info(env, array, NULL, &elements, &data, NULL, NULL);
    if (elements != entry->tensor[i].elements) {
      throw_range(env, "%s: output %zu was detached or resized while the call ran", entry->name, i - entry->inputs);
      return;
    }
    if (entry->tensor[i].bytes) memcpy(data, job->pointers[i], entry->tensor[i].bytes);
  }
}

static void job_done(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  napi_value result = NULL;
  bool failed = false;
  if (status != napi_ok) throw_error(env, "%s: the call was cancelled", job->entry->name);
  else if (job->code == NO_MEMORY) throw_error(env, "no memory for an arena of %zu bytes", job->entry->arena_bytes);
  else if (job->code != 0) throw_error(env, "%s returned %d", job->entry->name, job->code);
  else copy_outputs(env, job);
  napi_is_exception_pending(env, &failed);
  if (failed) {
    napi_get_and_clear_last_exception(env, &result);
    napi_reject_deferred(env, job->deferred, result);
  } else {
    napi_get_undefined(env, &result);
    napi_resolve_deferred(env, job->deferred, result);
  }
  job_free(env, job);
}

static bool job_memory(struct job *job, void *const *arrays) {
  const struct entry *entry = job->entry;
  size_t total = LINE, at = 0;
  for (size_t i = 0; i < entry->tensors; i++) total += round_up(entry->tensor[i].bytes, LINE);
  job->memory = aligned_alloc(LINE, total);
  if (!job->memory) return false;
  for (size_t i = 0; i < entry->tensors; i++) {
    job->pointers[i] = job->memory + at;
    if (i < entry->inputs && entry->tensor[i].bytes) memcpy(job->pointers[i], arrays[i], entry->tensor[i].bytes);
    at += round_up(entry->tensor[i].bytes, LINE);
  }
  return true;
}

/* callAsync(inputs, outputs) -> Promise<void>. Wrong arrays throw at once. */
napi_value entry_call_async(napi_env env, napi_callback_info info) {
  napi_value lists[2], values[DNNC_MAX_TENSORS], name, promise;
  void *arrays[DNNC_MAX_TENSORS];
  struct entry *entry = arguments(env, info, 2, lists);
  if (!entry_arrays(env, entry, lists, values, arrays)) return NULL;
  struct job *job = calloc(1, sizeof *job);
  if (!job) return throw_error(env, "out of memory");
  job->entry = entry;
  entry->users++;
  bool good = job_memory(job, arrays);
  if (!good) throw_error(env, "out of memory");
  for (size_t i = entry->inputs; good && i < entry->tensors; i++) {
    good = napi_create_reference(env, values[i], 1, &job->outputs[i - entry->inputs]) == napi_ok;
  }
  good = good && napi_create_string_utf8(env, "dnnc", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_async_work(env, NULL, name, job_run, job_done, job, &job->work) == napi_ok &&
         napi_create_promise(env, &job->deferred, &promise) == napi_ok && napi_queue_async_work(env, job->work) == napi_ok;
  if (good) return promise;
  throw_last(env);
  job_free(env, job);
  return NULL;
}
