// One index as jobs see it: the Faiss object, what kind it is, and the gate that orders work on it.
#pragma once

#include <faiss/Index.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "gate.h"

namespace likeness {

enum class Kind { flat, hnsw, ivf };

struct IndexCore {
  IndexCore(std::unique_ptr<faiss::Index> index, Kind kind);

  std::unique_ptr<faiss::Index> index;
  const Kind kind;
  const size_t dim;
  const bool inner_product;
  // What JavaScript may read while an add runs.
  std::atomic<int64_t> ntotal;
  // Set by close(): nothing new may begin.
  std::atomic<bool> closed{false};
  Gate gate;

  // The f32 rows of a flat or HNSW index, null for IVF.
  const faiss::IndexFlat* rows() const;
  const faiss::IndexHNSW& hnsw() const { return static_cast<const faiss::IndexHNSW&>(*index); }
  const faiss::IndexIVFFlat& ivf() const { return static_cast<const faiss::IndexIVFFlat&>(*index); }

  // Throws invalid_argument for a row that is not there.
  void check_row(int64_t row) const;
  // The vector of a row; IVF decodes into scratch (dim floats).
  const float* vector(int64_t row, float* scratch) const;
};

// Frees the Faiss object on a pool thread once everything before it has ended.
void release_later(std::shared_ptr<IndexCore> core);

}  // namespace likeness
