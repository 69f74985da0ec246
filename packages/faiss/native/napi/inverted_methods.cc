// searchInverted: reads one query and the lists of its entries.
#include <cmath>

#include "base/coded_error.h"
#include "napi/methods.h"
#include "search/inverted_search.h"

namespace likeness {
namespace {

// bounds: begin and end of the list of each weight in the postings
std::vector<QueryList> read_lists(std::span<double> bounds, std::span<float> weights,
                                  size_t postings) {
  require_size(bounds.size(), 2 * weights.size(), "bounds");
  std::vector<QueryList> lists(weights.size());
  for (size_t i = 0; i < weights.size(); i++) {
    const double at = bounds[2 * i], end = bounds[2 * i + 1];
    if (!(at >= 0 && at <= end && end <= static_cast<double>(postings))) {
      throw CodedError("invalid_argument", "a list outside the postings");
    }
    lists[i] = {static_cast<size_t>(at), static_cast<size_t>(end), weights[i]};
  }
  return lists;
}

// rows, values, row count, bounds (2 x weights), weights, deleted bitmap, out ids (k), out
// distances (k)
napi_value search_inverted_lists(const Args& args) {
  const auto rows = args.ints(0);
  const auto values = args.floats(1);
  require_size(values.size(), rows.size(), "values");
  const Postings postings{rows.data(), values.data(), static_cast<size_t>(args.integer(2))};
  if (args.integer(2) < 0 || args.integer(2) > INT32_MAX) {
    throw CodedError("invalid_argument", "row count");
  }
  auto lists = read_lists(args.doubles(3), args.floats(4), rows.size());
  const auto bitmap = args.bytes(5);
  const auto ids = args.ints(6);
  const auto distances = args.floats(7);
  require_size(distances.size(), ids.size(), "distances");
  const Hits hits{ids.data(), distances.data(), ids.size()};
  auto work = [postings, lists = std::move(lists), deleted = Deleted{bitmap.data(), bitmap.size()},
               hits] { search_inverted(postings, lists, deleted, hits); };
  return run_job(args.env(),
                 {{args.value(0), args.value(1), args.value(5), args.value(6), args.value(7)},
                  nullptr, Access::shared, work, nullptr});
}

}  // namespace

void export_inverted(napi_env env, napi_value exports) {
  export_method(env, exports, "searchInverted", search_inverted_lists);
}

}  // namespace likeness
