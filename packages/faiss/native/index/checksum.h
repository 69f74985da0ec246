// Running checksum of a byte stream, 64 bits: finds damage, does not resist forgery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace likeness {

class Checksum {
 public:
  void update(const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    size_ += size;
    while (size > 0) {
      if (held_ == 0 && size >= kBlock) {
        mix(bytes);
        bytes += kBlock;
        size -= kBlock;
        continue;
      }
      const size_t take = size < kBlock - held_ ? size : kBlock - held_;
      std::memcpy(block_ + held_, bytes, take);
      held_ += take;
      bytes += take;
      size -= take;
      if (held_ == kBlock) {
        mix(block_);
        held_ = 0;
      }
    }
  }

  uint64_t size() const { return size_; }

  uint64_t value() const {
    Checksum last = *this;
    std::memset(last.block_ + held_, 0, kBlock - held_);
    last.mix(last.block_);
    uint64_t sum = size_;
    for (uint64_t lane : last.lanes_) sum = step(sum, lane);
    return sum;
  }

 private:
  static constexpr size_t kLanes = 4;
  static constexpr size_t kBlock = kLanes * sizeof(uint64_t);

  // Invertible in each argument: damage within one word always changes the sum.
  static uint64_t step(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
    return sum ^ (sum >> 29);
  }

  void mix(const uint8_t* block) {
    uint64_t words[kLanes];
    std::memcpy(words, block, kBlock);
    for (size_t lane = 0; lane < kLanes; lane++) lanes_[lane] = step(lanes_[lane], words[lane]);
  }

  uint64_t lanes_[kLanes] = {1, 2, 3, 4};
  uint8_t block_[kBlock] = {};
  size_t held_ = 0;
  uint64_t size_ = 0;
};

}  // namespace likeness
