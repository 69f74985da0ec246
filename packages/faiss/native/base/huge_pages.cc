#include "base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace likeness {

#ifdef MADV_HUGEPAGE
namespace {
constexpr uintptr_t kHugePage = 2 << 20;
constexpr int kCollapse = 25;  // MADV_COLLAPSE, newer than the headers of some distributions
}  // namespace

void prefer_huge_pages(const void* data, size_t size) {
  const uintptr_t first =
      (reinterpret_cast<uintptr_t>(data) + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + size) / kHugePage * kHugePage;
  if (first >= end) return;
  auto* pages = reinterpret_cast<void*>(first);
  if (madvise(pages, end - first, MADV_HUGEPAGE) == 0) madvise(pages, end - first, kCollapse);
}
#else
void prefer_huge_pages(const void*, size_t) {}
#endif

}  // namespace likeness
