// Blocks of rows stay in cache while all queries of the call pass over them.
#include "search/exact_scan.h"

#include "base/pool.h"
#include "index/scorers.h"

namespace likeness {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;
constexpr size_t kGroup = 64;

// Calls visit(query, row, key) for every live row whose key is at most limit(query).
template <class Scorer, class Limit, class Visit>
void for_each_live(const IndexCore& core, Scorer scorer, Queries queries, Deleted deleted,
                   Limit limit, Visit visit) {
  const uint8_t* codes = core.codes();
  const size_t size = core.code_size(), total = core.total();
  const size_t block = std::max<size_t>(1, kBlockBytes / (size * kGroup)) * kGroup;
  float keys[kGroup];
  for (size_t first = 0; first < total; first += block) {
    throw_if_cancelled();
    const size_t end = std::min(total, first + block);
    for (size_t q = 0; q < queries.count; q++) {
      if (queries.count > 1 || first == 0) scorer.prepare(queries.at(q));
      for (size_t group = first; group < end; group += kGroup) {
        if (deleted.has_all_64(group)) continue;
        const size_t count = std::min(kGroup, end - group);
        scorer.keys(codes + group * size, count, keys);
        if (!any_within(keys, count, limit(q))) continue;
        for (size_t i = 0; i < count; i++) {
          if (keys[i] <= limit(q) && !deleted.has(group + i)) {
            visit(q, static_cast<int32_t>(group + i), keys[i]);
          }
        }
      }
    }
  }
}

void write_all(std::vector<TopRows>& best, Hits hits, float sign) {
  for (size_t q = 0; q < best.size(); q++) hits.write(q, best[q].sorted(), sign);
}

// Scans decoded rows: the codes of an IVF product quantizer have a meaning only in their list.
void scan_decoded(const IndexCore& core, Queries queries, const int32_t* rows, size_t row_count,
                  std::vector<TopRows>& best) {
  F32Scorer scorer(core);
  std::vector<float> row(core.dim);
  auto* bytes = reinterpret_cast<uint8_t*>(row.data());
  for (size_t i = 0; i < row_count; i++) {
    if (i % 1024 == 0) throw_if_cancelled();
    core.reconstruct(rows[i], bytes);
    for (size_t q = 0; q < queries.count; q++) {
      scorer.prepare(queries.at(q));
      best[q].offer({scorer.key(bytes), rows[i]});
    }
  }
}

}  // namespace

void scan_all(const IndexCore& core, Queries queries, Deleted deleted, Hits hits) {
  std::vector<TopRows> best(queries.count, TopRows(hits.k));
  const auto limit = [&](size_t q) { return best[q].worst_key(); };
  const auto offer = [&](size_t q, int32_t row, float key) { best[q].offer({key, row}); };
  with_scorer(core, [&](auto scorer) {
    for_each_live(core, std::move(scorer), queries, deleted, limit, offer);
  });
  write_all(best, hits, sign_of(core));
}

void scan_rows(const IndexCore& core, Queries queries, const int32_t* rows, size_t row_count,
               Hits hits) {
  for (size_t i = 0; i < row_count; i++) core.check_row(rows[i]);
  std::vector<TopRows> best(queries.count, TopRows(hits.k));
  if (core.kind == Kind::ivf && core.form().is_relative_in_lists) {
    scan_decoded(core, queries, rows, row_count, best);
  } else {
    with_scorer(core, [&](auto scorer) {
      for (size_t q = 0; q < queries.count; q++) {
        throw_if_cancelled();
        scorer.prepare(queries.at(q));
        for (size_t i = 0; i < row_count; i++) {
          best[q].offer({scorer.key(core.code(rows[i])), rows[i]});
        }
      }
    });
  }
  write_all(best, hits, sign_of(core));
}

Found scan_range(const IndexCore& core, Queries queries, float radius, Deleted deleted) {
  const float bound = sign_of(core) * radius;
  Found found(queries.count);
  const auto limit = [&](size_t) { return bound; };
  const auto keep = [&](size_t q, int32_t row, float key) {
    if (key < bound) found[q].push_back({key, row});
  };
  with_scorer(core, [&](auto scorer) {
    for_each_live(core, std::move(scorer), queries, deleted, limit, keep);
  });
  for (auto& rows : found) std::sort(rows.begin(), rows.end());
  return found;
}

}  // namespace likeness
