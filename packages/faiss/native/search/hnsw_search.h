// Own walk over Faiss's HNSW graph: efSearch per call, a deletion bitmap, a visited table that is
// reused.
#pragma once

#include "search/exact_scan.h"

namespace likeness {

// Walks through deleted nodes and never returns them; the walk goes on until ef live rows are
// known.
void search_hnsw(const IndexCore& core, Queries queries, size_t ef, Deleted deleted, Hits hits);

}  // namespace likeness
