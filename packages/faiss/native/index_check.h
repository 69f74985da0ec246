// Decides whether an index that was read is one that this package makes and may walk without checking again.
#pragma once

#include <string>

#include "index_core.h"

namespace likeness {

// The kind, or data_corrupt. May rebuild the row map of an IVF index.
Kind check_index(faiss::Index& index, const std::string& path);

}  // namespace likeness
