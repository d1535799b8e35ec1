#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/model/rule_info.h"

/// Texts of the configuration to values, as Suricata reads them. Nothing where it is not one.
namespace shrike::app {

/// "yes", "true", "on", "1" and their opposites, in any case.
[[nodiscard]] std::optional<bool> parse_flag(std::string_view text);

/// A decimal number and nothing else.
[[nodiscard]] std::optional<uint64_t> parse_number(std::string_view text);

/// Bytes: "1024", "64kb", "1 MiB", "2gb"; a unit counts in 1024s, whole or with a fraction.
[[nodiscard]] std::optional<uint64_t> parse_size(std::string_view text);

/// An address, "10.0.0.0/8", "2001:db8::/32" or "10.0.0.1-10.0.0.9".
[[nodiscard]] std::optional<AddressRange> parse_address_range(std::string_view text);

/// "80", "[5060, 5061]", "4789:4799": every port that is named, sorted, each once.
[[nodiscard]] std::optional<std::vector<uint16_t>> parse_ports(std::string_view text);

/// Elements of "a, b" or "[a, b]" without the blanks around them; empty ones are left out.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

[[nodiscard]] std::string_view trim(std::string_view text);

}  // namespace shrike::app
