// An index on disk: Faiss's own bytes, then a footer that proves they are whole, so that a damaged file is refused
// before Faiss parses it (its reader trusts the sizes it finds).
#pragma once

#include <memory>
#include <string>

#include "index/index_core.h"

namespace likeness {

// Under a temporary name, synced, then renamed over path; the directory is synced too.
void write_index_file(const IndexCore& core, const std::string& path);

// The same without the footer: what any Faiss opens.
void export_index_file(const IndexCore& core, const std::string& path);

// Inverted lists read into memory, or mapped: then they take room only while they are used, and nothing can be added. Faiss can map nothing else.
enum class ListPlace { memory, file };

// Throws data_corrupt for a damaged file and for an index of a type that this package does not make.
std::shared_ptr<IndexCore> read_index_file(const std::string& path, ListPlace lists);

}  // namespace likeness
