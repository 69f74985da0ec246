// Flat, scalar and product quantized rows, alone or under HNSW, IVF and id maps.
#include "foreign/foreign_index.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/pool.h"
#include "foreign/foreign_codec.h"

namespace likeness {
namespace {

constexpr uint64_t kMaxDim = 65536;
constexpr int kMaxDepth = 4;
constexpr size_t kChunkBytes = 1 << 20;

struct Header {
  size_t dim;
  uint64_t count;
  bool inner_product;
};

class ForeignReader {
 public:
  ForeignReader(const std::string& path, uint64_t max_bytes) : file_(path), budget_(max_bytes) {}

  ForeignVectors read_index(int depth = 0) {
    if (depth == kMaxDepth) file_.fail("unsupported_index", "has indexes nested too deep");
    char name[5] = {};
    file_.read(name, 4);
    const std::string kind = name;
    if (kind == "IxF2" || kind == "IxFI") return read_flat();
    if (kind == "IxSQ") {
      return read_coded([this](size_t dim) { return read_scalar_codec(file_, dim); });
    }
    if (kind == "IxPq") return read_product();
    if (kind == "IHNf" || kind == "IHNs" || kind == "IHNp") return read_hnsw(depth);
    if (kind == "IwFl" || kind == "IwSq" || kind == "IwPQ") return read_ivf(kind, depth);
    if (kind == "IxMp" || kind == "IxM2") {
      return read_id_map(kind == "IxM2" ? "IDMap2," : "IDMap,", depth);
    }
    const bool printable =
        std::all_of(kind.begin(), kind.end(), [](unsigned char c) { return c > 32 && c < 127; });
    file_.fail("unsupported_index",
               printable ? "is of kind " + kind + ", which is not read" : "is not a Faiss index");
  }

 private:
  Header read_header() {
    const auto dim = file_.take<int32_t>();
    const auto count = file_.take<int64_t>();
    file_.skip(2 * sizeof(int64_t));
    const auto trained = file_.take<uint8_t>();
    const auto metric = file_.take<int32_t>();
    file_.require(dim > 0 && count >= 0 && trained <= 1, "has an impossible header");
    if (static_cast<uint64_t>(dim) > kMaxDim) {
      file_.fail("unsupported_index", "has more than 65536 dimensions");
    }
    if (metric != 0 && metric != 1) {
      file_.fail("unsupported_index", "has a metric that is neither inner product nor L2");
    }
    file_.require(trained == 1 || count == 0, "has rows but was never trained");
    return {static_cast<size_t>(dim), static_cast<uint64_t>(count), metric == 0};
  }

  ForeignVectors allocate(const Header& header, const std::string& kind) {
    const uint64_t row = header.dim * sizeof(float);
    if (header.count > budget_ / row) {
      file_.fail("unsupported_index", "holds more vectors than fit into memory");
    }
    budget_ -= header.count * row;
    auto vectors = std::unique_ptr<float[]>(new float[header.count * header.dim]);
    return {kind, header.dim, header.inner_product, header.count, std::move(vectors), {}};
  }

  void decode(const ForeignCodec& codec, size_t dim, float* out, uint64_t rows) {
    const uint64_t chunk = std::max<uint64_t>(1, kChunkBytes / codec.code_size);
    std::vector<uint8_t> codes(std::min(chunk, rows) * codec.code_size);
    for (uint64_t first = 0; first < rows; first += chunk) {
      throw_if_cancelled();
      const uint64_t count = std::min(chunk, rows - first);
      file_.read(codes.data(), count * codec.code_size);
      codec.decode(codes.data(), out + first * dim, count);
    }
  }

  ForeignVectors read_flat() {
    const Header header = read_header();
    const uint64_t floats = file_.take_count(sizeof(float));
    file_.require(floats % header.dim == 0 && floats / header.dim == header.count,
                  "has another number of rows than its header says");
    auto result = allocate(header, "Flat");
    decode(plain_codec(header.dim), header.dim, result.vectors.get(), header.count);
    return result;
  }

  template <class ReadCodec>
  ForeignVectors read_coded(ReadCodec read_codec) {
    const Header header = read_header();
    const ForeignCodec codec = read_codec(header.dim);
    const uint64_t bytes = file_.take_count(1);
    file_.require(bytes % codec.code_size == 0 && bytes / codec.code_size == header.count,
                  "has another number of rows than its header says");
    auto result = allocate(header, codec.name);
    decode(codec, header.dim, result.vectors.get(), header.count);
    return result;
  }

  ForeignVectors read_product() {
    auto result = read_coded([this](size_t dim) { return read_product_codec(file_, dim); });
    file_.skip(sizeof(int32_t) + 1 + sizeof(int32_t));
    return result;
  }

  // Steps over the graph: only the rows are wanted.
  ForeignVectors read_hnsw(int depth) {
    const Header header = read_header();
    file_.skip_vector(sizeof(double));
    for (int i = 0; i < 2; i++) file_.skip_vector(sizeof(int32_t));
    file_.skip_vector(sizeof(uint64_t));
    file_.skip_vector(sizeof(int32_t));
    file_.skip(5 * sizeof(int32_t));
    return require_same(header, read_index(depth + 1), "HNSW,");
  }

  ForeignVectors require_same(const Header& header, ForeignVectors inner, const char* prefix) {
    file_.require(inner.dim == header.dim && inner.count == header.count &&
                      inner.inner_product == header.inner_product,
                  "has parts that do not fit together");
    inner.kind = prefix + inner.kind;
    return inner;
  }

