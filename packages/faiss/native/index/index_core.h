// One index as jobs see it: the Faiss object, its kind, and the lock that orders work on the
// object.
#pragma once

#include <faiss/Index.h>
#include <faiss/IndexBinary.h>
#include <faiss/IndexIVF.h>
#include <faiss/impl/HNSW.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/async_rw_lock.h"
#include "index/storage_forms.h"

namespace likeness {

enum class Kind { flat, hnsw, ivf };

struct IndexCore {
  IndexCore(std::unique_ptr<faiss::Index> index, Kind kind, Storage storage);
  IndexCore(std::unique_ptr<faiss::IndexBinary> binary, Kind kind);

  // Exactly one of the two is set.
  std::unique_ptr<faiss::Index> index;
  std::unique_ptr<faiss::IndexBinary> binary;
  const Kind kind;
  const Storage storage;
  const size_t dim;  // bits of a binary index
  const bool inner_product;
  // Number of rows for JavaScript to read while an add runs.
  std::atomic<int64_t> ntotal;
  // Seed for the training of a codebook by the first add.
  int seed = 0;
  // Set by close(): new work may not begin.
  std::atomic<bool> closed{false};
  AsyncRwLock lock;
  // True when inverted lists lie in the file that was read: adding and writing are refused.
  bool mapped = false;
  // Rows of a graph when it was last settled.
  int64_t settled = 0;
  // True when walks see the first plane of rows only; they see both planes until calibration.
  bool walks_bf16_plane = false;

  // True when stored rows lie in planes (bf16_planes.h).
  bool in_bf16_planes() const {
    return kind == Kind::hnsw && storage == Storage::f32 && inner_product;
  }
  const StorageForm& form() const { return form_of(storage); }
  // Parts of a row; 0 for a form without parts.
  size_t parts() const { return form().has_parts ? code_size() : 0; }
  bool is_binary() const { return storage == Storage::bits; }
  // Elements of a row as JavaScript gives rows: floats, or bytes of a binary index.
  size_t row_length() const { return is_binary() ? dim / 8 : dim; }
  size_t row_bytes() const { return is_binary() ? dim / 8 : dim * sizeof(float); }
  int64_t total() const { return is_binary() ? binary->ntotal : index->ntotal; }

  // Stored rows of a flat or HNSW index, one after the other; and the bytes of one row in any
  // index.
  const uint8_t* codes() const;
  size_t code_size() const;
  const faiss::HNSW& graph() const;
  // Inverted lists and centroids of an IVF index. The centroids have the form of rows that
  // JavaScript gives.
  const faiss::InvertedLists& lists() const;
  const uint8_t* centroids() const;
  size_t list_count() const { return lists().nlist; }

  // Throws invalid_argument for a row that is not there.
  void check_row(int64_t row) const;
  const uint8_t* code(int64_t row) const;
  // Throws invalid_argument for mapped lists.
  void require_in_memory() const;
  // Decodes a row into out: row_bytes().
  void reconstruct(int64_t row, uint8_t* out) const;
  // Writes the effort of a search (efSearch, nprobe) for a plain Faiss file; our own searches are
  // told each time.
  void note_effort(size_t effort);
};

// Settles an HNSW index that was read or has grown: moves its memory into huge pages, and
// calibrates its walks by the first plane of rows. The first `nodes` are linked.
void settle(IndexCore& core, int64_t nodes);

// Rows of a flat or HNSW index.
const faiss::Index& row_storage(const IndexCore& core);

// Frees the Faiss object on a pool thread once all earlier work has ended.
void release_later(std::shared_ptr<IndexCore> core);

}  // namespace likeness
