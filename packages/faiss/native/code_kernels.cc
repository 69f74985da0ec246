// Rows of half floats and of bytes, widened in registers.
#include <cstring>

#include "kernels.h"
#include "lanes.h"

namespace likeness {
namespace {

// Exponent and mantissa move to their places in f32 and the exponent's bias is multiplied away: exact for every finite half.
LIKENESS_INLINE float widen(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half & 0x7fff) << 13 | static_cast<uint32_t>(half & 0x8000) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value * 0x1p112f;
}

LIKENESS_INLINE float widen(uint8_t byte) { return static_cast<float>(static_cast<int32_t>(byte)); }

}  // namespace

LIKENESS_CLONES float inner_product_f16(const float* x, const uint16_t* y, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(i) { return x[i] * widen(y[i]); });
}

LIKENESS_CLONES float squared_l2_f16(const float* x, const uint16_t* y, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(i) { const float gap = x[i] - widen(y[i]); return gap * gap; });
}

LIKENESS_CLONES float inner_product_f16_f16(const uint16_t* x, const uint16_t* y, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(i) { return widen(x[i]) * widen(y[i]); });
}

LIKENESS_CLONES float squared_l2_f16_f16(const uint16_t* x, const uint16_t* y, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(i) { const float gap = widen(x[i]) - widen(y[i]); return gap * gap; });
}

LIKENESS_CLONES float inner_product_u8(const float* weight, const uint8_t* c, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(i) { return weight[i] * widen(c[i]); });
}

LIKENESS_CLONES float squared_l2_u8(const float* offset, const float* step, const uint8_t* c, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(i) { const float gap = offset[i] - step[i] * widen(c[i]); return gap * gap; });
}

LIKENESS_CLONES float inner_product_u8_u8(const float* low, const float* step, const uint8_t* a, const uint8_t* b, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(i) { return (low[i] + step[i] * widen(a[i])) * (low[i] + step[i] * widen(b[i])); });
}

LIKENESS_CLONES float squared_l2_u8_u8(const float* step, const uint8_t* a, const uint8_t* b, size_t dim) {
  return sum_lanes(dim, LIKENESS_TERM(i) { const float gap = step[i] * (widen(a[i]) - widen(b[i])); return gap * gap; });
}

}  // namespace likeness
