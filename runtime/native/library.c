/* A library, and the weights that it reads: a mapped file, bytes inside the library, or bytes that were handed over. See loader.h. */
#include "loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const napi_type_tag library_tag = {0x6c69627261727900u, 0x646e6e6300000001u};
const napi_type_tag blob_tag = {0x626c6f6200000000u, 0x646e6e6300000001u};

void library_release(struct library *library) {
  if (!library || --library->users > 0) return;
  dlclose(library->handle);
  free(library);
}

void blob_release(struct blob *blob) {
  if (!blob || --blob->users > 0) return;
  if (blob->mapped) munmap((void *)(uintptr_t)blob->data, blob->bytes);
  free(blob->held);
  library_release(blob->library);
  free(blob);
}

static void library_finalize(napi_env env, void *library, void *hint) {
  (void)env, (void)hint;
  library_release(library);
}

static void blob_finalize(napi_env env, void *blob, void *hint) {
  (void)env, (void)hint;
  blob_release(blob);
}

void *library_symbol(napi_env env, const struct library *library, const char *name) {
  void *symbol = dlsym(library->handle, name);
  return symbol ? symbol : throw_error(env, "the library has no symbol %s", name);
}

/* open(path) -> library */
napi_value library_open(napi_env env, napi_callback_info info) {
  napi_value argument;
  arguments(env, info, 1, &argument);
  char *path = get_string(env, argument, "path");
  if (!path) return NULL;
  /* Local: two builds, or two targets of one, may be open together. Now: a missing symbol fails here, not in a call. */
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  free(path);
  if (!handle) return throw_error(env, "%s", dlerror());
  struct library *library = malloc(sizeof *library);
  if (!library) {
    dlclose(handle);
    return throw_error(env, "out of memory");
  }
  *library = (struct library){.users = 1, .handle = handle};
  return wrap(env, library, library_finalize, &library_tag);
}

/* has(library, name) -> boolean */
napi_value library_has(napi_env env, napi_callback_info info) {
  napi_value argument[2], result;
  arguments(env, info, 2, argument);
  struct library *library = unwrap(env, argument[0], &library_tag, "library");
  if (!library) return NULL;
  char *name = get_string(env, argument[1], "name");
  if (!name) return NULL;
  bool has = dlsym(library->handle, name) != NULL;
  free(name);
  if (napi_get_boolean(env, has, &result) != napi_ok) return throw_last(env);
  return result;
}

/* check(library, name, blob) -> what the function of that name says about the blob: 0, or a code of the build's header */
napi_value library_check(napi_env env, napi_callback_info info) {
  napi_value argument[3], result;
  arguments(env, info, 3, argument);
  struct library *library = unwrap(env, argument[0], &library_tag, "library");
  struct blob *blob = library ? unwrap(env, argument[2], &blob_tag, "blob") : NULL;
  if (!blob) return NULL;
  char *name = get_string(env, argument[1], "name");
  if (!name) return NULL;
  void *symbol = library_symbol(env, library, name);
  free(name);
  if (!symbol) return NULL;
  dnnc_check *check;
  memcpy(&check, &symbol, sizeof check); /* ISO C has no cast from object to function pointer */
  if (napi_create_int32(env, check(blob->data, blob->bytes), &result) != napi_ok) return throw_last(env);
  return result;
}

static napi_value blob_new(napi_env env, struct blob value) {
  struct blob *blob = malloc(sizeof *blob);
  if (!blob) {
    if (value.mapped) munmap((void *)(uintptr_t)value.data, value.bytes);
    free(value.held);
    return throw_error(env, "out of memory");
  }
  *blob = value;
  if (blob->library) blob->library->users++;
  return wrap(env, blob, blob_finalize, &blob_tag);
}

/* map(path) -> blob. Read only and paged in on demand; the file must not be shortened while it is in use. */
napi_value blob_map(napi_env env, napi_callback_info info) {
  static const _Alignas(64) unsigned char nothing[64];
  napi_value argument;
  arguments(env, info, 1, &argument);
  char *path = get_string(env, argument, "path");
  if (!path) return NULL;
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* nonblock: a named pipe is refused below, not waited for */
  free(path);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) {
    int error = errno;
    if (file >= 0) close(file);
    return throw_error(env, "cannot be opened: %s", strerror(error));
  }
  if (!S_ISREG(status.st_mode)) {
    close(file);
    return throw_error(env, "is not a regular file");
  }
  struct blob blob = {.users = 1, .data = nothing, .bytes = (size_t)status.st_size};
  if (blob.bytes > 0) {
    void *data = mmap(NULL, blob.bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) {
      int error = errno;
      close(file);
      return throw_error(env, "cannot be mapped: %s", strerror(error));
    }
    blob.data = data;
    blob.mapped = true;
  }
  close(file);
  return blob_new(env, blob);
}

/* hold(bytes) -> blob: a copy of a Uint8Array */
napi_value blob_hold(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_typedarray_type type;
  size_t bytes;
  void *data;
  arguments(env, info, 1, &argument);
  if (napi_get_typedarray_info(env, argument, &type, &bytes, &data, NULL, NULL) != napi_ok || type != napi_uint8_array)
    return throw_type(env, "bytes must be a Uint8Array");
  void *held = arena_new(bytes);
  if (!held) return throw_error(env, "out of memory");
  if (bytes) memcpy(held, data, bytes);
  return blob_new(env, (struct blob){.users = 1, .data = held, .bytes = bytes, .held = held});
}

/* embedded(library, name, bytes) -> blob: weights that were compiled into the library */
napi_value blob_embedded(napi_env env, napi_callback_info info) {
  napi_value argument[3];
  size_t bytes;
  arguments(env, info, 3, argument);
  struct library *library = unwrap(env, argument[0], &library_tag, "library");
  if (!library || !get_count(env, argument[2], "bytes", 9007199254740991.0, &bytes)) return NULL;
  char *name = get_string(env, argument[1], "name");
  if (!name) return NULL;
  void *symbol = library_symbol(env, library, name);
  free(name);
  if (!symbol) return NULL;
  return blob_new(env, (struct blob){.users = 1, .data = symbol, .bytes = bytes, .library = library});
}
