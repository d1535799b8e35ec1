#include "shrike/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace shrike {

void check_failed(const char* what, const char* file, unsigned line) noexcept {
  std::fprintf(stderr, "%s:%u: bug: %s\n", file, line, what);
  std::abort();
}

}  // namespace shrike
