// Insertion, and the choice of diverse neighbours (algorithms 1 and 4 of the paper in
// graph_walk.h).
#include "search/hnsw_build.h"

#include "base/pool.h"
#include "index/scorers.h"
#include "search/graph_walk.h"

namespace likeness {
namespace {

// Rows that are linked before the first calibration; then as many as there are.
constexpr size_t kFirstStep = 256;

template <class Scorer>
class Builder {
 public:
  Builder(const IndexCore& core, faiss::HNSW& graph, Scorer& scorer)
      : graph_(graph), scorer_(scorer), walk_(core, scorer, std::max(1, graph.efConstruction)) {}

  void insert(int32_t node, const uint8_t* row) {
    const int level = graph_.levels[node] - 1;
    if (graph_.entry_point < 0) {
      graph_.entry_point = node;
      graph_.max_level = level;
      return;
    }
    scorer_.prepare(row);
    const int top = std::min(level, graph_.max_level);
    Ranked nearest = walk_.descend(top);
    for (int at = top; at >= 0; at--) {
      auto& found = walk_.widen(nearest, at, {});
      nearest = found.front();
      chosen_ = found;
      choose(chosen_, graph_.nb_neighbors(at));
      write_links(node, at, chosen_);
      for (const Ranked& neighbor : chosen_) link_back(neighbor, node, at);
    }
    if (level <= graph_.max_level) return;
    graph_.entry_point = node;
    graph_.max_level = level;
  }

 private:
  // Keeps, from the nearest on, each node that is nearer to the new node than to all nodes kept
  // before.
  void choose(std::vector<Ranked>& sorted, size_t limit) {
    size_t kept = 0;
    for (size_t i = 0; i < sorted.size() && kept < limit; i++) {
      const uint8_t* row = walk_.code(sorted[i].row);
      bool diverse = true;
      for (size_t j = 0; j < kept && diverse; j++) {
        diverse = scorer_.between(row, walk_.code(sorted[j].row)) >= sorted[i].key;
      }
      if (diverse) sorted[kept++] = sorted[i];
    }
    sorted.resize(kept);
  }

  void write_links(int32_t node, int level, const std::vector<Ranked>& links) {
    size_t begin = 0, end = 0;
    graph_.neighbor_range(node, level, &begin, &end);
    for (size_t i = begin; i < end; i++) {
      graph_.neighbors[i] = i - begin < links.size() ? links[i - begin].row : -1;
    }
  }

  void link_back(Ranked from, int32_t node, int level) {
    size_t begin = 0, end = 0;
    graph_.neighbor_range(from.row, level, &begin, &end);
    for (size_t i = begin; i < end; i++) {
      if (graph_.neighbors[i] >= 0) continue;
      graph_.neighbors[i] = node;
      return;
    }
    shrunk_.assign(1, {from.key, node});
    const uint8_t* row = walk_.code(from.row);
    for (size_t i = begin; i < end; i++) {
      const int32_t neighbor = graph_.neighbors[i];
      if (i + 2 < end) walk_.prefetch_code(graph_.neighbors[i + 2]);
      shrunk_.push_back({scorer_.between(row, walk_.code(neighbor)), neighbor});
    }
    std::sort(shrunk_.begin(), shrunk_.end());
    choose(shrunk_, end - begin);
    write_links(from.row, level, shrunk_);
  }

  faiss::HNSW& graph_;
  Scorer& scorer_;
  GraphWalk<Scorer> walk_;
  std::vector<Ranked> chosen_;
  std::vector<Ranked> shrunk_;
};

}  // namespace

void grow_graph(IndexCore& core, faiss::HNSW& graph, Queries rows) {
  const size_t first = graph.levels.size();
  graph.prepare_level_tab(rows.count);
  for (size_t done = 0; done < rows.count;) {
    const size_t end = std::min(rows.count, done + std::max(kFirstStep, first + done));
    with_scorer(core, [&](auto scorer) {
      Builder builder(core, graph, scorer);
      for (; done < end; done++) {
        throw_if_cancelled();
        builder.insert(first + done, rows.at(done));
      }
    });
    settle(core, first + done);
  }
}

}  // namespace likeness
