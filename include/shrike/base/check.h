#pragma once

namespace shrike {

/// Stops the program with file and line when one of our own invariants does not hold. It stays on
/// in release builds, so use it where it costs O(1). Never for input: the operator's faults are
/// Diagnostics, the network's faults are counted outcomes. `file` and `line` are the caller's
/// (builtins, since clang 14 has no std::source_location).
[[noreturn]] void check_failed(const char* what, const char* file, unsigned line) noexcept;

inline void check(bool holds, const char* what, const char* file = __builtin_FILE(),
                  unsigned line = __builtin_LINE()) noexcept {
  if (!holds) [[unlikely]] {
    check_failed(what, file, line);
  }
}

}  // namespace shrike
