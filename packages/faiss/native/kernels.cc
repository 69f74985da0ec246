// Fixed lanes of partial sums let the compiler vectorise without reordering anything it may not reorder.
#include "kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LIKENESS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LIKENESS_CLONES
#endif

namespace likeness {
namespace {

constexpr size_t kLanes = 32;

template <class Term>
__attribute__((always_inline)) inline float sum_terms(const float* x, const float* y, size_t dim, Term term) {
  float lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes)
    for (size_t lane = 0; lane < kLanes; lane++) lanes[lane] += term(x[i + lane], y[i + lane]);
  for (size_t lane = 0; i < dim; i++, lane++) lanes[lane] += term(x[i], y[i]);
  for (size_t width = kLanes / 2; width > 0; width /= 2)
    for (size_t lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

}  // namespace

LIKENESS_CLONES float inner_product(const float* x, const float* y, size_t dim) {
  return sum_terms(x, y, dim, [](float a, float b) __attribute__((always_inline)) { return a * b; });
}

LIKENESS_CLONES float squared_l2(const float* x, const float* y, size_t dim) {
  return sum_terms(x, y, dim, [](float a, float b) __attribute__((always_inline)) { return (a - b) * (a - b); });
}

}  // namespace likeness
