/* One bound entry: its function, weights and arena, and the arrays that it takes. See loader.h. */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

/* Bytes per element of each napi_typedarray_type; its order is fixed by Node-API. */
static const unsigned char widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
static const char *const type_names[] = {"Int8Array",    "Uint8Array",    "Uint8ClampedArray", "Int16Array",
                                         "Uint16Array",  "Int32Array",    "Uint32Array",       "Float32Array",
                                         "Float64Array", "BigInt64Array", "BigUint64Array"};

static void entry_free(struct entry *entry) {
  arena_pool_free(entry->pool);
  blob_release(entry->blob);
  library_release(entry->library);
  free(entry->arena);
  free(entry->name);
  free(entry);
}

void entry_finalize(napi_env env, void *held, void *hint) {
  struct entry *entry = held;
  int64_t now;
  (void)hint;
  if (--entry->users > 0) return;
  napi_adjust_external_memory(env, -(int64_t)entry->arena_bytes, &now);
  entry_free(entry);
}

bool entry_values(napi_env env, const struct entry *entry, napi_value inputs, napi_value outputs, napi_value *values) {
  const napi_value lists[2] = {inputs, outputs};
  const uint32_t counts[2] = {(uint32_t)entry->inputs, (uint32_t)(entry->tensors - entry->inputs)};
  static const char *const names[2] = {"inputs", "outputs"};
  for (int k = 0; k < 2; k++) {
    uint32_t length = 0;
    /* Also says no to a proxy of an array. */
    if (napi_get_array_length(env, lists[k], &length) != napi_ok) {
      throw_type(env, "%s: %s must be an array of typed arrays", entry->name, names[k]);
      return false;
    }
    if (length != counts[k]) {
      throw_range(env, "%s: takes %u %s, %u given", entry->name, counts[k], names[k], length);
      return false;
    }
    for (uint32_t i = 0; i < length; i++) {
      if (napi_get_element(env, lists[k], i, values++) != napi_ok) {
        throw_last(env);
        return false;
      }
    }
  }
  return true;
}

static bool overlap(const char *a, size_t a_bytes, const char *b, size_t b_bytes) {
  return (uintptr_t)a < (uintptr_t)b + b_bytes && (uintptr_t)b < (uintptr_t)a + a_bytes;
}

bool entry_pointers(napi_env env, const struct entry *entry, const napi_value *values, void **pointers) {
  for (size_t i = 0; i < entry->tensors; i++) {
    const struct tensor *want = &entry->tensor[i];
    const bool is_input = i < entry->inputs;
    const char *kind = is_input ? "input" : "output";
    const size_t index = is_input ? i : i - entry->inputs;
    napi_typedarray_type type;
    size_t elements;
    if (napi_get_typedarray_info(env, values[i], &type, &elements, &pointers[i], NULL, NULL) != napi_ok) {
      throw_type(env, "%s: %s %zu must be a %s", entry->name, kind, index, type_names[want->type]);
      return false;
    }
    if (type != want->type) {
      throw_type(env, "%s: %s %zu must be a %s, is another kind of array", entry->name, kind, index, type_names[want->type]);
      return false;
    }
    if (elements != want->elements) {
      throw_range(env, "%s: %s %zu has %zu elements, %zu needed", entry->name, kind, index, elements, want->elements);
      return false;
    }
    if (is_input) continue;
    /* The generated code is compiled with `restrict`. */
    for (size_t j = 0; j < i; j++) {
      if (!overlap(pointers[i], want->bytes, pointers[j], entry->tensor[j].bytes)) continue;
      throw_range(env, "%s: output %zu shares memory with another array", entry->name, index);
      return false;
    }
  }
  return true;
}

bool entry_arrays(napi_env env, const struct entry *entry, const napi_value *lists, napi_value *values, void **pointers) {
  return entry_values(env, entry, lists[0], lists[1], values) && entry_pointers(env, entry, values, pointers);
}

int entry_run(napi_env env, const struct entry *entry, void **pointers) {
  int code = entry->invoke(entry->blob->data, entry->arena, (const void *const *)pointers, pointers + entry->inputs);
  if (code != 0) throw_error(env, "%s returned %d", entry->name, code);
  return code;
}

/* call(inputs, outputs) */
static napi_value entry_call(napi_env env, napi_callback_info info) {
  napi_value lists[2], values[DNNC_MAX_TENSORS];
  void *pointers[DNNC_MAX_TENSORS];
  const struct entry *entry = arguments(env, info, 2, lists);
  if (entry_arrays(env, entry, lists, values, pointers)) entry_run(env, entry, pointers);
  return NULL;
}

struct fixed {
  struct entry *entry;
  void *pointers[DNNC_MAX_TENSORS];
  napi_ref arrays[DNNC_MAX_TENSORS];
};

static void fixed_finalize(napi_env env, void *held, void *hint) {
  struct fixed *fixed = held;
  for (size_t i = 0; i < fixed->entry->tensors; i++) {
    if (fixed->arrays[i]) napi_delete_reference(env, fixed->arrays[i]);
  }
  entry_finalize(env, fixed->entry, hint);
  free(fixed);
}

/*
 * The arrays cannot be collected, but a script may still detach or shrink one (transfer, resize): asking is what keeps a
 * call safe.
 */
static napi_value fixed_call(napi_env env, napi_callback_info info) {
  struct fixed *fixed = arguments(env, info, 0, NULL);
  for (size_t i = 0; i < fixed->entry->tensors; i++) {
    napi_value array;
    void *pointer = NULL;
    size_t elements = 0;
    napi_get_reference_value(env, fixed->arrays[i], &array);
    napi_get_typedarray_info(env, array, NULL, &elements, &pointer, NULL, NULL);
    if (elements != fixed->entry->tensor[i].elements || pointer != fixed->pointers[i]) {
      return throw_range(env, "%s: array %zu of a fixed call was detached or resized", fixed->entry->name, i);
    }
  }
  entry_run(env, fixed->entry, fixed->pointers);
  return NULL;
}

