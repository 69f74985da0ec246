// Reads a file that may be damaged or forged, front to back: a size found in the file is compared
// with the bytes left before the size is used.
#pragma once

#include <cstdint>
#include <string>

#include "base/posix_file.h"

namespace likeness {

class ByteCursor {
 public:
  explicit ByteCursor(const std::string& path);

  uint64_t left() const { return end_ - offset_; }
  void read(void* data, uint64_t size);
  void skip(uint64_t size);
  template <class T>
  T take() {
    T value;
    read(&value, sizeof value);
    return value;
  }
  // Count that is followed by so many elements: never more than the file can hold.
  uint64_t take_count(uint64_t element_size);
  void skip_vector(uint64_t element_size) { skip(take_count(element_size) * element_size); }

  void require(bool holds, const char* what) const {
    if (!holds) fail("data_corrupt", what);
  }
  [[noreturn]] void fail(const char* code, const std::string& what) const;

 private:
  std::string path_;
  PosixFile file_;
  uint64_t offset_ = 0;
  uint64_t end_;
};

}  // namespace likeness
