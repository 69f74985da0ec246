// Row access and release of an index.
#include "index_core.h"

#include <string>

#include "coded_error.h"
#include "pool.h"

namespace likeness {

IndexCore::IndexCore(std::unique_ptr<faiss::Index> owned, Kind kind)
    : index(std::move(owned)),
      kind(kind),
      dim(index->d),
      inner_product(index->metric_type == faiss::METRIC_INNER_PRODUCT),
      ntotal(index->ntotal) {}

const faiss::IndexFlat* IndexCore::rows() const {
  if (kind == Kind::ivf) return nullptr;
  const faiss::Index* storage = kind == Kind::hnsw ? hnsw().storage : index.get();
  return static_cast<const faiss::IndexFlat*>(storage);
}

void IndexCore::check_row(int64_t row) const {
  if (row >= 0 && row < index->ntotal) return;
  throw CodedError("invalid_argument",
                   "row " + std::to_string(row) + " is not in an index of " + std::to_string(index->ntotal) + " rows");
}

const float* IndexCore::vector(int64_t row, float* scratch) const {
  if (kind != Kind::ivf) return rows()->get_xb() + row * dim;
  index->reconstruct(row, scratch);
  return scratch;
}

void release_later(std::shared_ptr<IndexCore> core) {
  Gate& gate = core->gate;
  gate.enter(Access::exclusive, [core] {
    Pool::instance().submit([core] {
      core->index.reset();
      core->gate.leave();
    });
  });
}

}  // namespace likeness
