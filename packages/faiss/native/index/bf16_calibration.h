// Calibration of walks: tells whether the bf16 plane of the rows is enough to walk by.
#pragma once

#include "index/index_core.h"

namespace likeness {

// Compares, on a sample of the first `nodes` of the graph, the error of keys of the bf16 plane with
// the spread of the keys of a node's neighbours. Rows that all point the same way, or that are
// nearly copies of each other, differ by less than half a float can say.
bool bf16_plane_suffices(const IndexCore& core, int64_t nodes);

}  // namespace likeness
