// Rows of f32 in a graph by inner product lie in two planes: first the upper halves of all values,
// rounded to nearest (bf16), then the rest of each value. A walk reads the first plane alone, half
// of the bytes; both planes together are the exact values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace likeness {

// Splits in place n rows of dim floats. The values are finite.
void split_rows(uint8_t* rows, size_t dim, size_t n);
void join_row(const uint8_t* planes, size_t dim, float* out);

// Product of a query and the first plane of a row.
float inner_product_upper(const float* x, const uint16_t* upper, size_t dim);
// Product of the first planes of two rows.
float inner_product_upper_upper(const uint16_t* a, const uint16_t* b, size_t dim);
// Product of two rows in planes.
float inner_product_planes_planes(const uint16_t* a, const uint16_t* b, size_t dim);
// Product of a query and a row in planes: the same bits as inner_product() of the joined row.
float inner_product_planes(const float* x, const uint16_t* planes, size_t dim);

}  // namespace likeness
