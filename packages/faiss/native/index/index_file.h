// Index on disk: Faiss's own bytes, then a footer that proves the bytes whole, so that a damaged
// file is refused before Faiss parses it (Faiss's reader trusts the sizes in a file).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "index/index_core.h"

namespace likeness {

// Writes under a temporary name, syncs, then renames over path; syncs the directory too.
void write_index_file(const IndexCore& core, const std::string& path);

// Returns the bytes of that file.
std::vector<uint8_t> index_file_bytes(const IndexCore& core);

// Writes the same without the footer: any Faiss opens such a file.
void export_index_file(const IndexCore& core, const std::string& path);

// Place of inverted lists: read into memory, or mapped; mapped lists take room only while in use,
// and rows cannot be added. Faiss can map only inverted lists.
enum class ListPlace { memory, file };

// Throws data_corrupt for a damaged file and for an index of a type that this package does not
// make.
std::shared_ptr<IndexCore> read_index_file(const std::string& path, ListPlace lists);

}  // namespace likeness
