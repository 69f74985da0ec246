// Runs work on the pool and settles a JavaScript promise with the outcome; owns all that must stay
// alive in between.
#pragma once

#include <node_api.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/async_rw_lock.h"

namespace likeness {

struct IndexCore;

struct JobSpec {
  // Typed arrays that work() reads or writes: held until the promise settles.
  std::vector<napi_value> borrowed;
  // Index whose lock the work waits for; may be null.
  std::shared_ptr<IndexCore> core;
  Access access = Access::shared;
  // Called on a pool thread, without JavaScript.
  std::function<void()> work;
  // Called on the JavaScript thread; undefined when not set.
  std::function<napi_value(napi_env)> result;
};

// Returns a promise. A C++ exception in work rejects the promise with an Error that carries `code`.
napi_value run_job(napi_env env, JobSpec spec);

// Makes the per-environment state: the way back to the JavaScript thread. Called once when the
// addon is loaded.
void init_jobs(napi_env env);

// Throws the error of an N-API status into C++ (as std::runtime_error).
void check(napi_env env, napi_status status);

napi_value make_error(napi_env env, const std::string& code, const std::string& text);

}  // namespace likeness
