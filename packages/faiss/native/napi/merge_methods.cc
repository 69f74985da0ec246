// moveLists, renumber, reserve: the steps of merging beside adding rows.
#include "napi/methods.h"

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryIVF.h>
#include <faiss/IndexFlatCodes.h>
#include <faiss/IndexHNSW.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/coded_error.h"
#include "base/pool.h"
#include "index/codebook.h"
#include "index/index_file.h"

namespace likeness {
namespace {

constexpr size_t kCancelEvery = 1 << 16;

void require(bool holds, const char* what) {
  if (!holds) throw CodedError("invalid_argument", what);
}

bool same_bytes(const void* a, const void* b, size_t size) {
  return size == 0 || std::memcmp(a, b, size) == 0;
}

// True when codes of one index mean the same in the other.
bool shares_quantizer(const IndexCore& a, const IndexCore& b) {
  if (a.kind != Kind::ivf || b.kind != Kind::ivf || a.storage != b.storage || a.dim != b.dim) {
    return false;
  }
  if (a.inner_product != b.inner_product || a.code_size() != b.code_size() ||
      a.list_count() != b.list_count()) {
    return false;
  }
  if (!same_bytes(a.centroids(), b.centroids(), a.list_count() * a.row_bytes())) return false;
  if (!a.form().has_codebook()) return true;
  const auto [codes, others] = std::pair(codebook_of(a), codebook_of(b));
  return codes.size() == others.size() &&
         same_bytes(codes.data(), others.data(), codes.size() * sizeof(float));
}

struct Lists {
  faiss::InvertedLists& lists;
  std::vector<int64_t>& place_of_row;
  int64_t& total;
};

Lists lists_of(IndexCore& core) {
  auto open = [](auto& ivf) { return Lists{*ivf.invlists, ivf.direct_map.array, ivf.ntotal}; };
  return core.is_binary() ? open(static_cast<faiss::IndexBinaryIVF&>(*core.binary))
                          : open(static_cast<faiss::IndexIVF&>(*core.index));
}

void move_lists(IndexCore& target, IndexCore& source, std::span<const int32_t> places) {
  target.require_in_memory();
  require(shares_quantizer(target, source),
          "lists can be moved between ivf indexes of one quantizer only");
  require_size(places.size(), source.total(), "places");
  Lists to = lists_of(target);
  const int32_t last = places.empty() ? -1 : *std::max_element(places.begin(), places.end());
  if (last >= static_cast<int64_t>(to.place_of_row.size())) to.place_of_row.resize(last + 1, -1);
  const auto& from = source.lists();
  for (size_t list = 0; list < from.nlist; list++) {
    throw_if_cancelled();
    const size_t size = from.list_size(list);
    const faiss::InvertedLists::ScopedIds ids(&from, list);
    for (size_t i = 0; i < size; i++) {
      const int32_t place = places[ids[i]];
      if (place < 0) continue;
      require(to.place_of_row[place] < 0, "a place is taken already");
      to.place_of_row[place] = faiss::lo_build(
          list,
          to.lists.add_entry(list, place, faiss::InvertedLists::ScopedCodes(&from, list, i).get()));
      to.total++;
    }
  }
}

// index, path of the index that gives its rows, places
napi_value move_lists_from(const Args& args) {
  auto core = args.index(0);
  auto work = [target = core.get(), path = args.text(1), places = args.ints(2)] {
    move_lists(*target, *read_index_file(path, ListPlace::file), places);
    target->ntotal = target->total();
  };
  return run_job(args.env(), {{args.value(2)}, core, Access::exclusive, work, nullptr});
}

void require_permutation(std::span<const int32_t> places) {
  std::vector<bool> taken(places.size());
  for (size_t i = 0; i < places.size(); i++) {
    const int32_t place = places[i];
    require(place >= 0 && static_cast<size_t>(place) < places.size() && !taken[place],
            "places are not a permutation of the rows");
    taken[place] = true;
  }
}

// Permutes along the cycles, so that a second copy of the rows is not needed.
void permute_codes(uint8_t* codes, size_t size, std::span<const int32_t> places) {
  std::vector<bool> done(places.size());
  std::vector<uint8_t> carried(size);
  for (size_t start = 0; start < places.size(); start++) {
    if (done[start]) continue;
    std::memcpy(carried.data(), codes + start * size, size);
    size_t at = start;
    do {
      at = places[at];
      std::swap_ranges(carried.begin(), carried.end(), codes + at * size);
      done[at] = true;
    } while (at != start);
  }
}

void permute_graph(faiss::HNSW& graph, std::span<const int32_t> places) {
  const size_t nodes = places.size();
  const std::vector<int> levels(graph.levels.data(), graph.levels.data() + nodes);
  const std::vector<size_t> offsets(graph.offsets.data(), graph.offsets.data() + nodes + 1);
  const std::vector<int32_t> neighbors(graph.neighbors.data(),
                                       graph.neighbors.data() + offsets[nodes]);
  for (size_t node = 0; node < nodes; node++) graph.levels[places[node]] = levels[node];
  for (size_t node = 0; node < nodes; node++) {
    graph.offsets[node + 1] =
        graph.offsets[node] + graph.cum_nneighbor_per_level[graph.levels[node]];
  }
  for (size_t node = 0; node < nodes; node++) {
    if (node % kCancelEvery == 0) throw_if_cancelled();
    size_t to = graph.offsets[places[node]];
    for (size_t i = offsets[node]; i < offsets[node + 1]; i++, to++) {
      graph.neighbors[to] = neighbors[i] < 0 ? -1 : places[neighbors[i]];
    }
  }
  if (graph.entry_point >= 0) graph.entry_point = places[graph.entry_point];
}

// index, places
napi_value renumber(const Args& args) {
  auto core = args.index(0);
  auto work = [target = core.get(), places = args.ints(1)] {
    require(target->kind != Kind::ivf, "lists are numbered as they are moved");
    require_size(places.size(), target->total(), "places");
    require_permutation(places);
    permute_codes(const_cast<uint8_t*>(target->codes()), target->code_size(), places);
    if (target->kind == Kind::hnsw) {
      permute_graph(const_cast<faiss::HNSW&>(target->graph()), places);
    }
  };
  return run_job(args.env(), {{args.value(1)}, core, Access::exclusive, work, nullptr});
}

void reserve_rows(IndexCore& core, size_t rows) {
  if (core.kind == Kind::ivf) return;
  if (core.is_binary()) {
    auto* flat = core.kind == Kind::hnsw
                     ? static_cast<faiss::IndexBinaryHNSW&>(*core.binary).storage
                     : core.binary.get();
    static_cast<faiss::IndexBinaryFlat&>(*flat).xb.reserve(rows * core.code_size());
  } else {
    auto& coded = static_cast<faiss::IndexFlatCodes&>(const_cast<faiss::Index&>(row_storage(core)));
    coded.codes.reserve(rows * coded.code_size);
  }
}

// index, rows
napi_value reserve(const Args& args) {
  auto core = args.index(0);
  auto work = [target = core.get(), rows = args.integer(1)] { reserve_rows(*target, rows); };
  return run_job(args.env(), {{}, core, Access::exclusive, work, nullptr});
}

}  // namespace

void export_merging(napi_env env, napi_value exports) {
  export_method(env, exports, "moveLists", move_lists_from);
  export_method(env, exports, "renumber", renumber);
  export_method(env, exports, "reserve", reserve);
}

}  // namespace likeness
