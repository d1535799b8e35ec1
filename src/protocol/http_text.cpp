#include "http_text.h"

#include <algorithm>

namespace shrike::protocol::http {

bool is_token(uint8_t byte) noexcept {
  constexpr std::string_view separators = "()<>@,;:\\\"/[]?={} \t";
  return byte >= 32 && byte <= 126 &&
         separators.find(static_cast<char>(byte)) == std::string_view::npos;
}

int hex_digit(uint8_t byte) noexcept {
  if (byte >= '0' && byte <= '9') {
    return byte - '0';
  }
  const uint8_t lower = to_lower(byte);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Bytes trimmed(Bytes text) noexcept {
  while (!text.empty() && is_space(text.front())) {
    text = text.subspan(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text = text.first(text.size() - 1);
  }
  return text;
}

Bytes without_line_end(Bytes text) noexcept {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text = text.first(text.size() - 1);
  }
  return text;
}

bool starts_any_case(Bytes text, std::string_view lower) noexcept {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char expected, uint8_t byte) {
           return static_cast<uint8_t>(expected) == to_lower(byte);
         });
}

bool equals_any_case(Bytes text, std::string_view lower) noexcept {
  return text.size() == lower.size() && starts_any_case(text, lower);
}

bool equals_without_nul(Bytes text, std::string_view lower) noexcept {
  size_t matched = 0;
  for (const uint8_t byte : text) {
    if (byte == 0) {
      continue;
    }
    if (matched == lower.size() || to_lower(byte) != static_cast<uint8_t>(lower[matched])) {
      return false;
    }
    ++matched;
  }
  return matched == lower.size();
}

bool contains_without_nul(Bytes text, std::string_view lower) noexcept {
  for (size_t start = 0; start < text.size(); ++start) {
    if (text[start] == 0) {
      continue;
    }
    size_t matched = 0;
    for (size_t at = start; at < text.size() && matched < lower.size(); ++at) {
      if (text[at] == 0) {
        continue;
      }
      if (to_lower(text[at]) != static_cast<uint8_t>(lower[matched])) {
        break;
      }
      ++matched;
    }
    if (matched == lower.size()) {
      return true;
    }
  }
  return false;
}

size_t find_bytes(Bytes text, Bytes part, size_t from) noexcept {
  return as_text(text).find(as_text(part), from);
}

}  // namespace shrike::protocol::http
