// Distances between a query and a stored row; the same pair gives the same bits in every kind of
// index.
#pragma once

#include <cstddef>
#include <cstdint>

namespace likeness {

using Kernel = float (*)(const float* x, const float* y, size_t dim);

float inner_product(const float* x, const float* y, size_t dim);
float squared_l2(const float* x, const float* y, size_t dim);

// y: IEEE half floats, finite.
float inner_product_f16(const float* x, const uint16_t* y, size_t dim);
float squared_l2_f16(const float* x, const uint16_t* y, size_t dim);
float inner_product_f16_f16(const uint16_t* x, const uint16_t* y, size_t dim);
float squared_l2_f16_f16(const uint16_t* x, const uint16_t* y, size_t dim);

// A row of bytes c stands for low[i] + step[i] * c[i].
// Sum of weight[i] * c[i].
float inner_product_u8(const float* weight, const uint8_t* c, size_t dim);
// Sum of (offset[i] - step[i] * c[i])^2.
float squared_l2_u8(const float* offset, const float* step, const uint8_t* c, size_t dim);
float inner_product_u8_u8(const float* low, const float* step, const uint8_t* a, const uint8_t* b,
                          size_t dim);
float squared_l2_u8_u8(const float* step, const uint8_t* a, const uint8_t* b, size_t dim);

// Differing bits of two rows of bytes, and of a query and n rows that lie one after the other.
uint32_t hamming(const uint8_t* x, const uint8_t* y, size_t bytes);
void hamming_rows(const uint8_t* query, const uint8_t* rows, size_t bytes, size_t n, float* out);

}  // namespace likeness
