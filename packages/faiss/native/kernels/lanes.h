// Sums over rows, sixteen values at a time in explicit vectors of four independent sums. Written
// with the vector types of GCC and Clang, because loops over arrays were vectorised at half the
// width and summed up through memory (twice the time of a 512-d product).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/multiversion.h"

namespace likeness {

constexpr size_t kLanes = 16;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Words = uint32_t __attribute__((vector_size(kLanes * sizeof(uint32_t))));
using Integers = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));
using Halves = uint16_t __attribute__((vector_size(kLanes * sizeof(uint16_t))));
using Bytes = uint8_t __attribute__((vector_size(kLanes)));

// Readers of values for a term: sixteen from i on, or, at the end of a row, one.
struct Sixteen {
  template <class Packed, class Value>
  static LIKENESS_INLINE Packed load(const Value* values) {
    Packed packed;
    std::memcpy(&packed, values, sizeof packed);
    return packed;
  }
  static LIKENESS_INLINE Floats floats(const float* values) { return load<Floats>(values); }
  static LIKENESS_INLINE Words words(const uint16_t* values) {
    return __builtin_convertvector(load<Halves>(values), Words);
  }
  static LIKENESS_INLINE Floats bytes(const uint8_t* values) {
    // Widens by steps of two: GCC takes a step of four value by value.
    const Words words =
        __builtin_convertvector(__builtin_convertvector(load<Bytes>(values), Halves), Words);
    return __builtin_convertvector(reinterpret_cast<Integers>(words), Floats);
  }
  static LIKENESS_INLINE Floats bits(Words words) { return reinterpret_cast<Floats>(words); }
  static LIKENESS_INLINE Words arithmetic_right(Words words, int by) {
    return reinterpret_cast<Words>(reinterpret_cast<Integers>(words) >> by);
  }
};

struct One {
  static LIKENESS_INLINE float floats(const float* value) { return *value; }
  static LIKENESS_INLINE uint32_t words(const uint16_t* value) { return *value; }
  static LIKENESS_INLINE float bytes(const uint8_t* value) { return *value; }
  static LIKENESS_INLINE float bits(uint32_t word) {
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  }
  static LIKENESS_INLINE uint32_t arithmetic_right(uint32_t word, int by) {
    return static_cast<uint32_t>(static_cast<int32_t>(word) >> by);
  }
};

// Sum over i of term(reader, i), the same order of additions for every caller.
template <class Term>
LIKENESS_INLINE float sum_lanes(size_t dim, Term term) {
  Floats a = {}, b = {}, c = {}, d = {};
  size_t i = 0;
  for (; i + 4 * kLanes <= dim; i += 4 * kLanes) {
    a += term(Sixteen{}, i);
    b += term(Sixteen{}, i + kLanes);
    c += term(Sixteen{}, i + 2 * kLanes);
    d += term(Sixteen{}, i + 3 * kLanes);
  }
  for (; i + kLanes <= dim; i += kLanes) a += term(Sixteen{}, i);
  const Floats sums = (a + b) + (c + d);
  float sum = 0;
  for (size_t width = kLanes / 2, lane = 0; lane < width; lane++) {
    sum += sums[lane] + sums[lane + width];
  }
  for (; i < dim; i++) sum += term(One{}, i);
  return sum;
}

}  // namespace likeness

#define LIKENESS_TERM(read, i) [&](auto read, size_t i) __attribute__((always_inline))
