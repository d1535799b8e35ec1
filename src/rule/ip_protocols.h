#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike::rule {

/// A protocol number of IP: "6" or "tcp". Source: IANA, "Assigned Internet Protocol Numbers".
std::optional<uint8_t> find_ip_protocol(std::string_view name) noexcept;

}  // namespace shrike::rule
