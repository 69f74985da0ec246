// createFlat, createHnsw, createIvf, createBinary, describe, close: the life of an index object.
#include "napi/methods.h"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>

#include "base/coded_error.h"
#include "index/codebook.h"
#include "index/storage_forms.h"

namespace likeness {
namespace {

// Arguments of every new float index: dim, innerProduct, form, parts, codebook (or empty), seed.
struct NewIndex {
  explicit NewIndex(const Args& args)
      : rows{.storage = read_storage(args.text(2)),
             .dim = static_cast<size_t>(args.integer(0)),
             .parts = static_cast<size_t>(args.integer(3)),
             .metric = args.flag(1) ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2},
        codebook(args.floats(4)),
        seed(args.integer(5)) {
    const size_t floats = form_of(rows.storage).codebook_floats(rows.dim);
    if (!codebook.empty()) require_size(codebook.size(), floats, "codebook");
    check_parts(rows.storage, rows.dim, rows.parts);
  }
  napi_value wrap(napi_env env, std::unique_ptr<faiss::Index> index, Kind kind) const {
    if (!codebook.empty()) set_codebook(*index, codebook);
    auto core = std::make_shared<IndexCore>(std::move(index), kind, rows.storage);
    core->seed = seed;
    return wrap_index(env, std::move(core));
  }
  RowSpec rows;
  std::span<float> codebook;
  int seed;
};

// arguments of NewIndex
napi_value create_flat(const Args& args) {
  const NewIndex made(args);
  return made.wrap(args.env(), make_flat(made.rows), Kind::flat);
}

// arguments of NewIndex, m, efConstruction
napi_value create_hnsw(const Args& args) {
  const NewIndex made(args);
  auto index = make_hnsw(made.rows, args.integer(6));
  index->hnsw.efConstruction = args.integer(7);
  return made.wrap(args.env(), std::move(index), Kind::hnsw);
}

// arguments of NewIndex, centroids
napi_value create_ivf(const Args& args) {
  const NewIndex made(args);
  const size_t dim = made.rows.dim;
  const auto centroids = args.floats(6);
  if (dim == 0 || centroids.empty() || centroids.size() % dim != 0) {
    throw CodedError("dimension_mismatch", "centroids are not nlist x dim");
  }
  const size_t nlist = centroids.size() / dim;
  auto quantizer = std::make_unique<faiss::IndexFlat>(dim, made.rows.metric);
  quantizer->add(nlist, centroids.data());
  auto index = make_ivf(made.rows, quantizer.get(), nlist);
  index->own_fields = true;
  quantizer.release();
  // The map reads rows back by number, also when survivors are chosen for a scan.
  index->make_direct_map(true);
  return made.wrap(args.env(), std::move(index), Kind::ivf);
}

std::unique_ptr<faiss::IndexBinary> make_binary_ivf(size_t bits, std::span<uint8_t> centroids) {
  if (centroids.size() == 0 || centroids.size() % (bits / 8) != 0) {
    throw CodedError("dimension_mismatch", "centroids are not nlist x bits / 8");
  }
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
  auto core = args.index(0);
  std::string storage = core->form().name;
  if (core->form().has_parts) storage += std::to_string(core->parts());
  napi_value list = nullptr, kind = nullptr, dim = nullptr, ip = nullptr, form = nullptr;
  check(args.env(), napi_create_array_with_length(args.env(), 4, &list));
  check(args.env(), napi_create_string_utf8(args.env(), kinds[static_cast<int>(core->kind)],
                                            NAPI_AUTO_LENGTH, &kind));
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
