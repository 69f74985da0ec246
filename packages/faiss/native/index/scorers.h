// Keys of stored rows for one query, by storage: smaller is better; squared L2 and Hamming
// unchanged, inner product negated. A scorer is prepared with a query (as JavaScript gave the
// query) and then asked for one row (`key`), for rows that lie one after the other (`keys`), or for
// two stored rows (`between`).
#pragma once

#include <vector>

#include "index/bf16_planes.h"
#include "index/index_core.h"
#include "kernels/kernels.h"

namespace likeness {

inline float sign_of(const IndexCore& core) { return core.inner_product ? -1.f : 1.f; }

class F32Scorer {
 public:
  explicit F32Scorer(const IndexCore& core)
      : kernel_(core.inner_product ? inner_product : squared_l2),
        sign_(sign_of(core)),
        dim_(core.dim) {}
  void prepare(const uint8_t* query) { query_ = reinterpret_cast<const float*>(query); }
  float key(const uint8_t* row) const {
    return sign_ * kernel_(query_, reinterpret_cast<const float*>(row), dim_);
  }
  void keys(const uint8_t* rows, size_t n, float* out) const {
    for (size_t i = 0; i < n; i++) out[i] = key(rows + i * dim_ * sizeof(float));
  }
  float between(const uint8_t* a, const uint8_t* b) const {
    return sign_ *
           kernel_(reinterpret_cast<const float*>(a), reinterpret_cast<const float*>(b), dim_);
  }

 private:
  Kernel kernel_;
  float sign_;
  size_t dim_;
  const float* query_ = nullptr;
};

// Scores f32 rows in planes.
class Bf16PlanesScorer {
 public:
  explicit Bf16PlanesScorer(const IndexCore& core) : dim_(core.dim) {}
  void prepare(const uint8_t* query) { query_ = reinterpret_cast<const float*>(query); }
  float key(const uint8_t* row) const { return -inner_product_planes(query_, halves(row), dim_); }
  void keys(const uint8_t* rows, size_t n, float* out) const {
    for (size_t i = 0; i < n; i++) out[i] = key(rows + i * dim_ * sizeof(float));
  }
  float between(const uint8_t* a, const uint8_t* b) const {
    return -inner_product_planes_planes(halves(a), halves(b), dim_);
  }

 protected:
  static const uint16_t* halves(const uint8_t* row) {
    return reinterpret_cast<const uint16_t*>(row);
  }

  size_t dim_;
  const float* query_ = nullptr;
};

// Scores the same rows; walks go by keys of the first plane.
class Bf16WalkScorer : public Bf16PlanesScorer {
 public:
  using Bf16PlanesScorer::Bf16PlanesScorer;
  float walk_key(const uint8_t* row) const {
    return -inner_product_upper(query_, halves(row), dim_);
  }
  float between(const uint8_t* a, const uint8_t* b) const {
    return -inner_product_upper_upper(halves(a), halves(b), dim_);
  }
};

// Scorer whose walks see less of a row than the exact keys do.
template <class Scorer>
concept WalksByPart = requires(const Scorer& scorer, const uint8_t* row) { scorer.walk_key(row); };

class F16Scorer {
 public:
  explicit F16Scorer(const IndexCore& core) : ip_(core.inner_product), dim_(core.dim) {}
  void prepare(const uint8_t* query) { query_ = reinterpret_cast<const float*>(query); }
  float key(const uint8_t* row) const {
    const auto* half = reinterpret_cast<const uint16_t*>(row);
    return ip_ ? -inner_product_f16(query_, half, dim_) : squared_l2_f16(query_, half, dim_);
  }
  void keys(const uint8_t* rows, size_t n, float* out) const {
    for (size_t i = 0; i < n; i++) out[i] = key(rows + i * dim_ * sizeof(uint16_t));
  }
  float between(const uint8_t* a, const uint8_t* b) const {
    const auto *x = reinterpret_cast<const uint16_t*>(a), *y = reinterpret_cast<const uint16_t*>(b);
    return ip_ ? -inner_product_f16_f16(x, y, dim_) : squared_l2_f16_f16(x, y, dim_);
  }

 private:
  bool ip_;
  size_t dim_;
  const float* query_ = nullptr;
};

class Sq8Scorer {
 public:
  explicit Sq8Scorer(const IndexCore& core);
  void prepare(const uint8_t* query);
  float key(const uint8_t* row) const {
    return ip_ ? -(bias_ + inner_product_u8(weight_.data(), row, dim_))
               : squared_l2_u8(weight_.data(), step_.data(), row, dim_);
  }
  void keys(const uint8_t* rows, size_t n, float* out) const {
    for (size_t i = 0; i < n; i++) out[i] = key(rows + i * dim_);
  }
  float between(const uint8_t* a, const uint8_t* b) const {
    return ip_ ? -inner_product_u8_u8(low_.data(), step_.data(), a, b, dim_)
               : squared_l2_u8_u8(step_.data(), a, b, dim_);
  }

 private:
  bool ip_;
  size_t dim_;
  std::vector<float> low_, step_;
  std::vector<float> weight_;  // query * step, or query - low for L2
  float bias_ = 0;
};

class PqScorer {
 public:
  explicit PqScorer(const IndexCore& core);
  void prepare(const uint8_t* query);
  // Enters an IVF list: the codes in a list are residuals to its centroid.
  void enter_list(const float* centroid);
  float key(const uint8_t* row) const;
  void keys(const uint8_t* rows, size_t n, float* out) const {
    for (size_t i = 0; i < n; i++) out[i] = key(rows + i * parts_);
  }
  float between(const uint8_t* a, const uint8_t* b) const;

 private:
  void fill_table(const float* query);

  bool ip_;
  size_t dim_, parts_, part_dim_;
  const float* centroids_;  // parts x kPartCentroids x part_dim
  const float* query_ = nullptr;
  float bias_ = 0;
  std::vector<float> table_;  // parts x kPartCentroids
  std::vector<float> residual_;
};

class BitsScorer {
 public:
  explicit BitsScorer(const IndexCore& core) : bytes_(core.dim / 8) {}
  void prepare(const uint8_t* query) { query_ = query; }
  float key(const uint8_t* row) const { return between(query_, row); }
  void keys(const uint8_t* rows, size_t n, float* out) const {
    hamming_rows(query_, rows, bytes_, n, out);
  }
  float between(const uint8_t* a, const uint8_t* b) const {
    return static_cast<float>(hamming(a, b, bytes_));
  }

 private:
  size_t bytes_;
  const uint8_t* query_ = nullptr;
};

// Calls use(scorer) with the scorer of the index's storage.
template <class Use>
auto with_scorer(const IndexCore& core, Use use) {
  switch (core.storage) {
    case Storage::f32: break;
    case Storage::f16: return use(F16Scorer(core));
    case Storage::sq8: return use(Sq8Scorer(core));
    case Storage::pq: return use(PqScorer(core));
    case Storage::bits: return use(BitsScorer(core));
  }
  if (!core.in_bf16_planes()) return use(F32Scorer(core));
  return core.walks_bf16_plane ? use(Bf16WalkScorer(core)) : use(Bf16PlanesScorer(core));
}

}  // namespace likeness
