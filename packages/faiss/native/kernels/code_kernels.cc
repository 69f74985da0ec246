// Rows of half floats and of bytes, widened in registers.
#include <cstring>

#include "kernels/kernels.h"
#include "kernels/lanes.h"

namespace likeness {
namespace {

// Exponent and mantissa move to their places in f32, and a multiplication takes out the bias of the
// exponent: exact for every finite half.
template <class Read>
LIKENESS_INLINE auto halves(Read read, const uint16_t* values) {
  return read.bits(read.arithmetic_right(read.words(values) << 16, 3) & 0x8fffffff) * 0x1p112f;
}

}  // namespace

LIKENESS_CLONES float inner_product_f16(const float* x, const uint16_t* y, size_t dim) {
  return sum_lanes(
      dim, LIKENESS_TERM(read, i) { return read.floats(x + i) * halves(read, y + i); });
}

LIKENESS_CLONES float squared_l2_f16(const float* x, const uint16_t* y, size_t dim) {
  return sum_lanes(
      dim, LIKENESS_TERM(read, i) {
        const auto gap = read.floats(x + i) - halves(read, y + i);
        return gap * gap;
      });
}

LIKENESS_CLONES float inner_product_f16_f16(const uint16_t* x, const uint16_t* y, size_t dim) {
  return sum_lanes(
      dim, LIKENESS_TERM(read, i) { return halves(read, x + i) * halves(read, y + i); });
}

LIKENESS_CLONES float squared_l2_f16_f16(const uint16_t* x, const uint16_t* y, size_t dim) {
  return sum_lanes(
      dim, LIKENESS_TERM(read, i) {
        const auto gap = halves(read, x + i) - halves(read, y + i);
        return gap * gap;
      });
}

LIKENESS_CLONES float inner_product_u8(const float* weight, const uint8_t* c, size_t dim) {
  return sum_lanes(
      dim, LIKENESS_TERM(read, i) { return read.floats(weight + i) * read.bytes(c + i); });
}

LIKENESS_CLONES float squared_l2_u8(const float* offset, const float* step, const uint8_t* c,
                                    size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(read, i) {
    const auto gap = read.floats(offset + i) - read.floats(step + i) * read.bytes(c + i);
    return gap * gap;
  });
}

LIKENESS_CLONES float inner_product_u8_u8(const float* low, const float* step, const uint8_t* a,
                                          const uint8_t* b, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(read, i) {
    const auto base = read.floats(low + i), width = read.floats(step + i);
    return (base + width * read.bytes(a + i)) * (base + width * read.bytes(b + i));
  });
}

LIKENESS_CLONES float squared_l2_u8_u8(const float* step, const uint8_t* a, const uint8_t* b,
                                       size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(read, i) {
    const auto gap = read.floats(step + i) * (read.bytes(a + i) - read.bytes(b + i));
    return gap * gap;
  });
}

}  // namespace likeness
