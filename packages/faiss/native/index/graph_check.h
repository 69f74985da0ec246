// Whether an HNSW graph that was read may be walked without checking again.
#pragma once

#include <faiss/impl/HNSW.h>

#include <cstdint>

namespace likeness {

bool graph_is_sound(const faiss::HNSW& graph, int32_t nodes);

}  // namespace likeness
