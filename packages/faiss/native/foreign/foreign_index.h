// All vectors of a Faiss file from elsewhere. Parsed here and not by Faiss, whose reader trusts the
// sizes in the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace likeness {

struct ForeignVectors {
  std::string kind;  // name by Faiss's factory: "IDMap,HNSW,Flat"
  size_t dim = 0;
  bool inner_product = false;
  size_t count = 0;
  std::unique_ptr<float[]> vectors;  // count x dim
  std::vector<int64_t> ids;          // empty: row numbers
};

// Reads the vectors in the order of the file (IVF: list after list). Throws data_corrupt, or
// unsupported_index for a kind or size that is not read; allocates at most max_bytes for vectors.
ForeignVectors read_foreign_index(const std::string& path, uint64_t max_bytes);

}  // namespace likeness
