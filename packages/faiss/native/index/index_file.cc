// Writer and reader between Faiss's stream interface and a checked file.
#include "index/index_file.h"

#include <faiss/impl/FaissException.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <utility>
#include <vector>

#include "base/coded_error.h"
#include "base/pool.h"
#include "base/posix_file.h"
#include "index/bf16_planes.h"
#include "index/checksum.h"
#include "index/index_check.h"

namespace likeness {
namespace {

constexpr size_t kChunk = 1 << 20;
constexpr char kMagic[8] = {'L', 'I', 'K', 'E', 'F', 'X', '0', '1'};

struct Footer {
  uint64_t size;
  uint64_t checksum;
  char magic[8];
};

[[noreturn]] void throw_corrupt(const std::string& path, const std::string& why) {
  throw CodedError("data_corrupt", path + ": " + why);
}

// Takes the bytes of an index file, front to back.
using Sink = std::function<void(const void* data, size_t size)>;

struct CheckedWriter : faiss::IOWriter {
  CheckedWriter(Sink sink, const IndexCore& core) : sink(std::move(sink)), core(core) {
    buffer.reserve(kChunk);
    name = "index file";
  }
  size_t operator()(const void* data, size_t size, size_t count) override {
    const auto* bytes = static_cast<const uint8_t*>(data);
    if (core.in_bf16_planes() && bytes == core.codes() &&
        size * count == core.total() * core.code_size()) {
      put_joined();
    } else {
      put(bytes, size * count);
    }
    return count;
  }
  // Writes joined rows: every Faiss can then read the file.
  void put_joined() {
    std::vector<float> row(core.dim);
    for (int64_t i = 0; i < core.total(); i++) {
      join_row(core.code(i), core.dim, row.data());
      put(reinterpret_cast<const uint8_t*>(row.data()), core.row_bytes());
    }
  }
  void put(const uint8_t* bytes, size_t size) {
    throw_if_cancelled();
    for (size_t left = size; left > 0;) {
      const size_t take = std::min(left, kChunk - buffer.size());
      buffer.insert(buffer.end(), bytes, bytes + take);
      bytes += take;
      left -= take;
      if (buffer.size() == kChunk) flush();
    }
  }
  void flush() {
    checksum.update(buffer.data(), buffer.size());
    sink(buffer.data(), buffer.size());
    buffer.clear();
  }
  Sink sink;
  const IndexCore& core;
  Checksum checksum;
  std::vector<uint8_t> buffer;
};

struct RegionReader : faiss::IOReader {
  RegionReader(const PosixFile& file, uint64_t size) : file(file), end(size) {
    name = "index file";
  }
  size_t operator()(void* data, size_t size, size_t count) override {
    throw_if_cancelled();
    if (size == 0) return 0;
    const size_t whole = std::min<uint64_t>(count, (end - offset) / size);
    const size_t got = file.read_at(offset, data, whole * size) / size;
    offset += got * size;
    return got;
  }
  const PosixFile& file;
  uint64_t offset = 0;
  uint64_t end;
};

void write_footer(CheckedWriter& writer) {
  writer.flush();
  Footer footer{writer.checksum.size(), writer.checksum.value(), {}};
  std::copy(std::begin(kMagic), std::end(kMagic), footer.magic);
  writer.sink(&footer, sizeof footer);
}

// Returns the size of Faiss's part, after a read of the whole part and a comparison with its
// checksum.
uint64_t verify(const PosixFile& file, const std::string& path) {
  const uint64_t size = file.size();
  Footer footer;
  if (size < sizeof footer) throw_corrupt(path, "too short for an index file");
  const uint64_t body = size - sizeof footer;
  if (file.read_at(body, &footer, sizeof footer) != sizeof footer) throw_corrupt(path, "truncated");
  if (!std::equal(std::begin(kMagic), std::end(kMagic), footer.magic)) {
    throw_corrupt(path, "no footer: cut off or not ours");
  }
  if (footer.size != body) throw_corrupt(path, "size differs from the footer");
  Checksum checksum;
  std::vector<uint8_t> buffer(kChunk);
  for (uint64_t at = 0; at < body;) {
    throw_if_cancelled();
    const size_t got = file.read_at(at, buffer.data(), std::min<uint64_t>(kChunk, body - at));
    if (got == 0) throw_corrupt(path, "truncated while it was read");
    checksum.update(buffer.data(), got);
    at += got;
  }
  if (checksum.value() != footer.checksum) throw_corrupt(path, "checksum differs");
  return body;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
}

enum class Ending { footer, none };

void write_to(Sink sink, const IndexCore& core, Ending ending) {
  core.require_in_memory();
  CheckedWriter writer(std::move(sink), core);
  if (core.is_binary()) faiss::write_index_binary(core.binary.get(), &writer);
  else faiss::write_index(core.index.get(), &writer);
  if (ending == Ending::footer) write_footer(writer);
  else writer.flush();
}

void write_atomically(const IndexCore& core, const std::string& path, Ending ending) {
  const std::string temporary = temporary_name(path);
  try {
    {
      PosixFile file(temporary, O_WRONLY | O_CREAT | O_EXCL);
      write_to([&](const void* data, size_t size) { file.write_all(data, size); }, core, ending);
      file.sync();
    }
    if (std::rename(temporary.c_str(), path.c_str()) != 0) throw_system_error("rename to", path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  PosixFile(parent_of(path), O_RDONLY | O_DIRECTORY).sync();
}

}  // namespace

void write_index_file(const IndexCore& core, const std::string& path) {
  write_atomically(core, path, Ending::footer);
}

std::vector<uint8_t> index_file_bytes(const IndexCore& core) {
  std::vector<uint8_t> bytes;
  bytes.reserve(core.total() * core.code_size() + kChunk);
  const auto append = [&](const void* data, size_t size) {
    const auto* first = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), first, first + size);
  };
  write_to(append, core, Ending::footer);
  return bytes;
}

void export_index_file(const IndexCore& core, const std::string& path) {
  write_atomically(core, path, Ending::none);
}

namespace {

std::shared_ptr<IndexCore> read_verified(const PosixFile& file, faiss::IOReader& reader, int flags,
                                         const std::string& path) {
  char name[4] = {};
  file.read_at(0, name, sizeof name);
  // Faiss names every binary index IB and two letters.
  if (name[0] == 'I' && name[1] == 'B') {
    return check_index(
        std::unique_ptr<faiss::IndexBinary>(faiss::read_index_binary(&reader, flags)), path);
  }
  return check_index(std::unique_ptr<faiss::Index>(
                         faiss::read_index(&reader, flags | faiss::IO_FLAG_SKIP_PRECOMPUTE_TABLE)),
                     path);
}

}  // namespace

std::shared_ptr<IndexCore> read_index_file(const std::string& path, ListPlace lists) {
  const PosixFile file(path, O_RDONLY);
  const uint64_t size = verify(file, path);
  std::shared_ptr<IndexCore> core;
  try {
    if (lists == ListPlace::file) {
      // Faiss maps only files that its own reader has open.
      faiss::FileIOReader reader(path.c_str());
      core = read_verified(file, reader, faiss::IO_FLAG_MMAP, path);
    } else {
      RegionReader reader(file, size);
      core = read_verified(file, reader, 0, path);
    }
  } catch (const faiss::FaissException& error) {
    throw_corrupt(path, error.what());
  }
  core->mapped = lists == ListPlace::file && core->kind == Kind::ivf;
  settle(*core, core->total());
  return core;
}

}  // namespace likeness
