// Growth of an HNSW graph by rows that are already in its storage; files and levels are Faiss's,
// the walk is ours.
#pragma once

#include "search/ranking.h"

namespace likeness {

// rows: the rows added last, as JavaScript gave them. A failure half-way leaves nodes without
// links: they are not found, and do no other harm.
void grow_graph(IndexCore& core, faiss::HNSW& graph, Queries rows);

}  // namespace likeness
