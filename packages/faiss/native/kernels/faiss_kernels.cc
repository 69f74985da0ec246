// Kernels for a static Faiss before 1.8, which a distribution may build without SIMD (Debian does):
// building HNSW and scanning IVF lists then use our kernels. Linked ahead of the archive with -z
// muldefs, so that these definitions win.
#include <faiss/Index.h>

#if FAISS_VERSION_MAJOR == 1 && FAISS_VERSION_MINOR < 8

#include "kernels/kernels.h"

namespace faiss {

float fvec_inner_product(const float* x, const float* y, size_t d) {
  return likeness::inner_product(x, y, d);
}

float fvec_L2sqr(const float* x, const float* y, size_t d) { return likeness::squared_l2(x, y, d); }

float fvec_norm_L2sqr(const float* x, size_t d) { return likeness::inner_product(x, x, d); }

void fvec_inner_products_ny(float* ip, const float* x, const float* y, size_t d, size_t ny) {
  for (size_t i = 0; i < ny; i++) ip[i] = likeness::inner_product(x, y + i * d, d);
}

void fvec_L2sqr_ny(float* dis, const float* x, const float* y, size_t d, size_t ny) {
  for (size_t i = 0; i < ny; i++) dis[i] = likeness::squared_l2(x, y + i * d, d);
}

}  // namespace faiss

#endif
