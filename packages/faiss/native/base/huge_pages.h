// Huge pages: graph walks jump through more memory than the CPU has addresses of small pages for.
#pragma once

#include <cstddef>

namespace likeness {

// Asks for huge pages under [data, data + size) and, where the kernel can (Linux 6.1), for the
// pages in use to be moved together now. Advice only: without huge pages searches are slower, not
// wrong.
void prefer_huge_pages(const void* data, size_t size);

}  // namespace likeness
