// Rows of f32 in a graph by inner product lie in two planes: the upper halves of all values, rounded to nearest (bf16), then
// what each half lacks. A walk reads the first plane alone, half of the bytes; the two together are the very values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace likeness {

// In place: n rows of dim floats. The values are finite.
void split_rows(uint8_t* rows, size_t dim, size_t n);
void join_row(const uint8_t* planes, size_t dim, float* out);

// Of a query and a row's first plane.
float inner_product_upper(const float* x, const uint16_t* upper, size_t dim);
// Of two rows' first planes.
float inner_product_upper_upper(const uint16_t* a, const uint16_t* b, size_t dim);
// Of two rows' planes.
float inner_product_planes_planes(const uint16_t* a, const uint16_t* b, size_t dim);
// Of a query and a row's two planes: the same bits as inner_product() of the joined row.
float inner_product_planes(const float* x, const uint16_t* planes, size_t dim);

}  // namespace likeness
