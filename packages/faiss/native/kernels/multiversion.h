// Kernels are compiled for several widths of x86-64, and the addon takes the version for the CPU
// when loaded; elsewhere the baseline has all that the kernels need (NEON on arm64).
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LIKENESS_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define LIKENESS_POPCOUNT_CLONES \
  __attribute__((target_clones("arch=x86-64-v3", "popcnt", "default")))
// Counts bits in whole vectors. A clone can only be named after an Intel CPU, and an AMD CPU with
// the same instructions does not match that name: so these are functions of their own, called when
// has_vector_popcount() is true.
#define LIKENESS_VECTOR_POPCOUNT __attribute__((target("arch=x86-64-v4,avx512vpopcntdq")))
#else
#define LIKENESS_CLONES
#define LIKENESS_POPCOUNT_CLONES
#define LIKENESS_VECTOR_POPCOUNT
#endif

namespace likeness {

inline bool has_vector_popcount() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vpopcntdq");
#else
  return false;
#endif
}

}  // namespace likeness

#define LIKENESS_INLINE __attribute__((always_inline)) inline
