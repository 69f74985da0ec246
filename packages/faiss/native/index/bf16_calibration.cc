#include "index/bf16_calibration.h"

#include "index/scorers.h"

namespace likeness {
namespace {

constexpr int64_t kSample = 64;
// Largest error that still suffices, as a share of the spread of a node's neighbours. Recall falls
// from about a fifth on.
constexpr double kMostError = 0.05;
constexpr int64_t kMostMisledOutOf = 10;

struct Spread {
  void add(double value) {
    sum += value;
    squares += value * value;
    count++;
  }
  double variance() const {
    return count == 0 ? 0 : squares / count - (sum / count) * (sum / count);
  }
  double sum = 0, squares = 0;
  size_t count = 0;
};

bool misleads(const IndexCore& core, int32_t node) {
  std::vector<float> row(core.dim);
  join_row(core.code(node), core.dim, row.data());
  Bf16WalkScorer scorer(core);
  scorer.prepare(reinterpret_cast<const uint8_t*>(row.data()));
  const auto& graph = core.graph();
  size_t begin = 0, end = 0;
  graph.neighbor_range(node, 0, &begin, &end);
  Spread keys, errors;
  double first = 0;
  for (size_t i = begin; i < end && graph.neighbors[i] >= 0; i++) {
    const uint8_t* code = core.code(graph.neighbors[i]);
    const double key = scorer.key(code);
    if (i == begin) first = key;
    keys.add(key - first);
    errors.add(scorer.walk_key(code) - key);
  }
  return errors.variance() > kMostError * kMostError * keys.variance();
}

}  // namespace

bool bf16_plane_suffices(const IndexCore& core, int64_t nodes) {
  const int64_t sampled = std::min(nodes, kSample);
  int64_t misled = 0;
  for (int64_t i = 0; i < sampled; i++) {
    misled += misleads(core, static_cast<int32_t>(i * nodes / sampled)) ? 1 : 0;
  }
  return sampled > 0 && misled * kMostMisledOutOf <= sampled;
}

}  // namespace likeness
