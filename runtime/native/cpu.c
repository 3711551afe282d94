/* Features of the CPU that the operating system lets programs use, named as gcc's -m flags and -march extensions are. */
#include "loader.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum state { ANY, AVX, AVX512, TILES };
enum place { L1_ECX, L1_EDX, L7_EBX, L7_ECX, L7_EDX, L7_1_EAX, X1_ECX, PLACES };

/* Intel SDM volume 2, CPUID; the register state that a feature needs must be enabled in XCR0. */
static const struct {
  const char *name;
  enum place place;
  unsigned bit;
  enum state state;
} features[] = {
    {"sse2", L1_EDX, 26, ANY},           {"sse3", L1_ECX, 0, ANY},           {"ssse3", L1_ECX, 9, ANY},
    {"sse4.1", L1_ECX, 19, ANY},         {"sse4.2", L1_ECX, 20, ANY},        {"popcnt", L1_ECX, 23, ANY},
    {"lzcnt", X1_ECX, 5, ANY},           {"bmi", L7_EBX, 3, ANY},            {"bmi2", L7_EBX, 8, ANY},
    {"avx", L1_ECX, 28, AVX},            {"f16c", L1_ECX, 29, AVX},          {"fma", L1_ECX, 12, AVX},
    {"avx2", L7_EBX, 5, AVX},            {"avxvnni", L7_1_EAX, 4, AVX},      {"avx512f", L7_EBX, 16, AVX512},
    {"avx512dq", L7_EBX, 17, AVX512},    {"avx512cd", L7_EBX, 28, AVX512},   {"avx512bw", L7_EBX, 30, AVX512},
    {"avx512vl", L7_EBX, 31, AVX512},    {"avx512vbmi", L7_ECX, 1, AVX512},  {"avx512vnni", L7_ECX, 11, AVX512},
    {"avx512bf16", L7_1_EAX, 5, AVX512}, {"avx512fp16", L7_EDX, 23, AVX512}, {"amxint8", L7_EDX, 25, TILES},
};

/* The state of tiles is large: Linux keeps it for processes that have asked (Documentation/arch/x86/xstate.rst). */
static bool tiles_allowed(void) {
#if defined(__linux__) && defined(SYS_arch_prctl)
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
  return false;
#endif
}

static enum state enabled_state(unsigned leaf1_ecx) {
  /* XCR0: xmm, ymm; then opmask, zmm0-15 high, zmm16-31; then tiles and their configuration */
  const unsigned osxsave = 27, avx = 0x6, avx512 = 0xe6, tiles = 0x600e6;
  if (!(leaf1_ecx >> osxsave & 1)) return ANY;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & tiles) == tiles && tiles_allowed()) return TILES;
  return (low & avx512) == avx512 ? AVX512 : (low & avx) == avx ? AVX : ANY;
}

static size_t detect(const char **names) {
  unsigned words[PLACES] = {0}, a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d)) {
    words[L1_ECX] = c;
    words[L1_EDX] = d;
  }
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    words[L7_EBX] = b;
    words[L7_ECX] = c;
    words[L7_EDX] = d;
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) words[L7_1_EAX] = a;
  }
  if (__get_cpuid(0x80000001u, &a, &b, &c, &d)) words[X1_ECX] = c;
  enum state state = enabled_state(words[L1_ECX]);
  size_t found = 0;
  for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
    if (features[i].state <= state && (words[features[i].place] >> features[i].bit & 1)) names[found++] = features[i].name;
  }
  return found;
}

#elif defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>
#endif

static size_t detect(const char **names) {
  size_t found = 0;
  names[found++] = "neon";
#if defined(__linux__)
  /* Linux arch/arm64/include/uapi/asm/hwcap.h */
  static const struct {
    const char *name;
    unsigned long word, bit;
  } features[] = {{"fp16", AT_HWCAP, 10}, {"dotprod", AT_HWCAP, 20}, {"sve", AT_HWCAP, 22},
                  {"sve2", AT_HWCAP2, 1}, {"i8mm", AT_HWCAP2, 13},   {"bf16", AT_HWCAP2, 14}};
  for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
    if (getauxval(features[i].word) >> features[i].bit & 1) names[found++] = features[i].name;
  }
#endif
  return found;
}

#else
static size_t detect(const char **names) {
  (void)names;
  return 0;
}
#endif

void cpu_begin(void) {
  const char *names[32];
  detect(names);
}

/* cpuFeatures() -> string[] */
napi_value cpu_features(napi_env env, napi_callback_info info) {
  const char *names[32];
  size_t found = detect(names);
  napi_value list;
  (void)info;
  if (napi_create_array_with_length(env, found, &list) != napi_ok) return throw_last(env);
  for (size_t i = 0; i < found; i++) {
    napi_value name;
    if (napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_set_element(env, list, (uint32_t)i, name) != napi_ok) {
      return throw_last(env);
    }
  }
  return list;
}
