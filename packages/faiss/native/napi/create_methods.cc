// createFlat, createHnsw, createIvf, createBinary, describe, close: the life of an index object.
#include "napi/methods.h"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexPQ.h>
#include <faiss/IndexScalarQuantizer.h>

#include "base/coded_error.h"
#include "index/codebook.h"

namespace likeness {
namespace {

constexpr auto kHalf = faiss::ScalarQuantizer::QT_fp16;
constexpr auto kByte = faiss::ScalarQuantizer::QT_8bit;
constexpr int kPartBits = 8;

faiss::MetricType metric(bool inner_product) {
  return inner_product ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
}

// What every float index is made from: dim, innerProduct, storage (parts of pq in parts), codebook (or empty), seed.
struct Form {
  explicit Form(const Args& args)
      : dim(args.integer(0)), metric(likeness::metric(args.flag(1))), storage(read_storage(args.text(2))), parts(args.integer(3)),
        codebook(args.floats(4)), seed(args.integer(5)) {
    if (codebook.size() != 0) require_size(codebook.size(), codebook_size(storage, dim), "codebook");
    if (storage == Storage::pq && (parts == 0 || dim % parts != 0)) throw CodedError("invalid_argument", "pq: parts do not divide dim");
  }
  static Storage read_storage(const std::string& name) {
    if (name == "f32") return Storage::f32;
    if (name == "f16") return Storage::f16;
    if (name == "sq8") return Storage::sq8;
    if (name == "pq") return Storage::pq;
    throw CodedError("invalid_argument", "no storage " + name);
  }
  napi_value wrap(napi_env env, std::unique_ptr<faiss::Index> index, Kind kind) const {
    if (storage == Storage::f16) index->is_trained = true;
    else if (storage != Storage::f32) index->is_trained = false;
    if (codebook.size() != 0) set_codebook(*index, storage, codebook.data());
    auto core = std::make_shared<IndexCore>(std::move(index), kind, storage);
    core->seed = seed;
    return wrap_index(env, std::move(core));
  }
  size_t dim;
  faiss::MetricType metric;
  Storage storage;
  size_t parts;
  std::span<float> codebook;
  int seed;
};

std::unique_ptr<faiss::Index> make_flat(const Form& form) {
  switch (form.storage) {
    case Storage::f16: return std::make_unique<faiss::IndexScalarQuantizer>(form.dim, kHalf, form.metric);
    case Storage::sq8: return std::make_unique<faiss::IndexScalarQuantizer>(form.dim, kByte, form.metric);
    case Storage::pq: return std::make_unique<faiss::IndexPQ>(form.dim, form.parts, kPartBits, form.metric);
    default: return std::make_unique<faiss::IndexFlat>(form.dim, form.metric);
  }
}

// The form's five, m, efConstruction
napi_value create_flat(const Args& args) {
  const Form form(args);
  return form.wrap(args.env(), make_flat(form), Kind::flat);
}

// Storage and graph of one index are the metric's: Faiss's own constructor for pq knows L2 only.
std::unique_ptr<faiss::IndexHNSW> make_hnsw(const Form& form, int m) {
  std::unique_ptr<faiss::IndexHNSW> index;
  if (form.storage == Storage::f32) index = std::make_unique<faiss::IndexHNSWFlat>(form.dim, m, form.metric);
  else if (form.storage == Storage::pq) index = std::make_unique<faiss::IndexHNSWPQ>(form.dim, form.parts, m);
  else index = std::make_unique<faiss::IndexHNSWSQ>(form.dim, form.storage == Storage::f16 ? kHalf : kByte, m, form.metric);
  index->metric_type = index->storage->metric_type = form.metric;
  index->storage->is_trained = form.storage == Storage::f32 || form.storage == Storage::f16;
  return index;
}

napi_value create_hnsw(const Args& args) {
  const Form form(args);
  auto index = make_hnsw(form, args.integer(6));
  index->hnsw.efConstruction = args.integer(7);
  return form.wrap(args.env(), std::move(index), Kind::hnsw);
}

std::unique_ptr<faiss::IndexIVF> make_ivf(const Form& form, faiss::Index* quantizer, size_t nlist) {
  switch (form.storage) {
    case Storage::f16: return std::make_unique<faiss::IndexIVFScalarQuantizer>(quantizer, form.dim, nlist, kHalf, form.metric, false);
    case Storage::sq8: return std::make_unique<faiss::IndexIVFScalarQuantizer>(quantizer, form.dim, nlist, kByte, form.metric, false);
    case Storage::pq: return std::make_unique<faiss::IndexIVFPQ>(quantizer, form.dim, nlist, form.parts, kPartBits, form.metric);
    default: return std::make_unique<faiss::IndexIVFFlat>(quantizer, form.dim, nlist, form.metric);
  }
}

// The form's six, centroids
napi_value create_ivf(const Args& args) {
  const Form form(args);
  const auto centroids = args.floats(6);
  if (form.dim == 0 || centroids.size() == 0 || centroids.size() % form.dim != 0) {
    throw CodedError("dimension_mismatch", "centroids are not nlist x dim");
  }
  const size_t nlist = centroids.size() / form.dim;
  auto quantizer = std::make_unique<faiss::IndexFlat>(form.dim, form.metric);
  quantizer->add(nlist, centroids.data());
  auto index = make_ivf(form, quantizer.get(), nlist);
  index->own_fields = true;
  quantizer.release();
  // Rows are read back by number, also while deciding which survivors to scan.
  index->make_direct_map(true);
  return form.wrap(args.env(), std::move(index), Kind::ivf);
}

std::unique_ptr<faiss::IndexBinary> make_binary_ivf(size_t bits, std::span<uint8_t> centroids) {
  if (centroids.size() == 0 || centroids.size() % (bits / 8) != 0) throw CodedError("dimension_mismatch", "centroids are not nlist x bits / 8");
  const size_t nlist = centroids.size() / (bits / 8);
  auto quantizer = std::make_unique<faiss::IndexBinaryFlat>(bits);
  quantizer->add(nlist, centroids.data());
  auto index = std::make_unique<faiss::IndexBinaryIVF>(quantizer.get(), bits, nlist);
  index->own_fields = true;
  quantizer.release();
  index->is_trained = true;
  index->make_direct_map(true);
  return index;
}

// kind, bits, m, efConstruction, centroids (or empty)
napi_value create_binary(const Args& args) {
  const std::string kind = args.text(0);
  const size_t bits = args.integer(1);
  if (bits == 0 || bits % 8 != 0) throw CodedError("invalid_argument", "bits are not whole bytes");
  std::unique_ptr<faiss::IndexBinary> index;
  if (kind == "flat") index = std::make_unique<faiss::IndexBinaryFlat>(bits);
  if (kind == "ivf") index = make_binary_ivf(bits, args.bytes(4));
  if (kind == "hnsw") {
    auto hnsw = std::make_unique<faiss::IndexBinaryHNSW>(bits, args.integer(2));
    hnsw->hnsw.efConstruction = args.integer(3);
    index = std::move(hnsw);
  }
  if (index == nullptr) throw CodedError("invalid_argument", "no binary index of kind " + kind);
  const Kind made = kind == "flat" ? Kind::flat : kind == "ivf" ? Kind::ivf : Kind::hnsw;
  return wrap_index(args.env(), std::make_shared<IndexCore>(std::move(index), made));
}

// index -> [kind, dim, innerProduct, storage]
napi_value describe(const Args& args) {
  static const char* const kinds[] = {"flat", "hnsw", "ivf"};
  static const char* const storages[] = {"f32", "f16", "sq8", "pq", "bits"};
  auto core = args.index(0);
  std::string storage = storages[static_cast<int>(core->storage)];
  if (core->storage == Storage::pq) storage += std::to_string(core->code_size());
  napi_value list = nullptr, kind = nullptr, dim = nullptr, ip = nullptr, form = nullptr;
  check(args.env(), napi_create_array_with_length(args.env(), 4, &list));
  check(args.env(), napi_create_string_utf8(args.env(), kinds[static_cast<int>(core->kind)], NAPI_AUTO_LENGTH, &kind));
  check(args.env(), napi_create_int64(args.env(), core->dim, &dim));
  check(args.env(), napi_get_boolean(args.env(), core->inner_product, &ip));
  check(args.env(), napi_create_string_utf8(args.env(), storage.c_str(), storage.size(), &form));
  check(args.env(), napi_set_element(args.env(), list, 0, kind));
  check(args.env(), napi_set_element(args.env(), list, 1, dim));
  check(args.env(), napi_set_element(args.env(), list, 2, ip));
  check(args.env(), napi_set_element(args.env(), list, 3, form));
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
  export_method(env, exports, "createBinary", create_binary);
  export_method(env, exports, "describe", describe);
  export_method(env, exports, "ntotal", ntotal);
  export_method(env, exports, "close", close_index);
}

}  // namespace likeness
