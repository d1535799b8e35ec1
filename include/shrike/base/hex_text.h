#pragma once
#include <string>

#include "shrike/base/bytes.h"

namespace shrike::protocol {

/// Two lower-case digits for each byte.
[[nodiscard]] inline std::string hex_text(Bytes bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 0xf];
  }
  return text;
}

}  // namespace shrike::protocol
