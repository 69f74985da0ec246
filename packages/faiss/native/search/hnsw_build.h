// Growth of an HNSW graph by rows that are already in its storage; Faiss's own files and levels, our walk.
#pragma once

#include "search/ranking.h"

namespace likeness {

// rows: what was added last, as JavaScript gave it. A failure half-way leaves nodes without links: they are not found, no more.
void grow_graph(IndexCore& core, faiss::HNSW& graph, Queries rows);

}  // namespace likeness
