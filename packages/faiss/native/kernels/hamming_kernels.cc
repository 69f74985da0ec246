// Differing bits, by 64-bit words; loops for common row sizes are unrolled so that a scan runs as
// fast as memory.
#include <cstring>

#include "kernels/kernels.h"
#include "kernels/multiversion.h"

namespace likeness {
namespace {

LIKENESS_INLINE uint32_t count_words(const uint8_t* x, const uint8_t* y, size_t words) {
  uint64_t sum = 0;
  for (size_t i = 0; i < words; i++) {
    uint64_t a, b;
    std::memcpy(&a, x + 8 * i, 8);
    std::memcpy(&b, y + 8 * i, 8);
    sum += __builtin_popcountll(a ^ b);
  }
  return static_cast<uint32_t>(sum);
}

LIKENESS_INLINE uint32_t count_bits(const uint8_t* x, const uint8_t* y, size_t bytes) {
  uint32_t sum = count_words(x, y, bytes / 8);
  for (size_t i = bytes & ~size_t{7}; i < bytes; i++) sum += __builtin_popcount(x[i] ^ y[i]);
  return sum;
}

template <size_t Words>
LIKENESS_INLINE void count_rows(const uint8_t* query, const uint8_t* rows, size_t n, float* out) {
  for (size_t row = 0; row < n; row++) {
    out[row] =
        static_cast<float>(static_cast<int32_t>(count_words(query, rows + row * Words * 8, Words)));
  }
}

LIKENESS_INLINE void count_all(const uint8_t* query, const uint8_t* rows, size_t bytes, size_t n,
                               float* out) {
  switch (bytes) {
    case 16: return count_rows<2>(query, rows, n, out);
    case 32: return count_rows<4>(query, rows, n, out);
    case 64: return count_rows<8>(query, rows, n, out);
    case 96: return count_rows<12>(query, rows, n, out);
    case 128: return count_rows<16>(query, rows, n, out);
    default:
      for (size_t row = 0; row < n; row++) {
        out[row] =
            static_cast<float>(static_cast<int32_t>(count_bits(query, rows + row * bytes, bytes)));
      }
  }
}

LIKENESS_VECTOR_POPCOUNT uint32_t hamming_by_vectors(const uint8_t* x, const uint8_t* y,
                                                     size_t bytes) {
  return count_bits(x, y, bytes);
}
LIKENESS_POPCOUNT_CLONES uint32_t hamming_by_words(const uint8_t* x, const uint8_t* y,
                                                   size_t bytes) {
  return count_bits(x, y, bytes);
}

LIKENESS_VECTOR_POPCOUNT void rows_by_vectors(const uint8_t* query, const uint8_t* rows,
                                              size_t bytes, size_t n, float* out) {
  count_all(query, rows, bytes, n, out);
}
LIKENESS_POPCOUNT_CLONES void rows_by_words(const uint8_t* query, const uint8_t* rows, size_t bytes,
                                            size_t n, float* out) {
  count_all(query, rows, bytes, n, out);
}

const bool by_vectors = has_vector_popcount();

}  // namespace

uint32_t hamming(const uint8_t* x, const uint8_t* y, size_t bytes) {
  return by_vectors ? hamming_by_vectors(x, y, bytes) : hamming_by_words(x, y, bytes);
}

void hamming_rows(const uint8_t* query, const uint8_t* rows, size_t bytes, size_t n, float* out) {
  by_vectors ? rows_by_vectors(query, rows, bytes, n, out)
             : rows_by_words(query, rows, bytes, n, out);
}

}  // namespace likeness
