// Kernels are compiled for several widths of x86-64 and the CPU's own is taken when the addon is loaded; elsewhere the
// baseline has what they need (NEON on arm64).
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LIKENESS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define LIKENESS_POPCOUNT_CLONES __attribute__((target_clones("arch=icelake-server", "arch=x86-64-v3", "popcnt", "default")))
#else
#define LIKENESS_CLONES
#define LIKENESS_POPCOUNT_CLONES
#endif

#define LIKENESS_INLINE __attribute__((always_inline)) inline
