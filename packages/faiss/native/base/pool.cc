// Threads, queue and cancellation of the addon's pool.
#include "base/pool.h"

#include <faiss/impl/AuxIndexStructures.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace likeness {
namespace {

std::atomic<bool> process_exiting{false};
thread_local const std::atomic<bool>* current_flag = nullptr;

constexpr int kDefaultThreads = 4;
constexpr auto kExitDeadline = std::chrono::seconds(10);

struct PoolInterrupt : faiss::InterruptCallback {
  bool want_interrupt() override { return cancelled(); }
};

}  // namespace

bool cancelled() {
  if (process_exiting.load(std::memory_order_relaxed)) return true;
  return current_flag != nullptr && current_flag->load(std::memory_order_relaxed);
}

void throw_if_cancelled() {
  if (cancelled()) throw std::runtime_error("the environment that asked for this is going away");
}

CancelScope::CancelScope(const std::atomic<bool>* flag) { current_flag = flag; }
CancelScope::~CancelScope() { current_flag = nullptr; }

void install_faiss_interrupt() {
  faiss::InterruptCallback::instance = std::make_unique<PoolInterrupt>();
}

Pool& Pool::instance() {
  static Pool* pool = new Pool();
  return *pool;
}

bool Pool::configure(int threads) {
  std::lock_guard<std::mutex> hold(mutex_);
  if (started_) return false;
  threads_ = threads;
  return true;
}

void Pool::submit(std::function<void()> task) {
  {
    std::lock_guard<std::mutex> hold(mutex_);
    if (exiting_) return;
    if (!started_) start_threads();
    queue_.push_back(std::move(task));
  }
  work_.notify_one();
}

void Pool::start_threads() {
  if (threads_ == 0) {
    threads_ = std::clamp<int>(std::thread::hardware_concurrency(), 1, kDefaultThreads);
  }
  // One thread per query: BLAS and OpenMP must not multiply the pool.
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
  for (int i = 0; i < threads_; i++) std::thread([this] { run_thread(); }).detach();
  std::atexit([] { Pool::instance().drain_for_exit(); });
  started_ = true;
}

void Pool::run_thread() {
  omp_set_num_threads(1);
  std::unique_lock<std::mutex> hold(mutex_);
  for (;;) {
    work_.wait(hold, [this] { return exiting_ || !queue_.empty(); });
    if (exiting_) return;
    auto task = std::move(queue_.front());
    queue_.pop_front();
    running_++;
    hold.unlock();
    task();
    task = nullptr;
    hold.lock();
    if (--running_ == 0) idle_.notify_all();
  }
}

void Pool::drain_for_exit() {
  process_exiting = true;
  std::unique_lock<std::mutex> hold(mutex_);
  exiting_ = true;
  work_.notify_all();
  // Static destructors of BLAS and Faiss run next; a thread still computing there would crash.
  idle_.wait_for(hold, kExitDeadline, [this] { return running_ == 0; });
}

}  // namespace likeness
