// Best-first walk over the graph, level by level, as in Malkov and Yashunin (2016), algorithms 2
// and 5. Searching and building walk alike.
#pragma once

#include <vector>

#include "index/scorers.h"
#include "search/ranking.h"

namespace likeness {

// Nodes that a walk has seen. One table per pool thread, shared by all indexes: a new walk is a new
// stamp, not a new table.
class VisitedNodes {
 public:
  static VisitedNodes& of_this_thread();
  void begin(size_t nodes);
  bool first_visit(int32_t node) {
    if (stamps_[node] == stamp_) return false;
    stamps_[node] = stamp_;
    return true;
  }
  void prefetch(int32_t node) const { __builtin_prefetch(stamps_.data() + node); }

 private:
  std::vector<uint8_t> stamps_;
  uint8_t stamp_ = 0;
};

struct Farther {
  bool operator()(const Ranked& a, const Ranked& b) const { return b < a; }
};

template <class Scorer>
class GraphWalk {
 public:
  GraphWalk(const IndexCore& core, Scorer& scorer, size_t width)
      : graph_(core.graph()),
        codes_(core.codes()),
        code_size_(core.code_size()),
        prefetched_(std::min(WalksByPart<Scorer> ? code_size_ / 2 : code_size_, kMostPrefetched)),
        nodes_(graph_.levels.size()),
        scorer_(scorer),
        visited_(VisitedNodes::of_this_thread()),
        best_(width) {}

  Ranked rank(int32_t node) const {
    if constexpr (WalksByPart<Scorer>) return {scorer_.walk_key(code(node)), node};
    else return {scorer_.key(code(node)), node};
  }
  const uint8_t* code(int32_t node) const {
    return codes_ + static_cast<size_t>(node) * code_size_;
  }

  void prefetch_code(int32_t node) const {
    const uint8_t* row = code(node);
    for (size_t at = 0; at < prefetched_; at += kLine) __builtin_prefetch(row + at);
  }

  // Descends greedily from the entry point to the level above `level`.
  Ranked descend(int level) const {
    Ranked nearest = rank(graph_.entry_point);
    for (int above = graph_.max_level; above > level; above--) {
      for (int32_t from = -1; from != nearest.row;) {
        from = nearest.row;
        size_t begin = 0, end = 0;
        graph_.neighbor_range(from, above, &begin, &end);
        for (size_t i = begin; i < end && graph_.neighbors[i] >= 0; i++) {
          nearest = std::min(nearest, rank(graph_.neighbors[i]));
        }
      }
    }
    return nearest;
  }

  // Finds the best live nodes of a level around the entry, best first; valid until the next call.
  std::vector<Ranked>& widen(Ranked entry, int level, Deleted deleted) {
    best_.clear();
    candidates_.clear();
    visited_.begin(nodes_);
    visited_.first_visit(entry.row);
    consider(entry, deleted);
    while (!candidates_.empty()) {
      const Ranked nearest = candidates_.front();
      if (nearest.key > best_.worst_key()) break;
      std::pop_heap(candidates_.begin(), candidates_.end(), Farther());
      candidates_.pop_back();
      gather_unseen(nearest.row, level);
      for (size_t i = 0; i < unseen_.size(); i++) {
        if (i + kAhead < unseen_.size()) prefetch_code(unseen_[i + kAhead]);
        const Ranked neighbor = rank(unseen_[i]);
        if (best_.accepts(neighbor)) consider(neighbor, deleted);
      }
    }
    return best_.sorted();
  }

  // Sorts the nodes found by widen() in the order of exact keys.
  std::vector<Ranked>& refine(std::vector<Ranked>& found) const {
    if constexpr (WalksByPart<Scorer>) {
      for (size_t i = 0; i < found.size(); i++) {
        if (i + kAhead < found.size()) {
          __builtin_prefetch(code(found[i + kAhead].row) + prefetched_);
        }
        found[i].key = scorer_.key(code(found[i].row));
      }
      std::sort(found.begin(), found.end());
    }
    return found;
  }

 private:
  static constexpr size_t kAhead = 3;
  static constexpr size_t kLine = 64;
  // Bytes to prefetch; the CPU's own prefetcher then continues.
  static constexpr size_t kMostPrefetched = 1024;

  void gather_unseen(int32_t node, int level) {
    unseen_.clear();
    size_t begin = 0, end = 0;
    graph_.neighbor_range(node, level, &begin, &end);
    for (size_t i = begin; i < end && graph_.neighbors[i] >= 0; i++) {
      const int32_t neighbor = graph_.neighbors[i];
      if (!visited_.first_visit(neighbor)) continue;
      if (unseen_.size() < kAhead) prefetch_code(neighbor);
      unseen_.push_back(neighbor);
    }
  }

  void consider(Ranked node, Deleted deleted) {
    candidates_.push_back(node);
    std::push_heap(candidates_.begin(), candidates_.end(), Farther());
    if (!deleted.has(node.row)) best_.offer(node);
  }

  const faiss::HNSW& graph_;
  const uint8_t* codes_;
  size_t code_size_;
  size_t prefetched_;
  size_t nodes_;
  Scorer& scorer_;
  VisitedNodes& visited_;
  TopRows best_;
  std::vector<Ranked> candidates_;
  std::vector<int32_t> unseen_;
};

}  // namespace likeness
