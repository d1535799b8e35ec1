#pragma once
#include <cstdint>
#include <string_view>

namespace shrike::protocol {

/// Names of record types and response codes in lower case, or empty. Source: IANA's registry
/// "Domain Name System Parameters", as far as EVE's consumers know them.
[[nodiscard]] std::string_view dns_type_name(uint16_t type) noexcept;
[[nodiscard]] std::string_view dns_rcode_name(uint16_t rcode) noexcept;

}  // namespace shrike::protocol
