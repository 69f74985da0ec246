// What a quantized storage learns from vectors: ranges of sq8 (dim minima, dim spans), centroids of pq (parts x 256 x part dim).
#pragma once

#include <span>

#include "index/index_core.h"

namespace likeness {

struct CodebookSpec {
  Storage storage;
  size_t dim;
  size_t parts;  // pq only
  int seed;
  bool inner_product;
  // For pq under IVF: vectors are taken relative to the nearest of these; empty otherwise.
  std::span<const float> centroids;
};

// out: as many floats as the form has in its codebook. The same seed and data give the same codebook. Throws too_few_points when pq has less than 256.
void train_codebook(const CodebookSpec& spec, const float* x, size_t n, float* out);

// Of an index that needs one; without data while it has none.
std::span<const float> codebook_of(const IndexCore& core);
void set_codebook(faiss::Index& index, std::span<const float> codebook);
// Trains the index's codebook on the first vectors it gets, unless it has one.
void ensure_codebook(IndexCore& core, const float* x, size_t n);

}  // namespace likeness
