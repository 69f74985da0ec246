// What every search shares: rows ranked by a key (smaller is better), the deletion bitmap, the output arrays.
#pragma once

#include <faiss/impl/IDSelector.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "index_core.h"
#include "kernels.h"

namespace likeness {

// Ties go to the smaller row, so that equal searches give equal answers.
struct Ranked {
  float key;
  int32_t row;
  bool operator<(const Ranked& other) const { return key != other.key ? key < other.key : row < other.row; }
};

// Key of a row for a query: squared L2 as it is, inner product negated.
struct KeyOf {
  explicit KeyOf(const IndexCore& core)
      : kernel(core.inner_product ? inner_product : squared_l2), sign(core.inner_product ? -1.f : 1.f), dim(core.dim) {}
  float operator()(const float* query, const float* row) const { return sign * kernel(query, row, dim); }
  Kernel kernel;
  float sign;
  size_t dim;
};

// Bit i set: row i is not to be returned. Rows past the end of the bitmap are live.
struct Deleted {
  const uint8_t* bits = nullptr;
  size_t size = 0;
  bool has(int64_t row) const {
    size_t byte = static_cast<size_t>(row) >> 3;
    return byte < size && ((bits[byte] >> (row & 7)) & 1) != 0;
  }
};

struct LiveSelector : faiss::IDSelector {
  explicit LiveSelector(Deleted deleted) : deleted(deleted) {}
  bool is_member(int64_t row) const final { return !deleted.has(row); }
  Deleted deleted;
};

// The best `limit` rows seen, worst on top of the heap.
class TopRows {
 public:
  explicit TopRows(size_t limit) : limit_(limit) {}
  void clear() { heap_.clear(); }
  bool full() const { return heap_.size() == limit_; }
  bool accepts(const Ranked& row) const { return !full() || row < heap_.front(); }
  float worst_key() const { return full() ? heap_.front().key : std::numeric_limits<float>::infinity(); }
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
  // Best first; empties the heap.
  std::vector<Ranked>& sorted() {
    std::sort_heap(heap_.begin(), heap_.end());
    return heap_;
  }

 private:
  size_t limit_;
  std::vector<Ranked> heap_;
};

// nq x k output arrays that belong to JavaScript.
struct Hits {
  int32_t* ids;
  float* distances;
  size_t k;
  // Padded with -1 and NaN.
  void write(size_t query, const std::vector<Ranked>& best, float sign) const;
};

}  // namespace likeness
