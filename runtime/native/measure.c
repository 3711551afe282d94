/* Time per call, time per step, arena after each step. The clock is read in C: a call costs it about 25 ns. See loader.h. */
#include "loader.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* A Float64Array of zeros. */
static double *new_numbers(napi_env env, size_t count, napi_value *array) {
  napi_value buffer;
  void *data;
  if (napi_create_arraybuffer(env, count * sizeof(double), &data, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_float64_array, count, buffer, 0, array) != napi_ok) {
    return throw_last(env);
  }
  return data;
}

/* bench(inputs, outputs, iterations, warmUp) -> Float64Array: nanoseconds of each call after the warm-up */
napi_value entry_bench(napi_env env, napi_callback_info info) {
  napi_value argument[4], values[DNNC_MAX_TENSORS], result;
  void *pointers[DNNC_MAX_TENSORS];
  size_t iterations, warm_up;
  const struct entry *entry = arguments(env, info, 4, argument);
  if (!get_count(env, argument[2], "iterations", 1e8, &iterations) || !get_count(env, argument[3], "warmUp", 1e8, &warm_up) ||
      !entry_values(env, entry, argument[0], argument[1], values)) {
    return NULL;
  }
  double *times = new_numbers(env, iterations, &result);
  if ((!times && iterations) || !entry_pointers(env, entry, values, pointers)) return NULL;
  for (size_t i = 0; i < warm_up; i++) {
    if (entry_run(env, entry, pointers) != 0) return NULL;
  }
  for (size_t i = 0; i < iterations; i++) {
    double start = nanoseconds();
    if (entry_run(env, entry, pointers) != 0) return NULL;
    times[i] = nanoseconds() - start;
  }
  return result;
}

struct watch {
  double *sums; /* NULL while warming up */
  size_t steps;
  double last;
  bool strayed; /* a step outside 0..steps-1 */
};

static void watch_step(void *user, int step) {
  struct watch *watch = user;
  double now = nanoseconds();
  if (step >= 0 && (size_t)step >= watch->steps) watch->strayed = true;
  else if (step >= 0 && watch->sums) watch->sums[step] += now - watch->last;
  watch->last = nanoseconds();
}

static bool run_traced(napi_env env, const struct entry *entry, void **pointers, void (*after)(void *, int), void *user) {
  int code =
      entry->trace(entry->blob->data, entry->arena, (const void *const *)pointers, pointers + entry->inputs, after, user);
  if (code != 0) throw_error(env, "%s returned %d", entry->name, code);
  return code == 0;
}

/* trace(inputs, outputs, steps, iterations, warmUp) -> Float64Array: nanoseconds of each step, summed over iterations */
napi_value entry_trace(napi_env env, napi_callback_info info) {
  napi_value argument[5], values[DNNC_MAX_TENSORS], result;
  void *pointers[DNNC_MAX_TENSORS];
  size_t steps, iterations, warm_up;
  const struct entry *entry = arguments(env, info, 5, argument);
  if (!get_count(env, argument[2], "steps", 1e6, &steps) || !get_count(env, argument[3], "iterations", 1e8, &iterations) ||
      !get_count(env, argument[4], "warmUp", 1e8, &warm_up) ||
      !entry_values(env, entry, argument[0], argument[1], values)) {
    return NULL;
  }
  double *sums = new_numbers(env, steps, &result);
  if ((!sums && steps) || !entry_pointers(env, entry, values, pointers)) return NULL;
  struct watch watch = {.steps = steps};
  for (size_t i = 0; i < warm_up + iterations; i++) {
    watch.sums = i < warm_up ? NULL : sums;
    if (!run_traced(env, entry, pointers, watch_step, &watch)) return NULL;
  }
  if (watch.strayed) return throw_range(env, "%s: has more than the %zu steps given", entry->name, steps);
  return result;
}

/* One region of the arena and the step after which it is copied. */
struct region {
  size_t step, offset, bytes;
  void *copy;
};

