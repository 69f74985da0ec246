// Bounded thread pool of the addon: Faiss work never runs on libuv's threads, which also serve
// sharp, fs and dns.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace likeness {

class Pool {
 public:
  // Never destroyed: its threads may outlive every static destructor.
  static Pool& instance();

  // Returns false when the threads already run.
  bool configure(int threads);
  void submit(std::function<void()> task);
  // Tells running tasks to stop and waits for them; drops queued tasks. For the end of the process
  // only.
  void drain_for_exit();

 private:
  void start_threads();
  void run_thread();

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> queue_;
  int threads_ = 0;
  int running_ = 0;
  bool started_ = false;
  bool exiting_ = false;
};

// Asked by long loops between pieces of work: true when the environment that waits for the result
// is going away.
bool cancelled();
void throw_if_cancelled();

// Names the flag that cancelled() reads on this thread while it lives.
class CancelScope {
 public:
  explicit CancelScope(const std::atomic<bool>* flag);
  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;
};

// Makes Faiss's own long loops (k-means, HNSW building) stop on the same flags. Called once per
// process.
void install_faiss_interrupt();

}  // namespace likeness
