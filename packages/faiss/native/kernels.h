// Inner product and squared distance of two f32 rows; the same pair gives the same bits in every kind of index.
#pragma once

#include <cstddef>

namespace likeness {

using Kernel = float (*)(const float* x, const float* y, size_t dim);

float inner_product(const float* x, const float* y, size_t dim);
float squared_l2(const float* x, const float* y, size_t dim);

}  // namespace likeness
