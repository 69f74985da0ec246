// readIndex and writeIndex.
#include "methods.h"

#include "index_file.h"

namespace likeness {
namespace {

// path -> index
napi_value read_index(const Args& args) {
  auto core = std::make_shared<std::shared_ptr<IndexCore>>();
  auto work = [core, path = args.text(0)] { *core = read_index_file(path); };
  auto result = [core](napi_env env) { return wrap_index(env, std::move(*core)); };
  return run_job(args.env(), {{}, nullptr, Access::shared, work, result});
}

// index, path
napi_value write_index(const Args& args) {
  auto core = args.index(0);
  auto work = [source = core.get(), path = args.text(1)] { write_index_file(*source, path); };
  return run_job(args.env(), {{}, core, Access::shared, work, nullptr});
}

}  // namespace

void export_files(napi_env env, napi_value exports) {
  export_method(env, exports, "readIndex", read_index);
  export_method(env, exports, "writeIndex", write_index);
}

}  // namespace likeness
