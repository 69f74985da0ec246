// One walk per query.
#include "search/hnsw_search.h"

#include "base/pool.h"
#include "index/scorers.h"
#include "search/graph_walk.h"

namespace likeness {

VisitedNodes& VisitedNodes::of_this_thread() {
  thread_local VisitedNodes nodes;
  return nodes;
}

void VisitedNodes::begin(size_t nodes) {
  if (stamps_.size() < nodes) stamps_.resize(nodes, 0);
  if (++stamp_ == 0) {
    std::fill(stamps_.begin(), stamps_.end(), uint8_t{0});
    stamp_ = 1;
  }
}

void search_hnsw(const IndexCore& core, Queries queries, size_t ef, Deleted deleted, Hits hits) {
  with_scorer(core, [&](auto scorer) {
    GraphWalk walk(core, scorer, std::max(ef, hits.k));
    for (size_t q = 0; q < queries.count; q++) {
      throw_if_cancelled();
      scorer.prepare(queries.at(q));
      if (core.total() == 0) hits.write(q, {}, 1);
      else hits.write(q, walk.refine(walk.widen(walk.descend(0), 0, deleted)), sign_of(core));
    }
  });
}

}  // namespace likeness
