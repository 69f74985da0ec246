// File descriptor that closes itself; every failure names the path and the text of the system's
// error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace likeness {

class PosixFile {
 public:
  PosixFile(const std::string& path, int flags);
  ~PosixFile();
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  uint64_t size() const;
  // Returns the bytes read; fewer than size only at the end of the file.
  size_t read_at(uint64_t offset, void* data, size_t size) const;
  void write_all(const void* data, size_t size);
  void sync();

 private:
  std::string path_;
  int fd_;
};

[[noreturn]] void throw_system_error(const std::string& what, const std::string& path);

}  // namespace likeness
