// Exact search: every row of a flat or HNSW index, or the rows that the caller names in any index.
#pragma once

#include "search/ranking.h"

namespace likeness {

void scan_all(const IndexCore& core, Queries queries, Deleted deleted, Hits hits);
void scan_rows(const IndexCore& core, Queries queries, const int32_t* rows, size_t row_count,
               Hits hits);

// Finds rows with an inner product above, or a distance below, radius.
Found scan_range(const IndexCore& core, Queries queries, float radius, Deleted deleted);

}  // namespace likeness
