// Structural checks of every kind and storage.
#include "index/index_check.h"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexPQ.h>
#include <faiss/IndexScalarQuantizer.h>

#include <limits>
#include <optional>

#include "base/coded_error.h"
#include "index/bf16_planes.h"
#include "index/codebook.h"
#include "index/graph_check.h"

namespace likeness {
namespace {

void require(bool holds, const std::string& path, const char* what) {
  if (!holds) throw CodedError("data_corrupt", path + ": " + what);
}

std::optional<Storage> scalar_storage(const faiss::ScalarQuantizer& sq, const faiss::Index& like) {
  if (sq.d != static_cast<size_t>(like.d)) return {};
  if (sq.qtype == faiss::ScalarQuantizer::QT_fp16 && sq.code_size == 2 * sq.d) return Storage::f16;
  if (sq.qtype != faiss::ScalarQuantizer::QT_8bit || sq.code_size != sq.d) return {};
  const size_t trained = sq.trained.size();
  return trained == codebook_size(Storage::sq8, sq.d) || (!like.is_trained && trained == 0) ? std::optional(Storage::sq8) : std::nullopt;
}

std::optional<Storage> product_storage(const faiss::ProductQuantizer& pq, const faiss::Index& like) {
  const bool fits = pq.d == static_cast<size_t>(like.d) && pq.nbits == 8 && pq.M > 0 && pq.d % pq.M == 0 && pq.code_size == pq.M;
  return fits && pq.centroids.size() == codebook_size(Storage::pq, pq.d) ? std::optional(Storage::pq) : std::nullopt;
}

// How rows that lie one after the other are stored; nothing when they are not as they should be.
std::optional<Storage> row_form(const faiss::Index* rows, const faiss::Index& like) {
  const auto* coded = dynamic_cast<const faiss::IndexFlatCodes*>(rows);
  if (coded == nullptr || coded->d != like.d || coded->metric_type != like.metric_type || coded->is_trained != like.is_trained) return {};
  if (coded->ntotal < 0 || coded->codes.size() != static_cast<size_t>(coded->ntotal) * coded->code_size) return {};
  if (dynamic_cast<const faiss::IndexFlat*>(rows) != nullptr) {
    return coded->code_size == coded->d * sizeof(float) ? std::optional(Storage::f32) : std::nullopt;
  }
  std::optional<Storage> form;
  if (const auto* scalar = dynamic_cast<const faiss::IndexScalarQuantizer*>(rows)) form = scalar_storage(scalar->sq, like);
  if (const auto* product = dynamic_cast<const faiss::IndexPQ*>(rows)) form = product_storage(product->pq, like);
  const size_t size = form == Storage::f16 ? 2 * like.d : form == Storage::sq8 ? like.d : coded->code_size;
  return form && coded->code_size == size ? form : std::nullopt;
}

std::optional<Storage> list_form(const faiss::IndexIVF& ivf) {
  if (dynamic_cast<const faiss::IndexIVFFlat*>(&ivf) != nullptr) {
    return ivf.code_size == ivf.d * sizeof(float) ? std::optional(Storage::f32) : std::nullopt;
  }
  if (const auto* scalar = dynamic_cast<const faiss::IndexIVFScalarQuantizer*>(&ivf)) {
    const auto form = scalar_storage(scalar->sq, ivf);
    return !scalar->by_residual && ivf.code_size == scalar->sq.code_size ? form : std::nullopt;
  }
  const auto* product = dynamic_cast<const faiss::IndexIVFPQ*>(&ivf);
  if (product == nullptr || !product->by_residual || ivf.code_size != product->pq.code_size) return {};
  return product_storage(product->pq, ivf);
}

template <class Ivf>
void check_lists(Ivf& ivf, size_t code_size, const std::string& path) {
  require(static_cast<size_t>(ivf.quantizer->ntotal) == ivf.nlist && ivf.nlist > 0, path, "centroids and lists differ in number");
  require(ivf.invlists != nullptr && ivf.invlists->nlist == ivf.nlist, path, "inverted lists are missing");
  require(ivf.invlists->code_size == code_size, path, "inverted lists have another row size");
  int64_t rows = 0;
  for (size_t list = 0; list < ivf.nlist; list++) rows += ivf.invlists->list_size(list);
  require(rows == ivf.ntotal, path, "rows in the inverted lists and in the header differ");
  // The stored map is not trusted: it would be followed without a check.
  ivf.direct_map.set_type(faiss::DirectMap::NoMap, ivf.invlists, ivf.ntotal);
  ivf.direct_map.set_type(faiss::DirectMap::Array, ivf.invlists, ivf.ntotal);
  for (int64_t place : ivf.direct_map.array) require(place >= 0, path, "a row is in no inverted list");
}

template <class Any>
void check_header(const Any& index, const std::string& path) {
  require(index.d > 0 && index.ntotal >= 0, path, "not an index of rows");
  require(index.is_trained || index.ntotal == 0, path, "an index that was never trained");
  require(index.ntotal <= std::numeric_limits<int32_t>::max(), path, "more rows than an index may hold");
}

bool is_flat_bits(const faiss::IndexBinary* index, const faiss::IndexBinary& like) {
  const auto* flat = dynamic_cast<const faiss::IndexBinaryFlat*>(index);
  return flat != nullptr && flat->d == like.d && flat->xb.size() == static_cast<size_t>(flat->ntotal) * (flat->d / 8);
}

}  // namespace

std::shared_ptr<IndexCore> check_index(std::unique_ptr<faiss::Index> index, const std::string& path) {
  check_header(*index, path);
  require(index->metric_type == faiss::METRIC_INNER_PRODUCT || index->metric_type == faiss::METRIC_L2, path, "unknown metric");
  auto made = [&](Kind kind, std::optional<Storage> storage) {
    require(storage.has_value(), path, "rows do not fit the index");
    return std::make_shared<IndexCore>(std::move(index), kind, *storage);
  };
  if (auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(index.get())) {
    require(hnsw->storage != nullptr && hnsw->storage->ntotal == index->ntotal, path, "the HNSW storage does not fit");
    const auto form = row_form(hnsw->storage, *index);
    require(graph_is_sound(hnsw->hnsw, index->ntotal), path, "the HNSW graph has broken links");
    auto core = made(Kind::hnsw, form);
    if (core->in_bf16_planes()) split_rows(const_cast<uint8_t*>(core->codes()), core->dim, core->total());
    return core;
  }
  if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(index.get())) {
    const auto* quantizer = dynamic_cast<const faiss::IndexFlat*>(ivf->quantizer);
    require(quantizer != nullptr && quantizer->d == ivf->d && quantizer->metric_type == ivf->metric_type, path, "the quantizer is not flat");
    require(quantizer->codes.size() == static_cast<size_t>(quantizer->ntotal) * ivf->d * sizeof(float), path, "the quantizer is cut off");
    const auto form = list_form(*ivf);
    require(form.has_value(), path, "an index type that this package does not make");
    check_lists(*ivf, ivf->code_size, path);
    return made(Kind::ivf, form);
  }
  return made(Kind::flat, row_form(index.get(), *index));
}

std::shared_ptr<IndexCore> check_index(std::unique_ptr<faiss::IndexBinary> index, const std::string& path) {
  check_header(*index, path);
  require(index->d % 8 == 0, path, "bits are not whole bytes");
  Kind kind = Kind::flat;
  if (auto* hnsw = dynamic_cast<faiss::IndexBinaryHNSW*>(index.get())) {
    require(is_flat_bits(hnsw->storage, *index) && hnsw->storage->ntotal == index->ntotal, path, "the HNSW storage does not fit");
    require(graph_is_sound(hnsw->hnsw, index->ntotal), path, "the HNSW graph has broken links");
    kind = Kind::hnsw;
  } else if (auto* ivf = dynamic_cast<faiss::IndexBinaryIVF*>(index.get())) {
    require(is_flat_bits(ivf->quantizer, *index), path, "the quantizer is not flat");
    check_lists(*ivf, index->d / 8, path);
    kind = Kind::ivf;
  } else {
    require(is_flat_bits(index.get(), *index), path, "an index type that this package does not make");
  }
  return std::make_shared<IndexCore>(std::move(index), kind);
}

}  // namespace likeness
