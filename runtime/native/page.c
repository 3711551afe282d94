/* Weights of a mapped file into memory, at once or on the thread pool, and back. See loader.h. */
#include "loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Pages of a blob: [from, to) in bytes; none where it is not mapped. */
struct pages {
  struct blob *blob;
  size_t page, from, to;
};

/* Those that hold part of a blob (wanted), or that nothing else lies in. False, with an exception, for wrong arguments. */
static bool pages_of(napi_env env, const napi_value *argument, bool wanted, struct pages *pages) {
  size_t offset, bytes;
  struct blob *blob = unwrap(env, argument[0], &blob_tag, "blob");
  if (!blob || !get_count(env, argument[1], "offset", (double)blob->bytes, &offset) ||
      !get_count(env, argument[2], "bytes", (double)(blob->bytes - offset), &bytes)) {
    return false;
  }
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t from = wanted ? offset / page * page : (offset + page - 1) / page * page;
  /* Behind the last weight nothing else lies. */
  const bool whole = wanted || offset + bytes == blob->bytes;
  const size_t to = whole ? (offset + bytes + page - 1) / page * page : (offset + bytes) / page * page;
  *pages = (struct pages){.blob = blob, .page = page, .from = from, .to = !blob->mapped || bytes == 0 || to < from ? from : to};
  return true;
}

static void touch(const struct pages *pages) {
  const volatile unsigned char *data = pages->blob->data;
  for (size_t at = pages->from; at < pages->to && at < pages->blob->bytes; at += pages->page) (void)data[at];
}

/* page(blob, offset, bytes, wanted) -> bytes of the pages that were brought into memory, or given back: those that nothing
 * else lies in. Weights inside a library stay as they are. What was given back is read again when it is needed. */
napi_value blob_page(napi_env env, napi_callback_info info) {
  napi_value argument[4], result;
  struct pages pages;
  bool wanted;
  arguments(env, info, 4, argument);
  if (napi_get_value_bool(env, argument[3], &wanted) != napi_ok) return throw_type(env, "wanted must be a boolean");
  if (!pages_of(env, argument, wanted, &pages)) return NULL;
  unsigned char *data = (unsigned char *)(uintptr_t)pages.blob->data;
  if (wanted) {
    touch(&pages);
  } else if (pages.to > pages.from && madvise(data + pages.from, pages.to - pages.from, MADV_DONTNEED) != 0) {
    return throw_error(env, "weights cannot be given back: %s", strerror(errno));
  }
  return napi_create_double(env, (double)(pages.to - pages.from), &result) == napi_ok ? result : throw_last(env);
}

struct reading {
  struct pages pages;
  napi_async_work work;
  napi_deferred deferred;
};

static void reading_free(napi_env env, struct reading *reading) {
  if (reading->work) napi_delete_async_work(env, reading->work);
  blob_release(reading->pages.blob);
  free(reading);
}

/* On a thread of the pool: no Node-API here. */
static void reading_run(napi_env env, void *data) {
  const struct reading *reading = data;
  (void)env;
  touch(&reading->pages);
}

static void reading_done(napi_env env, napi_status status, void *data) {
  struct reading *reading = data;
  napi_value result = NULL;
  if (status == napi_ok) {
    napi_create_double(env, (double)(reading->pages.to - reading->pages.from), &result);
    napi_resolve_deferred(env, reading->deferred, result);
  } else {
    throw_error(env, "loading was cancelled");
    napi_get_and_clear_last_exception(env, &result);
    napi_reject_deferred(env, reading->deferred, result);
  }
  reading_free(env, reading);
}

/* pageAsync(blob, offset, bytes) -> Promise of what page(blob, offset, bytes, true) returns, read on the thread pool. */
napi_value blob_page_async(napi_env env, napi_callback_info info) {
  napi_value argument[3], name, promise;
  struct pages pages;
  arguments(env, info, 3, argument);
  if (!pages_of(env, argument, true, &pages)) return NULL;
  struct reading *reading = calloc(1, sizeof *reading);
  if (!reading) return throw_error(env, "out of memory");
  reading->pages = pages;
  pages.blob->users++;
  if (napi_create_string_utf8(env, "dnnc", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_async_work(env, NULL, name, reading_run, reading_done, reading, &reading->work) == napi_ok &&
      napi_create_promise(env, &reading->deferred, &promise) == napi_ok &&
      napi_queue_async_work(env, reading->work) == napi_ok) {
    return promise;
  }
  throw_last(env);
  reading_free(env, reading);
  return NULL;
}
