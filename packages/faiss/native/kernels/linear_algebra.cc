// Faiss's clustering, our own dot products, LAPACK's dsyev.
#include "kernels/linear_algebra.h"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/pool.h"
#include "kernels/kernels.h"

extern "C" void dsyev_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda,
                       double* w, double* work, const int* lwork, int* info);

namespace likeness {
namespace {

constexpr size_t kBlockRows = 64;
constexpr size_t kBinaryPointsPerCentroid = 64;

void scale_to_unit(float* row, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += static_cast<double>(row[i]) * row[i];
  if (sum == 0) return;
  const double scale = 1 / std::sqrt(sum);
  for (size_t i = 0; i < dim; i++) row[i] = static_cast<float>(row[i] * scale);
}

void fix_sign(double* vector, int n) {
  const double* largest = std::max_element(
      vector, vector + n, [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest < 0) std::transform(vector, vector + n, vector, [](double value) { return -value; });
}

}  // namespace

void train_centroids(const KMeans& spec, const float* x, size_t n, float* centroids) {
  faiss::ClusteringParameters params;
  params.niter = spec.iterations;
  params.seed = spec.seed;
  params.spherical = spec.inner_product;
  // Few points are the decision of the caller; Faiss would print a warning.
  params.min_points_per_centroid = 1;
  faiss::Clustering clustering(spec.dim, spec.nlist, params);
  faiss::IndexFlat assign(spec.dim,
                          spec.inner_product ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2);
  clustering.train(n, x, assign);
  std::copy(clustering.centroids.begin(), clustering.centroids.end(), centroids);
}

void train_binary_centroids(const KMeans& spec, const uint8_t* x, size_t n, uint8_t* centroids) {
  const size_t count = std::min(n, spec.nlist * kBinaryPointsPerCentroid), bytes = spec.dim / 8;
  std::vector<float> points(count * spec.dim), means(spec.nlist * spec.dim);
  for (size_t i = 0; i < count; i++) {
    const uint8_t* row = x + i * n / count * bytes;
    for (size_t bit = 0; bit < spec.dim; bit++) {
      points[i * spec.dim + bit] = row[bit >> 3] >> (bit & 7) & 1;
    }
  }
  train_centroids(spec, points.data(), count, means.data());
  std::fill_n(centroids, spec.nlist * bytes, uint8_t{0});
  for (size_t i = 0; i < means.size(); i++) {
    if (means[i] > 0.5f) centroids[i / spec.dim * bytes + (i % spec.dim >> 3)] |= 1 << (i & 7);
  }
}

void transform(const Projection& projection, const float* x, size_t n, float* out) {
  for (size_t first = 0; first < n; first += kBlockRows) {
    throw_if_cancelled();
    const size_t end = std::min(n, first + kBlockRows);
    for (size_t o = 0; o < projection.d_out; o++) {
      const float* weights = projection.matrix + o * projection.d_in;
      const float bias = projection.bias != nullptr ? projection.bias[o] : 0.f;
      for (size_t row = first; row < end; row++) {
        out[row * projection.d_out + o] =
            inner_product(weights, x + row * projection.d_in, projection.d_in) + bias;
      }
    }
    if (!projection.normalize) continue;
    for (size_t row = first; row < end; row++) {
      scale_to_unit(out + row * projection.d_out, projection.d_out);
    }
  }
}

void symmetric_eigen(double* vectors, double* values, int n) {
  int info = 0, lwork = -1;
  double wanted = 0;
  dsyev_("V", "L", &n, vectors, &n, values, &wanted, &lwork, &info);
  lwork = static_cast<int>(wanted);
  std::vector<double> work(std::max(1, lwork));
  dsyev_("V", "L", &n, vectors, &n, values, work.data(), &lwork, &info);
  if (info != 0) {
    throw std::runtime_error("dsyev did not converge (info " + std::to_string(info) + ")");
  }
  // LAPACK's columns are rows here; LAPACK sorts eigenvalues upwards.
  std::reverse(values, values + n);
  for (int i = 0; i < n / 2; i++) {
    std::swap_ranges(vectors + static_cast<size_t>(i) * n, vectors + static_cast<size_t>(i + 1) * n,
                     vectors + static_cast<size_t>(n - 1 - i) * n);
  }
  for (int i = 0; i < n; i++) fix_sign(vectors + static_cast<size_t>(i) * n, n);
}

}  // namespace likeness
