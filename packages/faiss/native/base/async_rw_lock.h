// Readers-writer lock that blocks no thread: work waits in line (first come, first served) until
// its turn.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace likeness {

enum class Access { shared, exclusive };

class AsyncRwLock {
 public:
  // Calls start now or later, on the thread that lets the work in. Each start is answered by one
  // leave.
  void enter(Access access, std::function<void()> start);
  void leave();

 private:
  bool admissible(Access access) const;
  void admit(Access access);

  std::mutex mutex_;
  std::deque<std::pair<Access, std::function<void()>>> waiting_;
  int running_ = 0;
  bool exclusive_ = false;
};

}  // namespace likeness
