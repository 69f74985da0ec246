// Storage of the rows of a foreign Faiss file: plain floats, scalar or product quantizer.
#pragma once

#include <functional>
#include <string>

#include "foreign/byte_cursor.h"

namespace likeness {

struct ForeignCodec {
  std::string name;
  size_t code_size = 0;
  // codes (n x code_size) -> vectors (n x dim)
  std::function<void(const uint8_t* codes, float* vectors, size_t n)> decode;
};

ForeignCodec plain_codec(size_t dim);
// Read the quantizer's own part of the file.
ForeignCodec read_scalar_codec(ByteCursor& file, size_t dim);
ForeignCodec read_product_codec(ByteCursor& file, size_t dim);

}  // namespace likeness
