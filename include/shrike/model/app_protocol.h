#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike {

/// Application protocols that rules can name, whether a parser exists yet or not.
enum class AppProtocol : uint8_t { unknown, failed, http, count_ };

[[nodiscard]] std::string_view to_text(AppProtocol protocol) noexcept;
[[nodiscard]] std::optional<AppProtocol> find_app_protocol(std::string_view name) noexcept;

}  // namespace shrike
