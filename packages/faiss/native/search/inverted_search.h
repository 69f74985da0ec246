// Exact search over inverted lists: sparse rows by inner product. No part of Faiss.
#pragma once

#include <cstddef>
#include <cstdint>

#include "search/ranking.h"

namespace likeness {

// Entries of every list lie one after another: rows ascending within a list, and their values.
struct Postings {
  const int32_t* rows;
  const float* values;
  size_t row_count;
};

// One entry of the query: its weight, and where the list of its index begins and ends.
struct QueryList {
  size_t at;
  size_t end;
  double weight;
};

// The best rows that have an entry in any of the lists, by sum of weight x value. Throws data_corrupt for a row that cannot be.
void search_inverted(const Postings& postings, std::vector<QueryList> lists, Deleted deleted, Hits hits);

}  // namespace likeness
