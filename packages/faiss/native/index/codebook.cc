// Training and placing of codebooks.
#include "index/codebook.h"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/coded_error.h"
#include "base/pool.h"
#include "index/scorers.h"

namespace likeness {
namespace {

constexpr int kIterations = 10;
constexpr int kPointsPerCentroid = 64;
// Least rows that show a range: with fewer the extremes seen say little about those to come.
constexpr size_t kRowsThatShowRange = 1000;
constexpr float kSpreadsAssumed = 4;

void train_ranges(size_t dim, const float* x, size_t n, float* low, float* span) {
  double squares = 0;
  for (size_t i = 0; i < n * dim; i++) squares += static_cast<double>(x[i]) * x[i];
  const float reach = n < kRowsThatShowRange
                          ? kSpreadsAssumed * std::sqrt(squares / std::max<size_t>(1, n * dim))
                          : 0;
  for (size_t i = 0; i < dim; i++) {
    float min = n > 0 ? x[i] : 0, max = min;
    for (size_t row = 1; row < n; row++) {
      min = std::min(min, x[row * dim + i]);
      max = std::max(max, x[row * dim + i]);
    }
    low[i] = reach > 0 ? std::min(min, -reach) : min;
    span[i] = (reach > 0 ? std::max(max, reach) : max) - low[i];
  }
}

std::vector<float> residuals(const CodebookSpec& spec, const float* x, size_t n) {
  const Kernel kernel = spec.inner_product ? inner_product : squared_l2;
  const float sign = spec.inner_product ? -1 : 1;
  std::vector<float> result(x, x + n * spec.dim);
  for (size_t row = 0; row < n; row++) {
    if (row % 64 == 0) throw_if_cancelled();
    const float* nearest = spec.centroids.data();
    float best = sign * kernel(x + row * spec.dim, nearest, spec.dim);
    for (size_t at = spec.dim; at < spec.centroids.size(); at += spec.dim) {
      const float key = sign * kernel(x + row * spec.dim, spec.centroids.data() + at, spec.dim);
      if (key < best) best = key, nearest = spec.centroids.data() + at;
    }
    for (size_t i = 0; i < spec.dim; i++) result[row * spec.dim + i] -= nearest[i];
  }
  return result;
}

// Takes evenly spaced rows: enough to train on for any n.
std::vector<float> sample(const float* x, size_t n, size_t dim, size_t limit) {
  const size_t count = std::min(n, limit);
  std::vector<float> rows(count * dim);
  for (size_t i = 0; i < count; i++) {
    std::copy_n(x + i * n / count * dim, dim, rows.data() + i * dim);
  }
  return rows;
}

void train_parts(const CodebookSpec& spec, const float* x, size_t n, float* out) {
  if (n < kPartCentroids) {
    throw CodedError("too_few_points",
                     std::to_string(n) + " points cannot train a product quantizer: it takes 256");
  }
  std::vector<float> rows = sample(x, n, spec.dim, kPartCentroids * kPointsPerCentroid);
  const size_t count = rows.size() / spec.dim;
  if (spec.centroids.size() > 0) rows = residuals(spec, rows.data(), count);
  const size_t width = spec.dim / spec.parts;
  std::vector<float> slice(count * width);
  for (size_t part = 0; part < spec.parts; part++) {
    throw_if_cancelled();
    for (size_t row = 0; row < count; row++) {
      std::copy_n(rows.data() + row * spec.dim + part * width, width, slice.data() + row * width);
    }
    faiss::ClusteringParameters params;
    params.niter = kIterations;
    params.seed = spec.seed;
    params.min_points_per_centroid = 1;
    faiss::Clustering clustering(width, kPartCentroids, params);
    faiss::IndexFlatL2 assign(width);
    clustering.train(count, slice.data(), assign);
    std::copy(clustering.centroids.begin(), clustering.centroids.end(),
              out + part * kPartCentroids * width);
  }
}

}  // namespace

void train_codebook(const CodebookSpec& spec, const float* x, size_t n, float* out) {
  switch (spec.storage) {
    case Storage::sq8:
      return train_ranges(spec.dim, x, n, out, out + spec.dim);
    case Storage::pq:
      return train_parts(spec, x, n, out);
    case Storage::f32:
    case Storage::f16:
    case Storage::bits:
      break;
  }
  throw std::logic_error(std::string(form_of(spec.storage).name) + " has no codebook");
}

std::span<const float> codebook_of(const IndexCore& core) {
  const faiss::Index& rows = core.kind == Kind::ivf ? *core.index : row_storage(core);
  const auto* values = codebook_values(const_cast<faiss::Index&>(rows));
  return values != nullptr ? std::span<const float>(*values) : std::span<const float>();
}

void set_codebook(faiss::Index& index, std::span<const float> codebook) {
  auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(&index);
  faiss::Index& rows = hnsw != nullptr ? *hnsw->storage : index;
  if (auto* values = codebook_values(rows)) values->assign(codebook.begin(), codebook.end());
  rows.is_trained = index.is_trained = true;
}

void ensure_codebook(IndexCore& core, const float* x, size_t n) {
  if (core.is_binary() || core.index->is_trained) return;
  CodebookSpec spec{core.storage, core.dim, core.parts(), core.seed, core.inner_product, {}};
  if (core.kind == Kind::ivf) {
    spec.centroids = {reinterpret_cast<const float*>(core.centroids()),
                      core.list_count() * core.dim};
  }
  std::vector<float> codebook(core.form().codebook_floats(core.dim));
  train_codebook(spec, x, n, codebook.data());
  set_codebook(*core.index, codebook);
}

}  // namespace likeness