struct capture {
  const char *arena;
  struct region *regions; /* by rising step */
  size_t count, next;
};

static void capture_step(void *user, int step) {
  struct capture *capture = user;
  while (capture->next < capture->count && step >= 0 && capture->regions[capture->next].step <= (size_t)step) {
    const struct region *region = &capture->regions[capture->next++];
    if (region->step == (size_t)step && region->bytes) memcpy(region->copy, capture->arena + region->offset, region->bytes);
  }
}

/* Reads {offset, bytes} and makes the Uint8Array that will hold the copy. */
static bool read_region(napi_env env, napi_value item, size_t arena_bytes, struct region *region, napi_value *copy) {
  napi_value offset, bytes, buffer;
  if (napi_get_named_property(env, item, "offset", &offset) != napi_ok ||
      napi_get_named_property(env, item, "bytes", &bytes) != napi_ok) {
    throw_last(env);
    return false;
  }
  if (!get_count(env, offset, "offset", (double)arena_bytes, &region->offset) ||
      !get_count(env, bytes, "bytes", (double)(arena_bytes - region->offset), &region->bytes)) {
    return false;
  }
  if (napi_create_arraybuffer(env, region->bytes, &region->copy, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, region->bytes, buffer, 0, copy) != napi_ok) {
    throw_last(env);
    return false;
  }
  return true;
}

/* The regions of all steps in one list; `copies` becomes the list of lists of their Uint8Arrays. The caller frees regions. */
static bool read_regions(napi_env env, napi_value lists, size_t arena_bytes, struct capture *capture, napi_value *copies) {
  uint32_t steps;
  if (napi_get_array_length(env, lists, &steps) != napi_ok) {
    throw_type(env, "regions must hold one array of {offset, bytes} per step");
    return false;
  }
  if (napi_create_array_with_length(env, steps, copies) != napi_ok) goto failed;
  for (uint32_t step = 0; step < steps; step++) {
    napi_value list, row;
    uint32_t length;
    if (napi_get_element(env, lists, step, &list) != napi_ok || napi_get_array_length(env, list, &length) != napi_ok ||
        napi_create_array_with_length(env, length, &row) != napi_ok || napi_set_element(env, *copies, step, row) != napi_ok) {
      goto failed;
    }
    struct region *more = length ? realloc(capture->regions, (capture->count + length) * sizeof *more) : NULL;
    if (length && !more) {
      throw_error(env, "out of memory");
      return false;
    }
    if (more) capture->regions = more;
    for (uint32_t i = 0; i < length; i++) {
      napi_value item, copy;
      struct region region = {.step = step};
      if (napi_get_element(env, list, i, &item) != napi_ok) goto failed;
      if (!read_region(env, item, arena_bytes, &region, &copy)) return false;
      if (napi_set_element(env, row, i, copy) != napi_ok) goto failed;
      capture->regions[capture->count++] = region;
    }
  }
  return true;
failed:
  throw_last(env);
  return false;
}

/* capture(inputs, outputs, regions: {offset, bytes}[][]) -> Uint8Array[][]: the regions of each step, right after it */
napi_value entry_capture(napi_env env, napi_callback_info info) {
  napi_value argument[3], values[DNNC_MAX_TENSORS], copies;
  void *pointers[DNNC_MAX_TENSORS];
  const struct entry *entry = arguments(env, info, 3, argument);
  struct capture capture = {.arena = entry->arena};
  bool good = entry_values(env, entry, argument[0], argument[1], values) &&
              read_regions(env, argument[2], entry->arena_bytes, &capture, &copies) &&
              entry_pointers(env, entry, values, pointers) && run_traced(env, entry, pointers, capture_step, &capture);
  if (good && capture.next < capture.count) {
    good = false;
    throw_range(env, "%s: has fewer steps than regions were given for", entry->name);
  }
  free(capture.regions);
  return good ? copies : NULL;
}
