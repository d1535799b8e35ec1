#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike::rule {

/// What `requires` asks for, against Suricata 8.0.7, whose rules Shrike speaks.
enum class Requirement : uint8_t { met, not_met, unknown, malformed };

/// `feature <name>, version >= 7.0.4 < 8 | >= 8.0.1, keyword <name>`: all of them must be met.
/// `has_ja4` says whether the feature ja4 is turned on.
Requirement check_requirements(std::string_view value, bool has_ja4 = true);

/// A version as numbers, {8, 0, 7}; parts left out are zero. Nothing where it is none.
std::optional<std::array<uint32_t, 3>> parse_version(std::string_view text);

}  // namespace shrike::rule
