// Structural checks of every kind and storage.
#include "index/index_check.h"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>

#include <limits>
#include <optional>

#include "base/coded_error.h"
#include "index/bf16_planes.h"
#include "index/graph_check.h"
#include "index/storage_forms.h"

namespace likeness {
namespace {

void require(bool holds, const std::string& path, const char* what) {
  if (!holds) throw CodedError("data_corrupt", path + ": " + what);
}

template <class Ivf>
void check_lists(Ivf& ivf, size_t code_size, const std::string& path) {
  require(static_cast<size_t>(ivf.quantizer->ntotal) == ivf.nlist && ivf.nlist > 0, path,
          "centroids and lists differ in number");
  require(ivf.invlists != nullptr && ivf.invlists->nlist == ivf.nlist, path,
          "inverted lists are missing");
  require(ivf.invlists->code_size == code_size, path, "inverted lists have another row size");
  int64_t rows = 0;
  for (size_t list = 0; list < ivf.nlist; list++) rows += ivf.invlists->list_size(list);
  require(rows == ivf.ntotal, path, "rows in the inverted lists and in the header differ");
  // The stored map is not trusted: reads would follow its places without a check.
  ivf.direct_map.set_type(faiss::DirectMap::NoMap, ivf.invlists, ivf.ntotal);
  ivf.direct_map.set_type(faiss::DirectMap::Array, ivf.invlists, ivf.ntotal);
  for (int64_t place : ivf.direct_map.array) {
    require(place >= 0, path, "a row is in no inverted list");
  }
}

template <class Any>
void check_header(const Any& index, const std::string& path) {
  require(index.d > 0 && index.ntotal >= 0, path, "not an index of rows");
  require(index.is_trained || index.ntotal == 0, path, "an index that was never trained");
  require(index.ntotal <= std::numeric_limits<int32_t>::max(), path,
          "more rows than an index may hold");
}

bool is_flat_bits(const faiss::IndexBinary* index, const faiss::IndexBinary& like) {
  const auto* flat = dynamic_cast<const faiss::IndexBinaryFlat*>(index);
  return flat != nullptr && flat->d == like.d &&
         flat->xb.size() == static_cast<size_t>(flat->ntotal) * (flat->d / 8);
}

}  // namespace

std::shared_ptr<IndexCore> check_index(std::unique_ptr<faiss::Index> index,
                                       const std::string& path) {
  check_header(*index, path);
  require(
      index->metric_type == faiss::METRIC_INNER_PRODUCT || index->metric_type == faiss::METRIC_L2,
      path, "unknown metric");
  auto made = [&](Kind kind, std::optional<Storage> storage) {
    require(storage.has_value(), path, "rows do not fit the index");
    return std::make_shared<IndexCore>(std::move(index), kind, *storage);
  };
  if (auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(index.get())) {
    require(hnsw->storage != nullptr && hnsw->storage->ntotal == index->ntotal, path,
            "the HNSW storage does not fit");
    const auto form = find_row_storage(hnsw->storage, *index);
    require(graph_is_sound(hnsw->hnsw, index->ntotal), path, "the HNSW graph has broken links");
    auto core = made(Kind::hnsw, form);
    if (core->in_bf16_planes()) {
      split_rows(const_cast<uint8_t*>(core->codes()), core->dim, core->total());
    }
    return core;
  }
  if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(index.get())) {
    const auto* quantizer = dynamic_cast<const faiss::IndexFlat*>(ivf->quantizer);
    require(quantizer != nullptr && quantizer->d == ivf->d &&
                quantizer->metric_type == ivf->metric_type,
            path, "the quantizer is not flat");
    require(
        quantizer->codes.size() == static_cast<size_t>(quantizer->ntotal) * ivf->d * sizeof(float),
        path, "the quantizer is cut off");
    const auto form = find_list_storage(*ivf);
    require(form.has_value(), path, "an index type that this package does not make");
    check_lists(*ivf, ivf->code_size, path);
    return made(Kind::ivf, form);
  }
  return made(Kind::flat, find_row_storage(index.get(), *index));
}

std::shared_ptr<IndexCore> check_index(std::unique_ptr<faiss::IndexBinary> index,
                                       const std::string& path) {
  check_header(*index, path);
  require(index->d % 8 == 0, path, "bits are not whole bytes");
  Kind kind = Kind::flat;
  if (auto* hnsw = dynamic_cast<faiss::IndexBinaryHNSW*>(index.get())) {
    require(is_flat_bits(hnsw->storage, *index) && hnsw->storage->ntotal == index->ntotal, path,
            "the HNSW storage does not fit");
    require(graph_is_sound(hnsw->hnsw, index->ntotal), path, "the HNSW graph has broken links");
    kind = Kind::hnsw;
  } else if (auto* ivf = dynamic_cast<faiss::IndexBinaryIVF*>(index.get())) {
    require(is_flat_bits(ivf->quantizer, *index), path, "the quantizer is not flat");
    check_lists(*ivf, form_of(Storage::bits).row_bytes(index->d, 0), path);
    kind = Kind::ivf;
  } else {
    require(is_flat_bits(index.get(), *index), path,
            "an index type that this package does not make");
  }
  return std::make_shared<IndexCore>(std::move(index), kind);
}

}  // namespace likeness
