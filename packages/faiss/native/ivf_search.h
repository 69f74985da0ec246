// Search of an IVF index through Faiss, with per-call nprobe and the deletion bitmap as a selector.
#pragma once

#include "exact_scan.h"

namespace likeness {

void search_ivf(const IndexCore& core, Queries queries, size_t nprobe, Deleted deleted, Hits hits);
std::vector<std::vector<Ranked>> range_ivf(const IndexCore& core, Queries queries, float radius, size_t nprobe,
                                           Deleted deleted);

}  // namespace likeness
