// Turns C++ exceptions into the code and text that JavaScript sees.
#include "base/coded_error.h"

#include <new>

namespace likeness {

ErrorText describe_current_exception() {
  try {
    throw;
  } catch (const CodedError& error) {
    return {error.code, error.what()};
  } catch (const std::bad_alloc&) {
    return {"faiss_failed", "out of memory"};
  } catch (const std::exception& error) {
    return {"faiss_failed", error.what()};
  } catch (...) {
    return {"faiss_failed", "unknown C++ exception"};
  }
}

}  // namespace likeness
