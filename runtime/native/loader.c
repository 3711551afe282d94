/* The exports of the addon, and how JavaScript objects hold C ones. See loader.h. */
#include "loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef napi_status thrower(napi_env env, const char *code, const char *message);

static void throw_formatted(napi_env env, thrower *raise, const char *format, va_list values) {
  char message[512];
  vsnprintf(message, sizeof message, format, values);
  raise(env, NULL, message);
}

void *throw_error(napi_env env, const char *format, ...) {
  va_list values;
  va_start(values, format);
  throw_formatted(env, napi_throw_error, format, values);
  va_end(values);
  return NULL;
}

void *throw_type(napi_env env, const char *format, ...) {
  va_list values;
  va_start(values, format);
  throw_formatted(env, napi_throw_type_error, format, values);
  va_end(values);
  return NULL;
}

void *throw_range(napi_env env, const char *format, ...) {
  va_list values;
  va_start(values, format);
  throw_formatted(env, napi_throw_range_error, format, values);
  va_end(values);
  return NULL;
}

void *throw_last(napi_env env) {
  const napi_extended_error_info *info = NULL;
  bool pending = false;
  napi_get_last_error_info(env, &info);
  const char *message = info && info->error_message ? info->error_message : "Node-API call failed";
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, NULL, message);
  return NULL;
}

void *arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  void *data = NULL;
  if (napi_get_cb_info(env, info, &count, values, NULL, &data) != napi_ok) return throw_last(env);
  return data;
}

bool get_count(napi_env env, napi_value value, const char *what, double most, size_t *count) {
  double number = -1;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    throw_type(env, "%s must be a number", what);
    return false;
  }
  if (!(number >= 0 && number <= most) || (double)(uint64_t)number < number) {
    throw_range(env, "%s must be a whole number from 0 to %.0f, is %g", what, most, number);
    return false;
  }
  *count = (size_t)number;
  return true;
}

char *get_string(napi_env env, napi_value value, const char *what) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return throw_type(env, "%s must be a string", what);
  char *text = malloc(length + 1);
  if (!text) return throw_error(env, "out of memory");
  if (napi_get_value_string_utf8(env, value, text, length + 1, &length) != napi_ok || strlen(text) != length) {
    free(text);
    return throw_type(env, "%s must be a string without zero characters", what);
  }
  return text;
}

napi_value wrap(napi_env env, void *held, napi_finalize finalize, const napi_type_tag *tag) {
  napi_value object;
  if (napi_create_object(env, &object) != napi_ok || napi_wrap(env, object, held, finalize, NULL, NULL) != napi_ok) {
    throw_last(env);
    finalize(env, held, NULL);
    return NULL;
  }
  /* From here the collector owns it. */
  if (napi_type_tag_object(env, object, tag) != napi_ok) return throw_last(env);
  return object;
}

void *unwrap(napi_env env, napi_value value, const napi_type_tag *tag, const char *what) {
  bool right = false;
  void *held = NULL;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  if (type == napi_object) napi_check_object_type_tag(env, value, tag, &right);
  if (!right || napi_unwrap(env, value, &held) != napi_ok) return throw_type(env, "%s must come from this loader", what);
  return held;
}

bool add_function(napi_env env, napi_value object, const char *name, napi_callback run, void *held, napi_finalize finalize) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, run, held, &function) != napi_ok ||
      napi_add_finalizer(env, function, held, finalize, NULL, NULL) != napi_ok) {
    throw_last(env);
    finalize(env, held, NULL);
    return false;
  }
  if (napi_set_named_property(env, object, name, function) != napi_ok) {
    throw_last(env);
    return false;
  }
  return true;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback run;
  } functions[] = {
      {"cpuFeatures", cpu_features}, {"open", library_open},           {"has", library_has}, {"check", library_check},
      {"map", blob_map},             {"embedded", blob_embedded}, {"bind", entry_bind},  {"logistic", logistic},
      {"product", product},          {"page", blob_page},         {"hold", blob_hold},   {"pageAsync", blob_page_async},
      {"productOfFloats", product_of_floats},
  };
  cpu_begin();
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].run, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok) {
      return throw_last(env);
    }
  }
  napi_value version;
  if (napi_create_int32(env, DNNC_LOADER_VERSION, &version) != napi_ok ||
      napi_set_named_property(env, exports, "version", version) != napi_ok) {
    return throw_last(env);
  }
  return exports;
}
