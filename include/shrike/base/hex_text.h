#pragma once
#include <string>
#include <string_view>

#include "shrike/base/bytes.h"

namespace shrike {

/// Two lower-case digits for each byte: "0a1f", or with a separator "0a:1f".
[[nodiscard]] inline std::string hex_text(Bytes bytes, std::string_view separator = {}) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * (2 + separator.size()));
  for (const uint8_t byte : bytes) {
    if (!text.empty()) {
      text += separator;
    }
    text += digits[byte >> 4];
    text += digits[byte & 0xf];
  }
  return text;
}

}  // namespace shrike
