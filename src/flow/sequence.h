#pragma once
#include <cstdint>

namespace shrike::flow {

/// TCP sequence numbers wrap: they are compared modulo 2^32. Source: RFC 9293, section 3.4.
constexpr bool is_before(uint32_t first, uint32_t second) noexcept {
  return static_cast<int32_t>(first - second) < 0;
}
constexpr bool is_at_or_before(uint32_t first, uint32_t second) noexcept {
  return static_cast<int32_t>(first - second) <= 0;
}
constexpr bool is_after(uint32_t first, uint32_t second) noexcept {
  return static_cast<int32_t>(first - second) > 0;
}
constexpr bool is_at_or_after(uint32_t first, uint32_t second) noexcept {
  return static_cast<int32_t>(first - second) >= 0;
}

}  // namespace shrike::flow
