// Quantizers are made anew from checked sizes; Faiss then only decodes.
#include "foreign/foreign_codec.h"

#include <faiss/impl/ProductQuantizer.h>
#include <faiss/impl/ScalarQuantizer.h>

#include <cstring>
#include <memory>
#include <vector>

namespace likeness {
namespace {

using Scalar = faiss::ScalarQuantizer;

constexpr uint64_t kMaxProductBits = 16;

// Size of a scalar quantizer's ranges in floats.
size_t range_size(Scalar::QuantizerType type, size_t dim) {
  switch (type) {
    case Scalar::QT_8bit:
    case Scalar::QT_6bit:
    case Scalar::QT_4bit:
      return 2 * dim;
    case Scalar::QT_8bit_uniform:
    case Scalar::QT_4bit_uniform:
      return 2;
    default:
      return 0;
  }
}

std::vector<float> read_floats(ByteCursor& file, size_t expected) {
  file.require(file.take_count(sizeof(float)) == expected, "has a quantizer of another size");
  std::vector<float> values(expected);
  file.read(values.data(), expected * sizeof(float));
  return values;
}

}  // namespace

ForeignCodec plain_codec(size_t dim) {
  const size_t size = dim * sizeof(float);
  return {"Flat", size, [size](const uint8_t* codes, float* vectors, size_t n) {
            std::memcpy(vectors, codes, n * size);
          }};
}

ForeignCodec read_scalar_codec(ByteCursor& file, size_t dim) {
  const auto type = file.take<int32_t>();
  file.skip(sizeof(int32_t) + sizeof(float));
  const auto stored_dim = file.take<uint64_t>();
  const auto code_size = file.take<uint64_t>();
  if (type < 0 || type > Scalar::QT_6bit) {
    file.fail("unsupported_index", "has a scalar quantizer of type " + std::to_string(type));
  }
  auto quantizer = std::make_shared<Scalar>(dim, static_cast<Scalar::QuantizerType>(type));
  file.require(stored_dim == dim && code_size == quantizer->code_size,
               "has a scalar quantizer of another size");
  quantizer->trained = read_floats(file, range_size(quantizer->qtype, dim));
  auto decode = [quantizer](const uint8_t* codes, float* vectors, size_t n) {
    quantizer->decode(codes, vectors, n);
  };
  return {"SQ", code_size, decode};
}

ForeignCodec read_product_codec(ByteCursor& file, size_t dim) {
  const auto stored_dim = file.take<uint64_t>();
  const auto parts = file.take<uint64_t>();
  const auto bits = file.take<uint64_t>();
  file.require(stored_dim == dim && parts > 0 && parts <= dim && dim % parts == 0,
               "has a product quantizer of another size");
  file.require(bits > 0 && bits <= 24, "has a product quantizer with impossible bits");
  if (bits > kMaxProductBits) {
    file.fail("unsupported_index", "has a product quantizer of more than 16 bits");
  }
  auto centroids = read_floats(file, dim << bits);
  auto quantizer = std::make_shared<faiss::ProductQuantizer>(dim, parts, bits);
  quantizer->centroids = std::move(centroids);
  auto decode = [quantizer](const uint8_t* codes, float* vectors, size_t n) {
    quantizer->decode(codes, vectors, n);
  };
  return {"PQ", quantizer->code_size, decode};
}

}  // namespace likeness
