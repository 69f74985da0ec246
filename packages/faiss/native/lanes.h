// Fixed lanes of partial sums let the compiler vectorise without reordering anything it may not reorder.
#pragma once

#include <cstddef>

#include "multiversion.h"

namespace likeness {

// Sum over i of term(i), the same order of additions for every caller.
template <size_t Lanes = 32, class Term>
LIKENESS_INLINE float sum_lanes(size_t dim, Term term) {
  float lanes[Lanes] = {};
  size_t i = 0;
  for (; i + Lanes <= dim; i += Lanes)
    for (size_t lane = 0; lane < Lanes; lane++) lanes[lane] += term(i + lane);
  for (size_t lane = 0; i < dim; i++, lane++) lanes[lane] += term(i);
  for (size_t width = Lanes / 2; width > 0; width /= 2)
    for (size_t lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

}  // namespace likeness

#define LIKENESS_TERM(i) [&](size_t i) __attribute__((always_inline))
