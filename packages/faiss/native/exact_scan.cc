// Blocks of rows stay in cache while all queries of the call pass over them.
#include "exact_scan.h"

#include "pool.h"

namespace likeness {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;

// Calls visit(query, row, key) for every live row.
template <class Visit>
void for_each_live(const IndexCore& core, Queries queries, Deleted deleted, Visit visit) {
  const KeyOf key(core);
  const float* rows = core.rows()->get_xb();
  const size_t total = core.index->ntotal;
  const size_t block = std::max<size_t>(1, kBlockBytes / (core.dim * sizeof(float)));
  for (size_t first = 0; first < total; first += block) {
    throw_if_cancelled();
    const size_t end = std::min(total, first + block);
    for (size_t q = 0; q < queries.count; q++) {
      const float* query = queries.data + q * core.dim;
      for (size_t row = first; row < end; row++) {
        if (!deleted.has(row)) visit(q, static_cast<int32_t>(row), key(query, rows + row * core.dim));
      }
    }
  }
}

void write_all(std::vector<TopRows>& best, Hits hits, float sign) {
  for (size_t q = 0; q < best.size(); q++) hits.write(q, best[q].sorted(), sign);
}

}  // namespace

void scan_all(const IndexCore& core, Queries queries, Deleted deleted, Hits hits) {
  std::vector<TopRows> best(queries.count, TopRows(hits.k));
  for_each_live(core, queries, deleted, [&](size_t q, int32_t row, float key) { best[q].offer({key, row}); });
  write_all(best, hits, KeyOf(core).sign);
}

void scan_rows(const IndexCore& core, Queries queries, const int32_t* rows, size_t row_count, Hits hits) {
  const KeyOf key(core);
  std::vector<float> scratch(core.dim);
  std::vector<TopRows> best(queries.count, TopRows(hits.k));
  for (size_t i = 0; i < row_count; i++) {
    if (i % 1024 == 0) throw_if_cancelled();
    core.check_row(rows[i]);
    const float* row = core.vector(rows[i], scratch.data());
    for (size_t q = 0; q < queries.count; q++) best[q].offer({key(queries.data + q * core.dim, row), rows[i]});
  }
  write_all(best, hits, key.sign);
}

std::vector<std::vector<Ranked>> scan_range(const IndexCore& core, Queries queries, float radius, Deleted deleted) {
  const float limit = KeyOf(core).sign * radius;
  std::vector<std::vector<Ranked>> found(queries.count);
  for_each_live(core, queries, deleted, [&](size_t q, int32_t row, float key) {
    if (key < limit) found[q].push_back({key, row});
  });
  for (auto& rows : found) std::sort(rows.begin(), rows.end());
  return found;
}

}  // namespace likeness
