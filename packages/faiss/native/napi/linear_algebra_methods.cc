// trainCentroids, trainBinaryCentroids, trainCodebook, linearTransform, symmetricEigen.
#include "napi/methods.h"

#include "base/coded_error.h"
#include "index/codebook.h"
#include "kernels/linear_algebra.h"

namespace likeness {
namespace {

// x (n x dim), out (nlist x dim), dim, innerProduct, seed, iterations
napi_value train(const Args& args) {
  const auto x = args.floats(0);
  const auto out = args.floats(1);
  const size_t dim = args.integer(2);
  const size_t n = dim > 0 ? x.size() / dim : 0;
  const KMeans spec{dim, dim > 0 ? out.size() / dim : 0, args.flag(3),
                    static_cast<int>(args.integer(4)), static_cast<int>(args.integer(5))};
  require_size(x.size(), n * dim, "x");
  require_size(out.size(), spec.nlist * dim, "out");
  auto work = [spec, x, n, out] { train_centroids(spec, x.data(), n, out.data()); };
  return run_job(args.env(),
                 {{args.value(0), args.value(1)}, nullptr, Access::shared, work, nullptr});
}

// x (n x bits / 8), out (nlist x bits / 8), bits, seed, iterations
napi_value train_binary(const Args& args) {
  const auto x = args.bytes(0);
  const auto out = args.bytes(1);
  const size_t bytes = args.integer(2) / 8;
  const size_t n = bytes > 0 ? x.size() / bytes : 0;
  const KMeans spec{bytes * 8, bytes > 0 ? out.size() / bytes : 0, false,
                    static_cast<int>(args.integer(3)), static_cast<int>(args.integer(4))};
  require_size(x.size(), n * bytes, "x");
  require_size(out.size(), spec.nlist * bytes, "out");
  auto work = [spec, x, n, out] { train_binary_centroids(spec, x.data(), n, out.data()); };
  return run_job(args.env(),
                 {{args.value(0), args.value(1)}, nullptr, Access::shared, work, nullptr});
}

// x (n x dim), out (codebook), dim, innerProduct, form, parts, centroids (nlist x dim or empty),
// seed
napi_value train_book(const Args& args) {
  const auto x = args.floats(0);
  const auto out = args.floats(1);
  const size_t dim = args.integer(2), parts = args.integer(5);
  const auto centroids = args.floats(6);
  const Storage storage = read_storage(args.text(4));
  const size_t n = dim > 0 ? x.size() / dim : 0;
  const int seed = static_cast<int>(args.integer(7));
  const CodebookSpec spec{storage, dim, parts, seed, args.flag(3), centroids};
  check_parts(storage, dim, parts);
  require_size(x.size(), n * dim, "x");
  require_size(out.size(), form_of(storage).codebook_floats(dim), "out");
  if (centroids.size() > 0) require_size(centroids.size() % dim, 0, "centroids past whole rows");
  auto work = [spec, x, n, out] { train_codebook(spec, x.data(), n, out.data()); };
  return run_job(
      args.env(),
      {{args.value(0), args.value(1), args.value(6)}, nullptr, Access::shared, work, nullptr});
}

// x (n x dIn), matrix (dOut x dIn), bias (dOut or empty), out (n x dOut), dIn, normalize
napi_value linear_transform(const Args& args) {
  const auto x = args.floats(0);
  const auto matrix = args.floats(1);
  const auto bias = args.floats(2);
  const auto out = args.floats(3);
  const size_t d_in = args.integer(4);
  const size_t n = d_in > 0 ? x.size() / d_in : 0;
  const size_t d_out = d_in > 0 ? matrix.size() / d_in : 0;
  require_size(x.size(), n * d_in, "x");
  require_size(matrix.size(), d_out * d_in, "matrix");
  require_size(out.size(), n * d_out, "out");
  if (bias.size() != 0) require_size(bias.size(), d_out, "bias");
  const Projection projection{matrix.data(), bias.size() != 0 ? bias.data() : nullptr, d_in, d_out,
                              args.flag(5)};
  auto work = [projection, x, n, out] { transform(projection, x.data(), n, out.data()); };
  return run_job(args.env(), {{args.value(0), args.value(1), args.value(2), args.value(3)},
                              nullptr, Access::shared, work, nullptr});
}

// matrix and result (n x n), values (n)
napi_value eigen(const Args& args) {
  const auto vectors = args.doubles(0);
  const auto values = args.doubles(1);
  require_size(vectors.size(), values.size() * values.size(), "matrix");
  auto work = [vectors, values] {
    symmetric_eigen(vectors.data(), values.data(), static_cast<int>(values.size()));
  };
  return run_job(args.env(),
                 {{args.value(0), args.value(1)}, nullptr, Access::shared, work, nullptr});
}

}  // namespace

void export_linear_algebra(napi_env env, napi_value exports) {
  export_method(env, exports, "trainCentroids", train);
  export_method(env, exports, "trainBinaryCentroids", train_binary);
  export_method(env, exports, "trainCodebook", train_book);
  export_method(env, exports, "linearTransform", linear_transform);
  export_method(env, exports, "symmetricEigen", eigen);
}

}  // namespace likeness
