// Structural checks of flat, HNSW and IVF indexes.
#include "index_check.h"

#include <algorithm>
#include <limits>

#include "coded_error.h"

namespace likeness {
namespace {

constexpr int kMaxLinks = 1 << 20;

void require(bool holds, const std::string& path, const char* what) {
  if (!holds) throw CodedError("data_corrupt", path + ": " + what);
}

bool is_flat(const faiss::Index* index, const faiss::Index& like) {
  const auto* flat = dynamic_cast<const faiss::IndexFlat*>(index);
  return flat != nullptr && flat->d == like.d && flat->metric_type == like.metric_type &&
         flat->codes.size() == static_cast<size_t>(flat->ntotal) * flat->d * sizeof(float);
}

// Links of one node: each names a node that exists on that level.
bool links_are_sound(const faiss::HNSW& graph, int32_t node, int32_t nodes) {
  for (int level = 0; level < graph.levels[node]; level++) {
    size_t begin = 0, end = 0;
    graph.neighbor_range(node, level, &begin, &end);
    for (size_t i = begin; i < end; i++) {
      const int32_t neighbor = graph.neighbors[i];
      if (neighbor < -1 || neighbor >= nodes) return false;
      if (level > 0 && neighbor >= 0 && graph.levels[neighbor] <= level) return false;
    }
  }
  return true;
}

// Running sums of the links per level: they place every neighbour list.
bool widths_are_sound(const faiss::HNSW& graph) {
  const auto& widths = graph.cum_nneighbor_per_level;
  if (widths.empty() || widths.size() != graph.assign_probas.size() + 1) return false;
  return widths.front() == 0 && widths.back() <= kMaxLinks && std::is_sorted(widths.begin(), widths.end());
}

bool graph_is_sound(const faiss::HNSW& graph, int32_t nodes) {
  const auto& widths = graph.cum_nneighbor_per_level;
  if (!widths_are_sound(graph) || graph.efConstruction < 1) return false;
  if (graph.levels.size() != static_cast<size_t>(nodes)) return false;
  if (nodes == 0) return true;
  if (graph.offsets.size() != static_cast<size_t>(nodes) + 1 || graph.offsets[0] != 0) return false;
  for (int32_t node = 0; node < nodes; node++) {
    const int levels = graph.levels[node];
    if (levels < 1 || static_cast<size_t>(levels) >= widths.size()) return false;
    if (graph.offsets[node + 1] - graph.offsets[node] != static_cast<size_t>(widths[levels])) return false;
  }
  if (graph.neighbors.size() != graph.offsets[nodes]) return false;
  if (graph.entry_point < 0 || graph.entry_point >= nodes) return false;
  if (graph.max_level < 0 || graph.levels[graph.entry_point] <= graph.max_level) return false;
  for (int32_t node = 0; node < nodes; node++) {
    if (!links_are_sound(graph, node, nodes)) return false;
  }
  return true;
}

void check_ivf(faiss::IndexIVFFlat& index, const std::string& path) {
  require(is_flat(index.quantizer, index), path, "the quantizer is not flat");
  require(static_cast<size_t>(index.quantizer->ntotal) == index.nlist, path, "centroids and lists differ in number");
  require(index.invlists != nullptr && index.invlists->nlist == index.nlist, path, "inverted lists are missing");
  require(index.invlists->code_size == index.d * sizeof(float), path, "inverted lists have another row size");
  int64_t rows = 0;
  for (size_t list = 0; list < index.nlist; list++) rows += index.invlists->list_size(list);
  require(rows == index.ntotal, path, "rows in the inverted lists and in the header differ");
  // The stored map is not trusted: it would be followed without a check.
  index.set_direct_map_type(faiss::DirectMap::NoMap);
  index.set_direct_map_type(faiss::DirectMap::Array);
  for (int64_t place : index.direct_map.array) require(place >= 0, path, "a row is in no inverted list");
}

}  // namespace

Kind check_index(faiss::Index& index, const std::string& path) {
  require(index.d > 0 && index.ntotal >= 0, path, "not an index of f32 vectors");
  require(index.is_trained, path, "an index that was never trained");
  require(index.ntotal <= std::numeric_limits<int32_t>::max(), path, "more rows than an index may hold");
  require(index.metric_type == faiss::METRIC_INNER_PRODUCT || index.metric_type == faiss::METRIC_L2, path, "unknown metric");
  if (is_flat(&index, index)) return Kind::flat;
  if (auto* hnsw = dynamic_cast<faiss::IndexHNSWFlat*>(&index)) {
    require(is_flat(hnsw->storage, index) && hnsw->storage->ntotal == index.ntotal, path, "the HNSW storage does not fit");
    require(graph_is_sound(hnsw->hnsw, index.ntotal), path, "the HNSW graph has broken links");
    return Kind::hnsw;
  }
  auto* ivf = dynamic_cast<faiss::IndexIVFFlat*>(&index);
  require(ivf != nullptr, path, "an index type that this package does not make");
  check_ivf(*ivf, path);
  return Kind::ivf;
}

}  // namespace likeness
