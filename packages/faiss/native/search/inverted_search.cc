// Sums are made for a block of rows at a time, which stays in cache while all lists of the query
// pass over the block.
#include "search/inverted_search.h"

#include <cmath>

#include "base/coded_error.h"
#include "base/pool.h"

namespace likeness {
namespace {

constexpr size_t kBlockRows = 16 * 1024;
// Sum of a row that is in no list: a sum of products, exact zeros too, is never this zero (f32
// products do not underflow in double).
constexpr double kUntouched = -0.0;

bool is_touched(double sum) { return sum != 0 || !std::signbit(sum); }

// Adds the entries of a list in the block; the list goes on where the block ends.
void add_list(const Postings& postings, QueryList& list, size_t first, size_t end, double* sums) {
  for (; list.at < list.end; list.at++) {
    const size_t row = static_cast<size_t>(postings.rows[list.at]);
    if (row >= end) return;
    if (row < first) throw CodedError("data_corrupt", "rows of an inverted list are not ascending");
    sums[row - first] += list.weight * postings.values[list.at];
  }
}

}  // namespace

void search_inverted(const Postings& postings, std::vector<QueryList> lists, Deleted deleted,
                     Hits hits) {
  std::vector<double> sums(std::min(kBlockRows, postings.row_count));
  TopRows best(hits.k);
  for (size_t first = 0; first < postings.row_count; first += kBlockRows) {
    throw_if_cancelled();
    const size_t end = std::min(postings.row_count, first + kBlockRows);
    std::fill(sums.begin(), sums.end(), kUntouched);
    for (QueryList& list : lists) add_list(postings, list, first, end, sums.data());
    for (size_t row = first; row < end; row++) {
      const double sum = sums[row - first];
      if (!is_touched(sum) || -sum > best.worst_key() || deleted.has(row)) continue;
      best.offer({static_cast<float>(-sum), static_cast<int32_t>(row)});
    }
  }
  for (const QueryList& list : lists) {
    if (list.at < list.end) {
      throw CodedError("data_corrupt", "an inverted list has a row past the last");
    }
  }
  hits.write(0, best.sorted(), -1);
}

}  // namespace likeness
