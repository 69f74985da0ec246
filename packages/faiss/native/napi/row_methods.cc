// add, reconstruct, reconstructRange: rows in and out.
#include "napi/methods.h"

#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexHNSW.h>

#include <limits>

#include "base/coded_error.h"
#include "index/bf16_planes.h"
#include "index/codebook.h"
#include "search/hnsw_build.h"
#include "search/ivf_search.h"

namespace likeness {
namespace {

void add_floats(IndexCore& core, Queries rows) {
  const auto* x = reinterpret_cast<const float*>(rows.data);
  ensure_codebook(core, x, rows.count);
  if (core.kind != Kind::hnsw) return core.index->add(rows.count, x);
  auto& hnsw = static_cast<faiss::IndexHNSW&>(*core.index);
  const int64_t first = hnsw.storage->ntotal;
  hnsw.storage->add(rows.count, x);
  hnsw.ntotal = hnsw.storage->ntotal;
  if (core.in_bf16_planes()) {
    split_rows(const_cast<uint8_t*>(core.code(first)), core.dim, rows.count);
  }
  grow_graph(core, hnsw.hnsw, rows);
}

void add_bits(IndexCore& core, Queries rows) {
  if (core.kind == Kind::flat) return core.binary->add(rows.count, rows.data);
  if (core.kind == Kind::ivf) {
    std::vector<int64_t> lists(rows.count);
    assign_lists(core, rows, lists.data());
    return static_cast<faiss::IndexBinaryIVF&>(*core.binary)
        .add_core(rows.count, rows.data, nullptr, lists.data());
  }
  auto& hnsw = static_cast<faiss::IndexBinaryHNSW&>(*core.binary);
  hnsw.storage->add(rows.count, rows.data);
  hnsw.ntotal = hnsw.storage->ntotal;
  grow_graph(core, hnsw.hnsw, rows);
}

// index, rows (n x row length)
napi_value add(const Args& args) {
  auto core = args.index(0);
  const Queries rows = args.rows(1, *core);
  auto work = [target = core.get(), rows] {
    target->require_in_memory();
    if (static_cast<int64_t>(rows.count) > std::numeric_limits<int32_t>::max() - target->total()) {
      throw CodedError("invalid_argument", "an index holds at most 2147483647 rows");
    }
    if (rows.count > 0) target->is_binary() ? add_bits(*target, rows) : add_floats(*target, rows);
    target->ntotal = target->total();
  };
  return run_job(args.env(), {{args.value(1)}, core, Access::exclusive, work, nullptr});
}

// index, rows, out (rows x row length)
napi_value reconstruct(const Args& args) {
  auto core = args.index(0);
  const auto rows = args.ints(1);
  const Queries out = args.rows(2, *core);
  require_size(out.count, rows.size(), "out");
  auto work = [source = core.get(), rows, out] {
    for (size_t i = 0; i < rows.size(); i++) {
      source->check_row(rows[i]);
      source->reconstruct(rows[i], const_cast<uint8_t*>(out.at(i)));
    }
  };
  return run_job(args.env(), {{args.value(1), args.value(2)}, core, Access::shared, work, nullptr});
}

// index, first, out (count x row length)
napi_value reconstruct_range(const Args& args) {
  auto core = args.index(0);
  const int64_t first = args.integer(1);
  const Queries out = args.rows(2, *core);
  auto work = [source = core.get(), first, out] {
    if (out.count == 0) return;
    source->check_row(first);
    source->check_row(first + out.count - 1);
    for (size_t i = 0; i < out.count; i++) {
      source->reconstruct(first + i, const_cast<uint8_t*>(out.at(i)));
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
