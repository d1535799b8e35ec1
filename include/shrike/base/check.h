#pragma once
#include <source_location>

namespace shrike {

/// Stops the program with file and line when one of our own invariants does not hold. It stays on
/// in release builds, so use it where it costs O(1). Never for input: the operator's faults are
/// Diagnostics, the network's faults are counted outcomes.
[[noreturn]] void check_failed(const char* what, std::source_location where) noexcept;

inline void check(bool holds, const char* what,
                  std::source_location where = std::source_location::current()) noexcept {
  if (!holds) [[unlikely]] {
    check_failed(what, where);
  }
}

}  // namespace shrike
