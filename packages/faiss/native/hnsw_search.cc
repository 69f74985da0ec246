// Best-first walk over the graph, level by level, as in Malkov and Yashunin (2016), algorithms 2 and 5.
#include "hnsw_search.h"

#include "pool.h"

namespace likeness {
namespace {

// Which nodes a walk has seen. One per pool thread, shared by all indexes: a new walk is a new stamp, not a new table.
class VisitedNodes {
 public:
  void begin(size_t nodes) {
    if (stamps_.size() < nodes) stamps_.resize(nodes, 0);
    if (++stamp_ == 0) {
      std::fill(stamps_.begin(), stamps_.end(), uint8_t{0});
      stamp_ = 1;
    }
  }
  bool first_visit(int32_t node) {
    if (stamps_[node] == stamp_) return false;
    stamps_[node] = stamp_;
    return true;
  }

 private:
  std::vector<uint8_t> stamps_;
  uint8_t stamp_ = 0;
};

thread_local VisitedNodes visited_nodes;

struct Farther {
  bool operator()(const Ranked& a, const Ranked& b) const { return b < a; }
};

class Walk {
 public:
  Walk(const IndexCore& core, size_t ef, Deleted deleted)
      : graph_(core.hnsw().hnsw), rows_(core.rows()->get_xb()), nodes_(core.index->ntotal), key_(core), deleted_(deleted),
        best_(ef) {}

  const std::vector<Ranked>& run(const float* query) {
    query_ = query;
    best_.clear();
    candidates_.clear();
    if (nodes_ > 0) widen(descend());
    return best_.sorted();
  }

 private:
  Ranked rank(int32_t node) const { return {key_(query_, row(node)), node}; }
  const float* row(int32_t node) const { return rows_ + static_cast<size_t>(node) * key_.dim; }

  // Greedy on the upper levels, down to the entry of level 0.
  Ranked descend() const {
    Ranked nearest = rank(graph_.entry_point);
    for (int level = graph_.max_level; level > 0; level--) {
      for (int32_t from = -1; from != nearest.row;) {
        from = nearest.row;
        size_t begin = 0, end = 0;
        graph_.neighbor_range(from, level, &begin, &end);
        for (size_t i = begin; i < end && graph_.neighbors[i] >= 0; i++) {
          nearest = std::min(nearest, rank(graph_.neighbors[i]));
        }
      }
    }
    return nearest;
  }

  void widen(Ranked entry) {
    visited_nodes.begin(nodes_);
    visited_nodes.first_visit(entry.row);
    consider(entry);
    while (!candidates_.empty()) {
      const Ranked nearest = candidates_.front();
      if (nearest.key > best_.worst_key()) return;
      std::pop_heap(candidates_.begin(), candidates_.end(), Farther());
      candidates_.pop_back();
      gather_unseen(nearest.row);
      for (int32_t node : unseen_) {
        const Ranked neighbor = rank(node);
        if (best_.accepts(neighbor)) consider(neighbor);
      }
    }
  }

  void gather_unseen(int32_t node) {
    unseen_.clear();
    size_t begin = 0, end = 0;
    graph_.neighbor_range(node, 0, &begin, &end);
    for (size_t i = begin; i < end && graph_.neighbors[i] >= 0; i++) {
      const int32_t neighbor = graph_.neighbors[i];
      if (!visited_nodes.first_visit(neighbor)) continue;
      __builtin_prefetch(row(neighbor));
      unseen_.push_back(neighbor);
    }
  }

  void consider(Ranked node) {
    candidates_.push_back(node);
    std::push_heap(candidates_.begin(), candidates_.end(), Farther());
    if (!deleted_.has(node.row)) best_.offer(node);
  }

  const faiss::HNSW& graph_;
  const float* rows_;
  size_t nodes_;
  KeyOf key_;
  Deleted deleted_;
  const float* query_ = nullptr;
  TopRows best_;
  std::vector<Ranked> candidates_;
  std::vector<int32_t> unseen_;
};

}  // namespace

void search_hnsw(const IndexCore& core, Queries queries, size_t ef, Deleted deleted, Hits hits) {
  Walk walk(core, std::max(ef, hits.k), deleted);
  for (size_t q = 0; q < queries.count; q++) {
    throw_if_cancelled();
    hits.write(q, walk.run(queries.data + q * core.dim), KeyOf(core).sign);
  }
}

}  // namespace likeness
