// readIndex, writeIndex, indexBytes, exportIndex, readForeign.
#include "napi/methods.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "foreign/foreign_index.h"
#include "index/index_file.h"

namespace likeness {
namespace {

// path, whether inverted lists are mapped -> index
napi_value read_index(const Args& args) {
  auto core = std::make_shared<std::shared_ptr<IndexCore>>();
  auto work = [core, path = args.text(0),
               lists = args.flag(1) ? ListPlace::file : ListPlace::memory] {
    *core = read_index_file(path, lists);
  };
  auto result = [core](napi_env env) { return wrap_index(env, std::move(*core)); };
  return run_job(args.env(), {{}, nullptr, Access::shared, work, result});
}

// index, path
napi_value write_index(const Args& args) {
  auto core = args.index(0);
  auto work = [source = core.get(), path = args.text(1)] { write_index_file(*source, path); };
  return run_job(args.env(), {{}, core, Access::shared, work, nullptr});
}

// index -> bytes of the file
napi_value index_bytes(const Args& args) {
  auto core = args.index(0);
  auto bytes = std::make_shared<std::vector<uint8_t>>();
  auto work = [source = core.get(), bytes] { *bytes = index_file_bytes(*source); };
  auto result = [bytes](napi_env env) {
    // The array keeps the vector alive, and no byte is copied.
    auto held = std::make_unique<std::shared_ptr<std::vector<uint8_t>>>(bytes);
    auto drop = [](napi_env, void*, void* hint) {
      delete static_cast<std::shared_ptr<std::vector<uint8_t>>*>(hint);
    };
    napi_value buffer = nullptr, array = nullptr;
    check(env, napi_create_external_arraybuffer(env, bytes->data(), bytes->size(), drop, held.get(),
                                                &buffer));
    held.release();
    check(env, napi_create_typedarray(env, napi_uint8_array, bytes->size(), buffer, 0, &array));
    return array;
  };
  return run_job(args.env(), {{}, core, Access::shared, work, result});
}

// index, path, effort (efSearch or nprobe)
napi_value export_index(const Args& args) {
  auto core = args.index(0);
  auto work = [source = core.get(), path = args.text(1),
               effort = static_cast<size_t>(args.integer(2))] {
    source->note_effort(effort);
    export_index_file(*source, path);
  };
  return run_job(args.env(), {{}, core, Access::exclusive, work, nullptr});
}

// Makes an array, without a copy, of memory that was filled on a pool thread.
template <class T>
napi_value adopt(napi_env env, napi_typedarray_type type, std::unique_ptr<T[]> data, size_t count) {
  napi_value buffer = nullptr, array = nullptr;
  if (count == 0) {
    check(env, napi_create_arraybuffer(env, 0, nullptr, &buffer));
  } else {
    auto drop = [](napi_env, void* memory, void*) { delete[] static_cast<T*>(memory); };
    check(env, napi_create_external_arraybuffer(env, data.get(), count * sizeof(T), drop, nullptr,
                                                &buffer));
    data.release();
  }
  check(env, napi_create_typedarray(env, type, count, buffer, 0, &array));
  return array;
}

// Ids as doubles where each id is exact, else as integers.
struct ForeignIds {
  std::unique_ptr<int64_t[]> values;
  bool exact_doubles = true;
};

ForeignIds pack_ids(const ForeignVectors& found) {
  constexpr int64_t kExact = int64_t{1} << 53;
  const auto id_of = [&](size_t row) {
    return found.ids.empty() ? static_cast<int64_t>(row) : found.ids[row];
  };
  ForeignIds ids{std::unique_ptr<int64_t[]>(new int64_t[found.count])};
  ids.exact_doubles = std::all_of(found.ids.begin(), found.ids.end(),
                                  [](int64_t id) { return id <= kExact && id >= -kExact; });
  for (size_t row = 0; row < found.count; row++) {
    const double number = static_cast<double>(id_of(row));
    if (ids.exact_doubles) std::memcpy(&ids.values[row], &number, sizeof number);
    else ids.values[row] = id_of(row);
  }
  return ids;
}

uint64_t half_of_memory() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / 2;
}

// path, most bytes of vectors -> [kind, dim, innerProduct, ids, vectors]
napi_value read_foreign(const Args& args) {
  auto found = std::make_shared<ForeignVectors>();
  auto ids = std::make_shared<ForeignIds>();
  auto work = [found, ids, path = args.text(0),
               limit = std::min<uint64_t>(args.integer(1), half_of_memory())] {
    *found = read_foreign_index(path, limit);
    *ids = pack_ids(*found);
  };
  auto result = [found, ids](napi_env env) {
    napi_value list = nullptr, kind = nullptr, dim = nullptr, ip = nullptr;
    const auto id_type = ids->exact_doubles ? napi_float64_array : napi_bigint64_array;
    check(env, napi_create_array_with_length(env, 5, &list));
    check(env, napi_create_string_utf8(env, found->kind.c_str(), found->kind.size(), &kind));
    check(env, napi_create_int64(env, found->dim, &dim));
    check(env, napi_get_boolean(env, found->inner_product, &ip));
    check(env, napi_set_element(env, list, 0, kind));
    check(env, napi_set_element(env, list, 1, dim));
    check(env, napi_set_element(env, list, 2, ip));
    check(env, napi_set_element(env, list, 3,
                                adopt(env, id_type, std::move(ids->values), found->count)));
    check(env, napi_set_element(env, list, 4,
                                adopt(env, napi_float32_array, std::move(found->vectors),
                                      found->count * found->dim)));
    return list;
  };
  return run_job(args.env(), {{}, nullptr, Access::shared, work, result});
}

}  // namespace

void export_files(napi_env env, napi_value exports) {
  export_method(env, exports, "readIndex", read_index);
  export_method(env, exports, "writeIndex", write_index);
  export_method(env, exports, "indexBytes", index_bytes);
  export_method(env, exports, "exportIndex", export_index);
  export_method(env, exports, "readForeign", read_foreign);
}

}  // namespace likeness
