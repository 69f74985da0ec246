// Registration of the addon's exports for JavaScript.
#include <faiss/Index.h>

#include <mutex>

#include "base/coded_error.h"
#include "base/pool.h"
#include "napi/methods.h"

namespace likeness {
namespace {

// threads -> false when too late
napi_value configure_pool(const Args& args) {
  napi_value in_time = nullptr;
  check(args.env(),
        napi_get_boolean(args.env(), Pool::instance().configure(args.integer(0)), &in_time));
  return in_time;
}

void export_version(napi_env env, napi_value exports) {
  const std::string version = std::to_string(FAISS_VERSION_MAJOR) + "." +
                              std::to_string(FAISS_VERSION_MINOR) + "." +
                              std::to_string(FAISS_VERSION_PATCH);
  napi_value text = nullptr;
  check(env, napi_create_string_utf8(env, version.c_str(), version.size(), &text));
  check(env, napi_set_named_property(env, exports, "faissVersion", text));
}

napi_value init(napi_env env, napi_value exports) {
  static std::once_flag once;
  std::call_once(once, install_faiss_interrupt);
  init_jobs(env);
  export_version(env, exports);
  export_method(env, exports, "configurePool", configure_pool);
  export_create(env, exports);
  export_rows(env, exports);
  export_search(env, exports);
  export_files(env, exports);
  export_cached_read(env, exports);
  export_merging(env, exports);
  export_linear_algebra(env, exports);
  export_inverted(env, exports);
  export_resample(env, exports);
  return exports;
}

}  // namespace
}  // namespace likeness

NAPI_MODULE_INIT() {
  try {
    return likeness::init(env, exports);
  } catch (...) {
    const auto error = likeness::describe_current_exception();
    napi_throw(env, likeness::make_error(env, error.code, error.text));
    return nullptr;
  }
}
