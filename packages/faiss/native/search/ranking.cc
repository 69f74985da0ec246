// Writes ranked rows to the arrays of the caller.
#include "search/ranking.h"

namespace likeness {

void Hits::write(size_t query, const std::vector<Ranked>& best, float sign) const {
  size_t count = std::min(k, best.size());
  int32_t* id = ids + query * k;
  float* distance = distances + query * k;
  for (size_t i = 0; i < count; i++) {
    id[i] = best[i].row;
    distance[i] = sign * best[i].key;
  }
  std::fill(id + count, id + k, -1);
  std::fill(distance + count, distance + k, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace likeness
