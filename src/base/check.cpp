#include "shrike/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace shrike {

void check_failed(const char* what, std::source_location where) noexcept {
  std::fprintf(stderr, "%s:%u: bug: %s\n", where.file_name(), where.line(), what);
  std::abort();
}

}  // namespace shrike
