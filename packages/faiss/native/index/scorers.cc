// Parts of the scorers of quantized rows that are computed once per query.
#include "index/scorers.h"

#include "index/codebook.h"

namespace likeness {

Sq8Scorer::Sq8Scorer(const IndexCore& core)
    : ip_(core.inner_product), dim_(core.dim), low_(core.dim), step_(core.dim), weight_(core.dim) {
  const float* ranges = codebook_of(core).data();
  for (size_t i = 0; ranges != nullptr && i < dim_; i++) {
    step_[i] = ranges[dim_ + i] / 255;
    low_[i] = ranges[i] + step_[i] / 2;
  }
}

void Sq8Scorer::prepare(const uint8_t* bytes) {
  const auto* query = reinterpret_cast<const float*>(bytes);
  for (size_t i = 0; i < dim_; i++) weight_[i] = ip_ ? query[i] * step_[i] : query[i] - low_[i];
  if (ip_) bias_ = inner_product(query, low_.data(), dim_);
}

PqScorer::PqScorer(const IndexCore& core)
    : ip_(core.inner_product),
      dim_(core.dim),
      parts_(core.code_size()),
      part_dim_(dim_ / parts_),
      centroids_(codebook_of(core).data()),
      table_(parts_ * kPartCentroids),
      residual_(core.kind == Kind::ivf ? dim_ : 0) {}

void PqScorer::fill_table(const float* query) {
  for (size_t part = 0; part < parts_; part++) {
    const float* slice = query + part * part_dim_;
    for (size_t c = 0; c < kPartCentroids; c++) {
      const float* centroid = centroids_ + (part * kPartCentroids + c) * part_dim_;
      table_[part * kPartCentroids + c] =
          ip_ ? -inner_product(slice, centroid, part_dim_) : squared_l2(slice, centroid, part_dim_);
    }
  }
}

void PqScorer::prepare(const uint8_t* query) {
  query_ = reinterpret_cast<const float*>(query);
  // Squared distances to residuals need a table for each list.
  if (ip_ || residual_.empty()) fill_table(query_);
}

void PqScorer::enter_list(const float* centroid) {
  if (ip_) {
    bias_ = -inner_product(query_, centroid, dim_);
    return;
  }
  for (size_t i = 0; i < dim_; i++) residual_[i] = query_[i] - centroid[i];
  fill_table(residual_.data());
}

float PqScorer::key(const uint8_t* row) const {
  float sums[4] = {bias_, 0, 0, 0};
  const float* table = table_.data();
  size_t part = 0;
  for (; part + 4 <= parts_; part += 4) {
    for (size_t lane = 0; lane < 4; lane++) {
      sums[lane] += table[(part + lane) * kPartCentroids + row[part + lane]];
    }
  }
  for (; part < parts_; part++) sums[0] += table[part * kPartCentroids + row[part]];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

float PqScorer::between(const uint8_t* a, const uint8_t* b) const {
  float sum = 0;
  for (size_t part = 0; part < parts_; part++) {
    const float* x = centroids_ + (part * kPartCentroids + a[part]) * part_dim_;
    const float* y = centroids_ + (part * kPartCentroids + b[part]) * part_dim_;
    sum += ip_ ? -inner_product(x, y, part_dim_) : squared_l2(x, y, part_dim_);
  }
  return sum;
}

}  // namespace likeness
