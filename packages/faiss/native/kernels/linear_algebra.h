// Training and projection without an index: k-means, linear transform, symmetric eigenvectors.
#pragma once

#include <cstddef>
#include <cstdint>

namespace likeness {

struct KMeans {
  size_t dim;
  size_t nlist;
  bool inner_product;
  int seed;
  int iterations;
};

// x: n x dim, centroids: nlist x dim. Inner product gives unit centroids, as an IVF over inner
// product wants.
void train_centroids(const KMeans& spec, const float* x, size_t n, float* centroids);

// Trains centroids of packed bits, by k-means on the bits as 0 and 1: a bit of a centroid is the
// bit that most of its rows have. x and centroids: rows of dim / 8 bytes.
void train_binary_centroids(const KMeans& spec, const uint8_t* x, size_t n, uint8_t* centroids);

struct Projection {
  const float* matrix;  // d_out x d_in, row-major
  const float* bias;    // d_out, or null
  size_t d_in;
  size_t d_out;
  bool normalize;
};

// out: n x d_out. The result of a row does not depend on the rows beside. A zero row stays zero.
void transform(const Projection& projection, const float* x, size_t n, float* out);

// In: symmetric n x n in vectors. Out: eigenvalues descending, eigenvector i in row i, its largest
// component positive.
void symmetric_eigen(double* vectors, double* values, int n);

}  // namespace likeness
