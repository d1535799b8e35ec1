#pragma once
#include <string_view>

#include "shrike/base/bytes.h"

/// Small questions about HTTP's text, as libhtp asks them (rust/htp/src/util.rs).
namespace shrike::protocol::http {

/// ' ', \t, \r, \n, \v, \f.
[[nodiscard]] constexpr bool is_space(uint8_t byte) noexcept {
  return byte == ' ' || (byte >= 9 && byte <= 13);
}
[[nodiscard]] constexpr bool is_blank(uint8_t byte) noexcept {
  return byte == ' ' || byte == '\t';
}
[[nodiscard]] constexpr uint8_t to_lower(uint8_t byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte + 32) : byte;
}
/// Of a token (RFC 9110, section 5.6.2).
[[nodiscard]] bool is_token(uint8_t byte) noexcept;
/// 0 to 15, or -1.
[[nodiscard]] int hex_digit(uint8_t byte) noexcept;

[[nodiscard]] Bytes trimmed(Bytes text) noexcept;
/// Without the CRs and LFs at its end.
[[nodiscard]] Bytes without_line_end(Bytes text) noexcept;
[[nodiscard]] bool equals_any_case(Bytes text, std::string_view lower) noexcept;
[[nodiscard]] bool starts_any_case(Bytes text, std::string_view lower) noexcept;
/// As equals_any_case, NULs in `text` left out.
[[nodiscard]] bool equals_without_nul(Bytes text, std::string_view lower) noexcept;
/// Whether `text`, NULs left out, has `lower` in it, in any case.
[[nodiscard]] bool contains_without_nul(Bytes text, std::string_view lower) noexcept;
/// Where `part` starts in `text` at or after `from`, or npos.
[[nodiscard]] size_t find_bytes(Bytes text, Bytes part, size_t from = 0) noexcept;

}  // namespace shrike::protocol::http
