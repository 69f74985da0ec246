// Kernels are compiled for several widths of x86-64 and the CPU's own is taken when the addon is loaded; elsewhere the
// baseline has what they need (NEON on arm64).
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LIKENESS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define LIKENESS_POPCOUNT_CLONES __attribute__((target_clones("arch=x86-64-v3", "popcnt", "default")))
// Counts bits in whole vectors. A clone can only be named after a CPU of Intel's, which AMD's with the same instructions do
// not answer to: these are functions of their own, to be called when has_vector_popcount() says so.
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
