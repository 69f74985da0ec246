// Codebooks, which a quantized storage learns from vectors: ranges of sq8 (dim minima, dim spans),
// centroids of pq (parts x 256 x part dim).
#pragma once

#include <span>

#include "index/index_core.h"

namespace likeness {

struct CodebookSpec {
  Storage storage;
  size_t dim;
  size_t parts;  // 0 for a form without parts
  int seed;
  bool inner_product;
  // Centroids of the IVF indexes that a pq codebook is for: vectors are taken relative to the
  // nearest; empty otherwise.
  std::span<const float> centroids;
};

// Trains into out: codebook_floats of the form. The same seed and data give the same codebook.
// Throws too_few_points when pq has less than 256.
void train_codebook(const CodebookSpec& spec, const float* x, size_t n, float* out);

// Codebook of an index that needs one; empty while the index is not trained.
std::span<const float> codebook_of(const IndexCore& core);
void set_codebook(faiss::Index& index, std::span<const float> codebook);
// Trains the codebook on the first vectors that the index gets, unless the index has one.
void ensure_codebook(IndexCore& core, const float* x, size_t n);

}  // namespace likeness
