// Storage forms: the ways an index keeps its rows. The one table of them on this side of the addon;
// the other is packages/shared/src/contract/storage-forms.ts. A new form takes an entry in the enum
// and the table, its Faiss classes in storage_forms.cc, a scorer (scorers.h) and, with a codebook,
// a trainer (codebook.cc): the compiler refuses a switch that leaves a form out.
#pragma once

#include <faiss/MetricType.h>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace faiss {
struct Index;
struct IndexHNSW;
struct IndexIVF;
}  // namespace faiss

namespace likeness {

// In the order of kStorageForms; bits, the only form without floats, stays the last.
enum class Storage { f32, f16, sq8, pq, bits };

// Centroids of one part of a product quantizer; a stored part is the byte of its centroid's number.
constexpr size_t kPartCentroids = 256;

struct StorageForm {
  Storage storage;
  // Text of the form in settings, followed by the number of parts where has_parts.
  const char* name;
  // Bytes of a stored row of `dim` values; `parts` divides dim, and counts only where has_parts.
  size_t (*row_bytes)(size_t dim, size_t parts);
  // Floats that training makes; 0 where there is nothing to train.
  size_t (*codebook_floats)(size_t dim);
  bool has_parts = false;
  // True when stored rows are the rows as JavaScript gives them, byte for byte.
  bool is_lossless = false;
  // True when rows in an inverted list are stored relative to the centroid of the list.
  bool is_relative_in_lists = false;

  constexpr bool has_codebook() const { return codebook_floats(1) > 0; }
};

inline constexpr StorageForm kStorageForms[] = {
    {.storage = Storage::f32,
     .name = "f32",
     .row_bytes = [](size_t dim, size_t) { return dim * sizeof(float); },
     .codebook_floats = [](size_t) -> size_t { return 0; },
     .is_lossless = true},
    {.storage = Storage::f16,
     .name = "f16",
     .row_bytes = [](size_t dim, size_t) { return 2 * dim; },
     .codebook_floats = [](size_t) -> size_t { return 0; }},
    // One byte a value, between the least and the greatest of each dimension.
    {.storage = Storage::sq8,
     .name = "sq8",
     .row_bytes = [](size_t dim, size_t) { return dim; },
     .codebook_floats = [](size_t dim) { return 2 * dim; }},
    // One byte a part: the nearest of the centroids of that part.
    {.storage = Storage::pq,
     .name = "pq",
     .row_bytes = [](size_t, size_t parts) { return parts; },
     .codebook_floats = [](size_t dim) { return kPartCentroids * dim; },
     .has_parts = true,
     .is_relative_in_lists = true},
    // Packed bits; `dim` is their number.
    {.storage = Storage::bits,
     .name = "bits",
     .row_bytes = [](size_t dim, size_t) { return dim / 8; },
     .codebook_floats = [](size_t) -> size_t { return 0; },
     .is_lossless = true},
};

constexpr const StorageForm& form_of(Storage storage) {
  return kStorageForms[static_cast<size_t>(storage)];
}

// Tests that each form stands at the place of its enumerator.
consteval bool forms_are_in_order() {
  if (std::size(kStorageForms) != static_cast<size_t>(Storage::bits) + 1) return false;
  for (size_t i = 0; i < std::size(kStorageForms); i++) {
    if (kStorageForms[i].storage != static_cast<Storage>(i)) return false;
  }
  return true;
}
static_assert(forms_are_in_order());

// Finds a form of float rows by its name, without parts. Throws invalid_argument for other text.
Storage read_storage(const std::string& name);

// Throws invalid_argument unless the parts of a form with parts divide dim.
void check_parts(Storage storage, size_t dim, size_t parts);

// Rows of a new index of floats; `storage` is a form of floats.
struct RowSpec {
  Storage storage;
  size_t dim;
  size_t parts;
  faiss::MetricType metric;
};

// Make Faiss's index for each form and kind; trained where the form has no codebook.
std::unique_ptr<faiss::Index> make_flat(const RowSpec& rows);
std::unique_ptr<faiss::IndexHNSW> make_hnsw(const RowSpec& rows, int links);
// Leaves the quantizer to the caller.
std::unique_ptr<faiss::IndexIVF> make_ivf(const RowSpec& rows, faiss::Index* quantizer,
                                          size_t lists);

// Finds the form of rows that lie one after the other; empty when their sizes contradict each other
// or the index `like` that the rows belong to.
std::optional<Storage> find_row_storage(const faiss::Index* rows, const faiss::Index& like);
// Finds the form of rows in inverted lists.
std::optional<Storage> find_list_storage(const faiss::IndexIVF& ivf);

// Codebook of a flat or IVF index, where Faiss keeps it; null for a form without one.
std::vector<float>* codebook_values(faiss::Index& rows);

}  // namespace likeness
