// search, searchRows, rangeSearch: send a query to the search for the kind of index.
#include "napi/methods.h"

#include <limits>

#include "base/coded_error.h"
#include "index/scorers.h"
#include "search/exact_scan.h"
#include "search/hnsw_search.h"
#include "search/ivf_search.h"

namespace likeness {
namespace {

Hits read_hits(const Args& args, size_t ids, size_t distances, size_t count, size_t k) {
  require_size(args.ints(ids).size(), count * k, "ids");
  require_size(args.floats(distances).size(), count * k, "distances");
  return {args.ints(ids).data(), args.floats(distances).data(), k};
}

// index, queries (nq x dim), k, effort (efSearch or nprobe), deleted bitmap, out ids (nq x k), out
// distances (nq x k)
napi_value search(const Args& args) {
  auto core = args.index(0);
  const Queries queries = args.rows(1, *core);
  const Hits hits = read_hits(args, 5, 6, queries.count, args.integer(2));
  const size_t effort = args.integer(3);
  const auto bitmap = args.bytes(4);
  auto work = [source = core.get(), queries, hits, effort,
               deleted = Deleted{bitmap.data(), bitmap.size()}] {
    if (source->kind == Kind::flat) scan_all(*source, queries, deleted, hits);
    if (source->kind == Kind::hnsw) search_hnsw(*source, queries, effort, deleted, hits);
    if (source->kind == Kind::ivf) search_ivf(*source, queries, effort, deleted, hits);
  };
  return run_job(args.env(), {{args.value(1), args.value(4), args.value(5), args.value(6)},
                              core, Access::shared, work, nullptr});
}

// index, queries, rows, k, out ids, out distances
napi_value search_rows(const Args& args) {
  auto core = args.index(0);
  const Queries queries = args.rows(1, *core);
  const auto rows = args.ints(2);
  const Hits hits = read_hits(args, 4, 5, queries.count, args.integer(3));
  auto work = [source = core.get(), queries, rows, hits] {
    scan_rows(*source, queries, rows.data(), rows.size(), hits);
  };
  return run_job(args.env(), {{args.value(1), args.value(2), args.value(4), args.value(5)},
                              core, Access::shared, work, nullptr});
}

napi_value new_array(napi_env env, napi_typedarray_type type, size_t count, void** data) {
  napi_value buffer = nullptr, array = nullptr;
  check(env, napi_create_arraybuffer(env, count * 4, data, &buffer));
  check(env, napi_create_typedarray(env, type, count, buffer, 0, &array));
  return array;
}

// [lims (nq + 1), ids, distances]
napi_value range_result(napi_env env, const Found& found, float sign) {
  size_t total = 0;
  for (const auto& rows : found) total += rows.size();
  if (total > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    throw CodedError("invalid_argument", "more than 2147483647 rows within the radius");
  }
  void *lims = nullptr, *ids = nullptr, *distances = nullptr;
  napi_value list = nullptr;
  check(env, napi_create_array_with_length(env, 3, &list));
  check(env,
        napi_set_element(env, list, 0, new_array(env, napi_int32_array, found.size() + 1, &lims)));
  check(env, napi_set_element(env, list, 1, new_array(env, napi_int32_array, total, &ids)));
  check(env, napi_set_element(env, list, 2, new_array(env, napi_float32_array, total, &distances)));
  int32_t at = 0;
  static_cast<int32_t*>(lims)[0] = 0;
  for (size_t q = 0; q < found.size(); q++) {
    for (const Ranked& row : found[q]) {
      static_cast<int32_t*>(ids)[at] = row.row;
      static_cast<float*>(distances)[at++] = sign * row.key;
    }
    static_cast<int32_t*>(lims)[q + 1] = at;
  }
  return list;
}

// index, queries, radius, nprobe, deleted bitmap
napi_value range_search(const Args& args) {
  auto core = args.index(0);
  const Queries queries = args.rows(1, *core);
  const float radius = args.number(2);
  const size_t nprobe = args.integer(3);
  const auto bitmap = args.bytes(4);
  auto found = std::make_shared<Found>();
  auto work = [source = core.get(), queries, radius, nprobe,
               deleted = Deleted{bitmap.data(), bitmap.size()}, found] {
    *found = source->kind == Kind::ivf ? range_ivf(*source, queries, radius, nprobe, deleted)
                                       : scan_range(*source, queries, radius, deleted);
  };
  auto result = [found, sign = sign_of(*core)](napi_env env) {
    return range_result(env, *found, sign);
  };
  return run_job(args.env(), {{args.value(1), args.value(4)}, core, Access::shared, work, result});
}

}  // namespace

void export_search(napi_env env, napi_value exports) {
  export_method(env, exports, "search", search);
  export_method(env, exports, "searchRows", search_rows);
  export_method(env, exports, "rangeSearch", range_search);
}

}  // namespace likeness
