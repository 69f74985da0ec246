// Lists are scanned in place, by groups of rows.
#include "search/ivf_search.h"

#include "base/pool.h"
#include "index/scorers.h"

namespace likeness {
namespace {

constexpr size_t kGroup = 64;

// Ranks centroids with the arithmetic for rows as JavaScript gives them.
template <class Use>
auto with_centroid_scorer(const IndexCore& core, Use use) {
  return core.is_binary() ? use(BitsScorer(core)) : use(F32Scorer(core));
}

template <class CentroidScorer>
const std::vector<Ranked>& nearest_lists(const IndexCore& core, CentroidScorer& scorer,
                                         const uint8_t* query, TopRows& best) {
  const uint8_t* centroids = core.centroids();
  const size_t lists = core.list_count(), size = core.row_bytes();
  scorer.prepare(query);
  best.clear();
  for (size_t list = 0; list < lists; list++) {
    best.offer({scorer.key(centroids + list * size), static_cast<int32_t>(list)});
  }
  return best.sorted();
}

// Calls visit(row, key) for every live row of a list whose key is at most limit().
template <class Scorer, class Limit, class Visit>
void scan_list(const IndexCore& core, Scorer& scorer, size_t list, Deleted deleted, Limit limit,
               Visit visit) {
  const auto& lists = core.lists();
  const size_t count = lists.list_size(list), size = core.code_size();
  if (count == 0) return;
  if constexpr (requires { scorer.enter_list(nullptr); }) {
    scorer.enter_list(reinterpret_cast<const float*>(core.centroids()) + list * core.dim);
  }
  const uint8_t* codes = lists.get_codes(list);
  const auto* rows = lists.get_ids(list);
  float keys[kGroup];
  for (size_t group = 0; group < count; group += kGroup) {
    const size_t n = std::min(kGroup, count - group);
    scorer.keys(codes + group * size, n, keys);
    if (!any_within(keys, n, limit())) continue;
    for (size_t i = 0; i < n; i++) {
      if (keys[i] <= limit() && !deleted.has(rows[group + i])) {
        visit(static_cast<int32_t>(rows[group + i]), keys[i]);
      }
    }
  }
}

// Calls each(query) after the scorer was prepared, with the lists to probe.
template <class Each>
void probe(const IndexCore& core, Queries queries, size_t nprobe, Each each) {
  TopRows best_lists(std::min(nprobe, core.list_count()));
  with_scorer(core, [&](auto scorer) {
    with_centroid_scorer(core, [&](auto coarse) {
      for (size_t q = 0; q < queries.count; q++) {
        throw_if_cancelled();
        const auto& lists = nearest_lists(core, coarse, queries.at(q), best_lists);
        scorer.prepare(queries.at(q));
        each(q, scorer, lists);
      }
    });
  });
}

}  // namespace

void search_ivf(const IndexCore& core, Queries queries, size_t nprobe, Deleted deleted, Hits hits) {
  TopRows best(hits.k);
  probe(core, queries, nprobe, [&](size_t q, auto& scorer, const std::vector<Ranked>& lists) {
    best.clear();
    const auto limit = [&] { return best.worst_key(); };
    for (const Ranked& list : lists) {
      scan_list(core, scorer, list.row, deleted, limit,
                [&](int32_t row, float key) { best.offer({key, row}); });
    }
    hits.write(q, best.sorted(), sign_of(core));
  });
}

Found range_ivf(const IndexCore& core, Queries queries, float radius, size_t nprobe,
                Deleted deleted) {
  const float bound = sign_of(core) * radius;
  Found found(queries.count);
  probe(core, queries, nprobe, [&](size_t q, auto& scorer, const std::vector<Ranked>& lists) {
    const auto keep = [&](int32_t row, float key) {
      if (key < bound) found[q].push_back({key, row});
    };
    for (const Ranked& list : lists) {
      scan_list(core, scorer, list.row, deleted, [&] { return bound; }, keep);
    }
    std::sort(found[q].begin(), found[q].end());
  });
  return found;
}

void assign_lists(const IndexCore& core, Queries rows, int64_t* lists) {
  TopRows best(1);
  with_centroid_scorer(core, [&](auto coarse) {
    for (size_t i = 0; i < rows.count; i++) {
      if (i % 1024 == 0) throw_if_cancelled();
      lists[i] = nearest_lists(core, coarse, rows.at(i), best).front().row;
    }
  });
}

}  // namespace likeness
