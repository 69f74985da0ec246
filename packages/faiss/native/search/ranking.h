// Types that all searches share: rows ranked by a key (smaller is better), the deletion bitmap,
// queries and output arrays.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/index_core.h"

namespace likeness {

// Ties go to the smaller row, so that equal searches give equal answers.
struct Ranked {
  float key;
  int32_t row;
  bool operator<(const Ranked& other) const {
    return key != other.key ? key < other.key : row < other.row;
  }
};

// Deletion bitmap: row i is not to be returned when bit i is set. Rows past the end of the bitmap
// are live.
struct Deleted {
  const uint8_t* bits = nullptr;
  size_t size = 0;
  bool has(int64_t row) const {
    size_t byte = static_cast<size_t>(row) >> 3;
    return byte < size && ((bits[byte] >> (row & 7)) & 1) != 0;
  }
  // Tests rows first to first + 63; first is a multiple of 64.
  bool has_all_64(int64_t first) const {
    const size_t byte = static_cast<size_t>(first) >> 3;
    return byte + 8 <= size &&
           std::all_of(bits + byte, bits + byte + 8, [](uint8_t value) { return value == 0xff; });
  }
};

// Tests whether any key of a group is at most `bound`. Once the best rows are found hardly any key
// is, and the whole group is passed over without a branch per key.
inline bool any_within(const float* keys, size_t n, float bound) {
  uint32_t within = 0;
  for (size_t i = 0; i < n; i++) within |= keys[i] <= bound ? 1u : 0u;
  return within != 0;
}

// Queries as JavaScript gave them: f32 rows, or bytes for a binary index.
struct Queries {
  const uint8_t* data;
  size_t count;
  size_t row_bytes;
  const uint8_t* at(size_t i) const { return data + i * row_bytes; }
};

// The best `limit` rows seen, worst on top of the heap.
class TopRows {
 public:
  explicit TopRows(size_t limit) : limit_(limit) {}
  void clear() { heap_.clear(); }
  bool full() const { return heap_.size() == limit_; }
  bool accepts(const Ranked& row) const { return !full() || row < heap_.front(); }
  float worst_key() const {
    return full() ? heap_.front().key : std::numeric_limits<float>::infinity();
  }
  void offer(const Ranked& row) {
    if (!accepts(row)) return;
    if (full()) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = row;
    } else {
      heap_.push_back(row);
    }
    std::push_heap(heap_.begin(), heap_.end());
  }
  // Best first; the rows are a heap again only after clear().
  std::vector<Ranked>& sorted() {
    std::sort_heap(heap_.begin(), heap_.end());
    return heap_;
  }

 private:
  size_t limit_;
  std::vector<Ranked> heap_;
};

// Output arrays, nq x k, that belong to JavaScript.
struct Hits {
  int32_t* ids;
  float* distances;
  size_t k;
  // Pads with -1 and NaN.
  void write(size_t query, const std::vector<Ranked>& best, float sign) const;
};

// Results of a range search, one list per query, best first.
using Found = std::vector<std::vector<Ranked>>;

}  // namespace likeness
