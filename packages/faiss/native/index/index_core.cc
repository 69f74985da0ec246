// Row access and release of an index.
#include "index/index_core.h"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexFlatCodes.h>
#include <faiss/IndexHNSW.h>

#include <cstring>

#include "base/coded_error.h"
#include "base/huge_pages.h"
#include "base/pool.h"
#include "index/bf16_calibration.h"
#include "index/bf16_planes.h"

namespace likeness {
namespace {

const faiss::IndexBinaryFlat& flat_bits(const IndexCore& core) {
  const auto* storage = core.kind == Kind::hnsw
                            ? static_cast<const faiss::IndexBinaryHNSW&>(*core.binary).storage
                            : core.binary.get();
  return static_cast<const faiss::IndexBinaryFlat&>(*storage);
}

const faiss::IndexIVF& ivf(const IndexCore& core) {
  return static_cast<const faiss::IndexIVF&>(*core.index);
}
const faiss::IndexBinaryIVF& binary_ivf(const IndexCore& core) {
  return static_cast<const faiss::IndexBinaryIVF&>(*core.binary);
}

}  // namespace

IndexCore::IndexCore(std::unique_ptr<faiss::Index> owned, Kind kind, Storage storage)
    : index(std::move(owned)),
      kind(kind),
      storage(storage),
      dim(index->d),
      inner_product(index->metric_type == faiss::METRIC_INNER_PRODUCT),
      ntotal(index->ntotal) {}

IndexCore::IndexCore(std::unique_ptr<faiss::IndexBinary> owned, Kind kind)
    : binary(std::move(owned)),
      kind(kind),
      storage(Storage::bits),
      dim(binary->d),
      inner_product(false),
      ntotal(binary->ntotal) {}

const faiss::Index& row_storage(const IndexCore& core) {
  return core.kind == Kind::hnsw ? *static_cast<const faiss::IndexHNSW&>(*core.index).storage
                                 : *core.index;
}

const uint8_t* IndexCore::codes() const {
  if (is_binary()) return flat_bits(*this).xb.data();
  return static_cast<const faiss::IndexFlatCodes&>(row_storage(*this)).codes.data();
}

size_t IndexCore::code_size() const {
  if (is_binary()) return dim / 8;
  if (kind == Kind::ivf) return ivf(*this).code_size;
  return static_cast<const faiss::IndexFlatCodes&>(row_storage(*this)).code_size;
}

const faiss::HNSW& IndexCore::graph() const {
  if (is_binary()) return static_cast<const faiss::IndexBinaryHNSW&>(*binary).hnsw;
  return static_cast<const faiss::IndexHNSW&>(*index).hnsw;
}

void IndexCore::note_effort(size_t effort) {
  if (kind == Kind::hnsw) {
    auto& hnsw = is_binary() ? static_cast<faiss::IndexBinaryHNSW&>(*binary).hnsw
                             : static_cast<faiss::IndexHNSW&>(*index).hnsw;
    hnsw.efSearch = static_cast<int>(effort);
  }
  if (kind == Kind::ivf && is_binary()) {
    static_cast<faiss::IndexBinaryIVF&>(*binary).nprobe = effort;
  }
  if (kind == Kind::ivf && !is_binary()) static_cast<faiss::IndexIVF&>(*index).nprobe = effort;
}

const faiss::InvertedLists& IndexCore::lists() const {
  return is_binary() ? *binary_ivf(*this).invlists : *ivf(*this).invlists;
}

const uint8_t* IndexCore::centroids() const {
  if (is_binary()) {
    return static_cast<const faiss::IndexBinaryFlat&>(*binary_ivf(*this).quantizer).xb.data();
  }
  return static_cast<const faiss::IndexFlat&>(*ivf(*this).quantizer).codes.data();
}

void IndexCore::check_row(int64_t row) const {
  if (row >= 0 && row < total()) return;
  throw CodedError("invalid_argument", "row " + std::to_string(row) + " is not in an index of " +
                                           std::to_string(total()) + " rows");
}

void IndexCore::require_in_memory() const {
  if (mapped) {
    throw CodedError("invalid_argument",
                     "inverted lists that are mapped from their file can only be searched");
  }
}

const uint8_t* IndexCore::code(int64_t row) const {
  if (kind != Kind::ivf) return codes() + row * code_size();
  const auto& map = is_binary() ? binary_ivf(*this).direct_map : ivf(*this).direct_map;
  const int64_t place = map.get(row);
  return lists().get_single_code(faiss::lo_listno(place), faiss::lo_offset(place));
}

void IndexCore::reconstruct(int64_t row, uint8_t* out) const {
  if (in_bf16_planes()) join_row(code(row), dim, reinterpret_cast<float*>(out));
  else if (form().is_lossless) std::memcpy(out, code(row), row_bytes());
  else if (kind == Kind::ivf) index->reconstruct(row, reinterpret_cast<float*>(out));
  else row_storage(*this).reconstruct(row, reinterpret_cast<float*>(out));
}

void settle(IndexCore& core, int64_t nodes) {
  if (core.kind != Kind::hnsw) return;
  // Settling goes over the whole index: once an eighth was added is often enough.
  if (nodes - core.settled <= core.settled / 8) return;
  core.settled = nodes;
  if (core.in_bf16_planes()) core.walks_bf16_plane = bf16_plane_suffices(core, nodes);
  prefer_huge_pages(core.codes(), nodes * core.code_size());
  const auto& neighbors = core.graph().neighbors;
  prefer_huge_pages(neighbors.data(), neighbors.size() * sizeof(neighbors[0]));
}

void release_later(std::shared_ptr<IndexCore> core) {
  AsyncRwLock& lock = core->lock;
  lock.enter(Access::exclusive, [core] {
    Pool::instance().submit([core] {
      core->index.reset();
      core->binary.reset();
      core->lock.leave();
    });
  });
}

}  // namespace likeness