/* fixed(inputs, outputs) -> () => void. The function keeps the arrays, and calls with them. */
static napi_value entry_fixed(napi_env env, napi_callback_info info) {
  napi_value lists[2], values[DNNC_MAX_TENSORS], holder, function;
  struct entry *entry = arguments(env, info, 2, lists);
  struct fixed *fixed = calloc(1, sizeof *fixed);
  if (!fixed) return throw_error(env, "out of memory");
  if (!entry_arrays(env, entry, lists, values, fixed->pointers) || napi_create_object(env, &holder) != napi_ok) {
    free(fixed);
    return throw_last(env);
  }
  fixed->entry = entry;
  entry->users++;
  for (size_t i = 0; i < entry->tensors; i++) {
    if (napi_create_reference(env, values[i], 1, &fixed->arrays[i]) == napi_ok) continue;
    throw_last(env);
    fixed_finalize(env, fixed, NULL);
    return NULL;
  }
  if (!add_function(env, holder, "call", fixed_call, fixed, fixed_finalize)) return NULL;
  if (napi_get_named_property(env, holder, "call", &function) != napi_ok) return throw_last(env);
  return function;
}

/* One list of {bytes, type}. */
static bool read_tensors(napi_env env, struct entry *entry, napi_value list, const char *what) {
  uint32_t length;
  if (napi_get_array_length(env, list, &length) != napi_ok) {
    throw_type(env, "%s must be an array of {bytes, type}", what);
    return false;
  }
  if (length > DNNC_MAX_TENSORS - entry->tensors) {
    throw_range(env, "an entry takes at most %d inputs and outputs", DNNC_MAX_TENSORS);
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value item, bytes, type;
    size_t code;
    struct tensor *tensor = &entry->tensor[entry->tensors++];
    if (napi_get_element(env, list, i, &item) != napi_ok || napi_get_named_property(env, item, "bytes", &bytes) != napi_ok ||
        napi_get_named_property(env, item, "type", &type) != napi_ok) {
      throw_last(env);
      return false;
    }
    if (!get_count(env, bytes, "bytes", 9007199254740991.0, &tensor->bytes) ||
        !get_count(env, type, "type", (double)(sizeof widths - 1), &code)) {
      return false;
    }
    tensor->type = (napi_typedarray_type)code;
    tensor->elements = tensor->bytes / widths[code];
    if (tensor->elements * widths[code] != tensor->bytes) {
      throw_range(env, "%zu bytes do not fill a %s", tensor->bytes, type_names[code]);
      return false;
    }
  }
  return true;
}

static bool find_functions(napi_env env, struct entry *entry, napi_value trace) {
  napi_valuetype type = napi_undefined;
  void *symbol = library_symbol(env, entry->library, entry->name);
  if (!symbol) return false;
  memcpy(&entry->invoke, &symbol, sizeof symbol); /* ISO C has no cast from object to function pointer */
  napi_typeof(env, trace, &type);
  if (type == napi_undefined) return true;
  char *name = get_string(env, trace, "name of the trace entry");
  symbol = name ? library_symbol(env, entry->library, name) : NULL;
  free(name);
  if (symbol) memcpy(&entry->trace, &symbol, sizeof symbol);
  return symbol != NULL;
}

/* bind(library, name, blob, arenaBytes, inputs: {bytes, type}[], outputs: {bytes, type}[], traceName?) -> entry */
napi_value entry_bind(napi_env env, napi_callback_info info) {
  napi_value argument[7], object;
  int64_t now;
  arguments(env, info, 7, argument);
  struct library *library = unwrap(env, argument[0], &library_tag, "library");
  struct blob *blob = library ? unwrap(env, argument[2], &blob_tag, "blob") : NULL;
  struct entry *entry = blob ? calloc(1, sizeof *entry) : NULL;
  if (!blob) return NULL;
  if (!entry) return throw_error(env, "out of memory");
  *entry = (struct entry){.users = 1, .library = library, .blob = blob};
  library->users++;
  blob->users++;
  bool good = (entry->name = get_string(env, argument[1], "name")) != NULL && find_functions(env, entry, argument[6]) &&
              get_count(env, argument[3], "arenaBytes", 1099511627776.0, &entry->arena_bytes) &&
              read_tensors(env, entry, argument[4], "inputs");
  entry->inputs = entry->tensors;
  good = good && read_tensors(env, entry, argument[5], "outputs");
  if (good) {
    entry->arena = arena_new(entry->arena_bytes);
    entry->pool = arena_pool_new(entry->arena_bytes);
    good = entry->arena && entry->pool;
    if (!good) throw_error(env, "no memory for an arena of %zu bytes", entry->arena_bytes);
  }
  if (!good || napi_create_object(env, &object) != napi_ok) {
    entry_free(entry);
    return throw_last(env);
  }
  napi_adjust_external_memory(env, (int64_t)entry->arena_bytes, &now);
  static const struct {
    const char *name;
    napi_callback run;
    bool traces;
  } functions[] = {{"call", entry_call, false},   {"callAsync", entry_call_async, false}, {"fixed", entry_fixed, false},
                   {"bench", entry_bench, false}, {"trace", entry_trace, true},           {"capture", entry_capture, true}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    if (functions[i].traces && !entry->trace) continue;
    entry->users++;
    if (!add_function(env, object, functions[i].name, functions[i].run, entry, entry_finalize)) object = NULL;
    if (!object) break;
  }
  entry_finalize(env, entry, NULL); /* the count of this function; each method has its own */
  return object;
}
