#pragma once
#include <array>
#include <string>
#include <string_view>

#include "shrike/base/bytes.h"

namespace shrike {

/// The lower-case digits of a byte, the higher first.
[[nodiscard]] constexpr std::array<char, 2> hex_digits(uint8_t byte) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  return {digits[byte >> 4], digits[byte & 0xf]};
}

/// Two digits for each byte: "0a1f", or with a separator "0a:1f".
inline void append_hex(std::string& text, Bytes bytes, std::string_view separator = {}) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    text += i == 0 ? std::string_view{} : separator;
    const auto digits = hex_digits(bytes[i]);
    text.append(digits.data(), digits.size());
  }
}

[[nodiscard]] inline std::string hex_text(Bytes bytes, std::string_view separator = {}) {
  std::string text;
  text.reserve(bytes.size() * (2 + separator.size()));
  append_hex(text, bytes, separator);
  return text;
}

}  // namespace shrike
