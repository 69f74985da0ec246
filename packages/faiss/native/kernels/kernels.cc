// Rows of f32.
#include "kernels/kernels.h"

#include "kernels/lanes.h"

namespace likeness {

LIKENESS_CLONES float inner_product(const float* x, const float* y, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(read, i) { return read.floats(x + i) * read.floats(y + i); });
}

LIKENESS_CLONES float squared_l2(const float* x, const float* y, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(read, i) {
    const auto gap = read.floats(x + i) - read.floats(y + i);
    return gap * gap;
  });
}

}  // namespace likeness
