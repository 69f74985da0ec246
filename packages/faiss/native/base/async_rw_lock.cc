// Admission rules of the lock.
#include "base/async_rw_lock.h"

namespace likeness {

bool AsyncRwLock::admissible(Access access) const {
  return access == Access::exclusive ? running_ == 0 : !exclusive_;
}

void AsyncRwLock::admit(Access access) {
  running_++;
  exclusive_ = access == Access::exclusive;
}

void AsyncRwLock::enter(Access access, std::function<void()> start) {
  {
    std::lock_guard<std::mutex> hold(mutex_);
    // Waiting work goes first: a stream of searches cannot starve an add.
    if (!waiting_.empty() || !admissible(access)) {
      waiting_.emplace_back(access, std::move(start));
      return;
    }
    admit(access);
  }
  start();
}

void AsyncRwLock::leave() {
  std::vector<std::function<void()>> admitted;
  {
    std::lock_guard<std::mutex> hold(mutex_);
    if (--running_ == 0) exclusive_ = false;
    while (!waiting_.empty() && admissible(waiting_.front().first)) {
      admit(waiting_.front().first);
      admitted.push_back(std::move(waiting_.front().second));
      waiting_.pop_front();
    }
  }
  for (auto& start : admitted) start();
}

}  // namespace likeness
