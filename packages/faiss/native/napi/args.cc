// Conversion of N-API values to C++ and back.
#include "napi/args.h"

#include <stdexcept>

#include "base/coded_error.h"
#include "napi/job.h"

namespace likeness {
namespace {

napi_value call_method(napi_env env, napi_callback_info info) {
  try {
    void* data = nullptr;
    check(env, napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data));
    return reinterpret_cast<Method>(data)(Args(env, info));
  } catch (...) {
    ErrorText error = describe_current_exception();
    napi_throw(env, make_error(env, error.code, error.text));
    return nullptr;
  }
}

}  // namespace

Args::Args(napi_env env, napi_callback_info info) : env_(env) {
  size_t count = kMax;
  check(env, napi_get_cb_info(env, info, &count, values_, nullptr, nullptr));
}

double Args::number(size_t i) const {
  double result = 0;
  check(env_, napi_get_value_double(env_, values_[i], &result));
  return result;
}

int64_t Args::integer(size_t i) const {
  int64_t result = 0;
  check(env_, napi_get_value_int64(env_, values_[i], &result));
  return result;
}

bool Args::flag(size_t i) const {
  bool result = false;
  check(env_, napi_get_value_bool(env_, values_[i], &result));
  return result;
}

std::string Args::text(size_t i) const {
  size_t size = 0;
  check(env_, napi_get_value_string_utf8(env_, values_[i], nullptr, 0, &size));
  std::string result(size, '\0');
  check(env_, napi_get_value_string_utf8(env_, values_[i], result.data(), size + 1, &size));
  return result;
}

void* Args::array_data(size_t i, napi_typedarray_type wanted, size_t* size) const {
  bool is_array = false;
  check(env_, napi_is_typedarray(env_, values_[i], &is_array));
  if (!is_array) throw CodedError("invalid_argument", "expected a typed array");
  napi_typedarray_type type;
  void* data = nullptr;
  check(env_, napi_get_typedarray_info(env_, values_[i], &type, size, &data, nullptr, nullptr));
  if (type != wanted) throw CodedError("invalid_argument", "typed array of a wrong element type");
  return data;
}

Queries Args::rows(size_t i, const IndexCore& core) const {
  size_t elements = 0;
  const void* data =
      array_data(i, core.is_binary() ? napi_uint8_array : napi_float32_array, &elements);
  const size_t count = elements / core.row_length();
  require_size(elements, count * core.row_length(), "rows");
  return {static_cast<const uint8_t*>(data), count, core.row_bytes()};
}

std::shared_ptr<IndexCore> Args::index(size_t i) const {
  void* data = nullptr;
  check(env_, napi_get_value_external(env_, values_[i], &data));
  auto core = *static_cast<std::shared_ptr<IndexCore>*>(data);
  if (core->closed) throw CodedError("closed", "the index is closed");
  return core;
}

void require_size(size_t actual, size_t wanted, const char* name) {
  if (actual == wanted) return;
  throw CodedError("invalid_argument", std::string(name) + " has " + std::to_string(actual) +
                                           " elements, not " + std::to_string(wanted));
}

napi_value wrap_index(napi_env env, std::shared_ptr<IndexCore> core) {
  auto* held = new std::shared_ptr<IndexCore>(std::move(core));
  // An index collected without close() still gives back its memory on a pool thread, not in a
  // garbage collection pause.
  auto drop = [](napi_env, void* data, void*) {
    auto* held = static_cast<std::shared_ptr<IndexCore>*>(data);
    if (!(*held)->closed.exchange(true)) release_later(*held);
    delete held;
  };
  napi_value value = nullptr;
  check(env, napi_create_external(env, held, drop, nullptr, &value));
  return value;
}

void export_method(napi_env env, napi_value exports, const char* name, Method method) {
  napi_value function = nullptr;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, call_method,
                                  reinterpret_cast<void*>(method), &function));
  check(env, napi_set_named_property(env, exports, name, function));
}

}  // namespace likeness
