// Tells whether a walk may use, without further checks, an HNSW graph that was read.
#pragma once

#include <faiss/impl/HNSW.h>

#include <cstdint>

namespace likeness {

bool graph_is_sound(const faiss::HNSW& graph, int32_t nodes);

}  // namespace likeness
