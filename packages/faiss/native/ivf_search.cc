// Slices keep Faiss's 64-bit ids small and let a search be cancelled between them.
#include "ivf_search.h"

#include <faiss/impl/AuxIndexStructures.h>

#include "pool.h"

namespace likeness {
namespace {

constexpr size_t kSlice = 64;

struct Probe {
  Probe(const IndexCore& core, size_t nprobe, Deleted deleted) : live(deleted) {
    params.nprobe = std::min<size_t>(nprobe, core.ivf().nlist);
    if (deleted.size > 0) params.sel = &live;
  }
  Probe(const Probe&) = delete;
  LiveSelector live;
  faiss::SearchParametersIVF params;
};

}  // namespace

void search_ivf(const IndexCore& core, Queries queries, size_t nprobe, Deleted deleted, Hits hits) {
  Probe probe(core, nprobe, deleted);
  const float sign = KeyOf(core).sign;
  const size_t k = std::min<size_t>(hits.k, core.index->ntotal);
  std::vector<int64_t> labels(kSlice * k);
  std::vector<float> distances(kSlice * k);
  std::vector<Ranked> best;
  for (size_t first = 0; first < queries.count; first += kSlice) {
    throw_if_cancelled();
    const size_t count = std::min(kSlice, queries.count - first);
    if (k > 0) {
      core.index->search(count, queries.data + first * core.dim, k, distances.data(), labels.data(), &probe.params);
    }
    for (size_t q = 0; q < count; q++) {
      best.clear();
      for (size_t i = q * k; i < (q + 1) * k && labels[i] >= 0; i++) {
        best.push_back({sign * distances[i], static_cast<int32_t>(labels[i])});
      }
      hits.write(first + q, best, sign);
    }
  }
}

std::vector<std::vector<Ranked>> range_ivf(const IndexCore& core, Queries queries, float radius, size_t nprobe,
                                           Deleted deleted) {
  Probe probe(core, nprobe, deleted);
  const float sign = KeyOf(core).sign;
  std::vector<std::vector<Ranked>> found(queries.count);
  for (size_t q = 0; q < queries.count; q++) {
    throw_if_cancelled();
    faiss::RangeSearchResult result(1);
    core.index->range_search(1, queries.data + q * core.dim, radius, &result, &probe.params);
    for (size_t i = result.lims[0]; i < result.lims[1]; i++) {
      found[q].push_back({sign * result.distances[i], static_cast<int32_t>(result.labels[i])});
    }
    std::sort(found[q].begin(), found[q].end());
  }
  return found;
}

}  // namespace likeness
