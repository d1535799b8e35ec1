#pragma once
#include <chrono>
#include <cstdint>

namespace shrike {

/// What the system's clock says: ns since the Unix epoch.
[[nodiscard]] inline uint64_t wall_clock_ns() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

/// ns on a clock that nobody sets: for intervals.
[[nodiscard]] inline uint64_t steady_clock_ns() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}
/// The same in ms.
[[nodiscard]] inline uint64_t steady_clock_ms() noexcept {
  return steady_clock_ns() / 1'000'000;
}

}  // namespace shrike
