// Bounds of the cursor.
#include "foreign/byte_cursor.h"

#include <fcntl.h>

#include "base/coded_error.h"

namespace likeness {

ByteCursor::ByteCursor(const std::string& path)
    : path_(path), file_(path, O_RDONLY), end_(file_.size()) {}

void ByteCursor::read(void* data, uint64_t size) {
  require(size <= left(), "ends too early");
  require(file_.read_at(offset_, data, size) == size, "was cut off while it was read");
  offset_ += size;
}

void ByteCursor::skip(uint64_t size) {
  require(size <= left(), "ends too early");
  offset_ += size;
}

uint64_t ByteCursor::take_count(uint64_t element_size) {
  const auto count = take<uint64_t>();
  require(count <= left() / element_size, "names more data than it has");
  return count;
}

void ByteCursor::fail(const char* code, const std::string& what) const {
  throw CodedError(code, path_ + ": " + what);
}

}  // namespace likeness
