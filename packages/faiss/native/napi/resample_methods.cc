// resample: reads a picture, the taps of both axes and the canvas.
#include "napi/methods.h"

#include "base/coded_error.h"
#include "kernels/resample.h"

namespace likeness {
namespace {

// Throws unless every target reads samples that exist.
Taps taps_at(const Args& args, size_t i, size_t samples) {
  const auto first = args.ints(i);
  const auto from = args.ints(i + 1);
  const auto weights = args.floats(i + 2);
  require_size(from.size(), first.size() + 1, "from");
  for (size_t target = 0; target < first.size(); target++) {
    const int64_t start = first[target], begin = from[target], end = from[target + 1];
    const bool within = start >= 0 && begin >= 0 && begin <= end &&
                        end <= static_cast<int64_t>(weights.size()) &&
                        start + (end - begin) <= static_cast<int64_t>(samples);
    if (!within) throw CodedError("invalid_argument", "taps read samples that are not there");
  }
  return {first.data(), from.data(), weights.data(), first.size()};
}

// rgb (height x width x 3), width, rows' first, from, weights, columns' first, from, weights, out,
// stride, plane
napi_value resample_picture(const Args& args) {
  const auto rgb = args.bytes(0);
  const int64_t width = args.integer(1), stride = args.integer(9), plane = args.integer(10);
  if (width < 1 || width > INT32_MAX || stride < 0 || plane < 0) {
    throw CodedError("invalid_argument", "width, stride or plane is out of range");
  }
  require_size(rgb.size() % (3 * width), 0, "rgb past whole rows");
  const Taps rows = taps_at(args, 2, rgb.size() / (3 * width));
  const Taps columns = taps_at(args, 5, width);
  const auto out = args.floats(8);
  if (rows.targets > 0 && columns.targets > 0) {
    const double last =
        2.0 * plane + static_cast<double>(rows.targets - 1) * stride + columns.targets;
    if (last > static_cast<double>(out.size())) {
      throw CodedError("invalid_argument", "out is too short");
    }
    resample({rgb.data(), static_cast<size_t>(width)}, rows, columns,
             {out.data(), static_cast<size_t>(stride), static_cast<size_t>(plane)});
  }
  napi_value nothing = nullptr;
  check(args.env(), napi_get_undefined(args.env(), &nothing));
  return nothing;
}

}  // namespace

void export_resample(napi_env env, napi_value exports) {
  export_method(env, exports, "resample", resample_picture);
}

}  // namespace likeness
