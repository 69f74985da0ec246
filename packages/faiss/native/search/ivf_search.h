// Search of inverted lists: the nprobe lists with the nearest centroids.
#pragma once

#include "search/ranking.h"

namespace likeness {

void search_ivf(const IndexCore& core, Queries queries, size_t nprobe, Deleted deleted, Hits hits);
Found range_ivf(const IndexCore& core, Queries queries, float radius, size_t nprobe,
                Deleted deleted);

// Finds the list of each row: the list with the nearest centroid.
void assign_lists(const IndexCore& core, Queries rows, int64_t* lists);

}  // namespace likeness
