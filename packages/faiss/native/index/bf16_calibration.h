// Whether the first plane of rows is enough to walk by.
#pragma once

#include "index/index_core.h"

namespace likeness {

// Tried on a sample of the first `nodes` of the graph: how much keys of the first plane err, beside how much a node's neighbours differ.
// Rows that all point the same way, or that are nearly copies of each other, differ by less than half a float can say.
bool bf16_plane_suffices(const IndexCore& core, int64_t nodes);

}  // namespace likeness
