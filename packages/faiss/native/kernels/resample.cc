#include "kernels/resample.h"

#include <algorithm>
#include <vector>

#include "kernels/multiversion.h"

namespace likeness {
namespace {

constexpr size_t kBlock = 512;
constexpr double kUnit = 1.0 / 255;

// mixed: f32 [length], the weighted sum of `count` source rows, 0..1.
LIKENESS_CLONES void mix_rows(float* mixed, const uint8_t* rows, size_t length,
                              const float* weights, size_t count) {
  double sums[kBlock];
  for (size_t start = 0; start < length; start += kBlock) {
    const size_t size = std::min(kBlock, length - start);
    std::fill_n(sums, size, 0.0);
    for (size_t tap = 0; tap < count; tap++) {
      const uint8_t* row = rows + tap * length + start;
      const double weight = weights[tap];
      for (size_t i = 0; i < size; i++) sums[i] += weight * row[i];
    }
    for (size_t i = 0; i < size; i++) mixed[start + i] = static_cast<float>(sums[i] * kUnit);
  }
}

LIKENESS_CLONES void mix_columns(const float* mixed, const Taps& columns, float* red, float* green,
                                 float* blue) {
  for (size_t x = 0; x < columns.targets; x++) {
    const float* source = mixed + 3 * static_cast<size_t>(columns.first[x]);
    double r = 0, g = 0, b = 0;
    for (int32_t tap = columns.from[x]; tap < columns.from[x + 1]; tap++, source += 3) {
      const double weight = columns.weights[tap];
      r += weight * source[0];
      g += weight * source[1];
      b += weight * source[2];
    }
    red[x] = static_cast<float>(r);
    green[x] = static_cast<float>(g);
    blue[x] = static_cast<float>(b);
  }
}

}  // namespace

void resample(const Picture& picture, const Taps& rows, const Taps& columns, const Planes& planes) {
  const size_t length = 3 * picture.width;
  std::vector<float> mixed(length);
  for (size_t y = 0; y < rows.targets; y++) {
    const int32_t from = rows.from[y];
    mix_rows(mixed.data(), picture.rgb + static_cast<size_t>(rows.first[y]) * length, length,
             rows.weights + from, rows.from[y + 1] - from);
    float* out = planes.out + y * planes.stride;
    mix_columns(mixed.data(), columns, out, out + planes.plane, out + 2 * planes.plane);
  }
}

}  // namespace likeness
