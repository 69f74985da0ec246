// Classes of Faiss for each storage form: made for a new index, recognised in a file.
#include "index/storage_forms.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexPQ.h>
#include <faiss/IndexScalarQuantizer.h>

#include <stdexcept>

#include "base/coded_error.h"

namespace likeness {
namespace {

using Scalar = faiss::ScalarQuantizer;

constexpr auto kHalf = Scalar::QT_fp16;
constexpr auto kByte = Scalar::QT_8bit;
constexpr int kPartBits = 8;
static_assert(1 << kPartBits == kPartCentroids);

[[noreturn]] void refuse_bits() { throw std::logic_error("packed bits are not rows of floats"); }

std::unique_ptr<faiss::Index> new_flat(const RowSpec& rows) {
  switch (rows.storage) {
    case Storage::f32:
      return std::make_unique<faiss::IndexFlat>(rows.dim, rows.metric);
    case Storage::f16:
      return std::make_unique<faiss::IndexScalarQuantizer>(rows.dim, kHalf, rows.metric);
    case Storage::sq8:
      return std::make_unique<faiss::IndexScalarQuantizer>(rows.dim, kByte, rows.metric);
    case Storage::pq:
      return std::make_unique<faiss::IndexPQ>(rows.dim, rows.parts, kPartBits, rows.metric);
    case Storage::bits:
      break;
  }
  refuse_bits();
}

std::unique_ptr<faiss::IndexHNSW> new_hnsw(const RowSpec& rows, int links) {
  switch (rows.storage) {
    case Storage::f32:
      return std::make_unique<faiss::IndexHNSWFlat>(rows.dim, links, rows.metric);
    case Storage::f16:
      return std::make_unique<faiss::IndexHNSWSQ>(rows.dim, kHalf, links, rows.metric);
    case Storage::sq8:
      return std::make_unique<faiss::IndexHNSWSQ>(rows.dim, kByte, links, rows.metric);
    case Storage::pq:
      return std::make_unique<faiss::IndexHNSWPQ>(rows.dim, rows.parts, links);
    case Storage::bits:
      break;
  }
  refuse_bits();
}

std::unique_ptr<faiss::IndexIVF> new_ivf(const RowSpec& rows, faiss::Index* quantizer,
                                         size_t lists) {
  const auto [storage, dim, parts, metric] = rows;
  const auto scalar = [&, dim = dim, metric = metric](Scalar::QuantizerType type) {
    return std::make_unique<faiss::IndexIVFScalarQuantizer>(quantizer, dim, lists, type, metric,
                                                            false);
  };
  switch (storage) {
    case Storage::f32:
      return std::make_unique<faiss::IndexIVFFlat>(quantizer, dim, lists, metric);
    case Storage::f16:
      return scalar(kHalf);
    case Storage::sq8:
      return scalar(kByte);
    case Storage::pq:
      return std::make_unique<faiss::IndexIVFPQ>(quantizer, dim, lists, parts, kPartBits, metric);
    case Storage::bits:
      break;
  }
  refuse_bits();
}

// Form of rows that were read, and their parts.
struct FoundForm {
  Storage storage;
  size_t parts = 0;
};

// Faiss's scalar quantizer of a form; empty for a form that has another class.
std::optional<Scalar::QuantizerType> scalar_of(Storage storage) {
  switch (storage) {
    case Storage::f16:
      return kHalf;
    case Storage::sq8:
      return kByte;
    case Storage::f32:
    case Storage::pq:
    case Storage::bits:
      return {};
  }
  throw std::logic_error("no such storage form");
}

// Empty for a quantizer that belongs to no form.
std::optional<Storage> form_of_scalar(Scalar::QuantizerType type) {
  for (const StorageForm& form : kStorageForms) {
    if (scalar_of(form.storage) == type) return form.storage;
  }
  return {};
}

std::optional<FoundForm> find_scalar(const Scalar& sq, const faiss::Index& like) {
  const std::optional<Storage> known = form_of_scalar(sq.qtype);
  if (sq.d != static_cast<size_t>(like.d) || !known) return {};
  const Storage storage = *known;
  const StorageForm& form = form_of(storage);
  if (sq.code_size != form.row_bytes(sq.d, 0)) return {};
  if (!form.has_codebook()) return FoundForm{storage};
  const size_t trained = sq.trained.size();
  const bool fits = trained == form.codebook_floats(sq.d) || (!like.is_trained && trained == 0);
  return fits ? std::optional(FoundForm{storage}) : std::nullopt;
}

std::optional<FoundForm> find_product(const faiss::ProductQuantizer& pq, const faiss::Index& like) {
  const bool fits = pq.d == static_cast<size_t>(like.d) && pq.nbits == kPartBits && pq.M > 0 &&
                    pq.d % pq.M == 0 && pq.code_size == pq.M &&
                    pq.centroids.size() == form_of(Storage::pq).codebook_floats(pq.d);
  return fits ? std::optional(FoundForm{Storage::pq, pq.M}) : std::nullopt;
}

// Returns the form when a row has its size.
std::optional<Storage> of_size(std::optional<FoundForm> found, size_t code_size, size_t dim) {
  if (!found || code_size != form_of(found->storage).row_bytes(dim, found->parts)) return {};
  return found->storage;
}

}  // namespace

Storage read_storage(const std::string& name) {
  for (const StorageForm& form : kStorageForms) {
    if (form.storage != Storage::bits && name == form.name) return form.storage;
  }
  throw CodedError("invalid_argument", "no storage " + name);
}

void check_parts(Storage storage, size_t dim, size_t parts) {
  const StorageForm& form = form_of(storage);
  if (!form.has_parts || (parts > 0 && dim % parts == 0)) return;
  throw CodedError("invalid_argument", std::string(form.name) + ": parts do not divide dim");
}

std::unique_ptr<faiss::Index> make_flat(const RowSpec& rows) {
  auto index = new_flat(rows);
  index->is_trained = !form_of(rows.storage).has_codebook();
  return index;
}

std::unique_ptr<faiss::IndexHNSW> make_hnsw(const RowSpec& rows, int links) {
  auto index = new_hnsw(rows, links);
  // Storage and graph of one index have one metric: Faiss's own constructor for pq knows L2 only.
  index->metric_type = index->storage->metric_type = rows.metric;
  index->is_trained = index->storage->is_trained = !form_of(rows.storage).has_codebook();
  return index;
}

std::unique_ptr<faiss::IndexIVF> make_ivf(const RowSpec& rows, faiss::Index* quantizer,
                                          size_t lists) {
  auto index = new_ivf(rows, quantizer, lists);
  index->is_trained = !form_of(rows.storage).has_codebook();
  return index;
}

std::optional<Storage> find_row_storage(const faiss::Index* rows, const faiss::Index& like) {
  const auto* coded = dynamic_cast<const faiss::IndexFlatCodes*>(rows);
  if (coded == nullptr || coded->d != like.d || coded->metric_type != like.metric_type ||
      coded->is_trained != like.is_trained || coded->ntotal < 0 ||
      coded->codes.size() != static_cast<size_t>(coded->ntotal) * coded->code_size) {
    return {};
  }
  std::optional<FoundForm> found;
  if (dynamic_cast<const faiss::IndexFlat*>(rows) != nullptr) found = {Storage::f32};
  if (const auto* scalar = dynamic_cast<const faiss::IndexScalarQuantizer*>(rows)) {
    found = find_scalar(scalar->sq, like);
  }
  if (const auto* product = dynamic_cast<const faiss::IndexPQ*>(rows)) {
    found = find_product(product->pq, like);
  }
  return of_size(found, coded->code_size, like.d);
}

std::optional<Storage> find_list_storage(const faiss::IndexIVF& ivf) {
  std::optional<FoundForm> found;
  bool by_residual = false;
  if (dynamic_cast<const faiss::IndexIVFFlat*>(&ivf) != nullptr) found = {Storage::f32};
  if (const auto* scalar = dynamic_cast<const faiss::IndexIVFScalarQuantizer*>(&ivf)) {
    found = find_scalar(scalar->sq, ivf);
    by_residual = scalar->by_residual;
  }
  if (const auto* product = dynamic_cast<const faiss::IndexIVFPQ*>(&ivf)) {
    found = find_product(product->pq, ivf);
    by_residual = product->by_residual;
  }
  if (found && by_residual != form_of(found->storage).is_relative_in_lists) return {};
  return of_size(found, ivf.code_size, ivf.d);
}

std::vector<float>* codebook_values(faiss::Index& rows) {
  if (auto* scalar = dynamic_cast<faiss::IndexScalarQuantizer*>(&rows)) return &scalar->sq.trained;
  if (auto* scalar = dynamic_cast<faiss::IndexIVFScalarQuantizer*>(&rows)) {
    return &scalar->sq.trained;
  }
  if (auto* product = dynamic_cast<faiss::IndexPQ*>(&rows)) return &product->pq.centroids;
  if (auto* product = dynamic_cast<faiss::IndexIVFPQ*>(&rows)) return &product->pq.centroids;
  return nullptr;
}

}  // namespace likeness
