// Checks that this package makes such an index as was read, so that a walk needs no further checks.
#pragma once

#include <memory>
#include <string>

#include "index/index_core.h"

namespace likeness {

// Throws data_corrupt. May rebuild the row map of an IVF index.
std::shared_ptr<IndexCore> check_index(std::unique_ptr<faiss::Index> index,
                                       const std::string& path);
std::shared_ptr<IndexCore> check_index(std::unique_ptr<faiss::IndexBinary> index,
                                       const std::string& path);

}  // namespace likeness
