// Exact search over inverted lists: sparse rows by inner product. Not a part of Faiss.
#pragma once

#include <cstddef>
#include <cstdint>

#include "search/ranking.h"

namespace likeness {

// Entries of every list, one after another: rows ascending within a list, and their values.
struct Postings {
  const int32_t* rows;
  const float* values;
  size_t row_count;
};

// One entry of the query: its weight, and begin and end of the list of its index.
struct QueryList {
  size_t at;
  size_t end;
  double weight;
};

// Finds the best rows that have an entry in any of the lists, by sum of weight x value. Throws
// data_corrupt for an impossible row.
void search_inverted(const Postings& postings, std::vector<QueryList> lists, Deleted deleted,
                     Hits hits);

}  // namespace likeness
