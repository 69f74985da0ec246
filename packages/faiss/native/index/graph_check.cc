// Checks levels, places of the neighbour lists, and every link.
#include "index/graph_check.h"

#include <algorithm>

namespace likeness {
namespace {

constexpr int kMaxLinks = 1 << 20;

// Tests the links of one node: each names a node that exists on that level.
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

// Tests the running sums of the links per level: they place every neighbour list.
bool widths_are_sound(const faiss::HNSW& graph) {
  const auto& widths = graph.cum_nneighbor_per_level;
  if (widths.empty() || widths.size() != graph.assign_probas.size() + 1) return false;
  return widths.front() == 0 && widths.back() <= kMaxLinks &&
         std::is_sorted(widths.begin(), widths.end());
}

}  // namespace

bool graph_is_sound(const faiss::HNSW& graph, int32_t nodes) {
  const auto& widths = graph.cum_nneighbor_per_level;
  if (!widths_are_sound(graph) || graph.efConstruction < 1) return false;
  if (graph.levels.size() != static_cast<size_t>(nodes)) return false;
  if (nodes == 0) return true;
  if (graph.offsets.size() != static_cast<size_t>(nodes) + 1 || graph.offsets[0] != 0) return false;
  for (int32_t node = 0; node < nodes; node++) {
    const int levels = graph.levels[node];
    if (levels < 1 || static_cast<size_t>(levels) >= widths.size()) return false;
    if (graph.offsets[node + 1] - graph.offsets[node] != static_cast<size_t>(widths[levels])) {
      return false;
    }
  }
  if (graph.neighbors.size() != graph.offsets[nodes]) return false;
  if (graph.entry_point < 0 || graph.entry_point >= nodes) return false;
  if (graph.max_level < 0 || graph.levels[graph.entry_point] <= graph.max_level) return false;
  for (int32_t node = 0; node < nodes; node++) {
    if (!links_are_sound(graph, node, nodes)) return false;
  }
  return true;
}

}  // namespace likeness
