// add, reconstruct, reconstructRange: rows in and out.
#include "methods.h"

#include <cstring>
#include <limits>

#include "coded_error.h"

namespace likeness {
namespace {

// index, vectors (n x dim)
napi_value add(const Args& args) {
  auto core = args.index(0);
  const auto vectors = args.floats(1);
  const int64_t count = vectors.size / core->dim;
  require_size(vectors.size, count * core->dim, "vectors");
  auto work = [target = core.get(), vectors, count] {
    if (count > std::numeric_limits<int32_t>::max() - target->index->ntotal) {
      throw CodedError("invalid_argument", "an index holds at most 2147483647 rows");
    }
    if (count > 0) target->index->add(count, vectors.data);
    target->ntotal = target->index->ntotal;
  };
  return run_job(args.env(), {{args.value(1)}, core, Access::exclusive, work, nullptr});
}

// index, rows, out (rows x dim)
napi_value reconstruct(const Args& args) {
  auto core = args.index(0);
  const auto rows = args.ints(1);
  const auto out = args.floats(2);
  require_size(out.size, rows.size * core->dim, "out");
  auto work = [source = core.get(), rows, out] {
    for (size_t i = 0; i < rows.size; i++) {
      source->check_row(rows.data[i]);
      float* target = out.data + i * source->dim;
      const float* vector = source->vector(rows.data[i], target);
      if (vector != target) std::memcpy(target, vector, source->dim * sizeof(float));
    }
  };
  return run_job(args.env(), {{args.value(1), args.value(2)}, core, Access::shared, work, nullptr});
}

// index, first, out (count x dim)
napi_value reconstruct_range(const Args& args) {
  auto core = args.index(0);
  const int64_t first = args.integer(1);
  const auto out = args.floats(2);
  const int64_t count = out.size / core->dim;
  require_size(out.size, count * core->dim, "out");
  auto work = [source = core.get(), first, out, count] {
    if (count == 0) return;
    source->check_row(first);
    source->check_row(first + count - 1);
    for (int64_t i = 0; i < count; i++) {
      float* target = out.data + i * source->dim;
      const float* vector = source->vector(first + i, target);
      if (vector != target) std::memcpy(target, vector, source->dim * sizeof(float));
    }
  };
  return run_job(args.env(), {{args.value(2)}, core, Access::shared, work, nullptr});
}

}  // namespace

void export_rows(napi_env env, napi_value exports) {
  export_method(env, exports, "add", add);
  export_method(env, exports, "reconstruct", reconstruct);
  export_method(env, exports, "reconstructRange", reconstruct_range);
}

}  // namespace likeness
