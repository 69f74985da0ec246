// createFlat, createHnsw, createIvf, describe, close: the life of an index object.
#include "methods.h"

#include <faiss/IndexHNSW.h>

#include "coded_error.h"

namespace likeness {
namespace {

faiss::MetricType metric(bool inner_product) {
  return inner_product ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
}

// dim, innerProduct
napi_value create_flat(const Args& args) {
  auto index = std::make_unique<faiss::IndexFlat>(args.integer(0), metric(args.flag(1)));
  return wrap_index(args.env(), std::make_shared<IndexCore>(std::move(index), Kind::flat));
}

// dim, innerProduct, m, efConstruction
napi_value create_hnsw(const Args& args) {
  auto index = std::make_unique<faiss::IndexHNSWFlat>(args.integer(0), args.integer(2), metric(args.flag(1)));
  index->hnsw.efConstruction = args.integer(3);
  return wrap_index(args.env(), std::make_shared<IndexCore>(std::move(index), Kind::hnsw));
}

// dim, innerProduct, centroids
napi_value create_ivf(const Args& args) {
  const size_t dim = args.integer(0);
  const auto centroids = args.floats(2);
  if (dim == 0 || centroids.size == 0 || centroids.size % dim != 0) {
    throw CodedError("dimension_mismatch", "centroids are not nlist x dim");
  }
  const size_t nlist = centroids.size / dim;
  auto quantizer = std::make_unique<faiss::IndexFlat>(dim, metric(args.flag(1)));
  quantizer->add(nlist, centroids.data);
  auto index = std::make_unique<faiss::IndexIVFFlat>(quantizer.get(), dim, nlist, metric(args.flag(1)));
  index->own_fields = true;
  quantizer.release();
  // Rows are read back by number, also while deciding which survivors to scan.
  index->make_direct_map(true);
  return wrap_index(args.env(), std::make_shared<IndexCore>(std::move(index), Kind::ivf));
}

// index -> [kind, dim, innerProduct]
napi_value describe(const Args& args) {
  static const char* const names[] = {"flat", "hnsw", "ivf"};
  auto core = args.index(0);
  napi_value list = nullptr, kind = nullptr, dim = nullptr, ip = nullptr;
  check(args.env(), napi_create_array_with_length(args.env(), 3, &list));
  check(args.env(), napi_create_string_utf8(args.env(), names[static_cast<int>(core->kind)], NAPI_AUTO_LENGTH, &kind));
  check(args.env(), napi_create_int64(args.env(), core->dim, &dim));
  check(args.env(), napi_get_boolean(args.env(), core->inner_product, &ip));
  check(args.env(), napi_set_element(args.env(), list, 0, kind));
  check(args.env(), napi_set_element(args.env(), list, 1, dim));
  check(args.env(), napi_set_element(args.env(), list, 2, ip));
  return list;
}

// index -> rows added so far
napi_value ntotal(const Args& args) {
  napi_value value = nullptr;
  check(args.env(), napi_create_int64(args.env(), args.index(0)->ntotal, &value));
  return value;
}

// index
napi_value close_index(const Args& args) {
  auto core = args.index(0);
  core->closed = true;
  release_later(std::move(core));
  return nullptr;
}

}  // namespace

void export_create(napi_env env, napi_value exports) {
  export_method(env, exports, "createFlat", create_flat);
  export_method(env, exports, "createHnsw", create_hnsw);
  export_method(env, exports, "createIvf", create_ivf);
  export_method(env, exports, "describe", describe);
  export_method(env, exports, "ntotal", ntotal);
  export_method(env, exports, "close", close_index);
}

}  // namespace likeness
