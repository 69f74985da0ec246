// Reads the arguments of one call from JavaScript; a wrong type throws, so that pointers are never
// guessed.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "index/index_core.h"
#include "search/ranking.h"

namespace likeness {

class Args {
 public:
  static constexpr size_t kMax = 11;

  Args(napi_env env, napi_callback_info info);

  napi_env env() const { return env_; }
  napi_value value(size_t i) const { return values_[i]; }
  double number(size_t i) const;
  int64_t integer(size_t i) const;
  bool flag(size_t i) const;
  std::string text(size_t i) const;
  std::span<float> floats(size_t i) const { return typed<float>(i, napi_float32_array); }
  std::span<double> doubles(size_t i) const { return typed<double>(i, napi_float64_array); }
  std::span<int32_t> ints(size_t i) const { return typed<int32_t>(i, napi_int32_array); }
  std::span<uint8_t> bytes(size_t i) const { return typed<uint8_t>(i, napi_uint8_array); }
  // Rows in the form that the index takes: floats, or bytes of a binary index.
  Queries rows(size_t i, const IndexCore& core) const;
  std::shared_ptr<IndexCore> index(size_t i) const;

 private:
  template <class T>
  std::span<T> typed(size_t i, napi_typedarray_type wanted) const {
    size_t size = 0;
    void* data = array_data(i, wanted, &size);
    return {static_cast<T*>(data), size};
  }
  void* array_data(size_t i, napi_typedarray_type wanted, size_t* size) const;

  napi_env env_;
  napi_value values_[kMax];
};

// Throws invalid_argument unless an array has the size that the work will touch.
void require_size(size_t actual, size_t wanted, const char* name);

// Wraps an index for JavaScript to hold.
napi_value wrap_index(napi_env env, std::shared_ptr<IndexCore> core);

using Method = napi_value (*)(const Args&);
// Adds a function to exports; a C++ exception becomes an exception in JavaScript.
void export_method(napi_env env, napi_value exports, const char* name, Method method);

}  // namespace likeness
