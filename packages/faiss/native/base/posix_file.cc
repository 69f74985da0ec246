// System calls of PosixFile, retried when a signal interrupts them.
#include "base/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace likeness {

void throw_system_error(const std::string& what, const std::string& path) {
  throw std::runtime_error("cannot " + what + " " + path + ": " + std::strerror(errno));
}

PosixFile::PosixFile(const std::string& path, int flags)
    : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
  if (fd_ < 0) throw_system_error("open", path);
}

PosixFile::~PosixFile() { ::close(fd_); }

uint64_t PosixFile::size() const {
  struct stat info;
  if (::fstat(fd_, &info) != 0) throw_system_error("stat", path_);
  if (!S_ISREG(info.st_mode)) {
    throw std::runtime_error("cannot read " + path_ + ": not a regular file");
  }
  return info.st_size;
}

size_t PosixFile::read_at(uint64_t offset, void* data, size_t size) const {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd_, static_cast<char*>(data) + done, size - done, offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error("read", path_);
    if (got == 0) break;
    done += got;
  }
  return done;
}

void PosixFile::write_all(const void* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t put = ::write(fd_, static_cast<const char*>(data) + done, size - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw_system_error("write", path_);
    done += put;
  }
}

void PosixFile::sync() {
  if (::fsync(fd_) != 0) throw_system_error("sync", path_);
}

}  // namespace likeness