  ForeignVectors read_id_map(const char* prefix, int depth) {
    const Header header = read_header();
    auto result = require_same(header, read_index(depth + 1), prefix);
    const uint64_t count = file_.take_count(sizeof(int64_t));
    file_.require(count == header.count, "has another number of ids than rows");
    std::vector<int64_t> names(count);
    file_.read(names.data(), count * sizeof(int64_t));
    if (result.ids.empty()) {
      result.ids = std::move(names);
      return result;
    }
    for (int64_t& id : result.ids) {
      file_.require(id >= 0 && static_cast<uint64_t>(id) < count,
                    "has ids that its id map does not have");
      id = names[id];
    }
    return result;
  }

  ForeignVectors read_ivf(const std::string& kind, int depth) {
    const Header header = read_header();
    const auto lists = file_.take<uint64_t>();
    file_.skip(sizeof(uint64_t));
    const ForeignVectors centroids = read_index(depth + 1);
    file_.require(centroids.dim == header.dim && centroids.count == lists,
                  "has another number of centroids than lists");
    read_direct_map();
    bool residual = false;
    const ForeignCodec codec = read_list_codec(kind, header.dim, &residual);
    const auto sizes = read_list_sizes(lists, codec.code_size, header.count);
    auto result = allocate(header, "IVF," + codec.name);
    result.ids.resize(header.count);
    uint64_t done = 0;
    for (uint64_t list = 0; list < lists; list++) {
      if (sizes[list] == 0) continue;
      float* out = result.vectors.get() + done * header.dim;
      decode(codec, header.dim, out, sizes[list]);
      file_.read(result.ids.data() + done, sizes[list] * sizeof(int64_t));
      if (residual) {
        add_centroid(centroids.vectors.get() + list * header.dim, out, sizes[list], header.dim);
      }
      done += sizes[list];
    }
    return result;
  }

  void read_direct_map() {
    const auto type = file_.take<uint8_t>();
    file_.require(type <= 2, "has an impossible row map");
    file_.skip_vector(sizeof(int64_t));
    if (type == 2) file_.skip_vector(2 * sizeof(int64_t));
  }

  ForeignCodec read_list_codec(const std::string& kind, size_t dim, bool* residual) {
    if (kind == "IwFl") return plain_codec(dim);
    if (kind == "IwSq") {
      ForeignCodec codec = read_scalar_codec(file_, dim);
      file_.require(file_.take<uint64_t>() == codec.code_size, "has rows of another size");
      *residual = take_flag();
      return codec;
    }
    *residual = take_flag();
    const auto code_size = file_.take<uint64_t>();
    ForeignCodec codec = read_product_codec(file_, dim);
    file_.require(code_size == codec.code_size, "has rows of another size");
    return codec;
  }

  bool take_flag() {
    const auto flag = file_.take<uint8_t>();
    file_.require(flag <= 1, "has an impossible flag");
    return flag == 1;
  }

  std::string take_name() {
    char name[5] = {};
    file_.read(name, 4);
    return name;
  }

  // Number of rows in each list; their sum is the count in the header, and fits into the rest of
  // the file.
  std::vector<uint64_t> read_list_sizes(uint64_t lists, size_t code_size, uint64_t total) {
    if (take_name() != "ilar") {
      file_.fail("unsupported_index", "keeps its inverted lists elsewhere");
    }
    file_.require(file_.take<uint64_t>() == lists && file_.take<uint64_t>() == code_size,
                  "has other inverted lists than it says");
    const std::string form = take_name();
    file_.require(form == "full" || form == "sprs", "has inverted lists of an unknown form");
    std::vector<uint64_t> stored(file_.take_count(sizeof(uint64_t)));
    file_.read(stored.data(), stored.size() * sizeof(uint64_t));
    file_.require(form == "full" ? stored.size() == lists : stored.size() % 2 == 0,
                  "has sizes of other lists");
    std::vector<uint64_t> sizes = form == "full" ? std::move(stored) : spread(stored, lists);
    const uint64_t room = file_.left() / (code_size + sizeof(int64_t));
    uint64_t rows = 0;
    for (uint64_t size : sizes) {
      file_.require(size <= room - rows, "names more rows than it has");
      rows += size;
    }
    file_.require(rows == total, "has another number of rows than its header says");
    return sizes;
  }

  std::vector<uint64_t> spread(const std::vector<uint64_t>& pairs, uint64_t lists) {
    std::vector<uint64_t> sizes(lists, 0);
    for (size_t i = 0; i < pairs.size(); i += 2) {
      // Lists are stored in ascending order: a repeated or unordered list would move rows to other
      // centroids.
      file_.require(pairs[i] < lists && (i == 0 || pairs[i] > pairs[i - 2]),
                    "has sizes of lists that are not there");
      sizes[pairs[i]] = pairs[i + 1];
    }
    return sizes;
  }

  static void add_centroid(const float* centroid, float* rows, uint64_t count, size_t dim) {
    for (uint64_t row = 0; row < count; row++) {
      for (size_t i = 0; i < dim; i++) rows[row * dim + i] += centroid[i];
    }
  }

  ByteCursor file_;
  uint64_t budget_;
};

}  // namespace

ForeignVectors read_foreign_index(const std::string& path, uint64_t max_bytes) {
  return ForeignReader(path, max_bytes).read_index();
}

}  // namespace likeness
