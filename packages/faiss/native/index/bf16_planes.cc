// Splits, joins and multiplies rows in planes.
#include "index/bf16_planes.h"

#include <cstring>
#include <vector>

#include "kernels/lanes.h"

namespace likeness {
namespace {

constexpr uint32_t kHalfOfLower = 0x8000;

// Value of the first plane alone: the lower half is taken for zero.
template <class Read>
LIKENESS_INLINE auto widen(Read read, const uint16_t* upper) {
  return read.bits(read.words(upper) << 16);
}

// Value of both planes. The lower halves are signed: the upper halves were rounded to nearest.
template <class Read>
LIKENESS_INLINE auto join(Read read, const uint16_t* upper, const uint16_t* lower) {
  return read.bits((read.words(upper) << 16) + (read.words(lower) ^ kHalfOfLower) - kHalfOfLower);
}

}  // namespace

void split_rows(uint8_t* rows, size_t dim, size_t n) {
  std::vector<uint32_t> values(dim);
  for (size_t row = 0; row < n; row++) {
    auto* planes = reinterpret_cast<uint16_t*>(rows + row * dim * sizeof(float));
    std::memcpy(values.data(), planes, dim * sizeof(float));
    for (size_t i = 0; i < dim; i++) {
      planes[i] = static_cast<uint16_t>((values[i] + kHalfOfLower) >> 16);
      planes[dim + i] = static_cast<uint16_t>(values[i]);
    }
  }
}

void join_row(const uint8_t* planes, size_t dim, float* out) {
  const auto* upper = reinterpret_cast<const uint16_t*>(planes);
  for (size_t i = 0; i < dim; i++) out[i] = join(One{}, upper + i, upper + dim + i);
}

LIKENESS_CLONES float inner_product_upper(const float* x, const uint16_t* upper, size_t dim) {
  return sum_lanes(
      dim, LIKENESS_TERM(read, i) { return read.floats(x + i) * widen(read, upper + i); });
}

LIKENESS_CLONES float inner_product_upper_upper(const uint16_t* a, const uint16_t* b, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(read, i) { return widen(read, a + i) * widen(read, b + i); });
}

LIKENESS_CLONES float inner_product_planes_planes(const uint16_t* a, const uint16_t* b,
                                                  size_t dim) {
  return sum_lanes(
      dim, LIKENESS_TERM(read, i) {
        return join(read, a + i, a + dim + i) * join(read, b + i, b + dim + i);
      });
}

LIKENESS_CLONES float inner_product_planes(const float* x, const uint16_t* planes, size_t dim) {
  return sum_lanes(
      dim, LIKENESS_TERM(read, i) {
        return read.floats(x + i) * join(read, planes + i, planes + dim + i);
      });
}

}  // namespace likeness
