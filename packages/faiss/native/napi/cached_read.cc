// readCached: bytes of a file that are in memory already, for callers that do not want to wait for
// a thread to read them.
#include "napi/methods.h"

#include <sys/uio.h>

namespace likeness {
namespace {

// file descriptor, position, out -> whether out was filled
napi_value read_cached(const Args& args) {
  bool filled = false;
#ifdef RWF_NOWAIT
  const auto out = args.bytes(2);
  iovec part{out.data(), out.size()};
  // The read that the caller then makes reports an error.
  filled = ::preadv2(static_cast<int>(args.integer(0)), &part, 1, args.integer(1), RWF_NOWAIT) ==
           static_cast<ssize_t>(out.size());
#endif
  napi_value value = nullptr;
  check(args.env(), napi_get_boolean(args.env(), filled, &value));
  return value;
}

}  // namespace

void export_cached_read(napi_env env, napi_value exports) {
  export_method(env, exports, "readCached", read_cached);
}

}  // namespace likeness
