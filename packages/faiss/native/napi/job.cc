// Promise plumbing: submit to the pool, come back by a thread-safe function, never keep an idle
// process alive.
#include "napi/job.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

#include "base/coded_error.h"
#include "base/pool.h"
#include "index/index_core.h"

namespace likeness {
namespace {

struct EnvState {
  napi_env env = nullptr;
  napi_threadsafe_function deliver = nullptr;
  int pending = 0;  // JavaScript thread only
  std::atomic<bool> closing{false};

  std::mutex mutex;
  std::condition_variable returned;
  int out = 0;  // jobs that a pool thread or a lock still holds
};

struct Job {
  std::shared_ptr<EnvState> state;
  napi_deferred deferred = nullptr;
  std::vector<napi_ref> borrowed;
  std::shared_ptr<IndexCore> core;
  std::function<void()> work;
  std::function<napi_value(napi_env)> result;
  bool failed = false;
  ErrorText error;
};

// env is null when the environment is being torn down: JavaScript may not be called any more.
void settle(napi_env env, napi_value, void*, void* data) {
  std::unique_ptr<Job> job(static_cast<Job*>(data));
  if (env == nullptr) return;
  for (napi_ref ref : job->borrowed) napi_delete_reference(env, ref);
  if (--job->state->pending == 0) napi_unref_threadsafe_function(env, job->state->deliver);

  napi_value value = nullptr;
  if (!job->failed) {
    try {
      if (job->result) value = job->result(env);
      else check(env, napi_get_undefined(env, &value));
    } catch (...) {
      job->failed = true;
      job->error = describe_current_exception();
    }
  }
  if (job->failed) {
    napi_reject_deferred(env, job->deferred, make_error(env, job->error.code, job->error.text));
  } else {
    napi_resolve_deferred(env, job->deferred, value);
  }
}

void hand_back(std::unique_ptr<Job> job) {
  auto state = job->state;
  job->core.reset();
  job->work = nullptr;
  if (!state->closing) {
    napi_status status =
        napi_call_threadsafe_function(state->deliver, job.get(), napi_tsfn_nonblocking);
    if (status == napi_ok) job.release();
  }
  std::lock_guard<std::mutex> hold(state->mutex);
  if (--state->out == 0) state->returned.notify_all();
}

void run_on_pool(Job* raw) {
  std::unique_ptr<Job> job(raw);
  if (!job->state->closing) {
    CancelScope scope(&job->state->closing);
    try {
      job->work();
    } catch (...) {
      job->failed = true;
      job->error = describe_current_exception();
    }
  }
  // Answer first, then let the next jobs in: promises of one index settle in the order of its
  // exclusive operations.
  auto core = job->core;
  hand_back(std::move(job));
  if (core) core->lock.leave();
}

// Runs before the environment frees the typed arrays that jobs borrow: stops the jobs, waits, then
// closes the way back.
void close_env(void* data) {
  auto& state = *static_cast<std::shared_ptr<EnvState>*>(data);
  state->closing = true;
  {
    std::unique_lock<std::mutex> hold(state->mutex);
    state->returned.wait(hold, [&] { return state->out == 0; });
  }
  napi_release_threadsafe_function(state->deliver, napi_tsfn_abort);
}

std::shared_ptr<EnvState> env_state(napi_env env) {
  void* data = nullptr;
  check(env, napi_get_instance_data(env, &data));
  return *static_cast<std::shared_ptr<EnvState>*>(data);
}

}  // namespace

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throw std::runtime_error(info != nullptr && info->error_message != nullptr ? info->error_message
                                                                             : "N-API call failed");
}

napi_value make_error(napi_env env, const std::string& code, const std::string& text) {
  napi_value code_value = nullptr, text_value = nullptr, error = nullptr;
  napi_create_string_utf8(env, code.c_str(), code.size(), &code_value);
  napi_create_string_utf8(env, text.c_str(), text.size(), &text_value);
  napi_create_error(env, code_value, text_value, &error);
  return error;
}

napi_value run_job(napi_env env, JobSpec spec) {
  auto job = std::make_unique<Job>();
  job->state = env_state(env);
  job->core = std::move(spec.core);
  job->work = std::move(spec.work);
  job->result = std::move(spec.result);
  for (napi_value value : spec.borrowed) {
    napi_ref ref = nullptr;
    check(env, napi_create_reference(env, value, 1, &ref));
    job->borrowed.push_back(ref);
  }
  napi_value promise = nullptr;
  check(env, napi_create_promise(env, &job->deferred, &promise));
  auto state = job->state;
  if (state->pending++ == 0) check(env, napi_ref_threadsafe_function(env, state->deliver));
  {
    std::lock_guard<std::mutex> hold(state->mutex);
    state->out++;
  }
  auto core = job->core;
  auto start = [raw = job.release()] { Pool::instance().submit([raw] { run_on_pool(raw); }); };
  if (core) core->lock.enter(spec.access, start);
  else start();
  return promise;
}

void init_jobs(napi_env env) {
  auto* state = new std::shared_ptr<EnvState>(std::make_shared<EnvState>());
  (*state)->env = env;
  auto drop = [](napi_env, void* data, void*) {
    delete static_cast<std::shared_ptr<EnvState>*>(data);
  };
  check(env, napi_set_instance_data(env, state, drop, nullptr));
  napi_value name = nullptr;
  check(env, napi_create_string_utf8(env, "likeness_faiss", NAPI_AUTO_LENGTH, &name));
  check(env, napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                             nullptr, settle, &(*state)->deliver));
  check(env, napi_unref_threadsafe_function(env, (*state)->deliver));
  // Hooks run last in, first out: this hook before the thread-safe function's own.
  check(env, napi_add_env_cleanup_hook(env, close_env, state));
}

}  // namespace likeness
